//! The contract between a problem and the engine: a problem says what one run does; the engine owns everything else.

use crate::lab::event::{Row, Sample};
use crate::lab::param::{ParamError, Params, Schema};
use crate::lab::record::places::Places;
use crate::lab::run::column::Column;
use crate::lab::run::context::RunContext;
use crate::lab::run::error::RunError;

/// What a run will cost, known before it starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Rows it will make.
    pub rows: usize,
    /// Seconds it will take on this machine, roughly.
    pub seconds: Option<f64>,
    /// Peak memory in bytes, roughly.
    pub bytes: Option<u64>,
}

/// The best values of some parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Optimum {
    /// What to set, as (key, text); empty where nothing is good enough.
    pub changes: Vec<(&'static str, String)>,
    /// What was found, for the user.
    pub message: String,
}

/// Runs estimated to take less run beside each other.
pub const SMALL_SECONDS: f64 = 5.0;

impl Estimate {
    /// Whether a run of this cost may run beside others.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.seconds.is_some_and(|seconds| seconds < SMALL_SECONDS)
    }
}

/// One of the problems: parameters and what one run does.
pub trait Problem: Sync {
    /// The name on the command line and in files.
    fn name(&self) -> &'static str;
    /// The name of its tab.
    fn title(&self) -> &'static str;
    /// One line saying what it shows.
    fn about(&self) -> &'static str;
    /// Its parameters.
    fn schema(&self) -> Schema;
    /// The columns of its result table.
    fn columns(&self) -> &'static [Column];
    /// The column `key` of its result table.
    fn column(&self, key: &str) -> Option<&'static Column> {
        self.columns().iter().find(|column| column.key == key)
    }
    /// The column that one number of a run is taken from, in lists and sweeps.
    fn headline(&self) -> &'static str;
    /// The same for the run that `row` belongs to, where the columns of rows depend on a parameter (a task, say).
    fn headline_of(&self, _row: &Row) -> &'static str {
        self.headline()
    }
    /// The headline number of a run with these rows: that of the last row which has it.
    fn headline_number(&self, rows: &[Row]) -> Option<f64> {
        rows.iter().rev().find_map(|row| row.get(self.headline_of(row))?.as_f64())
    }
    /// The number that stands for a curve of plot `id` in a legend.
    fn summary(&self, _id: &str) -> CurveSummary {
        CurveSummary::Last
    }
    /// The series whose newest point stands for the headline number while a run has no row yet.
    fn live(&self) -> Option<&'static str> {
        None
    }
    /// Columns with what the headline number costs (seconds, say), where a larger headline number is the better one:
    /// runs are then weighed against each other.
    fn costs(&self) -> &'static [&'static str] {
        &[]
    }
    /// Whether a larger headline number is the better one: where runs are weighed against costs.
    fn prefers_large(&self) -> bool {
        !self.costs().is_empty()
    }
    /// A few words that tell this run from others of the problem: `relu mnist`.
    fn label(&self, params: &Params) -> String;
    /// What a run with these parameters does, after the word for who does it: `trains softmax on digits, 20 epochs`.
    fn deed(&self, params: &Params) -> String {
        format!("runs {}", self.label(params))
    }
    /// Checks what no single parameter can: combinations, shapes, memory.
    ///
    /// # Errors
    /// Names the parameter to change.
    fn check(&self, params: &Params) -> Result<(), ParamError>;
    /// What a run with these parameters will cost.
    fn estimate(&self, params: &Params) -> Estimate;
    /// How many large runs with such parameters work beside each other at most: one on each GPU, say, where it leaves the
    /// processor to others.
    fn side_by_side(&self, _params: &Params) -> usize {
        1
    }

    /// Why a run with such parameters would leave a GPU idle; none where it would take one.
    fn idle_gpu(&self, _params: &Params) -> Option<String> {
        Some("they compute on the processor".to_owned())
    }

    /// What to set, as (key, text), to cut any run of it down to seconds: for trying something out.
    fn quick(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }
    /// The best values of some parameters, from theory or by a search, with the others as they are. None where the problem
    /// has nothing to optimise for such parameters. This may take long.
    ///
    /// # Errors
    /// What the parameters name cannot be read, or there is not enough memory.
    fn optimise(&self, _params: &Params, _places: &Places) -> Result<Option<Optimum>, RunError> {
        Ok(None)
    }
    /// Where to look into what the run called `id` has left: the name of another problem and its parameters to set, as
    /// (key, text). None where no other problem can.
    fn follow_up(&self, _id: &str) -> Option<(&'static str, Vec<(&'static str, String)>)> {
        None
    }
    /// How far a run with `params` goes on the horizontal axis of the series of [`Problem::live`], for a sweep that halves. The
    /// run then asks [`RunContext::is_held_at`] after each of its points, and the higher they are, the better it is.
    ///
    /// # Errors
    /// Its runs cannot be held on their way and ranked.
    fn halving_budget(&self, _params: &Params) -> Result<f64, ParamError> {
        Err(ParamError::new("--halve", self.name(), "a problem whose runs are evaluated while they work: vit"))
    }
    /// Does the work. Emits what happened, calls [`RunContext::check_cancelled`] at every step.
    ///
    /// # Errors
    /// See [`RunError`].
    fn run(&self, params: &Params, context: &mut RunContext) -> Result<(), RunError>;
}

/// Which of its points stands for a curve where there is room for one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CurveSummary {
    /// The last one: that of the largest x.
    #[default]
    Last,
    /// The lowest one.
    Lowest,
    /// The highest one.
    Highest,
    /// The mean of all.
    Mean,
}

impl CurveSummary {
    /// The number, of the points that have one; none where there are none.
    #[must_use]
    pub fn of(self, points: &[Sample]) -> Option<f64> {
        let mut numbers = points.iter().map(|point| point.y).filter(|y| y.is_finite());
        match self {
            Self::Last => numbers.next_back(),
            Self::Lowest => numbers.reduce(f64::min),
            Self::Highest => numbers.reduce(f64::max),
            Self::Mean => {
                let numbers: Vec<f64> = numbers.collect();
                (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
            }
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Lowest => "lowest",
            Self::Highest => "highest",
            Self::Mean => "mean",
        }
    }
}

/// Parameters that every problem has; a schema repeats them by naming these constants.
pub mod common {
    use crate::lab::param::Param;

    /// The seed of every random draw of a run.
    pub const SEED: Param = Param::int("seed", "seed", 0, i64::MAX, "0")
        .help("seed of every random draw; the same parameters and seed give the same numbers")
        .steps(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
        .group("run");

    /// The number of worker threads.
    pub const THREADS: Param = Param::int("threads", "threads", 0, 4096, "0")
        .help("threads of this run; every core, or as many as OMP_NUM_THREADS says")
        .stands_for("0", "every core")
        .steps(&["0", "1", "2", "4", "8", "16"])
        .group("run")
        .free_of_result();
}
