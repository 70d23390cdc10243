//! One run at work: what a problem does, what it sees of the engine, the queue, and the view that its events fold into.

mod column;
mod context;
mod control;
mod describe;
mod ending;
mod error;
mod handle;
mod held;
mod outbox;
mod peak;
mod problem;
mod queue;
mod recorder;
mod replay;
mod resumed;
mod view;

pub use column::Column;
pub use context::RunContext;
pub use control::Control;
pub use ending::{end_lost, say_why};
pub use error::{Reason, RunError};
pub use handle::RunHandle;
pub use held::{HoldPlace, came_to};
pub use outbox::Observer;
pub use problem::{CurveSummary, Estimate, Optimum, Problem, SMALL_SECONDS, common};
pub use queue::{Queue, Resumption};
#[doc(hidden)]
pub use resumed::read_resumed;
pub use view::{RunView, SeriesView};
