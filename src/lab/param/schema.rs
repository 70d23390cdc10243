//! A problem's parameters together: the draft that form and files edit, and the checked values a problem accepts.

use crate::lab::param::declaration::{Param, ParamError, Value};
use crate::lab::param::list;
use crate::lab::param::stored::{StoredParams, StoredValue, typed};
use crate::named::Named;
use crate::nearest::hint;
use std::collections::BTreeMap;

/// The parameters of a problem, in form order.
#[derive(Clone, Copy, Debug)]
pub struct Schema(pub &'static [Param]);

impl Param {
    /// Whether `text` stands for the same values as the default, however they are written.
    #[must_use]
    pub fn is_default(&self, text: &str) -> bool {
        text == self.default || list::values(self, text).ok() == list::values(self, self.default).ok()
    }
}

impl Schema {
    /// The declaration of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'static Param> {
        self.0.iter().find(|param| param.key == key)
    }

    /// All declarations.
    pub fn iter(&self) -> impl Iterator<Item = &'static Param> + use<> {
        self.0.iter()
    }

    /// The declaration of `key`, or an error that lists the keys there are.
    ///
    /// # Errors
    /// `key` is not declared.
    pub fn require(&self, key: &str) -> Result<&'static Param, ParamError> {
        self.get(key).ok_or_else(|| {
            let keys: Vec<_> = self.iter().map(|param| param.key).collect();
            ParamError::new("parameter", key, keys.join(", ") + &hint(key, keys.iter().copied()))
        })
    }
}

/// What a user is editing: the text of each parameter as typed (a value, a list or a range).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    texts: BTreeMap<&'static str, String>,
}

impl Draft {
    /// All defaults.
    #[must_use]
    pub fn new(schema: &Schema) -> Self {
        Self { texts: schema.iter().map(|param| (param.key, param.default.to_owned())).collect() }
    }

    /// The text of `key`; empty for an undeclared one.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.texts.get(key).map_or("", String::as_str)
    }

    /// The draft whose one run has `params`: for doing a run again with changes.
    #[must_use]
    pub fn from_params(params: &Params) -> Self {
        Self { texts: params.iter().map(|(key, _)| (key, params.typed(key))).collect() }
    }

    /// The parameters whose values differ from the defaults, with their texts, in form order.
    #[must_use]
    pub fn changes(&self, schema: &Schema) -> Vec<(&'static Param, &str)> {
        let differs = |param: &Param, text: &str| !param.is_default(text);
        let texts = schema.iter().map(|param| (param, self.text(param.key)));
        texts.filter(|(param, text)| differs(param, text)).collect()
    }

    /// What `param` holds, in words where its value stands for something else: `auto (2 px)` for 0.
    #[must_use]
    pub fn shown(&self, param: &Param) -> String {
        let text = self.text(param.key);
        match param.special {
            Some(special) if param.plain(text) == special.value => special.shown(&|key| self.text(key).to_owned()),
            _ => text.to_owned(),
        }
    }

    /// Sets the text of `key` after reading it as one value, a list or a range.
    ///
    /// # Errors
    /// The key is not declared, or a value is not allowed: nothing is changed then.
    pub fn set(&mut self, schema: &Schema, key: &str, text: &str) -> Result<(), ParamError> {
        let param = schema.require(key)?;
        list::values(param, text)?;
        self.texts.insert(param.key, param.plain(text.trim()).to_owned());
        Ok(())
    }
}

/// Checked parameters of one run: one value each, or several where the declaration allows a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    values: BTreeMap<&'static str, Vec<Value>>,
    /// The parameters whose lists have another separator than a comma, with it.
    separators: BTreeMap<&'static str, char>,
}

impl Params {
    /// From every declared parameter's values.
    ///
    /// # Errors
    /// A parameter has no value, or several without allowing a list.
    pub fn new(schema: &Schema, mut values: BTreeMap<&'static str, Vec<Value>>) -> Result<Self, ParamError> {
        for param in schema.iter() {
            let count = values.entry(param.key).or_default().len();
            if count == 0 {
                return Err(ParamError::new(param.key, "nothing", param.allowed()));
            }
            if count > 1 && !param.list {
                return Err(ParamError::new(
                    param.key,
                    format!("{count} values"),
                    format!("{} (one value)", param.allowed()),
                ));
            }
        }
        let separated =
            |param: &Param| Some((param.key, param.kind.separator().filter(|separator| *separator != ',')?));
        Ok(Self { values, separators: schema.iter().filter_map(separated).collect() })
    }

    /// The defaults of `schema`, with `changes` (key, text) made to them: the short way for tests and code.
    ///
    /// # Errors
    /// As [`Draft::set`] and [`Params::new`].
    pub fn with(schema: &Schema, changes: &[(&str, &str)]) -> Result<Self, ParamError> {
        let mut draft = Draft::new(schema);
        for (key, text) in changes {
            draft.set(schema, key, text)?;
        }
        let mut values = BTreeMap::new();
        for param in schema.iter() {
            values.insert(param.key, list::values(param, draft.text(param.key))?);
        }
        Self::new(schema, values)
    }

    /// Every key with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &[Value])> {
        self.values.iter().map(|(key, values)| (*key, values.as_slice()))
    }

    /// The values of `key`; none for an undeclared one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&[Value]> {
        self.values.get(key).map(Vec::as_slice)
    }

    /// The values of `key` as one would type them: separated by commas, functions by `|`.
    #[must_use]
    pub fn typed(&self, key: &str) -> String {
        typed(self.get(key).unwrap_or_default(), self.separators.get(key).copied().unwrap_or(','))
    }

    /// The parameters as files keep them, in form order; those that take lists as lists always, so that a reader need not
    /// ask.
    #[must_use]
    pub fn stored(&self, schema: &Schema) -> StoredParams {
        let entry = |param: &Param| {
            let values = self.values(param.key);
            let value = match values {
                [one] if !param.list => StoredValue::One(one.clone()),
                several => StoredValue::List(several.to_vec()),
            };
            (param.key.to_owned(), value)
        };
        schema.iter().map(entry).collect()
    }

    /// The values of `key`, at least one.
    ///
    /// # Panics
    /// `key` is not declared: a mistake in the program, not in the input.
    #[must_use]
    pub fn values(&self, key: &str) -> &[Value] {
        self.values.get(key).unwrap_or_else(|| panic!("parameter `{key}` is not declared"))
    }

    /// The whole number `key`.
    ///
    /// # Panics
    /// As [`Params::values`], or `key` is of another kind; likewise for the other getters.
    #[must_use]
    pub fn int(&self, key: &str) -> i64 {
        self.ints(key)[0]
    }

    /// The whole number `key` as a size; declared with a minimum of at least 0.
    #[must_use]
    pub fn size(&self, key: &str) -> usize {
        usize::try_from(self.int(key)).unwrap_or_else(|_| panic!("parameter `{key}` may be negative"))
    }

    /// The whole numbers `key`.
    #[must_use]
    pub fn ints(&self, key: &str) -> Vec<i64> {
        self.each(key, |value| match value {
            Value::Int(value) => Some(*value),
            _ => None,
        })
    }

    /// The whole numbers `key` as sizes.
    #[must_use]
    pub fn sizes(&self, key: &str) -> Vec<usize> {
        self.each(key, |value| match value {
            Value::Int(value) => usize::try_from(*value).ok(),
            _ => None,
        })
    }

    /// The whole numbers `key` as sizes, of a parameter that takes a word for all there are; none where that word is among
    /// them.
    #[must_use]
    pub fn sizes_or_all(&self, key: &str) -> Option<Vec<usize>> {
        let sizes = self.values(key).iter().map(|value| match value {
            Value::Int(value) => usize::try_from(*value).ok(),
            _ => None,
        });
        sizes.collect()
    }

    /// The number `key`.
    #[must_use]
    pub fn float(&self, key: &str) -> f64 {
        self.floats(key)[0]
    }

    /// The numbers `key`.
    #[must_use]
    pub fn floats(&self, key: &str) -> Vec<f64> {
        self.each(key, |value| match value {
            Value::Float(value) => Some(*value),
            Value::Int(value) => Some(*value as f64),
            _ => None,
        })
    }

    /// The flag `key`.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        self.each(key, |value| match value {
            Value::Flag(value) => Some(*value),
            _ => None,
        })[0]
    }

    /// The choice or text `key`.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.texts(key)[0]
    }

    /// The choices `key`.
    #[must_use]
    pub fn texts(&self, key: &str) -> Vec<&str> {
        self.each(key, |value| match value {
            Value::Text(value) => Some(value.as_str()),
            _ => None,
        })
    }

    /// The variant that the choice `key` names, for a parameter declared with `T::CHOICES` or a part of them.
    ///
    /// # Panics
    /// As [`Params::values`], or `key` is declared with the choices of another type.
    #[must_use]
    pub fn choice<T: Named>(&self, key: &str) -> T {
        self.choices(key)[0]
    }

    /// The variants that the choices `key` name, see [`Params::choice`].
    #[must_use]
    pub fn choices<T: Named>(&self, key: &str) -> Vec<T> {
        self.each(key, |value| match value {
            Value::Text(value) => T::parse(value).ok(),
            _ => None,
        })
    }

    fn each<'a, T>(&'a self, key: &str, read: impl Fn(&'a Value) -> Option<T>) -> Vec<T> {
        self.values
            .get(key)
            .unwrap_or_else(|| panic!("parameter `{key}` is not declared"))
            .iter()
            .map(|value| read(value).unwrap_or_else(|| panic!("parameter `{key}` is of another kind: {value}")))
            .collect()
    }
}
