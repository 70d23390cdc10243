//! The script that is submitted: readable, and usable by hand.

use super::options::header_word;
use super::plan::ArrayPlan;
use crate::lab::shell;

/// How many seconds before its time limit an element is told to save and to end: two minutes, as Slurm may be a minute
/// early or late, or a quarter of a short limit.
fn notice(limit: &str) -> u64 {
    seconds(limit).map_or(120, |limit| (limit / 4).clamp(1, 120))
}

/// A time as Slurm takes it: minutes, minutes:seconds, hours:minutes:seconds, and hours after `days-`.
fn seconds(text: &str) -> Option<u64> {
    let (days, time) = text.split_once('-').map_or((None, text), |(days, time)| (Some(days), time));
    let fields = time.split(':').map(|field| field.parse::<u64>().ok()).collect::<Option<Vec<_>>>()?;
    let sum = |parts: &[(u64, u64)]| {
        parts.iter().try_fold(0_u64, |sum, (count, unit)| sum.checked_add(count.checked_mul(*unit)?))
    };
    let seconds = match (days, fields.as_slice()) {
        (None, [minutes]) => sum(&[(*minutes, 60)])?,
        (None, [minutes, seconds]) => sum(&[(*minutes, 60), (*seconds, 1)])?,
        (_, [hours, rest @ ..]) if rest.len() < 3 => {
            sum(&[(*hours, 3600), (*rest.first().unwrap_or(&0), 60), (*rest.get(1).unwrap_or(&0), 1)])?
        }
        _ => return None,
    };
    sum(&[(seconds, 1), (days.map_or(Some(0), |days| days.parse::<u64>().ok())?, 86_400)])
}

/// `sweep.sbatch` of a sweep in `folder`, a path without control characters.
pub(super) fn script(folder: &str, plan: &ArrayPlan) -> String {
    let ArrayPlan { points, title, element_points, slurm, .. } = plan;
    let last = plan.elements() - 1;
    let throttle = slurm.max_parallel().map_or_else(String::new, |most| format!("%{most}"));
    let mut header = vec![
        format!("--job-name={}", header_word(&format!("attnlab-{}", plan.problem))),
        format!("--array=0-{last}{throttle}"),
        format!("--chdir={}", header_word(folder)),
        // Below the folder, because Slurm would expand a `%` in its path.
        "--output=slurm/%A_%a.out".to_owned(),
        "--open-mode=append".to_owned(),
        "--export=ALL".to_owned(),
        "--requeue".to_owned(),
        // To the program itself, which takes the place of this shell by `exec`.
        format!("--signal=B:USR1@{}", notice(&slurm.text("time"))),
    ];
    header.extend(slurm.header());
    let header: String = header.iter().map(|line| format!("#SBATCH {line}\n")).collect();
    let title = title.replace(char::is_control, " ");
    let folder = shell::quote(folder);
    format!(
        "#!/bin/bash\n\
         # Sweep \"{title}\": {points} points, {element_points} an element.\n\
         # By hand: sbatch sweep.sbatch      some elements: sbatch --array=3,7 sweep.sbatch\n\
         {header}\n\
         element=$SLURM_ARRAY_TASK_ID\n\
         cd -- {folder} && : > \"seen/$element\" || exit 1\n\
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
            assert_eq!(notice(limit), seconds, "{limit}");
        }
        assert_eq!(seconds("1-2:3:4"), Some(((24 + 2) * 60 + 3) * 60 + 4));
        assert_eq!((notice(""), notice("18446744073709551615-0")), (120, 120));
    }
}
