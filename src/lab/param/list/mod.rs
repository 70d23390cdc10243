//! The text of one parameter as several values: lists and ranges.
//!
//! | text | values |
//! |---|---|
//! | `a,b,c` | these |
//! | `16..1024 x2` | 16, 32, …, 1024 |
//! | `0..1 +0.1` | 0, 0.1, …, 1, exact in decimals |
//! | `log(1e-4..1e-2, 5)` | 5 in equal ratios, both ends among them |
//! | `random(8, 0..1)`, `random(8, log 1e-4..1e-1)` | 8 draws, uniform or log-uniform, determined by the seed |
//!
//! They may be listed together: `0, 16..64 x2`. Functions that users type are separated by `|`: `relu(u)|elu(u)+1`.

mod decimal;
mod range;

use crate::lab::Scale;

use crate::lab::param::declaration::{Param, ParamError, Value};
pub use range::LIMIT;
use std::ops::Range;

/// Reads the text of a parameter as one value or a list of values, in order.
///
/// # Errors
/// A value is not allowed, a range is malformed, or there are no values or more than [`LIMIT`]; the error names it.
pub fn values(param: &Param, text: &str) -> Result<Vec<Value>, ParamError> {
    values_seeded(param, text, 0)
}

/// As [`values`], with the seed of `random(…)`.
///
/// # Errors
/// As [`values`].
pub fn values_seeded(param: &Param, text: &str, seed: u64) -> Result<Vec<Value>, ParamError> {
    let Some(separator) = param.kind.separator() else {
        return Ok(vec![param.parse(text)?]);
    };
    let mut values = Vec::new();
    for piece in pieces(text, separator) {
        match range::expand(param, piece, seed)? {
            // The message names the range, because the user did not type its values.
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
        check_count(param, values.len())?;
    }
    Ok(values)
}

/// The number of values that [`values`] finds, computed from the ends and steps of ranges without making their values.
///
/// # Errors
/// As [`values`], except that the values of a range are not compared with what the parameter allows.
pub fn count(param: &Param, text: &str) -> Result<usize, ParamError> {
    let Some(separator) = param.kind.separator() else {
        return Ok(1);
    };
    let mut count = 0;
    for piece in pieces(text, separator) {
        count += match range::count(param, piece)? {
            Some(count) => count,
            None => param.parse(piece).map(|_| 1)?,
        };
        check_count(param, count)?;
    }
    Ok(count)
}

fn check_count(param: &Param, count: usize) -> Result<(), ParamError> {
    if count > LIMIT {
        return Err(ParamError::new(param.key, format!("{count} values"), format!("at most {LIMIT}")));
    }
    Ok(())
}

/// The parts of a list, without blanks around them.
fn pieces(text: &str, separator: char) -> impl Iterator<Item = &str> {
    places(text, separator).map(|place| text[place].trim())
}

/// The bytes of `text` that each part of a list stands at, with the blanks around it. Commas separate outside brackets
/// only; every other separator has no meaning inside a part, so a bracket that is never closed does not hide it.
pub fn places(text: &str, separator: char) -> impl Iterator<Item = Range<usize>> {
    let mut depth = 0_i32;
    let parts = text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == separator && (depth <= 0 || separator != ',')
    });
    let mut next = 0;
    parts.map(move |part| {
        let start = next;
        next = start + part.len() + separator.len_utf8();
        start..start + part.len()
    })
}

/// The scale on which a swept parameter is drawn: logarithmic where its text steps in ratios, linear where it steps evenly. A
/// plain list says neither.
#[must_use]
pub fn scale(text: &str) -> Option<Scale> {
    let ratios = |piece: &str| {
        piece.starts_with("log")
            || (piece.starts_with("random") && piece.contains("log"))
            || (piece.contains("..") && piece.contains('x'))
    };
    let steps = |piece: &str| piece.starts_with("random") || piece.contains("..");
    match (pieces(text, ',').any(ratios), pieces(text, ',').any(steps)) {
        (true, _) => Some(Scale::Log),
        (false, true) => Some(Scale::Linear),
        (false, false) => None,
    }
}
