//! What is to be run: a problem with checked parameters.

use super::{Draft, Estimate, ParamError, Params, Problem, Value, sweep};
use std::collections::BTreeMap;
use std::fmt;

/// One run to do.
#[derive(Clone)]
pub struct RunSpec {
    /// The problem.
    pub problem: &'static dyn Problem,
    /// Its checked parameters.
    pub params: Params,
    /// A name given by the user or the preset.
    pub title: Option<String>,
}

impl fmt::Debug for RunSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunSpec")
            .field("problem", &self.problem.name())
            .field("params", &self.params)
            .field("title", &self.title)
            .finish()
    }
}

impl RunSpec {
    /// One run of `problem` with `params`.
    ///
    /// # Errors
    /// The problem's own check refuses the parameters.
    pub fn new(problem: &'static dyn Problem, params: Params) -> Result<Self, ParamError> {
        problem.check(&params)?;
        Ok(Self { problem, params, title: None })
    }

    /// Every run a draft stands for: one for each combination of the values of parameters that take one value at a
    /// time, each `repeats` times with seeds counted up. Later parameters change fastest, the seed fastest of all.
    ///
    /// # Errors
    /// A value or a combination is not allowed, or there are more than [`sweep::LIMIT`] runs.
    pub fn expand(problem: &'static dyn Problem, draft: &Draft, repeats: usize) -> Result<Vec<Self>, ParamError> {
        let schema = problem.schema();
        let mut points: Vec<BTreeMap<&'static str, Vec<Value>>> = vec![BTreeMap::new()];
        for param in schema.iter() {
            let values = sweep::values(param, draft.text(param.key))?;
            let choices: Vec<Vec<Value>> =
                if param.list { vec![values] } else { values.into_iter().map(|value| vec![value]).collect() };
            sweep::limit(param.key, points.len().saturating_mul(choices.len()))?;
            points = points
                .iter()
                .flat_map(|point| {
                    choices.iter().map(move |values| {
                        let mut point = point.clone();
                        point.insert(param.key, values.clone());
                        point
                    })
                })
                .collect();
        }
        sweep::limit("repeats", points.len().saturating_mul(repeats))?;
        let mut specs = Vec::with_capacity(points.len() * repeats);
        for point in points {
            for repeat in 0..repeats {
                let mut point = point.clone();
                if repeat > 0 {
                    sweep::reseed(&mut point, repeat)?;
                }
                specs.push(Self::new(problem, Params::new(&schema, point)?)?);
            }
        }
        Ok(specs)
    }

    /// The run's seed; 0 for a problem without one.
    #[must_use]
    pub fn seed(&self) -> u64 {
        match self.params.get("seed") {
            Some([Value::Int(seed)]) => u64::try_from(*seed).unwrap_or_default(),
            _ => 0,
        }
    }

    /// The few words that tell this run from others: its title, or the problem's label.
    #[must_use]
    pub fn label(&self) -> String {
        self.title.clone().unwrap_or_else(|| self.problem.label(&self.params))
    }

    /// What it will cost.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        self.problem.estimate(&self.params)
    }

    /// The parameters that differ from the defaults, as key and text, in form order.
    #[must_use]
    pub fn changes(&self) -> Vec<(&'static str, String)> {
        let defaults = Draft::new(&self.problem.schema());
        self.problem
            .schema()
            .iter()
            .filter_map(|param| {
                let default = sweep::values(param, defaults.text(param.key)).ok();
                let values = self.params.get(param.key)?;
                (default.as_deref() != Some(values)).then(|| (param.key, self.params.typed(param.key)))
            })
            .collect()
    }

    /// The command line that does the same run.
    #[must_use]
    pub fn command(&self) -> String {
        let mut command = format!("attnlab run {}", self.problem.name());
        for (key, text) in self.changes() {
            let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-,+/:".contains(c));
            command += &if plain {
                format!(" --set {key}={text}")
            } else {
                format!(" --set '{key}={}'", text.replace('\'', r"'\''"))
            };
        }
        command
    }
}
