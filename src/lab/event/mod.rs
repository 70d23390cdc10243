//! What a run says while it works.

mod kinds;
mod number;

pub use kinds::{
    Axis, Curve, Event, Matrix, Plot, Point, Progress, Row, RunState, Sample, Scale, Series, Stamped, Style,
};
