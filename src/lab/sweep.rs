//! Lists and ranges: `a,b,c`, `16..1024 x2`, `0..1 +0.1`.

use super::{Kind, Param, ParamError, Value};

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
