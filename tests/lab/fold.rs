//! A live run, a stored one and one that is followed are the same view.

use crate::slope::places;
use attnlab::lab::journal::Tail;
use attnlab::lab::{
    Axis, Column, Curve, Estimate, Event, Matrix, Param, ParamError, Params, Plot, Point, Problem, Progress, Queue,
    RunContext, RunError, RunSpec, RunState, RunView, Schema, Series, Stamped, common,
};
use proptest::prelude::*;
use std::sync::Mutex;

/// Says what it is given.
struct Script;

static SCRIPT: Script = Script;
static EVENTS: Mutex<Vec<Event>> = Mutex::new(Vec::new());
const PARAMS: &[Param] = &[common::SEED];

impl Problem for Script {
    fn name(&self) -> &'static str {
        "script"
    }
    fn title(&self) -> &'static str {
        "Script"
    }
    fn about(&self) -> &'static str {
        "says what it is given"
    }
    fn schema(&self) -> Schema {
        Schema(PARAMS)
    }
    fn columns(&self) -> &'static [Column] {
        &[]
    }
    fn headline(&self) -> &'static str {
        "a"
    }
    fn label(&self, _: &Params) -> String {
        String::new()
    }
    fn check(&self, _: &Params) -> Result<(), ParamError> {
        Ok(())
    }
    fn estimate(&self, _: &Params) -> Estimate {
        Estimate::default()
    }
    fn run(&self, _: &Params, context: &mut RunContext) -> Result<(), RunError> {
        let events = EVENTS.lock().unwrap().clone();
        events.into_iter().for_each(|event| context.emit(event));
        Ok(())
    }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]", Just("with \"quotes\" and \\".to_owned()), Just("ä\u{1b}\n".to_owned())]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-0.0), -9.0..9.0]
}

fn single() -> impl Strategy<Value = Event> {
    let axis = || Axis::log("x").over(0.0, 1.0);
    let values = || prop::collection::vec(any::<f32>(), 0..5);
    prop_oneof![
        4 => (name(), number(), number(), prop::option::of((number(), number()))).prop_map(|(series, x, y, ends)| {
            let point = Point::new(series, x, y);
            // An end that is no number is none.
            let known = ends.filter(|(lo, hi)| !lo.is_nan() && !hi.is_nan());
            Event::Point(known.map_or(point.clone(), |(lo, hi)| point.within(lo, hi)))
        }),
        1 => (name(), name()).prop_map(|(id, plot)| Event::Series(Series::new(id, plot, "label").beside("a"))),
        1 => name().prop_map(move |id| Event::Plot(Plot { id, title: "t".into(), x: axis(), y: axis() })),
        1 => (name(), values()).prop_map(|(series, y)| {
            let y: Vec<f64> = y.into_iter().map(f64::from).collect();
            Event::Curve(Curve { series, x: vec![0.5; y.len()], y })
        }),
        1 => (name(), values()).prop_map(|(id, values)| Event::Matrix(Matrix {
            id, group: "g".into(), title: "t".into(), rows: 1, cols: values.len(), values,
            caption: "c".into(), ..Matrix::default()
        })),
        1 => name().prop_map(|text| Event::Note { text }),
        // Progress that ends its stage is always kept.
        1 => (0_u64..9).prop_map(|n| Event::Progress(Progress { done: n, total: n, unit: "u".into(), ..Progress::default() })),
        1 => (name(), any::<i32>()).prop_map(|(key, value)| Event::Row { row: [(key, value.into())].into_iter().collect() }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![6 => single(), 1 => prop::collection::vec(single(), 0..5).prop_map(|events| Event::Burst { events })]
}

/// A view as text, where NaN is the same as NaN; the order in which plots, series and so on came counts.
fn text(view: &RunView) -> String {
    format!("{view:?}").split("recent").next().unwrap().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn folded_in_pieces_whole_live_and_from_disk_a_run_is_the_same(
        events in prop::collection::vec(event(), 0..40),
        pieces in prop::collection::vec(1_usize..9, 1..9),
    ) {
        EVENTS.lock().unwrap().clone_from(&events);
        let root = tempfile::tempdir().unwrap();
        let queue = Queue::new(places(root.path()), 1).unwrap();
        let spec = RunSpec::new(&SCRIPT, Params::with(&Schema(PARAMS), &[]).unwrap()).unwrap();
        let run = queue.submit(spec).unwrap();
        let (mut drained, mut tail, mut followed) = (RunView::default(), Tail::new(run.folder()), RunView::default());
        loop {
            let over = run.state().is_final();
            run.drain().iter().for_each(|event| drained.fold(event));
            followed.follow(run.folder(), &mut tail).unwrap();
            if over {
                break;
            }
        }
        prop_assert_eq!(run.wait(), RunState::Finished);
        let disk = RunView::read(run.folder()).unwrap();
        let live = run.with_view(RunView::clone);
        prop_assert_eq!(text(&live), text(&disk));
        prop_assert_eq!(text(&drained), text(&disk));
        prop_assert_eq!(text(&followed), text(&disk));
        // A face that comes late gets the whole view.
        let late = disk.to_events().iter().fold(RunView::default(), |mut view, event| { view.fold(event); view });
        prop_assert_eq!(text(&late), text(&disk));
        // Whatever lies between two folds.
        let stamped = Tail::new(run.folder()).events().unwrap();
        let (mut view, mut rest, mut sizes) = (RunView::default(), &stamped[..], pieces.iter().cycle());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            piece.iter().for_each(|event: &Stamped| view.fold(event));
            rest = after;
        }
        prop_assert_eq!(text(&view), text(&disk));
    }
}
