//! A problem's tab: the form, the runs on screen, and how they are looked at.

use super::looks::Inspection;
use super::results::ResultsState;
use super::screen_run::{NewsSource, RunNews, ScreenRun};
use super::scroll::Scroll;
use crate::console::widget::form::Form;
use crate::console::widget::heatmap::Look;
use crate::lab::{
    Draft, Estimate, ParamError, Problem, RunNames, RunState, Scale, StoredParams, Study, StudyRun, Sweep, SweepMode,
    estimate,
};
use crate::threads;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

/// The parts of a problem's tab that take keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// The parameters.
    #[default]
    Form,
    /// The plots and matrices.
    Figures,
    /// The table of results.
    Results,
    /// What the chosen run remarks.
    Remarks,
}

/// What the form's parameters stand for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The number of runs.
    pub runs: usize,
    /// What the first of them does.
    pub deed: String,
    /// The time and memory that they will take. The estimate is empty for more runs than [`Sweep::LIMIT`].
    pub cost: Estimate,
}

impl Asked {
    /// Counts the runs and estimates their cost. This may take long, so a task calls it.
    ///
    /// # Errors
    /// A value or a combination is not allowed, or there are too many runs.
    pub fn of(sweep: &Sweep) -> Result<Self, ParamError> {
        let runs = sweep.count()?;
        if runs > Sweep::LIMIT {
            return Ok(Self { runs, ..Self::default() });
        }
        let specs = sweep.specs()?;
        let deed = specs.first().map_or_else(String::new, |spec| spec.problem.deed(&spec.params));
        Ok(Self { runs, deed, cost: estimate(&specs, threads::by_default()) })
    }
}

/// How a preset arranges its points, beside their mode and repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PointOrder {
    /// As [`Sweep::interleaved`].
    pub interleaved: bool,
    /// As [`Sweep::halved_within`].
    pub halved_within: Option<Vec<String>>,
}

/// A problem's tab.
pub struct ProblemTab {
    /// The problem.
    pub problem: &'static dyn Problem,
    /// Its parameters.
    pub form: Form,
    /// How several swept parameters go together.
    pub mode: SweepMode,
    /// How many seeds every run has.
    pub repeats: usize,
    /// Whether points take turns, and within which parameters `attnlab sweep` stops those that fall behind: what a preset says and
    /// no field of the form does.
    order: PointOrder,
    /// What the form held before it was replaced as a whole.
    replaced: Option<(Draft, SweepMode, usize, PointOrder)>,
    /// The part that takes keys.
    pub pane: Pane,
    /// The runs on screen, in the order they came.
    pub runs: Vec<ScreenRun>,
    /// Whether all runs are drawn, or only the chosen one.
    pub compare: bool,
    /// Index of the chosen figure.
    pub figure: usize,
    /// Whether the pane that takes keys has the whole screen.
    pub zoom: bool,
    /// Whether the results have one line a variant, with mean and interval over repeats.
    pub grouped: bool,
    /// The runs on screen as a study.
    pub study: Study,
    /// Whether the runs on screen are a sweep. The figures over its swept parameters come first then.
    pub sweeping: bool,
    /// The parameters known to be swept, with their scales.
    pub swept: BTreeMap<String, Option<Scale>>,
    /// How matrices are drawn.
    pub look: Look,
    /// How the results are ordered, and which of them are looked at.
    pub results: ResultsState,
    /// How far the remarks are scrolled.
    pub remarks: Scroll,
    names: RunNames,
    /// When the study was made, how long that took, and whether there is news since.
    studied: (Instant, Duration, bool),
    /// How the figures are looked at.
    pub(super) inspection: Inspection,
    /// The sweep that [`ProblemTab::asked`] was worked out for.
    counted: Option<Sweep>,
    asked: Option<Result<Asked, ParamError>>,
    /// Whether a task works out the cost.
    is_counting: bool,
}

impl ProblemTab {
    /// A tab without runs.
    #[must_use]
    pub fn new(problem: &'static dyn Problem) -> Self {
        Self {
            problem,
            form: Form::new(problem.schema()),
            mode: SweepMode::Grid,
            repeats: 1,
            order: PointOrder::default(),
            replaced: None,
            pane: Pane::Form,
            runs: Vec::new(),
            compare: true,
            figure: 0,
            zoom: false,
            grouped: false,
            study: Study::default(),
            sweeping: false,
            swept: BTreeMap::new(),
            look: Look::Heat,
            results: ResultsState::default(),
            remarks: Scroll::default(),
            names: RunNames::default(),
            studied: (Instant::now(), Duration::ZERO, false),
            inspection: Inspection::default(),
            counted: None,
            asked: None,
            is_counting: false,
        }
    }

    /// Changes parameters of the form, all of them or none.
    ///
    /// # Errors
    /// A value is not allowed.
    pub fn change(&mut self, changes: &[(&'static str, String)]) -> Result<(), ParamError> {
        let (schema, mut draft) = (self.problem.schema(), self.form.draft().clone());
        changes.iter().try_for_each(|(key, text)| draft.set(&schema, key, text))?;
        self.refill(draft, self.mode, self.repeats);
        Ok(())
    }

    /// Replaces everything filled in, and keeps what was there before. Points are done one after the other from now on, to their ends.
    pub fn refill(&mut self, draft: Draft, mode: SweepMode, repeats: usize) {
        let order = std::mem::take(&mut self.order);
        self.replaced = Some((self.form.draft().clone(), self.mode, self.repeats, order));
        self.form.fill(draft);
        (self.mode, self.repeats) = (mode, repeats);
    }

    /// The same with a whole sweep.
    pub fn refill_with(&mut self, sweep: &Sweep) {
        self.refill(sweep.draft.clone(), sweep.mode, sweep.repeats);
        self.order = PointOrder { interleaved: sweep.interleaved, halved_within: sweep.halved_within.clone() };
    }

    /// Brings back what the form held before it was replaced last; the next call undoes that. Returns whether there was
    /// anything.
    pub fn undo(&mut self) -> bool {
        let Some((draft, mode, repeats, order)) = self.replaced.take() else { return false };
        self.refill(draft, mode, repeats);
        self.order = order;
        true
    }

    /// The runs that the form stands for.
    #[must_use]
    pub fn sweep(&self) -> Sweep {
        let sweep = Sweep::new(self.problem, self.form.draft().clone()).combined(self.mode).repeated(self.repeats);
        let PointOrder { interleaved, halved_within } = self.order.clone();
        let sweep = Sweep { interleaved, halved_within, ..sweep };
        let halved_within = sweep.halving_groups().filter(|_| !sweep.swept().is_empty());
        // A form always holds every field.
        Sweep { halved_within, ..sweep.allowing_unread() }
    }

    /// Gives the sweep whose cost a task has to work out. Nothing is given where the cost is known or being worked out.
    pub(super) fn cost_question(&mut self) -> Option<Sweep> {
        let draft = self.form.draft_as_typed();
        let unchanged =
            |counted: &Sweep| (&counted.draft, counted.mode, counted.repeats) == (&*draft, self.mode, self.repeats);
        if self.is_counting || self.counted.as_ref().is_some_and(unchanged) {
            return None;
        }
        self.is_counting = true;
        Some(Sweep { draft: draft.into_owned(), ..self.sweep() })
    }

    /// Takes the cost that a task has worked out for a sweep; none if the task has failed.
    pub(super) fn answer_cost(&mut self, counted: Sweep, asked: Option<Result<Asked, ParamError>>) {
        self.is_counting = false;
        (self.counted, self.asked) = (Some(counted), asked);
    }

    /// The number of runs that the form's parameters stand for and their cost, or why they cannot be run, as last
    /// worked out.
    #[must_use]
    pub const fn asked(&self) -> Option<&Result<Asked, ParamError>> {
        self.asked.as_ref()
    }

    /// Index of the run that the keys for stop and pause act on. In the results that is the chosen run, elsewhere the
    /// first one that runs, or else the first one that has not ended.
    #[must_use]
    pub fn run_to_steer(&self) -> Option<usize> {
        let at_work = self.runs.iter().position(|run| run.view.state == RunState::Running);
        let waiting = || self.runs.iter().position(|run| !run.view.state.is_final());
        match self.pane {
            Pane::Results | Pane::Remarks => self.target(),
            Pane::Form | Pane::Figures => at_work.or_else(waiting).or_else(|| self.target()),
        }
    }

    /// Puts a run on screen and chooses it. A run that is on screen already is only chosen.
    pub fn show(&mut self, run: ScreenRun) {
        let id = run.id.clone();
        self.show_all(vec![run]);
        self.choose(&id);
    }

    /// Puts runs on screen. A run that is on screen already stays as it is.
    pub fn show_all(&mut self, runs: Vec<ScreenRun>) {
        let mut known: HashSet<String> = self.runs.iter().map(|run| run.id.clone()).collect();
        self.runs.extend(runs.into_iter().filter(|run| known.insert(run.id.clone())));
        self.renew_study();
    }

    /// Takes a run off the screen.
    pub fn remove(&mut self, run: usize) {
        let mut index = 0..;
        self.retain(|_| index.next() != Some(run));
    }

    /// Takes those runs off the screen for which `keep` returns false.
    pub fn retain(&mut self, keep: impl FnMut(&ScreenRun) -> bool) {
        self.runs.retain(keep);
        self.renew_study();
        self.figure = self.figure.min(self.figures().len().saturating_sub(1));
    }

    /// Makes room for the runs of a sweep over `swept`. Runs that have ended leave the screen unless their names are in
    /// `own`. The results have one line a variant from then on.
    pub fn make_room(&mut self, swept: BTreeMap<String, Option<Scale>>, own: &HashSet<String>) {
        (self.sweeping, self.swept) = (true, swept);
        self.retain(|run| own.contains(&run.id) || !run.view.state.is_final());
        (self.figure, self.compare, self.zoom, self.grouped) = (0, true, false, true);
        self.results = ResultsState::default();
        self.renew_lines();
    }

    /// The label of each run. No two runs have the same label.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.names.names
    }

    /// What the runs on screen have in common, in words.
    #[must_use]
    pub fn common(&self) -> &str {
        &self.names.common
    }

    /// Whether events have come that the study does not contain yet.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        self.studied.2
    }

    /// Makes the study anew after runs have come or gone.
    fn renew_study(&mut self) {
        let named: Vec<(&str, &StoredParams)> = self.runs.iter().map(|run| (run.label.as_str(), &run.params)).collect();
        self.names = RunNames::of(&named, self.problem.schema());
        self.make_study();
    }

    fn make_study(&mut self) {
        let began = Instant::now();
        let runs: Vec<_> = self.runs.iter().map(|run| StudyRun { params: &run.params, view: &run.view }).collect();
        self.study = Study::new(self.problem, &runs, &self.swept);
        self.renew_lines();
        self.studied = (began, began.elapsed(), false);
    }

    /// Takes in what tasks have read of the runs, by the names of the runs. Returns whether there was anything new.
    /// Changes of state are logged.
    pub(super) fn take_news(&mut self, news: &mut HashMap<String, RunNews>) -> bool {
        let mut changed = false;
        for run in &mut self.runs {
            let before = run.view.state;
            changed |= news.remove(&run.id).is_some_and(|news| run.take(news));
            if run.view.state != before {
                log_state(run);
            }
        }
        self.studied.2 |= changed;
        if changed {
            self.renew_lines();
        }
        changed
    }

    /// Makes the study again if there are new events and the last time was long enough ago. Returns whether it did.
    pub fn follow(&mut self) -> bool {
        let (made, took, stale) = self.studied;
        // A study of thousands of runs takes long. The thread that draws spends at most a fiftieth of its time on
        // studies.
        let due = stale && made.elapsed() > took * 50;
        if due {
            self.make_study();
        }
        due
    }

    /// The run called `id`, if it is on screen.
    #[must_use]
    pub fn position(&self, id: &str) -> Option<usize> {
        self.runs.iter().position(|run| run.id == id)
    }

    /// The handle of run number `run`, if it is a run of this process.
    #[must_use]
    pub fn handle(&self, run: usize) -> Option<&std::sync::Arc<crate::lab::RunHandle>> {
        match &self.runs.get(run)?.source {
            NewsSource::Live(handle) => Some(handle),
            NewsSource::Folder(_) | NewsSource::Still => None,
        }
    }
}

/// Writes a change of a run's state into the log.
fn log_state(run: &ScreenRun) {
    let (state, message) = (run.view.state, &run.view.message);
    let words = if message.is_empty() { String::new() } else { format!(": {message}") };
    let level = match state {
        RunState::Failed | RunState::Diverged | RunState::Lost => log::Level::Error,
        _ => log::Level::Info,
    };
    log::log!(target: "runs", level, "{} {}{words} ({})", run.label, state.name(), run.id);
}
