//! Several runs together: variants over seeds, figures over a sweep, axes and numbers as people read them.

pub mod compare;
mod names;
mod show;
mod span;
mod study;

pub use names::{Differences, distinct_names};
pub use show::{decimal, duration};
pub use span::{Rounding, Span};
pub use study::{Study, StudyCurve, StudyPlot, StudyRun, StudyVariant};
