//! Parameters as files keep them, and every conversion between values, TOML, JSON and text.
//!
//! Each conversion is exact in both directions: a number is written with the fewest digits that are read back as the
//! same number, and a whole number of a real parameter stays apart from a whole parameter (`1.0` and `1` in TOML and
//! JSON). What this version of the program does not know, be it a key or a kind of value, is kept as it was written.

use crate::lab::param::declaration::{Param, Value};
use crate::lab::param::list;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Values as one would type them, with `separator` between them.
#[must_use]
pub fn typed(values: &[Value], separator: char) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(&separator.to_string())
}

/// The value of one parameter in a file: one value, or an array where the problem takes a list.
#[derive(Clone, Debug, PartialEq)]
pub enum StoredValue {
    /// One value.
    One(Value),
    /// A list of values.
    List(Vec<Value>),
}

impl StoredValue {
    /// A cell of JSON: a parameter of a summary, or a number of a row.
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Self {
        // The visitor below accepts every kind of JSON.
        Self::deserialize(value).unwrap_or_else(|_| Self::One(Value::Text(value.to_string())))
    }

    /// The same as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The values: one, or those of the list.
    #[must_use]
    pub const fn values(&self) -> &[Value] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::List(values) => values.as_slice(),
        }
    }
}

/// As one would type it. What is stored does not say whether texts are names, between commas, or functions, between `|`: a
/// name has letters, digits, dots and dashes.
impl fmt::Display for StoredValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_name = |c: char| c.is_alphanumeric() || ".-_".contains(c);
        let is_function = |value: &Value| matches!(value, Value::Text(text) if !text.chars().all(is_name));
        f.write_str(&typed(self.values(), if self.values().iter().any(is_function) { '|' } else { ',' }))
    }
}

impl Serialize for StoredValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(value) => value.serialize(serializer),
            Self::List(values) => values.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for StoredValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

/// Takes a value of any kind. Kinds that no parameter has become text.
struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = StoredValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a list of values")
    }

    fn visit_bool<E>(self, value: bool) -> Result<StoredValue, E> {
        Ok(StoredValue::One(Value::Flag(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<StoredValue, E> {
        Ok(StoredValue::One(Value::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<StoredValue, E> {
        Ok(StoredValue::One(i64::try_from(value).map_or_else(|_| Value::Text(value.to_string()), Value::Int)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<StoredValue, E> {
        Ok(StoredValue::One(Value::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<StoredValue, E> {
        Ok(StoredValue::One(Value::Text(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<StoredValue, E> {
        Ok(StoredValue::List(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<StoredValue, A::Error> {
        let mut values = Vec::new();
        while let Some(item) = items.next_element::<StoredValue>()? {
            match item {
                StoredValue::One(value) => values.push(value),
                StoredValue::List(nested) => values.extend(nested),
            }
        }
        Ok(StoredValue::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<StoredValue, A::Error> {
        let mut parts = Vec::new();
        while let Some((key, value)) = entries.next_entry::<String, StoredValue>()? {
            // A date of TOML comes as a table with one private key.
            if key.starts_with("$__toml_private") {
                return Ok(value);
            }
            parts.push(format!("{key} = {value}"));
        }
        Ok(StoredValue::One(Value::Text(format!("{{ {} }}", parts.join(", ")))))
    }
}

/// The parameters of a run as its files keep them, in the order in which they were written: also those of another version
/// of the program, or of a problem that this one does not know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredParams {
    entries: Vec<(String, StoredValue)>,
}

impl StoredParams {
    /// What is stored under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&StoredValue> {
        self.entries.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// What is stored under `key` as one would type it; empty where there is nothing.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        self.get(key).map(ToString::to_string).unwrap_or_default()
    }

    /// What is stored for `param` as one would type it; its default where nothing is, as in runs of versions that did not have it.
    #[must_use]
    pub fn text_or_default(&self, param: &Param) -> String {
        self.get(param.key).map_or_else(
            || {
                list::values(param, param.default)
                    .map_or_else(|_| param.default.to_owned(), |values| StoredValue::List(values).to_string())
            },
            ToString::to_string,
        )
    }

    /// Every key with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &StoredValue)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }
}

impl FromIterator<(String, StoredValue)> for StoredParams {
    fn from_iter<I: IntoIterator<Item = (String, StoredValue)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}

impl Serialize for StoredParams {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.entries.len()))?;
        for (key, value) in &self.entries {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for StoredParams {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnyTable)
    }
}

struct AnyTable;

impl<'de> Visitor<'de> for AnyTable {
    type Value = StoredParams;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<StoredParams, A::Error> {
        let mut params = StoredParams::default();
        while let Some(entry) = entries.next_entry()? {
            params.entries.push(entry);
        }
        Ok(params)
    }
}
