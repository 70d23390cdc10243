//! Lists and ranges: `a,b,c`, `16..1024 x2`, `0..1 +0.1`.

use super::{Kind, Param, ParamError, Value};
use std::collections::BTreeMap;

/// The most runs or values one text may stand for.
pub const LIMIT: usize = 10_000;

/// Refuses more than [`LIMIT`].
///
/// # Errors
/// Names `key` and the limit.
pub fn limit(key: &str, count: usize) -> Result<(), ParamError> {
    if count > LIMIT {
        Err(ParamError::new(key, format!("{count} points"), format!("at most {LIMIT}")))
    } else {
        Ok(())
    }
}

/// The point's `repeat`-th repetition: its seed counted up.
pub(super) fn reseed(point: &mut BTreeMap<&'static str, Vec<Value>>, repeat: usize) -> Result<(), ParamError> {
    match point.get_mut("seed").map(Vec::as_mut_slice) {
        Some([Value::Int(seed)]) => {
            *seed = i64::try_from(repeat)
                .ok()
                .and_then(|repeat| seed.checked_add(repeat))
                .ok_or_else(|| ParamError::new("seed", seed.to_string(), "seeds that can be counted up"))?;
            Ok(())
        }
        _ => Err(ParamError::new("repeats", (repeat + 1).to_string(), "1: the problem draws nothing at random")),
    }
}

/// Reads the text of a parameter as one value or a list of values, in order.
///
/// # Errors
/// A value is not allowed; the error names it.
pub fn values(param: &Param, text: &str) -> Result<Vec<Value>, ParamError> {
    if matches!(param.kind, Kind::Text { .. }) {
        return Ok(vec![param.parse(text)?]);
    }
    text.split(',').map(|part| param.parse(part)).collect()
}
