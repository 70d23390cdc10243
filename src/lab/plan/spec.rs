//! What is to be run: a problem with checked parameters.

use super::shell;
use crate::lab::param::list;
use crate::lab::{Draft, Estimate, ParamError, Params, Problem, Value, common};
use md5::{Digest, Md5};
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

    /// What determines the result, as 16 hexadecimal digits: the problem and its parameters, without those that
    /// change no result. Two runs with the same point have the same rows except for times.
    #[must_use]
    pub fn point(&self) -> String {
        let mut hash = Md5::new();
        hash.update(self.problem.name());
        for param in self.problem.schema().iter().filter(|param| param.determines_result) {
            hash.update(format!("\n{}={}", param.key, self.params.typed(param.key)));
        }
        hex::encode(&hash.finalize()[..8])
    }

    /// The run's seed; 0 for a problem without one.
    #[must_use]
    pub fn seed(&self) -> u64 {
        match self.params.get(common::SEED.key) {
            Some([Value::Int(seed)]) => u64::try_from(*seed).unwrap_or_default(),
            _ => 0,
        }
    }

    /// The few words that tell this run from others of the problem.
    #[must_use]
    pub fn label(&self) -> String {
        self.problem.label(&self.params)
    }

    /// The threads it asks for; none where it takes what it gets.
    #[must_use]
    pub fn threads(&self) -> Option<usize> {
        match self.params.get(common::THREADS.key) {
            Some([Value::Int(threads)]) => usize::try_from(*threads).ok().filter(|threads| *threads > 0),
            _ => None,
        }
    }

    /// What it will cost.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        self.problem.estimate(&self.params)
    }

    /// The parameters that differ from the defaults, as key and text, in form order.
    #[must_use]
    pub fn changes(&self) -> Vec<(&'static str, String)> {
        self.problem
            .schema()
            .iter()
            .filter_map(|param| {
                let default = list::values(param, param.default).ok();
                let values = self.params.get(param.key)?;
                (default.as_deref() != Some(values)).then(|| (param.key, self.params.typed(param.key)))
            })
            .collect()
    }

    /// The parameters that are set but not read, as [`Sweep::unread`](crate::lab::Sweep::unread).
    fn unread(&self) -> Vec<ParamError> {
        Draft::from_params(&self.params).unread(&self.problem.schema())
    }

    /// Writes a warning for each parameter that is set but not read into the log.
    pub(in crate::lab) fn warn_of_unread(&self) {
        warn_of_unread(&self.unread());
    }

    /// The command line that does the same run.
    #[must_use]
    pub fn command(&self) -> String {
        let mut command = format!("attnlab run {}", self.problem.name());
        for (key, text) in self.changes() {
            command += &format!(" --set {}", shell::quote(&format!("{key}={text}")));
        }
        // A point of a sweep may have values that another point reads.
        if !self.unread().is_empty() {
            command += " --allow-unread";
        }
        if let Some(title) = &self.title {
            command += &format!(" {}", shell::quote(&format!("--title={title}")));
        }
        command
    }
}

/// Writes what [`Draft::unread`] found into the log.
pub(super) fn warn_of_unread(unread: &[ParamError]) {
    for ParamError { key, found, allowed } in unread {
        log::warn!(target: "params", "{key}={found} is not read: {allowed}");
    }
}
