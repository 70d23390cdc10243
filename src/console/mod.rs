//! The keyboard face: a terminal console over runs.

pub mod ascii;
pub mod theme;
pub mod widget;
