//! How many threads to work with.
//!
//! A number that was asked for is taken as it is. Where nobody asks, it is the number of cores that the system grants this
//! process, or fewer where `OMP_NUM_THREADS` or `RAYON_NUM_THREADS` says so: users of shared machines set them.

use rayon::ThreadPoolBuilder;
use std::num::NonZero;
use std::sync::OnceLock;
use std::thread;

/// The cores that the system grants this process: those of its affinity mask (`sched_setaffinity`, as Slurm and `taskset`
/// set it), and as many as the processor time allows that its control group may take (`cpu.max`, or `cpu.cfs_quota_us` in
/// the first version of control groups).
#[must_use]
pub fn granted() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// The number of threads where nobody asks for one.
#[must_use]
pub fn by_default() -> usize {
    static NUMBER: OnceLock<usize> = OnceLock::new();
    *NUMBER.get_or_init(|| ceiling().map_or_else(granted, |most| granted().min(most)))
}

/// The `asked` number of threads, or that of [`by_default`] for 0.
#[must_use]
pub fn or_default(asked: usize) -> usize {
    if asked > 0 { asked } else { by_default() }
}

/// Keeps work that has no threads of its own (reading runs and pictures) within [`by_default`] as well. Called once, before
/// any such work.
pub fn limit() {
    if ceiling().is_some() {
        // Where there are such threads already, there is nothing to be done any more.
        ThreadPoolBuilder::new().num_threads(by_default()).build_global().ok();
    }
}

/// The smaller of the two variables.
fn ceiling() -> Option<usize> {
    let number = |key: &str| most(&std::env::var(key).ok()?);
    ["OMP_NUM_THREADS", "RAYON_NUM_THREADS"].into_iter().filter_map(number).min()
}

/// The number in such a variable: the first of a list, which is for the outermost of nested loops; none where it is 0, empty
/// or no number.
fn most(text: &str) -> Option<usize> {
    text.split(',').next()?.trim().parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_holds_a_number_or_a_list() {
        assert_eq!(["3", " 4,2", "0", "", "many", "-1"].map(most), [Some(3), Some(4), None, None, None, None]);
        assert_eq!((or_default(7), or_default(0)), (7, by_default()));
        assert!((1..=granted()).contains(&by_default()));
    }
}
