//! Everything about *runs* and nothing about attention: parameters, events, folders, the queue.

mod event;
mod nearest;
mod param;
mod problem;
mod schema;
mod show;
pub mod sweep;

pub use event::{Axis, Event, Matrix, Plot, Point, Progress, Row, RunState, Scale, Series, Stamped, Style};
pub use nearest::nearest;
pub use param::{Choice, Kind, Param, ParamError, Value, choice};
pub use problem::{Column, Control, Estimate, Observer, Problem, RunContext, RunError, common};
pub use schema::{Draft, Params, Schema};
pub use show::{decimal, duration};
