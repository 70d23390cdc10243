//! The dialog before a sweep: what it stands for, what of it is done already, and where the rest is to run.

use crate::lab::slurm::SlurmOptions;
use crate::lab::store::{self, Plan};
use crate::lab::{Differences, Estimate, LabError, Param, Places, Sweep, SweepMode, common, estimate, list};
use crate::threads;
use std::collections::HashMap;
use tui_input::Input;

/// How far a point of a sweep is before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PointState {
    /// Nobody has begun it.
    New,
    /// Its run ended early and can go on.
    Unfinished,
    /// A process works on it.
    Underway,
    /// It has a finished run.
    Finished,
}

/// The points of a sweep, looked up among the runs there are.
#[derive(Debug)]
pub struct PlannedSweep {
    /// Every point: the values that tell it from the others, and how far it is.
    pub points: Vec<(String, PointState)>,
    /// Its runs.
    pub plan: Plan,
    /// What is missing will cost.
    pub missing: Estimate,
    /// What everything would cost.
    pub all: Estimate,
}

impl PlannedSweep {
    pub(super) fn new(sweep: &Sweep, places: &Places) -> Result<Self, LabError> {
        let specs = sweep.specs_up_to(Sweep::MOST)?;
        let mut keys: Vec<&str> = sweep.swept().into_iter().map(|param| param.key).collect();
        if sweep.repeats > 1 {
            keys.push(common::SEED.key);
        }
        let differences = Differences::of(keys, specs.len(), |run, key| specs[run].params.typed(key));
        let named: Vec<(String, String)> =
            specs.iter().enumerate().map(|(run, spec)| (spec.point(), differences.words(run))).collect();
        let workers = threads::by_default();
        let all = estimate(&specs, workers);
        let plan = Plan::new(specs, &store::list(&places.logs)?);
        let mut states: HashMap<&str, PointState> = HashMap::new();
        states.extend(plan.finished.iter().map(|run| (run.point.as_str(), PointState::Finished)));
        states.extend(plan.underway.iter().map(|run| (run.point.as_str(), PointState::Underway)));
        states.extend(plan.unfinished.iter().map(|(_, run)| (run.point.as_str(), PointState::Unfinished)));
        let state = |point: &str| states.get(point).copied().unwrap_or(PointState::New);
        let points = named.into_iter().map(|(point, label)| (label, state(&point))).collect();
        Ok(Self { points, missing: estimate(&plan.left(), workers), all, plan })
    }

    /// Number of points in a state.
    #[must_use]
    pub fn count(&self, state: PointState) -> usize {
        self.points.iter().filter(|(_, known)| *known == state).count()
    }

    /// Number of points that are to run.
    #[must_use]
    pub fn to_run(&self, again: bool) -> usize {
        if again { self.points.len() } else { self.count(PointState::New) + self.count(PointState::Unfinished) }
    }
}

/// How large a sweep is.
#[derive(Clone, Debug)]
pub struct SweepSize {
    /// The swept parameters.
    pub axes: Vec<SweptAxis>,
    /// Number of points; none where the values do not go together.
    pub points: Option<usize>,
}

impl SweepSize {
    /// Counts the values and the points: for a task.
    pub(super) fn of(sweep: &Sweep) -> Self {
        let axis = |param: &'static Param| {
            let text = sweep.draft.text(param.key).to_owned();
            let count = list::count(param, &text).unwrap_or_default();
            SweptAxis { label: param.label, text, count }
        };
        Self { axes: sweep.swept().into_iter().map(axis).collect(), points: sweep.count().ok() }
    }
}

/// A swept parameter.
#[derive(Clone, Debug)]
pub struct SweptAxis {
    /// Its name in the form.
    pub label: &'static str,
    /// Its list or range as typed.
    pub text: String,
    /// Number of values.
    pub count: usize,
}

/// What is known of a sweep's points.
pub enum Planning {
    /// They are looked up.
    Working,
    /// They are known.
    Done(Box<PlannedSweep>),
    /// There can be none.
    Refused(String),
}

/// The dialog.
pub struct SweepDialog {
    /// Index of the problem's tab.
    pub tab: usize,
    /// What is to be swept.
    pub sweep: Sweep,
    /// Its size, once that is counted.
    pub size: Option<SweepSize>,
    /// Whether the points go to a cluster.
    pub on_cluster: bool,
    /// Whether what is finished runs again.
    pub again: bool,
    /// The list of points, with the number of lines scrolled away.
    pub list: Option<usize>,
    /// What the cluster is asked for.
    pub options: SlurmOptions,
    /// Index of the chosen one of its fields.
    pub field: usize,
    /// The text being typed into it.
    pub input: Option<Input>,
    /// Whether a large number of points was asked about.
    pub asked: bool,
    /// What went wrong.
    pub error: Option<String>,
    /// Its points.
    pub planning: Planning,
    /// How often the points were looked up.
    looked_up: usize,
}

impl SweepDialog {
    /// The dialog for a draft that stands for several runs.
    #[must_use]
    pub fn new(tab: usize, sweep: Sweep, options: SlurmOptions) -> Self {
        Self {
            tab,
            sweep,
            size: None,
            on_cluster: false,
            again: false,
            list: None,
            options,
            field: 0,
            input: None,
            asked: false,
            error: None,
            planning: Planning::Working,
            looked_up: 0,
        }
    }

    /// Begins to count the points and to look them up: the number of the look.
    pub(super) fn begin_look_up(&mut self) -> usize {
        (self.asked, self.looked_up, self.planning) = (false, self.looked_up + 1, Planning::Working);
        self.looked_up
    }

    /// Takes the size that look number `number` has counted; an older look counts no more.
    pub(super) fn take_size(&mut self, number: usize, size: SweepSize) {
        if self.looked_up == number {
            self.size = Some(size);
        }
    }

    /// Takes the points that look number `number` has found; an older look counts no more.
    pub(super) fn end_look_up(&mut self, number: usize, found: Result<PlannedSweep, String>) {
        if self.looked_up == number {
            self.planning = found.map_or_else(Planning::Refused, |planned| Planning::Done(Box::new(planned)));
        }
    }

    /// Its points, once they are known.
    #[must_use]
    pub fn planned(&self) -> Option<&PlannedSweep> {
        match &self.planning {
            Planning::Done(planned) => Some(planned),
            Planning::Working | Planning::Refused(_) => None,
        }
    }

    /// Grid or side by side.
    pub fn turn_mode(&mut self) {
        self.sweep.mode = match self.sweep.mode {
            SweepMode::Grid => SweepMode::Zip,
            SweepMode::Zip => SweepMode::Grid,
        };
    }

    /// The swept parameters, once they are counted.
    #[must_use]
    pub fn axes(&self) -> &[SweptAxis] {
        self.size.as_ref().map_or(&[], |size| &size.axes)
    }

    /// Moves in the list of points, or among the fields.
    pub fn go(&mut self, by: isize) {
        self.error = None;
        let last = self.planned().map_or(0, |planned| planned.points.len().saturating_sub(1));
        match &mut self.list {
            Some(skip) => *skip = skip.saturating_add_signed(by).min(last),
            None => {
                let last = SlurmOptions::ALL.len() - 1;
                self.field = self.field.saturating_add_signed(by.signum()).min(last);
            }
        }
    }

    /// Begins typing into the chosen field.
    pub fn edit(&mut self) {
        self.error = None;
        let field = SlurmOptions::ALL[self.field];
        self.input = Some(Input::new(self.options.text(field.key)));
    }

    /// Takes what was typed into the chosen field; says why where it is refused.
    pub fn commit(&mut self) {
        let Some(input) = &self.input else { return };
        match self.options.set(SlurmOptions::ALL[self.field].key, input.value()) {
            Ok(()) => self.input = None,
            Err(error) => self.error = Some(error.to_string()),
        }
    }
}
