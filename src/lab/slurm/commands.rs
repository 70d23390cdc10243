//! Slurm's commands, each with a time-out: with its controller down they would wait for a minute and more.

use super::job::Job;
use super::options::first_cluster;
use crate::lab::LabError;
use std::collections::HashMap;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;
use wait_timeout::ChildExt;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest array where the configuration does not tell.
pub(super) const ARRAY_LIMIT: usize = 1001;

/// What `squeue` says of one element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Its state in Slurm's words: `PENDING`, `RUNNING`, ….
    pub state: String,
    /// Why it waits or failed.
    pub reason: String,
    /// Where it runs.
    pub node: String,
}

/// What came of handing a script to `sbatch`.
#[derive(Debug)]
pub(super) enum SbatchAnswer {
    /// Slurm has taken the job.
    Taken(Job),
    /// There is no job.
    Refused(LabError),
    /// There may be a job: `sbatch` succeeded without naming it, or did not answer in time.
    Unclear(LabError),
}

/// Why a command of Slurm gave no answer.
enum NoAnswer {
    /// It did not start, or ended with a failure.
    Failed(LabError),
    /// It did not end in time.
    TooLate(LabError),
}

impl From<NoAnswer> for LabError {
    fn from(why: NoAnswer) -> Self {
        match why {
            NoAnswer::Failed(error) | NoAnswer::TooLate(error) => error,
        }
    }
}

/// The batch system of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slurm;

impl Slurm {
    /// Whether there is a Slurm to submit to: `sbatch` is in the path.
    #[must_use]
    pub fn is_here(self) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join("sbatch").is_file())
    }

    /// Submits `script`; of its elements only those in `elements` where given, to `cluster` where given.
    pub(super) fn submit(self, script: &Path, elements: Option<&str>, cluster: Option<&str>) -> SbatchAnswer {
        let mut sbatch = on_cluster("sbatch", cluster);
        sbatch.arg("--parsable");
        if let Some(elements) = elements {
            sbatch.arg(format!("--array={elements}"));
        }
        match run(sbatch.arg(script)) {
            Ok(answer) => match Job::find(&answer) {
                Some(job) => SbatchAnswer::Taken(job),
                None => {
                    let answer = answer.trim();
                    SbatchAnswer::Unclear(LabError::Refused(format!("sbatch: no job number in its answer `{answer}`")))
                }
            },
            Err(NoAnswer::Failed(error)) => SbatchAnswer::Refused(error),
            Err(NoAnswer::TooLate(error)) => SbatchAnswer::Unclear(error),
        }
    }

    /// What becomes of the elements of `job`, by element; empty where Slurm does not know the job any more.
    ///
    /// # Errors
    /// What `squeue` said, or that it did not answer.
    pub fn queue(self, job: &Job) -> Result<HashMap<usize, Queued>, LabError> {
        // The fixed format is the one that is the same in every release.
        let mut squeue = on_cluster("squeue", job.cluster.as_deref());
        let said = match run(squeue.args(["-h", "-r", "-a", "-t", "all", "-j", &job.number, "-o", "%K|%T|%r|%N"])) {
            // It forgets finished jobs after a few minutes.
            Err(NoAnswer::Failed(LabError::Refused(text))) if text.contains("Invalid job id") => {
                return Ok(HashMap::new());
            }
            said => said?,
        };
        Ok(said.lines().filter_map(line).collect())
    }

    /// As [`Slurm::queue`], from the accounting where the site keeps one.
    #[must_use]
    pub fn accounting(self, job: &Job) -> HashMap<usize, Queued> {
        let mut sacct = on_cluster("sacct", job.cluster.as_deref());
        let said = run(sacct.args(["-n", "-X", "-P", "-j", &job.number, "-o", "JobID,State,ExitCode,NodeList"]));
        let entry = |text: &str| {
            let mut fields = text.split('|');
            let element = fields.next()?.rsplit_once('_')?.1.parse().ok()?;
            let state = fields.next()?.split(' ').next()?.to_owned();
            Some((element, Queued { state, reason: fields.next()?.to_owned(), node: fields.next()?.to_owned() }))
        };
        said.ok().unwrap_or_default().lines().filter_map(entry).collect()
    }

    /// Cancels a job.
    ///
    /// # Errors
    /// What `scancel` said.
    pub fn cancel(self, job: &Job) -> Result<(), LabError> {
        Ok(run(on_cluster("scancel", job.cluster.as_deref()).arg(&job.number)).map(drop)?)
    }

    /// Sets how many elements of a job may run at a time.
    ///
    /// # Errors
    /// What `scontrol` said.
    pub fn throttle(self, job: &Job, most: usize) -> Result<(), LabError> {
        let mut scontrol = on_cluster("scontrol", job.cluster.as_deref());
        scontrol.args(["update", &format!("JobId={}", job.number), &format!("ArrayTaskThrottle={most}")]);
        Ok(run(&mut scontrol).map(drop)?)
    }

    /// Puts one element of a job back into the queue; never the whole array, which has the number of its last element.
    /// Called on a node of the job's own cluster, whatever cluster was named where it was submitted.
    ///
    /// # Errors
    /// What `scontrol` said.
    pub fn requeue(self, job: &str, element: usize) -> Result<(), LabError> {
        let mut scontrol = command("scontrol");
        scontrol.env_remove(CLUSTERS).args(["requeue", &format!("{job}_{element}")]);
        Ok(run(&mut scontrol).map(drop)?)
    }

    /// The cluster that the environment names: there `sbatch` goes, whatever the script says.
    pub(super) fn cluster(self) -> Option<String> {
        ["SBATCH_CLUSTERS", CLUSTERS].iter().find_map(|key| first_cluster(&std::env::var(key).ok()?))
    }

    /// How many elements an array may have, on `cluster` where given.
    ///
    /// # Errors
    /// There is no Slurm here, or its controller does not answer.
    pub fn array_limit(self, cluster: Option<&str>) -> Result<usize, LabError> {
        let said = run(on_cluster("scontrol", cluster).args(["show", "config"]))?;
        let value = said.lines().find_map(|line| line.split_once('=').filter(|(key, _)| key.trim() == "MaxArraySize"));
        Ok(value.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(ARRAY_LIMIT))
    }
}

/// One line of `squeue` in our format.
fn line(text: &str) -> Option<(usize, Queued)> {
    let mut fields = text.split('|');
    let element = fields.next()?.parse().ok()?;
    let [state, reason, node] = [fields.next()?, fields.next()?, fields.next()?].map(|text| text.trim().to_owned());
    Some((element, Queued { state, reason, node }))
}

/// The clusters that Slurm's commands ask where they are not told otherwise.
const CLUSTERS: &str = "SLURM_CLUSTERS";

/// A command that asks `cluster` where one is named.
fn on_cluster(name: &str, cluster: Option<&str>) -> Command {
    let mut command = command(name);
    if let Some(cluster) = cluster {
        command.args(["-M", cluster]);
    }
    command
}

/// A command without the settings of an allocation around this process, which would break the inner job. `SLURM_CONF`
/// and `SLURM_CLUSTERS` stay, because they say which cluster is meant; `SBATCH_…` are the user's own defaults.
fn command(name: &str) -> Command {
    let mut command = Command::new(name);
    for (key, _) in std::env::vars_os() {
        let text = key.to_string_lossy();
        let inherited = text.starts_with("SLURM_") && text != "SLURM_CONF" && text != CLUSTERS;
        if inherited || text.starts_with("SQUEUE_") || text.starts_with("SACCT_") {
            command.env_remove(&key);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command and gives what it printed.
fn run(command: &mut Command) -> Result<String, NoAnswer> {
    let name = command.get_program().to_string_lossy().into_owned();
    let refuse = |text: String| NoAnswer::Failed(LabError::Refused(text));
    let mut child = command.spawn().map_err(|error| {
        refuse(match error.kind() {
            io::ErrorKind::NotFound => format!(
                "`{name}` is not in the path: no Slurm here (`attnlab sweep … --commands` prints a command a point for any other queue)"
            ),
            _ => format!("{name}: {error}"),
        })
    })?;
    // Read while it runs, because what does not fit into a pipe would hold it up.
    let (output, complaint) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let status = match child.wait_timeout(PATIENCE) {
        Ok(Some(status)) => status,
        ended => {
            child.kill().ok();
            child.wait().ok();
            return Err(match ended {
                Err(error) => refuse(format!("{name}: {error}")),
                Ok(_) => {
                    let seconds = PATIENCE.as_secs();
                    let text = format!("{name}: no answer in {seconds} s; Slurm's controller may be down");
                    NoAnswer::TooLate(LabError::Refused(text))
                }
            });
        }
    };
    let text = |reader: thread::JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&reader.join().unwrap_or_default()).trim().to_owned()
    };
    let (output, complaint) = (text(output), text(complaint));
    if status.success() {
        Ok(output)
    } else if complaint.is_empty() {
        Err(refuse(format!("{name}: failed with {status} and said nothing")))
    } else {
        Err(refuse(complaint))
    }
}

fn reader(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            stream.read_to_end(&mut bytes).ok();
        }
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_squeue_prints() {
        let (element, queued) = line("7|PENDING|JobArrayTaskLimit|").unwrap();
        assert_eq!(element, 7);
        assert_eq!(queued.state, "PENDING");
        assert_eq!(queued.reason, "JobArrayTaskLimit");
        assert_eq!(line("N/A|RUNNING|None|n1"), None);
        assert_eq!(line("slurm_load_jobs error"), None);
    }
}
