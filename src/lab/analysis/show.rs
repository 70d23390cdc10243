//! Numbers and times as a person reads them, the same on screen, in tables and in exports.

use crate::lab::Column;
use serde_json::Value;

impl Column {
    /// The heading with its unit: `train s`.
    #[must_use]
    pub fn heading(&self) -> String {
        if self.unit.is_empty() { self.label.to_owned() } else { format!("{} {}", self.label, self.unit) }
    }

    /// A cell of this column: numbers with the declared digits, `–` where there is nothing.
    #[must_use]
    pub fn show(&self, value: Option<&Value>) -> String {
        match value {
            None | Some(Value::Null) => "–".to_owned(),
            Some(Value::Bool(value)) => if *value { "yes" } else { "no" }.to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => whole.to_string(),
                (None, Some(value)) if self.error && value >= 1.0 => {
                    format!("{} (no better than 0)", decimal(value, self.digits))
                }
                (None, Some(value)) => decimal(value, self.digits),
                (None, None) => number.to_string(),
            },
            Some(other) => other.to_string(),
        }
    }
}

/// `value` with `digits` after the point; in scientific notation where that would show nothing of it, or too much.
#[must_use]
pub fn decimal(value: f64, digits: usize) -> String {
    let size = value.abs();
    let smallest = 0.5 * 10_f64.powi(-i32::try_from(digits).unwrap_or(i32::MAX));
    if !value.is_finite() {
        return if value.is_nan() { "–".to_owned() } else { value.to_string() };
    }
    if size != 0.0 && (size < smallest * 2.0 || size >= 1e7) {
        format!("{value:.*e}", digits.clamp(1, 3))
    } else {
        format!("{value:.digits$}")
    }
}

/// Seconds as `0.4 s`, `12 s`, `3:07`, `2:03:07`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".to_owned();
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest} s"),
        (0, _) => format!("{minutes}:{rest:02}"),
        _ => format!("{hours}:{minutes:02}:{rest:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_keep_what_they_say() {
        assert_eq!(decimal(0.9124, 3), "0.912");
        assert_eq!(decimal(0.000_012, 3), "1.200e-5");
        assert_eq!(decimal(0.0, 2), "0.00");
        assert_eq!(decimal(12_345_678.9, 1), "1.2e7");
        assert_eq!(decimal(f64::NAN, 1), "–");
        assert_eq!(decimal(f64::NEG_INFINITY, 1), "-inf");
        let column = Column::new("t", "train").unit("s").digits(1).brief();
        assert_eq!(column.heading(), "train s");
        assert_eq!(column.show(Some(&json!(1.25))), "1.2");
        assert_eq!(column.show(Some(&json!(7))), "7");
        assert_eq!(column.show(None), "–");
    }

    #[test]
    fn durations_read_as_a_clock() {
        assert_eq!(duration(0.42), "0.4 s");
        assert_eq!(duration(42.4), "42 s");
        assert_eq!(duration(187.0), "3:07");
        assert_eq!(duration(7387.0), "2:03:07");
        assert_eq!(duration(f64::NAN), "–");
    }
}
