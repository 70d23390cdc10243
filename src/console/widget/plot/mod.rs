//! The plot: curves on linear and logarithmic axes, drawn with dots smaller than a character.
//!
//! Ticks are round and stand exactly where their values do; NaN is a gap; what cannot be shown is counted and named;
//! the legend never vanishes; curves are reduced to their extremes per column of dots, so that any number of points
//! stays fluid and no spike is lost.

mod canvas;
mod curve;
mod extent;
mod legend;
mod widget;

pub use curve::{DrawnCurve, Prominence};
pub use widget::{PlotPlaces, PlotWidget};

#[cfg(test)]
mod tests;
