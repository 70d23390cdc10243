//! What a run says while it works.

mod kinds;
mod matrix;
mod number;

pub use kinds::{Axis, Curve, Event, Plot, Point, Progress, Row, RunState, Sample, Scale, Series, Stamped, Style};
pub use matrix::Matrix;
