//! Runs that are held on their way.

use super::view::RunView;
use crate::lab::LabError;
use crate::lab::event::RunState;
use std::path::Path;

/// A place on the way of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HoldPlace<'a> {
    /// The series whose points show how far a run is: the live series of its problem.
    pub series: &'a str,
    /// Where, on the horizontal axis of that series.
    pub x: f64,
}

impl HoldPlace<'_> {
    /// The number of the run in `folder` here: that of the first point at this place or behind it.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn number(self, folder: &Path) -> Result<Option<f64>, LabError> {
        let view = RunView::read(folder)?;
        let mut points = view.series.iter().filter(|view| view.series.id == self.series).flat_map(|view| &view.points);
        Ok(points.find(|point| point.x >= self.x).map(|point| point.y))
    }
}

/// Whether the run in `folder` has nothing to do up to `hold`, or to its end without one: it came so far, or diverged on the way,
/// which it would do again.
///
/// # Errors
/// The journal cannot be read.
pub fn came_to(state: RunState, folder: &Path, hold: Option<HoldPlace<'_>>) -> Result<bool, LabError> {
    match (state, hold) {
        (RunState::Finished, _) | (RunState::Diverged, Some(_)) => Ok(true),
        (state, Some(hold)) if state.is_final() => Ok(hold.number(folder)?.is_some()),
        _ => Ok(false),
    }
}
