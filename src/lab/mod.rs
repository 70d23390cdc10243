//! Everything about *runs* and nothing about attention: parameters, events, folders, the queue.

mod error;
mod event;
pub mod files;
mod folder;
mod handle;
pub mod journal;
mod machine;
mod nearest;
mod param;
mod places;
pub mod preset;
mod problem;
mod queue;
mod schema;
mod show;
mod spec;
pub mod sweep;
mod view;

pub use error::LabError;
pub use event::{Axis, Event, Matrix, Plot, Point, Progress, Row, RunState, Scale, Series, Stamped, Style};
pub use folder::{Document, RunFacts, RunRecord, SCHEMA};
pub use handle::RunHandle;
pub use journal::Journal;
pub use machine::Machine;
pub use nearest::nearest;
pub use param::{Choice, Kind, Param, ParamError, Value, choice};
pub use places::Places;
pub use preset::Preset;
pub use problem::{Column, Control, Estimate, Observer, Problem, RunContext, RunError, common};
pub use queue::{Queue, SMALL_SECONDS};
pub use schema::{Draft, Params, Schema};
pub use show::{decimal, duration};
pub use spec::RunSpec;
pub use view::{RunView, Sample, SeriesView};
