//! The threads of a run.

use crate::lab::{Params, RunContext, RunError};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// The thread pool of a run, with as many threads as its parameter `threads` and the engine allow, and
/// no more than the `pieces` its work falls into.
///
/// # Errors
/// The system gives no threads.
pub(in crate::problems) fn pool(params: &Params, context: &RunContext, pieces: usize) -> Result<ThreadPool, RunError> {
    let threads = context.threads(params.size("threads")).min(pieces).max(1);
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| RunError::Failed(format!("cannot start {threads} threads: {error}; set fewer `threads`")))
}
