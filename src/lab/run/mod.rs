//! One run at work: what a problem does, what it sees of the engine, the queue, and the view that its events fold into.

mod context;
mod control;
mod handle;
mod outbox;
mod problem;
mod queue;
mod replay;
mod resumed;
mod view;

pub use context::RunContext;
pub use control::Control;
pub use handle::RunHandle;
pub use outbox::Observer;
pub use problem::{Column, Estimate, Problem, RunError, common};
pub use queue::{Queue, SMALL_SECONDS};
pub use view::{RunView, SeriesView};
