//! What a mouse click chooses.

use super::looks::DrawnAxis;
use super::tab::Pane;
use crate::console::keymap::Action;
use crate::console::widget::heatmap::Grid;

/// What a mouse click chooses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClickTarget {
    /// A tab's name.
    Tab(usize),
    /// A pane of a problem's tab.
    Pane(Pane),
    /// A parameter of the form.
    Field(usize),
    /// A figure, by its number among all of them.
    Figure(usize),
    /// The place of the curves of a plot.
    Canvas {
        /// The number of the figure.
        figure: usize,
        /// Its horizontal axis.
        axis: DrawnAxis,
    },
    /// A curve in the legend of a plot.
    Legend {
        /// The number of the figure.
        figure: usize,
        /// The run whose curve it is.
        run: usize,
    },
    /// The values of a matrix.
    Matrix {
        /// The number of the figure.
        figure: usize,
        /// The number of the matrix in the figure.
        matrix: usize,
        /// Where its values stand.
        grid: Grid,
    },
    /// A line of the results.
    Line(usize),
    /// A run of the list in the Runs tab.
    Run(usize),
    /// A line of a list that lies over the tab.
    Entry(usize),
    /// What a key of the footer stands for.
    Do(Action),
}
