//! The script that is submitted: readable, and usable by hand.

use super::ArrayPlan;
use crate::lab::{LabError, ParamError};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::path::Path;

/// What the batch system is asked for; what is not given is left to its defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SlurmOptions {
    /// Elements that may run at a time.
    pub max_parallel: Option<usize>,
    /// Time limit of an element, as `sbatch --time` takes it.
    pub time: Option<String>,
    /// Memory of an element, as `sbatch --mem` takes it.
    pub mem: Option<String>,
    /// CPUs of an element.
    pub cpus: Option<usize>,
    /// GPUs of an element, as `sbatch --gpus` takes it.
    pub gpus: Option<String>,
    /// Partition.
    pub partition: Option<String>,
    /// Account.
    pub account: Option<String>,
    /// Further options, each as one word of `sbatch`.
    pub arguments: Vec<String>,
    /// How often an element that comes to its time limit goes back into the queue.
    pub requeues: u32,
}

impl SlurmOptions {
    /// Refuses what cannot stand in a line of the script.
    pub(super) fn check(&self) -> Result<(), LabError> {
        let texts = [&self.time, &self.mem, &self.gpus, &self.partition, &self.account];
        for text in texts.into_iter().flatten().chain(&self.arguments) {
            if text.contains(['\n', '"']) || text.is_empty() {
                let allowed = "one word of `sbatch`, without line feeds and quotes";
                return Err(ParamError::new("sbatch option", text, allowed).into());
            }
        }
        Ok(())
    }
}

/// How many seconds before its time limit an element is told to save and to end: two minutes, as Slurm may be a minute
/// early or late, or a quarter of a short limit.
fn notice(limit: Option<&str>) -> u64 {
    limit.and_then(seconds).map_or(120, |limit| (limit / 4).clamp(1, 120))
}

/// A time as Slurm takes it: minutes, minutes:seconds, hours:minutes:seconds, and hours after `days-`.
fn seconds(text: &str) -> Option<u64> {
    let (days, time) = text.split_once('-').map_or((None, text), |(days, time)| (Some(days), time));
    let fields = time.split(':').map(|field| field.parse::<u64>().ok()).collect::<Option<Vec<_>>>()?;
    let seconds = match (days, fields.as_slice()) {
        (None, [minutes]) => minutes * 60,
        (None, [minutes, seconds]) => minutes * 60 + seconds,
        (_, [hours, rest @ ..]) if rest.len() < 3 => {
            let minutes = rest.first().unwrap_or(&0);
            hours * 3600 + minutes * 60 + rest.get(1).unwrap_or(&0)
        }
        _ => return None,
    };
    Some(seconds + days.map_or(Some(0), |days| days.parse::<u64>().ok())? * 86_400)
}

/// `sweep.sbatch` of a sweep in `folder`.
pub(super) fn script(folder: &Path, plan: &ArrayPlan) -> String {
    let ArrayPlan { points, title, element_points, slurm, .. } = plan;
    let last = plan.elements() - 1;
    let folder = folder.display();
    let mut page = format!(
        "#!/bin/bash\n\
         # Sweep \"{title}\": {points} points, {element_points} an element.\n\
         # By hand: sbatch sweep.sbatch      some elements: sbatch --array=3,7 sweep.sbatch\n",
        title = title.replace('\n', " "),
    );
    let throttle = slurm.max_parallel.map_or_else(String::new, |most| format!("%{most}"));
    let mut directive = |text: &str| writeln!(page, "#SBATCH {text}").unwrap_or_default();
    directive(&format!("--job-name=\"attnlab-{}\"", plan.problem));
    directive(&format!("--array=0-{last}{throttle}"));
    directive(&format!("--output=\"{folder}/slurm/%A_%a.out\""));
    directive("--open-mode=append");
    directive(&format!("--chdir=\"{folder}\""));
    directive("--export=ALL");
    directive("--requeue");
    // To the program itself, which takes the place of this shell by `exec`.
    directive(&format!("--signal=B:USR1@{}", notice(slurm.time.as_deref())));
    let given = [
        ("time", &slurm.time),
        ("mem", &slurm.mem),
        ("gpus", &slurm.gpus),
        ("partition", &slurm.partition),
        ("account", &slurm.account),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            directive(&format!("--{name}=\"{value}\""));
        }
    }
    if let Some(cpus) = slurm.cpus {
        directive(&format!("--cpus-per-task={cpus}"));
    }
    slurm.arguments.iter().for_each(|argument| directive(argument));
    page + &format!(
        "\n\
         element=$SLURM_ARRAY_TASK_ID\n\
         cd \"{folder}\" && : > \"seen/$element\" || exit 1\n\
         # A program built for another processor cannot even tell its version.\n\
         ./attnlab --version > /dev/null || {{ echo $? > \"broken/$element\"; exit 1; }}\n\
         rm -f \"broken/$element\"\n\
         exec ./attnlab sweep element . \"$element\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_limits_are_told_of_later() {
        let cases = [("1", 15), ("2:00", 30), ("1:00:00", 120), ("1-0", 120), ("0:02", 1), ("UNLIMITED", 120)];
        for (limit, seconds) in cases {
            assert_eq!(notice(Some(limit)), seconds, "{limit}");
        }
        assert_eq!(seconds("1-2:3:4"), Some(((24 + 2) * 60 + 3) * 60 + 4));
        assert_eq!(notice(None), 120);
    }
}
