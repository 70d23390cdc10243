//! Slurm's commands, each with a time-out: with its controller down they would wait for a minute and more.

use crate::lab::LabError;
use std::collections::HashMap;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

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

    /// Submits `script`; of its elements only those in `elements` where given. Gives the job's number.
    ///
    /// # Errors
    /// What `sbatch` said, word for word.
    pub fn submit(self, script: &Path, elements: Option<&str>) -> Result<String, LabError> {
        let mut command = command("sbatch");
        command.arg("--parsable");
        if let Some(elements) = elements {
            command.arg(format!("--array={elements}"));
        }
        let said = run(command.arg(script))?;
        // `id` or `id;cluster`, on the last line: site plug-ins may say more before it.
        let id = said.lines().last().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(LabError::Refused(format!("sbatch: no job number in its answer `{}`", said.trim())));
        }
        Ok(id.to_owned())
    }

    /// What becomes of the elements of `job`, by element; empty where Slurm does not know the job any more.
    ///
    /// # Errors
    /// What `squeue` said, or that it did not answer.
    pub fn queue(self, job: &str) -> Result<HashMap<usize, Queued>, LabError> {
        // The fixed format is the one that is the same in every release.
        let mut squeue = command("squeue");
        let said = match run(squeue.args(["-h", "-r", "-a", "-t", "all", "-j", job, "-o", "%K|%T|%r|%N"])) {
            // It forgets finished jobs after a few minutes.
            Err(LabError::Refused(text)) if text.contains("Invalid job id") => return Ok(HashMap::new()),
            said => said?,
        };
        Ok(said.lines().filter_map(line).collect())
    }

    /// As [`Slurm::queue`], from the accounting where the site keeps one.
    #[must_use]
    pub fn accounting(self, job: &str) -> HashMap<usize, Queued> {
        let mut sacct = command("sacct");
        let said = run(sacct.args(["-n", "-X", "-P", "-j", job, "-o", "JobID,State,ExitCode,NodeList"]));
        let entry = |text: &str| {
            let mut fields = text.split('|');
            let element = fields.next()?.rsplit_once('_')?.1.parse().ok()?;
            let state = fields.next()?.split(' ').next()?.to_owned();
            Some((element, Queued { state, reason: fields.next()?.to_owned(), node: fields.next()?.to_owned() }))
        };
        said.unwrap_or_default().lines().filter_map(entry).collect()
    }

    /// Cancels a job.
    ///
    /// # Errors
    /// What `scancel` said.
    pub fn cancel(self, job: &str) -> Result<(), LabError> {
        run(command("scancel").arg(job)).map(drop)
    }

    /// Sets how many elements of a job may run at a time.
    ///
    /// # Errors
    /// What `scontrol` said.
    pub fn throttle(self, job: &str, most: usize) -> Result<(), LabError> {
        run(command("scontrol").args(["update", &format!("JobId={job}"), &format!("ArrayTaskThrottle={most}")]))
            .map(drop)
    }

    /// Puts one element of a job back into the queue; never the whole array, which has the number of its last element.
    ///
    /// # Errors
    /// What `scontrol` said.
    pub fn requeue(self, job: &str, element: usize) -> Result<(), LabError> {
        run(command("scontrol").args(["requeue", &format!("{job}_{element}")])).map(drop)
    }

    /// How many elements an array may have.
    ///
    /// # Errors
    /// There is no Slurm here, or its controller does not answer.
    pub fn array_limit(self) -> Result<usize, LabError> {
        let said = run(command("scontrol").args(["show", "config"]))?;
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

/// A command without what an allocation around us would hand down: inside one, inherited settings break the inner job.
/// `SLURM_CONF` says which cluster is meant, `SBATCH_…` are the user's own defaults.
fn command(name: &str) -> Command {
    let mut command = Command::new(name);
    for (key, _) in std::env::vars_os() {
        let text = key.to_string_lossy();
        let inherited = text.starts_with("SLURM_") && text != "SLURM_CONF";
        if inherited || text.starts_with("SQUEUE_") || text.starts_with("SACCT_") {
            command.env_remove(&key);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command and gives what it printed.
fn run(command: &mut Command) -> Result<String, LabError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().map_err(|error| {
        LabError::Refused(match error.kind() {
            io::ErrorKind::NotFound => format!(
                "`{name}` is not in the path: no Slurm here (`attnlab sweep … --commands` prints a command a point for any other queue)"
            ),
            _ => format!("{name}: {error}"),
        })
    })?;
    // Read while it runs: what does not fit into a pipe would hold it up.
    let (output, complaint) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let Some(success) = wait(&mut child) else {
        child.kill().ok();
        child.wait().ok();
        let seconds = PATIENCE.as_secs();
        return Err(LabError::Refused(format!("{name}: no answer in {seconds} s; Slurm's controller may be down")));
    };
    let text = |reader: thread::JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&reader.join().unwrap_or_default()).trim().to_owned()
    };
    let (output, complaint) = (text(output), text(complaint));
    if success {
        Ok(output)
    } else if complaint.is_empty() {
        Err(LabError::Refused(format!("{name}: failed without a word")))
    } else {
        Err(LabError::Refused(complaint))
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

/// Whether the child succeeded; none if it did not end in time.
fn wait(child: &mut Child) -> Option<bool> {
    let began = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if began.elapsed() < PATIENCE => thread::sleep(pause),
            _ => return None,
        }
        pause = (pause * 2).min(Duration::from_millis(50));
    }
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
