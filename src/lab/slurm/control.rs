//! Actions on a submitted sweep. Each waits for Slurm, so none belongs on the thread of a screen.

use super::array::JobArray;
use super::commands::{SbatchAnswer, Slurm};
use super::job::Job;
use super::status::Status;
use crate::lab::LabError;

/// A second try of what is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resubmitted {
    /// The job.
    pub job: Job,
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
            // An element that may still be at work must not be submitted a second time.
            return Err(LabError::Refused(trouble));
        }
        let Some(elements) = status.missing() else { return Ok(None) };
        let throttle = self.plan_ref().slurm.max_parallel().map_or_else(String::new, |most| format!("%{most}"));
        // Where the sweep has been so far: the script names no cluster.
        let cluster = self.plan_ref().jobs.last().and_then(|job| job.cluster.clone());
        let submission = slurm.submit(&self.script(), Some(&format!("{elements}{throttle}")), cluster.as_deref());
        let job = match submission {
            SbatchAnswer::Taken(job) => job,
            SbatchAnswer::Refused(error) => return Err(error),
            SbatchAnswer::Unclear(error) => {
                return Err(LabError::Refused(format!("{error}; the job may have been taken: see `squeue`")));
            }
        };
        self.add_job(job.clone())?;
        Ok(Some(Resubmitted { job, elements }))
    }

    fn each_job(&self, act: impl Fn(&Job) -> Result<(), LabError>) -> Result<(), LabError> {
        let jobs = &self.plan_ref().jobs;
        if jobs.is_empty() {
            return Err(LabError::Refused("no job of this sweep is known; was it submitted by hand?".to_owned()));
        }
        // Jobs that are over refuse; what the newest answers counts.
        let outcomes: Vec<_> = jobs.iter().map(act).collect();
        outcomes.into_iter().next_back().unwrap_or(Ok(()))
    }
}
