//! Which runs to show: `problem=vit attention=relu,exp test_accuracy>0.9 slope`.
//!
//! Terms stand side by side and must all hold. A term is a word that stands somewhere in the run's names or tags, or a
//! key, an operator and a value: `=` and `!=` (any of several values between commas), `~` (contains), `<`, `<=`, `>`,
//! `>=`. Values with spaces stand in quotes. Keys are `id`, `problem`, `label`, `title`, `state`, `started`, `seconds`,
//! `headline`, `tag`, `version`, every parameter and every column of the result tables.

use crate::lab::event::RunState;
use crate::lab::param::StoredValue;
use crate::lab::run::Problem;
use crate::lab::store::summary::RunSummary;
use crate::nearest::hint;
use serde_json::Value;
use std::collections::BTreeSet;

const FACTS: [&str; 10] =
    ["id", "problem", "label", "title", "state", "started", "seconds", "headline", "tag", "version"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Is,
    IsNot,
    Contains,
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Word(String),
    Compare { key: String, operator: Operator, values: Vec<String> },
}

/// A filter that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// A filter that cannot be read, with the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("filter, character {}: {reason}", position + 1)]
pub struct FilterError {
    /// The character it is about, counted from 0.
    pub position: usize,
    /// What is wrong and what is allowed.
    pub reason: String,
}

/// Longer ones before those they begin with.
const SIGNS: [(&str, Operator); 7] = [
    ("!=", Operator::IsNot),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Is),
    ("~", Operator::Contains),
    ("<", Operator::Less),
    (">", Operator::More),
];

impl Filter {
    /// Reads a filter; the keys allowed are facts of a run and the parameters and columns of `problems`.
    ///
    /// # Errors
    /// Says where and what is allowed.
    pub fn parse(text: &str, problems: &[&'static dyn Problem]) -> Result<Self, FilterError> {
        let mut terms = Vec::new();
        for (start, term) in split(text)? {
            let at = |offset: usize| start + term[..offset].chars().count();
            let bare = term.find(|c: char| !(c.is_alphanumeric() || "_-.".contains(c))).unwrap_or(term.len());
            let sign = SIGNS.iter().find(|(sign, _)| term[bare..].starts_with(sign));
            let Some((sign, operator)) = sign else {
                terms.push(Term::Word(unquoted(term).to_lowercase()));
                continue;
            };
            let (key, value) = (&term[..bare], &term[bare + sign.len()..]);
            let refuse = |offset, reason: String| Err(FilterError { position: at(offset), reason });
            if key.is_empty() {
                return refuse(0, format!("a key is missing before `{sign}`"));
            }
            if !is_known(key, problems) {
                let keys = FACTS.into_iter().chain(keys(problems));
                let hint = hint(key, keys);
                return refuse(
                    0,
                    format!("unknown key `{key}`{hint}, allowed: {}, a parameter or a column", FACTS.join(", ")),
                );
            }
            let value_at = bare + sign.len();
            if value.is_empty() {
                return refuse(value_at, format!("a value is missing behind `{key}{sign}`"));
            }
            let values: Vec<String> = match operator {
                Operator::Is | Operator::IsNot if !value.starts_with('"') => {
                    value.split(',').map(str::to_owned).collect()
                }
                _ => vec![unquoted(value).to_owned()],
            };
            let ordered = !matches!(operator, Operator::Is | Operator::IsNot | Operator::Contains);
            if ordered && key != "started" && values[0].parse::<f64>().is_err() {
                return refuse(value_at, format!("found `{value}`, allowed behind `{sign}`: a number"));
            }
            if key == "state" && *operator != Operator::Contains {
                let names = STATES.map(RunState::name);
                if let Some(wrong) = values.iter().find(|value| !names.contains(&value.as_str())) {
                    return refuse(value_at, format!("found `{wrong}`, allowed: {}", names.join(", ")));
                }
            }
            terms.push(Term::Compare { key: key.to_owned(), operator: *operator, values });
        }
        Ok(Self { terms })
    }

    /// The keys that begin with `start`, in alphabetical order, each once: facts of a run, and the parameters and columns of
    /// `problems`.
    #[must_use]
    pub fn keys_from(start: &str, problems: &[&'static dyn Problem]) -> Vec<&'static str> {
        let all = FACTS.into_iter().chain(keys(problems)).filter(|key| key.starts_with(start));
        all.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Whether a run is to be shown.
    #[must_use]
    pub fn admits(&self, run: &RunSummary) -> bool {
        self.terms.iter().all(|term| match term {
            Term::Word(word) => [&run.id, &run.problem, &run.label, &run.title]
                .into_iter()
                .chain(&run.tags)
                .any(|text| text.to_lowercase().contains(word)),
            Term::Compare { key, operator, values } => {
                let found = run.get(key).unwrap_or_default();
                let found = match &found {
                    Value::Array(all) => all.as_slice(),
                    Value::Null => &[],
                    one => std::slice::from_ref(one),
                };
                let any = |operator| found.iter().any(|one| values.iter().any(|value| holds(one, operator, value)));
                match operator {
                    Operator::IsNot => !any(Operator::Is),
                    _ => any(*operator),
                }
            }
        })
    }
}

const STATES: [RunState; 8] = [
    RunState::Queued,
    RunState::Running,
    RunState::Paused,
    RunState::Finished,
    RunState::Stopped,
    RunState::Failed,
    RunState::Diverged,
    RunState::Lost,
];

fn keys(problems: &[&'static dyn Problem]) -> impl Iterator<Item = &'static str> {
    problems.iter().flat_map(|problem| {
        problem.schema().iter().map(|param| param.key).chain(problem.columns().iter().map(|column| column.key))
    })
}

fn is_known(key: &str, problems: &[&'static dyn Problem]) -> bool {
    FACTS.contains(&key) || keys(problems).any(|known| known == key)
}

/// The terms with the character each begins at; quotes hold spaces together.
fn split(text: &str) -> Result<Vec<(usize, &str)>, FilterError> {
    let (mut terms, mut start, mut quote) = (Vec::new(), None, None);
    for (position, (at, c)) in text.char_indices().enumerate() {
        if c == '"' {
            quote = if quote.is_some() { None } else { Some(position) };
        }
        if c.is_whitespace() && quote.is_none() {
            if let Some((position, from)) = start.take() {
                terms.push((position, &text[from..at]));
            }
        } else {
            start.get_or_insert((position, at));
        }
    }
    if let Some(position) = quote {
        return Err(FilterError { position, reason: "the quote is not closed".to_owned() });
    }
    if let Some((position, from)) = start {
        terms.push((position, &text[from..]));
    }
    Ok(terms)
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

fn holds(found: &Value, operator: Operator, wanted: &str) -> bool {
    let text = StoredValue::from_json(found).to_string();
    if operator == Operator::Contains {
        return text.to_lowercase().contains(&wanted.to_lowercase());
    }
    let order = match (found.as_f64(), wanted.parse::<f64>()) {
        (Some(found), Ok(wanted)) => found.partial_cmp(&wanted),
        _ => Some(text.to_lowercase().cmp(&wanted.to_lowercase())),
    };
    order.is_some_and(|order| match operator {
        Operator::Less => order.is_lt(),
        Operator::AtMost => order.is_le(),
        Operator::More => order.is_gt(),
        Operator::AtLeast => order.is_ge(),
        Operator::Is | Operator::IsNot | Operator::Contains => order.is_eq(),
    })
}
