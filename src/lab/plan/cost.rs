//! What several runs will cost together.

use crate::lab::{Estimate, RunSpec, SMALL_SECONDS};

/// What several runs will cost together, with up to `workers` small ones, or so many threads of large ones that ask for a number, side by side, as the queue does them.
#[must_use]
pub fn estimate(specs: &[RunSpec], workers: usize) -> Estimate {
    let mut total = Estimate { rows: 0, seconds: Some(0.0), bytes: None };
    let (mut small, mut large) = (0.0, 0.0);
    for spec in specs {
        let one = spec.estimate();
        total.rows = total.rows.saturating_add(one.rows);
        total.bytes = total.bytes.max(one.bytes);
        match one.seconds {
            Some(seconds) if seconds < SMALL_SECONDS => small += seconds,
            Some(seconds) => match spec.threads() {
                Some(threads) if threads < workers => small += seconds * threads as f64,
                _ => large += seconds,
            },
            None => total.seconds = None,
        }
    }
    let side_by_side = workers.clamp(1, specs.len().max(1)) as f64;
    total.seconds = total.seconds.map(|_| large + small / side_by_side);
    total
}
