//! Runs, their folders and the queue, with a problem made for the purpose.

use attnlab::lab::{
    Axis, Column, Document, Draft, Estimate, Event, Param, ParamError, Params, Places, Plot, Point, Problem, Progress,
    Queue, Row, RunContext, RunError, RunRecord, RunSpec, RunState, RunView, Schema, Series, Style, choice, common,
};
use std::path::Path;
use std::time::{Duration, Instant};

/// Walks down a slope, step by step.
struct Slope;

static SLOPE: Slope = Slope;
const PARAMS: &[Param] = &[
    common::SEED,
    common::THREADS,
    Param::choice("mode", "mode", &[choice("walk", ""), choice("panic", ""), choice("diverge", "")], "walk"),
    Param::int("steps", "steps", 1, 10_000_000, "10"),
    Param::float("angle", "angle", 0.0, 90.0, "30"),
    Param::int("sizes", "sizes", 1, 4096, "1,2").list(),
    Param::float("pause", "seconds a step", 0.0, 10.0, "0"),
];

impl Problem for Slope {
    fn name(&self) -> &'static str {
        "slope"
    }
    fn title(&self) -> &'static str {
        "Slope"
    }
    fn about(&self) -> &'static str {
        "walks down"
    }
    fn schema(&self) -> Schema {
        Schema(PARAMS)
    }
    fn columns(&self) -> &'static [Column] {
        &[]
    }
    fn headline(&self) -> &'static str {
        "depth"
    }
    fn label(&self, params: &Params) -> String {
        format!("{} at {}°", params.text("mode"), params.float("angle"))
    }
    fn check(&self, params: &Params) -> Result<(), ParamError> {
        if params.float("angle") == 89.0 {
            return Err(ParamError::new("angle", "89", "anything else"));
        }
        Ok(())
    }
    fn estimate(&self, params: &Params) -> Estimate {
        let seconds = params.int("steps") as f64 * params.float("pause");
        Estimate { rows: 1, seconds: Some(seconds), bytes: None }
    }
    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError> {
        let (x, y) = (Axis::linear("step"), Axis::linear("depth"));
        context.emit(Event::Plot(Plot { id: "depth".into(), title: "Depth".into(), x, y }));
        let (id, plot, label) = ("depth".into(), "depth".into(), "depth".into());
        context.emit(Event::Series(Series { id, plot, label, style: Style::Line }));
        let steps = params.int("steps");
        let mut depth = 0.0;
        for step in 0..steps {
            context.breathe()?;
            std::thread::sleep(Duration::from_secs_f64(params.float("pause")));
            depth += params.float("angle").to_radians().tan();
            context.emit(Event::Point(Point::new("depth", step as f64, depth)));
            let (done, total) = (step as u64 + 1, steps as u64);
            context.emit(Event::Progress(Progress { done, total, unit: "steps".into(), ..Progress::default() }));
            match params.text("mode") {
                "panic" => panic!("slipped at {step}"),
                "diverge" => return Err(RunError::Diverged("depth is infinite".into())),
                _ => {}
            }
        }
        let row: Row = [("steps".to_owned(), steps.into()), ("depth".to_owned(), depth.into())].into_iter().collect();
        context.emit(Event::Row { row });
        Ok(())
    }
}

fn places(root: &Path) -> Places {
    Places { logs: root.join("logs"), data: root.join("data"), presets: root.join("presets") }
}

fn spec(changes: &[(&str, &str)]) -> RunSpec {
    RunSpec::new(&SLOPE, Params::with(&SLOPE.schema(), changes).unwrap()).unwrap()
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < Duration::from_secs(20), "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_run_leaves_a_folder_that_says_everything() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 2).unwrap();
    let run = queue.submit(spec(&[("steps", "5"), ("seed", "7")])).unwrap();
    assert_eq!(run.wait(), RunState::Finished);
    let live = run.drain().iter().fold(RunView::default(), |mut view, event| {
        view.fold(event);
        view
    });
    let read = RunView::read(run.folder()).unwrap();
    assert_eq!(live, read);
    assert_eq!(read.state, RunState::Finished);
    assert_eq!(read.series[0].points.len(), 5);
    assert_eq!(read.rows[0]["steps"], 5);
    assert_eq!(read.progress.unwrap().done, 5);

    let record: RunRecord = toml::from_str(&std::fs::read_to_string(run.folder().join("run.toml")).unwrap()).unwrap();
    assert_eq!((record.problem.as_str(), record.run.seed), ("slope", 7));
    assert_eq!(record.run.command, "attnlab run slope --set seed=7 --set steps=5");
    assert_eq!(record.params["sizes"].as_array().unwrap().len(), 2);

    let text = std::fs::read_to_string(run.folder().join("summary.json")).unwrap();
    let summary: Document = serde_json::from_str(&text).unwrap();
    assert_eq!((summary.schema, summary.seed, summary.state), (1, 7, RunState::Finished));
    assert_eq!(summary.headline, read.rows[0]["depth"].as_f64());
    assert_eq!(summary.params["steps"], 5);
    let keys: Vec<_> = serde_json::from_str::<Row>(&text).unwrap().keys().take(7).cloned().collect();
    assert_eq!(keys, ["schema", "problem", "params", "seed", "version", "machine", "rows"]);
}

#[test]
fn a_run_that_fails_says_why_and_the_queue_lives_on() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let panicked = queue.submit(spec(&[("mode", "panic")])).unwrap();
    let diverged = queue.submit(spec(&[("mode", "diverge")])).unwrap();
    let fine = queue.submit(spec(&[])).unwrap();
    assert_eq!(panicked.wait(), RunState::Failed);
    assert_eq!(panicked.message(), "panicked: slipped at 0");
    assert_eq!(diverged.wait(), RunState::Diverged);
    assert_eq!(RunView::read(diverged.folder()).unwrap().message, "depth is infinite");
    assert_eq!(fine.wait(), RunState::Finished);
}

#[test]
fn a_run_is_paused_and_stopped_within_a_step_and_gives_its_turn_away() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let long = queue.submit(spec(&[("steps", "1000000"), ("pause", "0.001")])).unwrap();
    let waiting = queue.submit(spec(&[("steps", "1000000"), ("pause", "0.001")])).unwrap();
    let next = queue.submit(spec(&[])).unwrap();
    until("the first runs", || long.state() == RunState::Running);
    assert_eq!(waiting.state(), RunState::Queued);

    waiting.control().stop();
    assert_eq!(waiting.wait(), RunState::Stopped);
    assert_eq!(RunView::read(waiting.folder()).unwrap().series.len(), 0);

    assert_eq!(next.state(), RunState::Queued);
    long.control().pause();
    assert_eq!(next.wait(), RunState::Finished);
    assert_eq!(long.state(), RunState::Paused);
    let before = RunView::read(long.folder()).unwrap();
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(RunView::read(long.folder()).unwrap(), before);

    long.control().proceed();
    until("it goes on", || long.state() == RunState::Running);
    queue.shutdown(true);
    let after = RunView::read(long.folder()).unwrap();
    assert_eq!(after.state, RunState::Stopped);
    assert!(after.series[0].points.len() > before.series[0].points.len());
    assert!(queue.submit(spec(&[])).is_err());
}

#[test]
fn a_handle_nobody_drains_forgets_nothing() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let run = queue.submit(spec(&[("steps", "100000")])).unwrap();
    run.wait();
    let points = run.drain().iter().filter(|stamped| matches!(stamped.event, Event::Point(_))).count();
    assert_eq!(points, 100_000);
    assert!(run.drain().is_empty());
}

#[test]
fn lists_make_runs_and_repeats_make_seeds() {
    let schema = SLOPE.schema();
    let mut draft = Draft::new(&schema);
    draft.set(&schema, "steps", "1,2,3").unwrap();
    draft.set(&schema, "angle", "10,20").unwrap();
    draft.set(&schema, "sizes", "4,5,6").unwrap();
    let specs = RunSpec::expand(&SLOPE, &draft, 2).unwrap();
    let told: Vec<_> = specs.iter().map(|s| (s.params.int("steps"), s.params.float("angle"), s.seed())).collect();
    assert_eq!(told.len(), 12);
    assert_eq!(told[..5], [(1, 10.0, 0), (1, 10.0, 1), (1, 20.0, 0), (1, 20.0, 1), (2, 10.0, 0)]);
    assert_eq!(specs[0].params.ints("sizes"), [4, 5, 6]);
    draft.set(&schema, "angle", "88,89").unwrap();
    assert_eq!(RunSpec::expand(&SLOPE, &draft, 1).unwrap_err().key, "angle");
}

#[test]
fn logs_that_cannot_be_written_are_refused_before_anything_starts() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("logs");
    std::fs::write(&file, "not a directory").unwrap();
    let error = Queue::new(places(root.path()), 1).err().unwrap().to_string();
    assert!(error.contains(file.to_str().unwrap()), "{error}");
    assert_eq!(error.lines().count(), 1);
}
