//! A matrix as colours, two rows of values to a line where they are small, with the scale printed; or as rows of small bars.
//! Texts of cells, names of rows and columns and numbers stand where there is room.

mod grid;
mod layout;
mod ramp;
mod widget;

pub use grid::Grid;
pub use widget::{Heatmap, Look};

#[cfg(test)]
mod tests;
