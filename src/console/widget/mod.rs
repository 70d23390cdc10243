//! The console's own widgets: pure drawing of what they are given.

pub mod form;
pub mod function;
pub mod heatmap;
pub mod plot;
pub mod sparkline;
pub mod table;
pub mod text;
