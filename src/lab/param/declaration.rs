//! A parameter, declared once: the form, `--set`, presets, sweeps, validation messages, `--help` and the documentation
//! all derive from this declaration.

use crate::function::Function;
use crate::lab::param::special::{Special, TextOf};
use crate::nearest::hint;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One checked value of a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A flag.
    Flag(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// A choice's name, a file, or other text.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(value) => write!(f, "{}", if *value { "yes" } else { "no" }),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}

pub use crate::named::Choice;

/// Short form of a [`Choice`].
#[must_use]
pub const fn choice(name: &'static str, help: &'static str) -> Choice {
    Choice { name, help }
}

/// What values a parameter takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number within `min..=max`.
    Int {
        /// Smallest value allowed.
        min: i64,
        /// Largest value allowed.
        max: i64,
    },
    /// A finite number within `min..=max`.
    Float {
        /// Smallest value allowed.
        min: f64,
        /// Largest value allowed.
        max: f64,
    },
    /// One of a few names.
    Choice(&'static [Choice]),
    /// `yes` or `no` (`true`, `false`, `on`, `off`, `1`, `0` are read too).
    Flag,
    /// Other text: a file, or a small language of its own; never split into a list.
    Text {
        /// What is allowed, for messages.
        allowed: &'static str,
        /// Whether a text is allowed.
        accepts: fn(&str) -> bool,
    },
    /// A function that the user types, kept in its canonical form; `|` separates several, since commas stand inside calls.
    Function,
}

impl Kind {
    /// What separates the values of a list; none where a text is one value whatever stands in it.
    #[must_use]
    pub const fn separator(&self) -> Option<char> {
        match self {
            Self::Text { .. } => None,
            Self::Function => Some('|'),
            Self::Int { .. } | Self::Float { .. } | Self::Choice(_) | Self::Flag => Some(','),
        }
    }
}

/// One parameter's declaration.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// The name in `--set`, presets and run files.
    pub key: &'static str,
    /// The name in the form.
    pub label: &'static str,
    /// One line saying what it does.
    pub help: &'static str,
    /// Its values.
    pub kind: Kind,
    /// The default, as typed.
    pub default: &'static str,
    /// The unit shown behind the value; empty for a pure number.
    pub unit: &'static str,
    /// The values that ←→ step through; empty: derived from the kind.
    pub steps: &'static [&'static str],
    /// The heading it stands under in the form.
    pub group: &'static str,
    /// Whether one run takes a list of values (a grid inside the run); otherwise a list makes a run for each value.
    pub list: bool,
    /// Whether the result depends on it (the number of threads, say, does not change a result).
    pub determines_result: bool,
    /// Words that are taken beside whole numbers: `all`.
    pub words: &'static [&'static str],
    /// The value that stands for something else than itself, if there is one.
    pub special: Option<Special>,
    /// The other parameter, with the values of it, under which this one is read; none where it always is.
    pub read_with: Option<(&'static str, &'static [&'static str])>,
    /// A second condition, either of which is enough.
    pub or_with: Option<(&'static str, &'static [&'static str])>,
}

impl Param {
    const fn new(key: &'static str, label: &'static str, kind: Kind, default: &'static str) -> Self {
        Self {
            key,
            label,
            help: "",
            kind,
            default,
            unit: "",
            steps: &[],
            group: "",
            list: false,
            determines_result: true,
            words: &[],
            special: None,
            read_with: None,
            or_with: None,
        }
    }

    /// A whole number within `min..=max`.
    #[must_use]
    pub const fn int(key: &'static str, label: &'static str, min: i64, max: i64, default: &'static str) -> Self {
        Self::new(key, label, Kind::Int { min, max }, default)
    }

    /// A finite number within `min..=max`.
    #[must_use]
    pub const fn float(key: &'static str, label: &'static str, min: f64, max: f64, default: &'static str) -> Self {
        Self::new(key, label, Kind::Float { min, max }, default)
    }

    /// One of `choices`.
    #[must_use]
    pub const fn choice(
        key: &'static str,
        label: &'static str,
        choices: &'static [Choice],
        default: &'static str,
    ) -> Self {
        Self::new(key, label, Kind::Choice(choices), default)
    }

    /// Yes or no.
    #[must_use]
    pub const fn flag(key: &'static str, label: &'static str, default: &'static str) -> Self {
        Self::new(key, label, Kind::Flag, default)
    }

    /// Other text, with what is allowed in words and as a predicate.
    #[must_use]
    pub const fn text(
        key: &'static str,
        label: &'static str,
        allowed: &'static str,
        accepts: fn(&str) -> bool,
        default: &'static str,
    ) -> Self {
        Self::new(key, label, Kind::Text { allowed, accepts }, default)
    }

    /// A function that the user types.
    #[must_use]
    pub const fn function(key: &'static str, label: &'static str, default: &'static str) -> Self {
        Self::new(key, label, Kind::Function, default)
    }

    /// Sets the line that says what the parameter does.
    #[must_use]
    pub const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// Sets the unit.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// Sets the values that ←→ step through.
    #[must_use]
    pub const fn steps(mut self, steps: &'static [&'static str]) -> Self {
        self.steps = steps;
        self
    }

    /// Sets the heading in the form.
    #[must_use]
    pub const fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    /// Lets one run take a list of values.
    #[must_use]
    pub const fn list(mut self) -> Self {
        self.list = true;
        self
    }

    /// Says that results do not depend on it.
    #[must_use]
    pub const fn free_of_result(mut self) -> Self {
        self.determines_result = false;
        self
    }

    /// Takes `words` beside whole numbers: `all`. They stand in files as text.
    #[must_use]
    pub const fn or_words(mut self, words: &'static [&'static str]) -> Self {
        self.words = words;
        self
    }

    /// Says that `value` stands for something else, which forms and lists name by `word`. The word may be typed in place of
    /// the value; files keep the value.
    #[must_use]
    pub const fn stands_for(mut self, value: &'static str, word: &'static str) -> Self {
        self.special = Some(Special { value, word, resolve: None });
        self
    }

    /// Says what a value that [stands for](Param::stands_for) something comes to with the other parameters as they are.
    #[must_use]
    pub const fn resolved_by(mut self, resolve: fn(&TextOf<'_>) -> Option<String>) -> Self {
        if let Some(special) = &mut self.special {
            special.resolve = Some(resolve);
        }
        self
    }

    /// The value that `text` stands for, where it is the word for one.
    #[must_use]
    pub fn plain<'a>(&self, text: &'a str) -> &'a str {
        self.special.filter(|special| special.word == text).map_or(text, |special| special.value)
    }

    /// Says that the parameter is read only where the parameter `key` is read and has one of `values`.
    #[must_use]
    pub const fn read_with(mut self, key: &'static str, values: &'static [&'static str]) -> Self {
        self.read_with = Some((key, values));
        self
    }

    /// Says that it is also read where the parameter `key` is read and has one of `values`.
    #[must_use]
    pub const fn or_with(mut self, key: &'static str, values: &'static [&'static str]) -> Self {
        self.or_with = Some((key, values));
        self
    }

    /// The conditions, one of which must hold for it to be read; none where it always is.
    pub fn conditions(&self) -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
        self.read_with.into_iter().chain(self.or_with)
    }

    /// Reads one value.
    ///
    /// # Errors
    /// Says what was found and what is allowed.
    pub fn parse(&self, text: &str) -> Result<Value, ParamError> {
        let text = self.plain(text.trim());
        let refuse = || ParamError::new(self.key, text, self.allowed());
        match self.kind {
            Kind::Int { .. } if self.words.contains(&text) => Ok(Value::Text(text.to_owned())),
            Kind::Int { min, max } => {
                let value = parse_int(text).ok_or_else(refuse)?;
                if (min..=max).contains(&value) { Ok(Value::Int(value)) } else { Err(refuse()) }
            }
            Kind::Float { min, max } => {
                let value: f64 = text.replace('_', "").parse().map_err(|_| refuse())?;
                if (min..=max).contains(&value) { Ok(Value::Float(value)) } else { Err(refuse()) }
            }
            Kind::Choice(choices) => choices
                .iter()
                .find(|choice| choice.name == text)
                .map(|choice| Value::Text(choice.name.to_owned()))
                .ok_or_else(|| {
                    let hint = hint(text, choices.iter().map(|choice| choice.name));
                    ParamError::new(self.key, text, self.allowed() + &hint)
                }),
            Kind::Flag => match text {
                "yes" | "true" | "on" | "1" => Ok(Value::Flag(true)),
                "no" | "false" | "off" | "0" => Ok(Value::Flag(false)),
                _ => Err(refuse()),
            },
            Kind::Text { accepts, .. } => {
                if accepts(text) {
                    Ok(Value::Text(text.to_owned()))
                } else {
                    Err(refuse())
                }
            }
            Kind::Function => match Function::shared(text) {
                Ok(function) => Ok(Value::Text(function.text().to_owned())),
                Err(error) => Err(ParamError::new(self.key, text, format!("{}; {error}", self.allowed()))),
            },
        }
    }

    /// What is allowed, in words.
    #[must_use]
    pub fn allowed(&self) -> String {
        let words: Vec<String> = self.words.iter().map(|word| format!("`{word}`")).collect();
        let mut allowed = self.allowed_values();
        if !words.is_empty() {
            allowed += &format!(", or {}", words.join(" or "));
        }
        match self.special {
            Some(Special { value: "", word, .. }) => allowed + &format!("; nothing is `{word}`"),
            Some(Special { value, word, .. }) => allowed + &format!("; {value} is `{word}`"),
            None => allowed,
        }
    }

    fn allowed_values(&self) -> String {
        match self.kind {
            Kind::Int { min, max: i64::MAX } => format!("a whole number of at least {min}"),
            Kind::Int { min, max } => format!("a whole number from {min} to {max}"),
            Kind::Float { min, max } if max == f64::MAX && min == f64::MIN => "a finite number".to_owned(),
            Kind::Float { min, max } if max == f64::MAX => format!("a number of at least {min}"),
            Kind::Float { min, max } => format!("a number from {min} to {max}"),
            Kind::Choice(choices) => {
                let names: Vec<_> = choices.iter().map(|choice| choice.name).collect();
                format!("one of {}", names.join(", "))
            }
            Kind::Flag => "yes or no".to_owned(),
            Kind::Text { allowed, .. } => allowed.to_owned(),
            Kind::Function => "a function of u, p and n, as relu(u) + 0.001".to_owned(),
        }
    }
}

/// Whole numbers may be written `20000`, `20_000` or `2e4`.
fn parse_int(text: &str) -> Option<i64> {
    let plain = text.replace('_', "");
    if let Ok(value) = plain.parse() {
        return Some(value);
    }
    let value: f64 = plain.parse().ok()?;
    (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
}

/// A parameter that cannot be as given. Its text names the key, what was found and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: found `{found}`, allowed: {allowed}")]
pub struct ParamError {
    /// The parameter's key, so that a form can mark the field.
    pub key: String,
    /// What was found.
    pub found: String,
    /// What is allowed instead, or why not.
    pub allowed: String,
}

impl ParamError {
    /// An error about `key`.
    #[must_use]
    pub fn new(key: impl Into<String>, found: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { key: key.into(), found: found.into(), allowed: allowed.into() }
    }
}
