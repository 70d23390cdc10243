//! Which points of a sweep have a run already.

use crate::lab::event::RunState;
use crate::lab::plan::RunSpec;
use crate::lab::store::summary::RunSummary;
use std::collections::HashMap;
use std::sync::Arc;

/// How the points of a sweep come to a finished run each.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Points nobody has begun: to be submitted.
    pub fresh: Vec<RunSpec>,
    /// Points whose run ended early, whatever the reason: to be resumed.
    pub unfinished: Vec<(RunSpec, Arc<RunSummary>)>,
    /// Runs a process works on.
    pub underway: Vec<Arc<RunSummary>>,
    /// Runs that are finished.
    pub finished: Vec<Arc<RunSummary>>,
}

impl Plan {
    /// Looks each of `specs` up among `runs`, by [`RunSpec::point`]. Of several runs of a point a finished one counts
    /// most, then one that is underway, then the newest; one begun by another version is not gone on with.
    #[must_use]
    pub fn new(specs: Vec<RunSpec>, runs: &[Arc<RunSummary>]) -> Self {
        let rank = |run: &RunSummary| match run.state {
            RunState::Finished => 3,
            state if !state.is_final() => 2,
            _ if run.version == env!("CARGO_PKG_VERSION") => 1,
            _ => 0,
        };
        let mut best: HashMap<&str, &Arc<RunSummary>> = HashMap::new();
        for run in runs.iter().filter(|run| run.damage.is_none() && !run.point.is_empty() && rank(run) > 0) {
            let known = best.entry(&run.point).or_insert(run);
            if (rank(run), &run.started) > (rank(known), &known.started) {
                *known = run;
            }
        }
        let mut plan = Self::default();
        for spec in specs {
            match best.get(spec.point().as_str()) {
                None => plan.fresh.push(spec),
                Some(run) => match rank(run) {
                    3 => plan.finished.push(Arc::clone(run)),
                    2 => plan.underway.push(Arc::clone(run)),
                    _ => plan.unfinished.push((spec, Arc::clone(run))),
                },
            }
        }
        plan
    }

    /// The points that have no finished run and that no process works on.
    #[must_use]
    pub fn left(&self) -> Vec<RunSpec> {
        self.fresh.iter().chain(self.unfinished.iter().map(|(spec, _)| spec)).cloned().collect()
    }
}
