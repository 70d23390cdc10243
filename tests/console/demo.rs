//! A problem made for the tests: every kind of parameter, plots, matrices, rows, remarks; it can be told to wait, to
//! fail and to panic.

use attnlab::lab::{
    Axis, Choice, Column, Estimate, Event, Matrix, Param, ParamError, Params, Plot, Point, Problem, Progress, Row,
    RunContext, RunError, RunState, Schema, Series, Stamped, StoredParams, Style, choice, common,
};

pub struct Demo;

const KINDS: &[Choice] =
    &[choice("softmax", "quadratic in the length"), choice("relu", "linear, cheap"), choice("exp", "linear, close")];
const ENDS: &[Choice] = &[choice("finish", ""), choice("wait", ""), choice("fail", ""), choice("panic", "")];
const PARAMS: &[Param] = &[
    Param::choice("kind", "attention", KINDS, "softmax").group("model").help("the attention kernel"),
    Param::int("depth", "depth", 1, 64, "4").group("model").help("number of blocks"),
    Param::float("rate", "learning rate", 0.0, 1.0, "0.001").group("training"),
    Param::int("steps", "steps", 1, 100_000, "40").group("training").unit("steps"),
    Param::flag("matrices", "matrices", "yes").group("run"),
    Param::choice("end", "end", ENDS, "finish").group("run"),
    common::SEED,
];

const COLUMNS: &[Column] = &[
    Column::new("kind", "attention").brief(),
    Column::new("accuracy", "accuracy").digits(3).brief(),
    Column::new("loss", "loss").digits(4).brief(),
    Column::new("train", "train").unit("images/s"),
    Column::new("seconds", "training").unit("s").digits(1),
];

/// Everything a run of `kind` says until `steps` of 40 are done, with nothing that depends on a clock.
pub fn events(kind: &str, steps: u32) -> Vec<Event> {
    let plot = |id: &str, title: &str, y: Axis| {
        Event::Plot(Plot { id: id.into(), title: title.into(), x: Axis::linear("images").over(0.0, 40.0), y })
    };
    let series = |id: &str, plot: &str, label: &str, style| Event::Series(Series::new(id, plot, label).drawn(style));
    let slower = if kind == "softmax" { 1.0 } else { 1.5 };
    let mut events = vec![
        plot("loss", "Loss", Axis::linear("loss")),
        plot("accuracy", "Accuracy", Axis::linear("accuracy").over(0.0, 1.0)),
        Event::Plot(Plot {
            id: "error".into(),
            title: "Error".into(),
            x: Axis::log("features"),
            y: Axis::log("error"),
        }),
        series("train", "loss", "training", Style::Line),
        series("validation", "loss", "validation", Style::Points),
        series("accuracy", "accuracy", "validation", Style::Line),
        series("error", "error", "estimate", Style::Line),
        series("theory", "error", "theory", Style::Dashed),
    ];
    for step in 0..=steps {
        let x = f64::from(step);
        let noise = if step % 2 == 0 { 0.03 } else { -0.03 };
        events.push(Event::Point(Point::new("train", x, 2.3 * (-x * slower / 12.0).exp() + 0.1 + noise)));
        if step % 10 == 0 {
            events.push(Event::Point(Point::new("validation", x, 2.3 * (-x * slower / 14.0).exp() + 0.15)));
            events.push(Event::Point(Point::new("accuracy", x, 1.0 - 0.9 * (-x * slower / 10.0).exp())));
        }
    }
    for power in 4..=10 {
        let (m, error) = (2_f64.powi(power), 3.0 / 2_f64.powi(power).sqrt());
        events.push(Event::Point(Point::new("error", m, error * 1.1).within(error * 0.8, error * 1.5)));
        events.push(Event::Point(Point::new("theory", m, error)));
    }
    let progress = Progress {
        done: u64::from(steps) * 100,
        total: 4000,
        unit: "images".into(),
        rate: 1250.0,
        stage: "epoch 2 of 4".into(),
    };
    events.push(Event::Progress(progress));
    events
}

fn ending(kind: &str) -> Vec<Event> {
    let values = |width: f32| (0..256).map(|i| (-((i / 16 - i % 16) as f32 / width).powi(2)).exp()).collect();
    let matrix = |id: &str, title: &str, width| {
        let (group, caption) = ("attention".to_owned(), "head 1".to_owned());
        Event::Matrix(Matrix {
            id: id.into(),
            group,
            title: title.into(),
            rows: 16,
            cols: 16,
            values: values(width),
            caption,
            ..Matrix::default()
        })
    };
    let mut row = Row::new();
    row.insert("kind".into(), kind.into());
    row.insert("accuracy".into(), if kind == "softmax" { 0.9124 } else { 0.897 }.into());
    row.insert("loss".into(), 0.2871.into());
    row.insert("train".into(), 1250.into());
    row.insert("seconds".into(), if kind == "softmax" { 12.0 } else { 8.5 }.into());
    vec![
        matrix("exact", "exact", 3.0),
        matrix("estimate", "estimate", 4.0),
        Event::Row { row },
        Event::Note { text: "accuracy on 360 test images: a difference under 0.02 means little".into() },
    ]
}

/// The same as a view folds it: with a state, at fixed times.
pub fn stamped(kind: &str, steps: u32, state: RunState) -> Vec<Stamped> {
    let mut all = vec![Event::State { state: RunState::Running, message: String::new() }];
    all.extend(events(kind, steps));
    if state == RunState::Finished {
        all.extend(ending(kind));
    }
    all.push(Event::State { state, message: String::new() });
    all.into_iter().map(|event| Stamped { t: 12.5, event }).collect()
}

/// The parameters of a run of `kind`, as a run on screen has them.
pub fn params(kind: &str, changes: &[(&str, &str)]) -> StoredParams {
    let changes: Vec<_> = changes.iter().copied().chain([("kind", kind)]).collect();
    Params::with(&Schema(PARAMS), &changes).unwrap().stored(&Schema(PARAMS))
}

impl Problem for Demo {
    fn name(&self) -> &'static str {
        "demo"
    }
    fn title(&self) -> &'static str {
        "Demo"
    }
    fn about(&self) -> &'static str {
        "train a model that does not exist: what each attention kernel would cost"
    }
    fn schema(&self) -> Schema {
        Schema(PARAMS)
    }
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }
    fn headline(&self) -> &'static str {
        "accuracy"
    }
    fn live(&self) -> Option<&'static str> {
        Some("accuracy")
    }
    fn costs(&self) -> &'static [&'static str] {
        &["seconds"]
    }
    fn label(&self, params: &Params) -> String {
        params.text("kind").to_owned()
    }
    fn check(&self, params: &Params) -> Result<(), ParamError> {
        if params.int("depth") == 13 {
            return Err(ParamError::new("depth", "13", "any depth but 13"));
        }
        Ok(())
    }
    fn estimate(&self, params: &Params) -> Estimate {
        Estimate { rows: 1, seconds: Some(params.int("steps") as f64 / 10.0), bytes: None }
    }
    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError> {
        for event in events(params.text("kind"), 40) {
            context.check_cancelled()?;
            context.emit(event);
        }
        match params.text("end") {
            "fail" => return Err(RunError::Input("the data set is not there".into())),
            "panic" => panic!("the roof is on fire"),
            "wait" => loop {
                context.check_cancelled()?;
                std::thread::sleep(std::time::Duration::from_millis(2));
            },
            _ => {}
        }
        ending(params.text("kind")).into_iter().for_each(|event| context.emit(event));
        Ok(())
    }
}
