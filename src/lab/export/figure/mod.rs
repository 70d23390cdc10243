//! The figures of runs: what is drawn, and how it stands on a sheet.

mod caption;
mod curves;
mod facet;
mod free;
mod layout;
mod legend;
mod look;
mod marks;
mod matrices;
mod panel;
mod ruler;
mod tikz;
mod whole;

pub use look::{FigureLook, LegendPlace, length};
pub use tikz::tikz;
pub use whole::{ExportFigure, figures};
