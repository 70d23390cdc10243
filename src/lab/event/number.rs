//! Numbers that may be NaN or infinite, which JSON has no word for: written as null, `"inf"`, `"-inf"`.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() {
        value.serialize(serializer)
    } else if value.is_nan() {
        serializer.serialize_none()
    } else {
        serializer.serialize_str(if *value > 0.0 { "inf" } else { "-inf" })
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(AnyNumber::deserialize(deserializer)?.0)
}

/// A number read from any of its forms.
pub(crate) struct AnyNumber(pub f64);

impl<'de> Deserialize<'de> for AnyNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberForm).map(Self)
    }
}

struct NumberForm;

impl Visitor<'_> for NumberForm {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, null, \"inf\" or \"-inf\"")
    }

    fn visit_f64<E>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_u64<E>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_unit<E>(self) -> Result<f64, E> {
        Ok(f64::NAN)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        match text {
            "inf" => Ok(f64::INFINITY),
            "-inf" => Ok(f64::NEG_INFINITY),
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
        }
    }
}

/// The same for an end of an interval that may be absent.
pub(crate) mod ends {
    use super::{AnyNumber, Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        super::serialize(&value.unwrap_or(f64::NAN), serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Ok(Some(AnyNumber::deserialize(deserializer)?.0).filter(|value| !value.is_nan()))
    }
}

/// The same for the positions of a curve, in double precision.
pub(crate) mod long_numbers {
    use super::{AnyNumber, Deserialize, Deserializer, Serialize, Serializer};

    struct LongNumber(f64);

    impl Serialize for LongNumber {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            super::serialize(&self.0, serializer)
        }
    }

    pub(crate) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| LongNumber(*value)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let values = Vec::<AnyNumber>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|AnyNumber(value)| value).collect())
    }
}

/// The same for the values of a matrix.
pub(crate) mod numbers {
    use super::{AnyNumber, Deserialize, Deserializer, Serialize, Serializer};
    use serde::ser::SerializeSeq;

    struct ShortNumber(f32);

    impl Serialize for ShortNumber {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            // A finite f32 by its own shortest text, which is half as long as that of the f64 beside it.
            if self.0.is_finite() {
                self.0.serialize(serializer)
            } else {
                super::serialize(&f64::from(self.0), serializer)
            }
        }
    }

    pub(crate) fn serialize<S: Serializer>(values: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(values.len()))?;
        for value in values {
            sequence.serialize_element(&ShortNumber(*value))?;
        }
        sequence.end()
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
        let values = Vec::<AnyNumber>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|AnyNumber(value)| value as f32).collect())
    }
}
