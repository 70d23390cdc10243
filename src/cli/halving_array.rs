//! A share of a halving on a cluster: a job array, whose runs are waited for.

use super::failure::Failure;
use super::output;
use super::signals::{Heard, Listener};
use crate::lab::slurm::{self, ArrayShare, JobArray, Slurm, SlurmOptions, Status};
use crate::lab::{HoldPlace, LabError, Places, RunSpec, came_to, store};
use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

/// How often the disk is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often Slurm is asked.
const ASK: Duration = Duration::from_secs(10);

/// The job arrays of one halving.
pub(super) struct HalvingArrays {
    /// What Slurm is asked for.
    pub options: SlurmOptions,
    /// The sweep's name.
    pub title: String,
    /// The name of the halving's folder.
    pub halving: String,
    /// Whether nothing is said meanwhile.
    pub quiet: bool,
}

/// What is left of a share.
struct LeftRuns {
    specs: Vec<RunSpec>,
    /// Ids of those that are begun, by their points.
    begun: HashMap<String, String>,
    /// Whether a process works on some run.
    underway: bool,
}

impl LeftRuns {
    fn is_empty(&self) -> bool {
        self.specs.is_empty() && !self.underway
    }
}

impl HalvingArrays {
    /// Has every run of `specs` trained to the share called `words`, and waits for them. An array that was submitted for this share
    /// before is waited for, and its missing elements are submitted again.
    pub fn train(
        &self,
        places: &Places,
        specs: &[RunSpec],
        (share, words): (&ArrayShare, &str),
        listener: &Listener,
    ) -> Result<(), Failure> {
        let left = left(places, specs, share.hold_place())?;
        if left.is_empty() {
            return Ok(());
        }
        let array = match self.submitted(places, share)? {
            Some(array) => array,
            // A process that is none of an array's works on what is left; whoever ranks the runs says so.
            None if left.specs.is_empty() => return Ok(()),
            None => {
                let title = format!("{}, {words} of the budget", self.title);
                let options = self.options.clone();
                if let Some(idle) = slurm::idle_gpus(&left.specs, &options) {
                    log::warn!(target: "slurm", "{idle}");
                }
                slurm::submit_share(places, &left.specs, &title, options, (share.clone(), &left.begun))?
            }
        };
        if !self.quiet {
            let plan = array.plan_ref();
            let job = plan.jobs.last().map(ToString::to_string).unwrap_or_default();
            output::complain(&format!(
                "{words} of the budget: {} runs, job {job}, {}",
                plan.points,
                array.folder().display()
            ));
        }
        wait(&array, listener)
    }

    /// The array that was submitted for this share, at work again if it was not.
    fn submitted(&self, places: &Places, share: &ArrayShare) -> Result<Option<JobArray>, Failure> {
        let arrays = slurm::folders(&places.logs).into_iter().rev().filter_map(|folder| JobArray::open(&folder).ok());
        let mut of_share = arrays.filter(|array| array.plan_ref().share.as_ref() == Some(share));
        let Some(mut array) = of_share.next() else { return Ok(None) };
        array.resume(Slurm)?;
        Ok(Some(array))
    }
}

/// The runs that have not come as far as `hold`.
fn left(places: &Places, specs: &[RunSpec], hold: Option<HoldPlace<'_>>) -> Result<LeftRuns, LabError> {
    let plan = store::Plan::new(specs.to_vec(), &store::list(&places.logs)?);
    let mut left = LeftRuns { specs: plan.fresh, begun: HashMap::new(), underway: !plan.underway.is_empty() };
    for (spec, run) in plan.unfinished {
        if !came_to(run.state, &run.folder(&places.logs), hold)? {
            left.begun.insert(spec.point(), run.id.clone());
            left.specs.push(spec);
        }
    }
    Ok(left)
}

/// Waits until every run of `array` came as far as it goes.
fn wait(array: &JobArray, listener: &Listener) -> Result<(), Failure> {
    let name = array.folder().file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut asked = Instant::now();
    while !Status::on_disk(array).is_complete() {
        if listener.heard() == Some(Heard::Stop) {
            return Err(Failure::stopped(format!(
                "no longer waited for: the jobs go on, and the same command waits for them again (attnlab sweep cancel {name} ends them)"
            )));
        }
        if asked.elapsed() > ASK {
            asked = Instant::now();
            let status = Status::with_slurm(array, Slurm);
            // Its last element may have ended while Slurm was asked.
            if status.trouble.is_none() && !status.is_live() && !Status::on_disk(array).is_complete() {
                let left = status.points.len() - status.done();
                return Err(Failure::failed(format!(
                    "{left} runs did not come as far as this share, and no job works on them: attnlab sweep status {name} says why; the same command submits them again"
                )));
            }
        }
        thread::sleep(LOOK);
    }
    Ok(())
}
