//! What is done with a sweep that was submitted. Each takes as long as Slurm takes: never on a screen's thread.

use super::{JobArray, Slurm, Status};
use crate::lab::LabError;

/// A second try of what is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resubmitted {
    /// The job's number.
    pub job: String,
    /// Its elements, as `sbatch --array` takes them.
    pub elements: String,
}

impl JobArray {
    /// Cancels what waits and runs.
    ///
    /// # Errors
    /// No job of it is known, or what `scancel` said.
    pub fn cancel(&self, slurm: Slurm) -> Result<(), LabError> {
        self.each_job(|job| slurm.cancel(job))
    }

    /// Sets how many elements may run at a time.
    ///
    /// # Errors
    /// No job of it is known, or what `scontrol` said.
    pub fn throttle(&self, slurm: Slurm, most: usize) -> Result<(), LabError> {
        self.each_job(|job| slurm.throttle(job, most))
    }

    /// Submits the elements again that nobody works on and that have unfinished points; none where nothing is missing.
    ///
    /// # Errors
    /// Slurm cannot tell what it works on, what `sbatch` said, or the plan cannot be written.
    pub fn resume(&mut self, slurm: Slurm) -> Result<Option<Resubmitted>, LabError> {
        let status = Status::with_slurm(self, slurm);
        if let Some(trouble) = status.trouble {
            // What is not known to be dead must not be submitted twice.
            return Err(LabError::Refused(trouble));
        }
        let Some(elements) = status.missing() else { return Ok(None) };
        let throttle = self.plan_ref().slurm.max_parallel.map_or_else(String::new, |most| format!("%{most}"));
        let job = slurm.submit(&self.script(), Some(&format!("{elements}{throttle}")))?;
        self.add_job(job.clone())?;
        Ok(Some(Resubmitted { job, elements }))
    }

    fn each_job(&self, act: impl Fn(&str) -> Result<(), LabError>) -> Result<(), LabError> {
        let jobs = &self.plan_ref().jobs;
        if jobs.is_empty() {
            return Err(LabError::Refused("no job of this sweep is known; was it submitted by hand?".to_owned()));
        }
        // Those that are over already refuse; the newest has the last word.
        let outcomes: Vec<_> = jobs.iter().map(|job| act(job)).collect();
        outcomes.into_iter().next_back().unwrap_or(Ok(()))
    }
}
