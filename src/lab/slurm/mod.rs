//! Sweeps past one machine: a job array of a batch system, with runs that are folders like any other.
//!
//! A sweep is a folder among the runs, `sweep-<time>-<name>/`, on a disk that every node sees:
//!
//! | what | holds |
//! |---|---|
//! | `sweep.toml` | the plan: problem, places, how points are packed, the jobs submitted |
//! | `points.jsonl` | one line a point: its number, what determines its result, the settings |
//! | `sweep.sbatch` | the script submitted; works by hand as well |
//! | `attnlab` | the program as it was at submission |
//! | `points/N` | the name of the run folder of point N, written by whoever began it |
//! | `seen/E`, `broken/E` | element E reached this folder; the program could not start there, with its exit status |
//! | `slurm/` | what the elements printed |
//!
//! An *element* of the array works on a few consecutive points. Results are what lies on the disk; what the batch
//! system says stands beside it.

mod array;
mod commands;
mod control;
mod element;
mod job;
mod options;
mod plan;
mod program;
mod script;
mod status;

pub use array::{JobArray, folders, idle_gpus, preview, submit, submit_share};
pub use commands::Slurm;
pub use control::Resubmitted;
pub use element::{Ending, work};
pub use job::Job;
pub use options::{SlurmOption, SlurmOptions};
pub use plan::{ArrayPlan, ArrayShare};
pub use status::{ElementStatus, PointStatus, Queues, Status};
