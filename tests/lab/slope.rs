//! A problem made for the tests.

use attnlab::lab::{
    Axis, Column, Estimate, Event, Param, ParamError, Params, Places, Plot, Point, Problem, Progress, Row, RunContext,
    RunError, RunSpec, Schema, Series, choice, common,
};
use rand::Rng;
use std::path::Path;
use std::time::{Duration, Instant};

/// Walks down a slope, step by step.
pub struct Slope;

pub static SLOPE: Slope = Slope;
const PARAMS: &[Param] = &[
    common::SEED,
    common::THREADS,
    Param::choice("mode", "mode", &[choice("walk", ""), choice("panic", ""), choice("diverge", "")], "walk"),
    Param::int("steps", "steps", 1, 10_000_000, "10"),
    Param::float("angle", "angle", 0.0, 90.0, "30"),
    Param::int("sizes", "sizes", 1, 4096, "1,2").list(),
    Param::flag("save", "save checkpoints", "no"),
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
        const DEPTH: Column = Column::new("depth", "depth").unit("m").digits(2).brief();
        &[DEPTH]
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
        context.emit(Event::Series(Series::new("depth", "depth", "depth")));
        let steps = params.int("steps");
        let (begin, mut depth) = context.resume_state::<(i64, f64)>()?.unwrap_or_default();
        if let Some(file) = context.resume_file() {
            assert_eq!(std::fs::read_to_string(file).unwrap(), format!("{begin} {depth}"));
        }
        for step in begin..steps {
            if params.flag("save") && (context.checkpoint_due() || step % 16 == 0) {
                let write = |path: &Path| std::fs::write(path, format!("{step} {depth}")).map_err(|e| e.to_string());
                context.save_checkpoint(&(step, depth), write)?;
            }
            context.check_cancelled()?;
            std::thread::sleep(Duration::from_secs_f64(params.float("pause")));
            depth += params.float("angle").to_radians().tan() * context.generator("step", step as u64).random::<f64>();
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

pub fn places(root: &Path) -> Places {
    Places { logs: root.join("logs"), data: root.join("data"), presets: root.join("presets") }
}

pub fn spec(changes: &[(&str, &str)]) -> RunSpec {
    RunSpec::new(&SLOPE, Params::with(&SLOPE.schema(), changes).unwrap()).unwrap()
}

pub fn until(what: &str, condition: impl Fn() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < Duration::from_secs(20), "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
