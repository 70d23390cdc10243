//! The files of a run: its folder, journal, checkpoint and lock, and the directories they lie in.

pub(in crate::lab) mod checkpoint;
pub mod files;
pub(in crate::lab) mod folder;
pub mod journal;
pub(in crate::lab) mod lease;
pub(in crate::lab) mod machine;
mod owner;
pub(in crate::lab) mod places;
mod process;
mod pulse;
pub(in crate::lab) mod run_log;

pub use folder::{Document, RunFacts, RunRecord, SCHEMA};
pub use journal::Journal;
pub use lease::Request;
pub use machine::Machine;
pub use owner::Owner;
pub use places::{Places, logs_of_process};
pub use process::Realm;
pub use run_log::RunLog;
