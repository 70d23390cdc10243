//! Several runs together: variants over seeds, figures over a sweep, axes and numbers as people read them.

pub mod compare;
mod show;
mod span;
pub(in crate::lab) mod study;

pub use show::{decimal, duration, plain, typed};
pub use span::{Rounding, Span};
pub use study::{Study, StudyCurve, StudyPlot, StudyRun, Variant};
