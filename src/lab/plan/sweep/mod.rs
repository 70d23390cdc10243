//! Lists and ranges: one text of a parameter that stands for many values, and many runs from the texts of a draft.
//!
//! | text | values |
//! |---|---|
//! | `a,b,c` | these |
//! | `16..1024 x2` | 16, 32, …, 1024 |
//! | `0..1 +0.1` | 0, 0.1, …, 1, exact in decimals |
//! | `log(1e-4..1e-2, 5)` | 5 in equal ratios, both ends among them |
//! | `random(8, 0..1)`, `random(8, log 1e-4..1e-1)` | 8 draws, equally or log-equally likely, known by the seed |
//!
//! They may be listed together: `0, 16..64 x2`.

mod decimal;
mod range;

use crate::lab::{Draft, Kind, Param, ParamError, Scale, Schema, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most runs or values one text may stand for.
pub const LIMIT: usize = 10_000;

/// The most runs that a draft may stand for where somebody was asked.
pub const MOST: usize = 100_000;

/// How several swept parameters go together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Every value of one with every value of the others.
    #[default]
    Grid,
    /// The first with the first, the second with the second; all swept parameters have as many values.
    Zip,
}

/// Reads the text of a parameter as one value or a list of values, in order.
///
/// # Errors
/// A value is not allowed, a range is malformed or stands for nothing or too much; the error names it.
pub fn values(param: &Param, text: &str) -> Result<Vec<Value>, ParamError> {
    values_seeded(param, text, 0)
}

/// As [`values`], with the seed of `random(…)`.
///
/// # Errors
/// As [`values`].
pub fn values_seeded(param: &Param, text: &str, seed: u64) -> Result<Vec<Value>, ParamError> {
    if matches!(param.kind, Kind::Text { .. }) {
        return Ok(vec![param.parse(text)?]);
    }
    let mut values = Vec::new();
    for piece in pieces(text) {
        match range::expand(param, piece, seed)? {
            // The message names the range: its values were not typed.
            Some(texts) => {
                for text in texts {
                    let value = param.parse(&text).map_err(|_| {
                        let shown = text.parse().map_or(text, |value: f64| value.to_string());
                        ParamError::new(param.key, format!("{shown} (from {piece})"), param.allowed())
                    })?;
                    values.push(value);
                }
            }
            None => values.push(param.parse(piece)?),
        }
        limit(param.key, values.len(), LIMIT)?;
    }
    Ok(values)
}

/// The parts of a list: at commas outside brackets.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth <= 0
    })
    .map(str::trim)
}

/// The scale on which a swept parameter is drawn: logarithmic where its text steps in ratios.
#[must_use]
pub fn scale(text: &str) -> Scale {
    let ratios = |piece: &str| {
        piece.starts_with("log")
            || (piece.starts_with("random") && piece.contains("log"))
            || (piece.contains("..") && piece.contains('x'))
    };
    if pieces(text).any(ratios) { Scale::Log } else { Scale::Linear }
}

/// The parameters of a draft that stand for several runs, in form order.
#[must_use]
pub fn swept(schema: &Schema, draft: &Draft) -> Vec<&'static Param> {
    let many = |param: &&Param| !param.list && values(param, draft.text(param.key)).is_ok_and(|all| all.len() > 1);
    schema.iter().filter(many).collect()
}

/// Refuses more than `most` points, which `key` makes.
fn limit(key: &str, count: usize, most: usize) -> Result<(), ParamError> {
    if count > most { Err(ParamError::new(key, format!("{count} points"), format!("at most {most}"))) } else { Ok(()) }
}

/// The values of every parameter of one point.
pub(in crate::lab) type Point = BTreeMap<&'static str, Vec<Value>>;

/// The values of each parameter, in form order; one choice where a run takes the whole list.
type Axes = Vec<(&'static str, Vec<Vec<Value>>)>;

fn axes(schema: &Schema, draft: &Draft, repeats: usize) -> Result<Axes, ParamError> {
    let seed = draft.text("seed").trim().parse().unwrap_or_default();
    let mut axes = Axes::new();
    for param in schema.iter() {
        let values = values_seeded(param, draft.text(param.key), seed)?;
        let choices: Vec<Vec<Value>> =
            if param.list { vec![values] } else { values.into_iter().map(|value| vec![value]).collect() };
        axes.push((param.key, choices));
    }
    if repeats == 0 {
        return Err(ParamError::new("repeats", "0", "at least 1"));
    }
    if repeats > 1 {
        match axes.iter().find(|(key, _)| *key == "seed") {
            Some((_, seeds)) if seeds.len() == 1 => {}
            Some(_) => {
                return Err(ParamError::new("seed", draft.text("seed"), "one seed where `repeats` counts it up"));
            }
            None => return Err(ParamError::new("repeats", repeats.to_string(), "1: nothing is drawn at random")),
        }
    }
    Ok(axes)
}

/// The number of runs a draft stands for, without making them.
///
/// # Errors
/// A value is not allowed, or there are more than [`MOST`].
pub fn count(schema: &Schema, draft: &Draft, mode: Mode, repeats: usize) -> Result<usize, ParamError> {
    let axes = axes(schema, draft, repeats)?;
    let mut count = 1_usize;
    for (key, choices) in &axes {
        count = match mode {
            Mode::Grid => count.saturating_mul(choices.len()),
            Mode::Zip => count.max(choices.len()),
        };
        limit(key, count, MOST)?;
    }
    count = count.saturating_mul(repeats);
    limit("repeats", count, MOST)?;
    Ok(count)
}

/// Every point a draft stands for, at most `most`, each `repeats` times with seeds counted up; later parameters change
/// fastest, the repeated seed fastest of all.
pub(in crate::lab) fn points(
    schema: &Schema,
    draft: &Draft,
    mode: Mode,
    repeats: usize,
    most: usize,
) -> Result<Vec<Point>, ParamError> {
    let axes = axes(schema, draft, repeats)?;
    let combined = match mode {
        Mode::Grid => grid(&axes, most)?,
        Mode::Zip => zip(&axes, most)?,
    };
    limit("repeats", combined.len().saturating_mul(repeats), most)?;
    let mut points = Vec::with_capacity(combined.len() * repeats);
    for point in combined {
        for repeat in 0..repeats {
            let mut point = point.clone();
            if repeat > 0 {
                reseed(&mut point, repeat)?;
            }
            points.push(point);
        }
    }
    Ok(points)
}

fn grid(axes: &Axes, most: usize) -> Result<Vec<Point>, ParamError> {
    let mut points = vec![Point::new()];
    for (key, choices) in axes {
        limit(key, points.len().saturating_mul(choices.len()), most)?;
        let with = |point: &Point, values: &Vec<Value>| {
            let mut point = point.clone();
            point.insert(key, values.clone());
            point
        };
        points = points.iter().flat_map(|point| choices.iter().map(move |values| with(point, values))).collect();
    }
    Ok(points)
}

fn zip(axes: &Axes, most: usize) -> Result<Vec<Point>, ParamError> {
    let mut swept = axes.iter().filter(|(_, choices)| choices.len() > 1);
    let Some((first, choices)) = swept.next() else { return grid(axes, most) };
    let count = choices.len();
    if let Some((key, choices)) = swept.find(|(_, choices)| choices.len() != count) {
        let allowed = format!("{count}, as many as `{first}` has, where parameters are swept side by side");
        return Err(ParamError::new(*key, format!("{} values", choices.len()), allowed));
    }
    let pick =
        |index: usize| axes.iter().map(move |(key, all)| (*key, all[index.min(all.len() - 1)].clone())).collect();
    Ok((0..count).map(pick).collect())
}

/// The point's `repeat`-th repetition: its seed counted up.
fn reseed(point: &mut Point, repeat: usize) -> Result<(), ParamError> {
    if let Some([Value::Int(seed)]) = point.get_mut("seed").map(Vec::as_mut_slice) {
        *seed = i64::try_from(repeat)
            .ok()
            .and_then(|repeat| seed.checked_add(repeat))
            .ok_or_else(|| ParamError::new("seed", seed.to_string(), "a seed that can be counted up"))?;
    }
    Ok(())
}
