//! Several runs together: variants over seeds, figures over a sweep, axes and numbers as people read them.

mod columns;
pub mod compare;
mod heat;
pub mod mean;
mod names;
mod overlay;
mod seeds;
mod show;
mod span;
mod study;
mod variant;

pub use columns::VariedColumns;
pub use heat::{matrix_range, matrix_scale, viridis};
pub use names::{Differences, RunNames, distinct_names};
pub use overlay::{CurveSource, OverlaidCurve, OverlaidLine, curve_name, overlaid_curves, span_decades};
pub use seeds::{MeanCurve, mean_curves};
pub use show::{decimal, duration};
pub use span::{Rounding, Span};
pub use study::{Study, StudyCurve, StudyPlot};
pub use variant::{StudyRun, StudyVariant};
