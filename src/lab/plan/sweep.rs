//! A sweep: a draft in which parameters stand for several values, and the runs it stands for.

use super::shell;
use super::spec::warn_of_unread;
use crate::lab::param::list;
use crate::lab::{Draft, Param, ParamError, Params, Problem, RunSpec, Scale, Value, common};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// How several swept parameters go together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SweepMode {
    /// Every value of one with every value of the others.
    #[default]
    Grid,
    /// The first with the first, the second with the second; all swept parameters have as many values.
    Zip,
}

/// One or more runs of a problem: a grid or a zip over the parameters whose texts stand for several values.
#[derive(Clone)]
pub struct Sweep {
    /// The problem.
    pub problem: &'static dyn Problem,
    /// Its parameters as typed.
    pub draft: Draft,
    /// How several swept parameters go together.
    pub mode: SweepMode,
    /// How often every point is run, with the seed counted up.
    pub repeats: usize,
    /// Whether points take turns: every point with one seed, then every point with the next. Times of points are then taken under
    /// the same conditions, should the machine change in the course of a day.
    pub interleaved: bool,
    /// With keys of parameters, `attnlab sweep` stops the points that fall behind ([`Halving`](crate::lab::Halving)): those compete that have the same
    /// values of these parameters, all where there are no keys. With none every point is done to its end.
    pub halved_within: Option<Vec<String>>,
    /// The name that all its runs are given.
    pub title: Option<String>,
    /// Whether parameters may be set that are not read: in a form, which always holds every field, and in a run that was
    /// planned before. Otherwise they are refused.
    pub allows_unread: bool,
}

impl fmt::Debug for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep")
            .field("problem", &self.problem.name())
            .field("draft", &self.draft)
            .field("mode", &self.mode)
            .field("repeats", &self.repeats)
            .field("interleaved", &self.interleaved)
            .field("halved_within", &self.halved_within)
            .field("title", &self.title)
            .field("allows_unread", &self.allows_unread)
            .finish()
    }
}

/// The values of every parameter of one run.
type PointValues = BTreeMap<&'static str, Vec<Value>>;

/// A parameter's values with the number of runs they make: one run takes the whole list of a list parameter.
struct SweepAxis {
    param: &'static Param,
    values: Vec<Value>,
}

impl SweepAxis {
    fn runs(&self) -> usize {
        if self.param.list { 1 } else { self.values.len() }
    }

    /// The values that run `index` along this axis has.
    fn at(&self, index: usize) -> Vec<Value> {
        if self.param.list { self.values.clone() } else { vec![self.values[index].clone()] }
    }
}

impl Sweep {
    /// The most runs a sweep stands for where nobody is asked.
    pub const LIMIT: usize = 10_000;
    /// The most runs a sweep may stand for at all.
    pub const MOST: usize = 100_000;
    /// The most combinations of the values of all list parameters in one run.
    pub const COMBINATIONS: usize = 10_000;

    /// The grid over `draft`, every point once.
    #[must_use]
    pub const fn new(problem: &'static dyn Problem, draft: Draft) -> Self {
        Self {
            problem,
            draft,
            mode: SweepMode::Grid,
            repeats: 1,
            interleaved: false,
            halved_within: None,
            title: None,
            allows_unread: false,
        }
    }

    /// The same, every point `repeats` times.
    #[must_use]
    pub const fn repeated(mut self, repeats: usize) -> Self {
        self.repeats = repeats;
        self
    }

    /// The same, with the values of swept parameters combined as `mode` says.
    #[must_use]
    pub const fn combined(mut self, mode: SweepMode) -> Self {
        self.mode = mode;
        self
    }

    /// The same, where parameters may be set that are not read.
    #[must_use]
    pub const fn allowing_unread(mut self) -> Self {
        self.allows_unread = true;
        self
    }

    /// The parameters that are set but not read, each as an error that says with what it would be read.
    #[must_use]
    pub fn unread(&self) -> Vec<ParamError> {
        self.draft.unread(&self.problem.schema())
    }

    /// Writes a warning for each parameter that is set but not read into the log.
    pub fn warn_of_unread(&self) {
        warn_of_unread(&self.unread());
    }

    /// The parameters that stand for several runs, in form order.
    #[must_use]
    pub fn swept(&self) -> Vec<&'static Param> {
        let many =
            |param: &&Param| !param.list && list::count(param, self.draft.text(param.key)).is_ok_and(|count| count > 1);
        self.problem.schema().iter().filter(many).collect()
    }

    /// What [`Sweep::halved_within`] says, but for parameters that have one value here: within that all points compete anyway.
    #[must_use]
    pub fn halving_groups(&self) -> Option<Vec<String>> {
        let swept = self.swept();
        let is_swept = |key: &String| swept.iter().any(|param| param.key == key);
        self.halved_within.clone().map(|keys| keys.into_iter().filter(is_swept).collect())
    }

    /// The scale on which each swept parameter is drawn; none where its values are to decide.
    #[must_use]
    pub fn scales(&self) -> BTreeMap<String, Option<Scale>> {
        let scale = |param: &Param| (param.key.to_owned(), list::scale(self.draft.text(param.key)));
        self.swept().into_iter().map(scale).collect()
    }

    /// Whether its runs have more seeds than one.
    #[must_use]
    pub fn has_several_seeds(&self) -> bool {
        self.repeats > 1 || self.swept().iter().any(|param| param.key == common::SEED.key)
    }

    /// A few words for it: `vit by dim, depth`.
    #[must_use]
    pub fn name(&self) -> String {
        let keys: Vec<&str> = self.swept().into_iter().map(|param| param.key).collect();
        let keys = if keys.is_empty() { common::SEED.key.to_owned() } else { keys.join(", ") };
        format!("{} by {keys}", self.problem.name())
    }

    /// The number of combinations of the values of all list parameters in one run.
    #[must_use]
    pub fn combinations(&self) -> usize {
        let lists = self.problem.schema().iter().filter(|param| param.list);
        lists.map(|param| list::count(param, self.draft.text(param.key)).unwrap_or(1)).fold(1, usize::saturating_mul)
    }

    /// The number of runs, computed from the number of values of each parameter without making any.
    ///
    /// # Errors
    /// A text cannot be read, a parameter is set that is not read, the parameters do not go together, there are more than
    /// [`Sweep::MOST`] runs, or the lists of one run have more than [`Sweep::COMBINATIONS`] combinations.
    pub fn count(&self) -> Result<usize, ParamError> {
        self.count_up_to(Self::MOST)
    }

    fn count_up_to(&self, most: usize) -> Result<usize, ParamError> {
        let mut runs = Vec::new();
        let mut lists = Vec::new();
        for param in self.problem.schema().iter() {
            let count = list::count(param, self.draft.text(param.key))?;
            if param.list { &mut lists } else { &mut runs }.push((param, count));
        }
        if let Some(unread) = self.unread().into_iter().find(|_| !self.allows_unread) {
            return Err(unread);
        }
        check_lists(&lists)?;
        self.check_repeats(&runs)?;
        let mut count = 1_usize;
        match self.mode {
            SweepMode::Grid => {
                for (param, choices) in runs {
                    count = count.saturating_mul(choices);
                    check_runs(param.key, count, most)?;
                }
            }
            SweepMode::Zip => count = side_by_side(&runs)?,
        }
        count = count.saturating_mul(self.repeats);
        check_runs("repeats", count, most)?;
        Ok(count)
    }

    /// Every run, at most [`Sweep::LIMIT`]: one for each combination of the values of parameters that take one value at a
    /// time, each as often as it is repeated, with seeds counted up. Later parameters change fastest, the repeated seed
    /// fastest of all; where the sweep is interleaved the seed changes slowest of all.
    ///
    /// # Errors
    /// A value or a combination is not allowed, or there are too many runs.
    pub fn specs(&self) -> Result<Vec<RunSpec>, ParamError> {
        self.specs_up_to(Self::LIMIT)
    }

    /// As [`Sweep::specs`], for at most `most` runs.
    ///
    /// # Errors
    /// As [`Sweep::specs`].
    pub fn specs_up_to(&self, most: usize) -> Result<Vec<RunSpec>, ParamError> {
        let count = self.count_up_to(most)?;
        let axes = self.axes()?;
        let mut specs = (0..count).map(|run| self.spec(&axes, run)).collect::<Result<Vec<_>, _>>()?;
        if self.interleaved {
            let mut turns = HashMap::new();
            for spec in &specs {
                let next = turns.len();
                turns.entry(spec.seed()).or_insert(next);
            }
            specs.sort_by_key(|spec| turns.get(&spec.seed()).copied());
        }
        Ok(specs)
    }

    /// The first run alone.
    ///
    /// # Errors
    /// As [`Sweep::specs`], without a word on the other runs.
    pub fn first(&self) -> Result<RunSpec, ParamError> {
        self.count()?;
        self.spec(&self.axes()?, 0)
    }

    fn spec(&self, axes: &[SweepAxis], run: usize) -> Result<RunSpec, ParamError> {
        let mut point = self.point(axes, run / self.repeats);
        reseed(&mut point, run % self.repeats)?;
        let spec = RunSpec::new(self.problem, Params::new(&self.problem.schema(), point)?)?;
        Ok(RunSpec { title: self.title.clone(), ..spec })
    }

    /// The command line that does the same; `command` is `run` or `sweep`.
    #[must_use]
    pub fn command(&self, command: &str) -> String {
        let mut line = format!("attnlab {command} {}", self.problem.name());
        for (param, text) in self.draft.changes(&self.problem.schema()) {
            line += &format!(" --set {}", shell::quote(&format!("{}={text}", param.key)));
        }
        if self.mode == SweepMode::Zip && self.swept().len() > 1 {
            line += " --zip";
        }
        if self.repeats > 1 {
            line += &format!(" --repeats {}", self.repeats);
        }
        if self.interleaved {
            line += " --interleave";
        }
        if !self.unread().is_empty() {
            line += " --allow-unread";
        }
        if let Some(title) = &self.title {
            line += &format!(" {}", shell::quote(&format!("--title={title}")));
        }
        line
    }

    fn axes(&self) -> Result<Vec<SweepAxis>, ParamError> {
        let seed = self.draft.text(common::SEED.key).trim().parse().unwrap_or_default();
        let axis = |param: &'static Param| {
            Ok(SweepAxis { param, values: list::values_seeded(param, self.draft.text(param.key), seed)? })
        };
        self.problem.schema().iter().map(axis).collect()
    }

    /// The values of point `index`.
    fn point(&self, axes: &[SweepAxis], mut index: usize) -> PointValues {
        let mut point = PointValues::new();
        for axis in axes.iter().rev() {
            let at = match self.mode {
                SweepMode::Grid => {
                    let at = index % axis.runs();
                    index /= axis.runs();
                    at
                }
                SweepMode::Zip => index.min(axis.runs() - 1),
            };
            point.insert(axis.param.key, axis.at(at));
        }
        point
    }

    fn check_repeats(&self, runs: &[(&'static Param, usize)]) -> Result<(), ParamError> {
        match (self.repeats, runs.iter().find(|(param, _)| param.key == common::SEED.key)) {
            (0, _) => Err(ParamError::new("repeats", "0", "at least 1")),
            (1, _) | (_, Some((_, 1))) => Ok(()),
            (_, Some((param, _))) => {
                let text = self.draft.text(param.key);
                Err(ParamError::new(param.key, text, "one seed where `repeats` counts it up"))
            }
            (repeats, None) => Err(ParamError::new("repeats", repeats.to_string(), "1: nothing is drawn at random")),
        }
    }
}

/// Refuses more than `most` runs, which `key` makes.
fn check_runs(key: &str, count: usize, most: usize) -> Result<(), ParamError> {
    if count > most { Err(ParamError::new(key, format!("{count} points"), format!("at most {most}"))) } else { Ok(()) }
}

/// Refuses lists of one run that have too many combinations; the error is about the longest.
fn check_lists(lists: &[(&'static Param, usize)]) -> Result<(), ParamError> {
    let combinations = lists.iter().fold(1_usize, |product, (_, count)| product.saturating_mul(*count));
    let longest = lists.iter().max_by_key(|(_, count)| *count);
    match longest.filter(|_| combinations > Sweep::COMBINATIONS) {
        None => Ok(()),
        Some((param, count)) => {
            let found = format!("{count} values");
            let others: Vec<_> = lists.iter().filter(|(other, count)| other.key != param.key && *count > 1).collect();
            let with = others.iter().map(|(other, count)| format!(" × {count} of {}", other.key)).collect::<String>();
            let most = Sweep::COMBINATIONS;
            let allowed = format!("lists of one run with at most {most} combinations (here {count}{with})");
            Err(ParamError::new(param.key, found, allowed))
        }
    }
}

/// The number of points where swept parameters stand side by side.
fn side_by_side(runs: &[(&'static Param, usize)]) -> Result<usize, ParamError> {
    let mut swept = runs.iter().filter(|(_, count)| *count > 1);
    let Some((first, count)) = swept.next() else { return Ok(1) };
    match swept.find(|(_, other)| other != count) {
        None => Ok(*count),
        Some((param, other)) => {
            let allowed = format!("{count}, as many as `{}` has, where parameters are swept side by side", first.key);
            Err(ParamError::new(param.key, format!("{other} values"), allowed))
        }
    }
}

/// Counts the point's seed up for its `repeat`-th repetition.
fn reseed(point: &mut PointValues, repeat: usize) -> Result<(), ParamError> {
    let key = common::SEED.key;
    if let Some([Value::Int(seed)]) = point.get_mut(key).map(Vec::as_mut_slice) {
        *seed = i64::try_from(repeat)
            .ok()
            .and_then(|repeat| seed.checked_add(repeat))
            .ok_or_else(|| ParamError::new(key, seed.to_string(), "a seed that can be counted up"))?;
    }
    Ok(())
}
