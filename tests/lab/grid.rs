//! A problem made for the tests: many independent pieces of work, without checkpoints.

use attnlab::lab::{
    Axis, Column, Curve, Estimate, Event, Matrix, Param, ParamError, Params, Plot, Point, Problem, Row, RunContext,
    RunError, RunSpec, Schema, Series, common,
};
use rand::Rng;
use serde_json::json;

/// Draws a number for each piece and says which is the largest.
pub struct Grid;

pub static GRID: Grid = Grid;
const PARAMS: &[Param] = &[
    common::SEED,
    common::THREADS,
    Param::int("pieces", "pieces", 1, 1000, "6"),
    Param::flag("bursts", "tell each piece in one line", "yes"),
];

fn object(value: serde_json::Value) -> Row {
    value.as_object().cloned().unwrap()
}

impl Problem for Grid {
    fn name(&self) -> &'static str {
        "grid"
    }
    fn title(&self) -> &'static str {
        "Grid"
    }
    fn about(&self) -> &'static str {
        "draws"
    }
    fn schema(&self) -> Schema {
        Schema(PARAMS)
    }
    fn columns(&self) -> &'static [Column] {
        const fn column(key: &'static str) -> Column {
            Column::new(key, key).digits(2).brief()
        }
        const COLUMNS: &[Column] = &[column("piece").identifying(), column("half").identifying(), column("value")];
        COLUMNS
    }
    fn headline(&self) -> &'static str {
        "value"
    }
    fn label(&self, params: &Params) -> String {
        format!("{} pieces", params.int("pieces"))
    }
    fn check(&self, _: &Params) -> Result<(), ParamError> {
        Ok(())
    }
    fn estimate(&self, _: &Params) -> Estimate {
        Estimate { rows: 1, seconds: Some(0.1), bytes: None }
    }
    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError> {
        let (x, y) = (Axis::linear("piece"), Axis::linear("value"));
        context.emit(Event::Plot(Plot { id: "values".into(), title: "Values".into(), x, y }));
        for half in ["first", "second"] {
            context.emit(Event::Series(Series::new(half, "values", half)));
        }
        let mut best = (f64::NEG_INFINITY, 0);
        for piece in 0..params.int("pieces") {
            context.check_cancelled()?;
            let mut told = Vec::new();
            for (index, half) in ["first", "second"].into_iter().enumerate() {
                let is_known = |row: &&Row| row["piece"] == piece && row["half"] == half;
                let known = context.finished_rows().iter().find(is_known);
                let value = match known {
                    Some(row) => row["value"].as_f64().unwrap(),
                    None => context.generator(half, piece as u64).random::<f64>(),
                };
                best = if value > best.0 { (value, piece) } else { best };
                told.push(Event::Point(Point::new(half, piece as f64, value)));
                told.push(Event::Row { row: object(json!({ "piece": piece, "half": half, "value": value })) });
                if index == 1 && piece % 2 == 0 {
                    told.push(Event::Note { text: format!("piece {piece} is even") });
                }
            }
            let values = vec![piece as f32, f32::NAN];
            let (x, y) = (vec![0.0, 1.0], vec![piece as f64, best.0]);
            told.push(Event::Curve(Curve { series: "shape".into(), x, y }));
            told.push(Event::Matrix(Matrix {
                id: "picture".into(),
                group: "picture".into(),
                title: format!("piece {piece}"),
                rows: 1,
                cols: 2,
                values,
                caption: String::new(),
                ..Matrix::default()
            }));
            if params.flag("bursts") {
                context.emit_burst(told);
            } else {
                told.into_iter().for_each(|event| context.emit(event));
            }
        }
        context.note(format!("piece {} is the largest of {}", best.1, context.rows().len()));
        Ok(())
    }
}

pub fn grid(changes: &[(&str, &str)]) -> RunSpec {
    RunSpec::new(&GRID, Params::with(&GRID.schema(), changes).unwrap()).unwrap()
}
