//! The console's own widgets: pure drawing of what they are given.

pub mod form;
pub mod heatmap;
pub mod text;
pub mod plot;
pub mod table;
