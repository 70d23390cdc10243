//! The curve that shows how spiky a matrix is.

use super::run::FeaturesSession;
use super::surveyed::SurveyedMatrix;
use crate::lab::{Curve, Event, RunContext, Series};

impl FeaturesSession<'_> {
    /// Draws which share of ΣA² the largest entries hold.
    pub(super) fn energy(&self, matrix: &SurveyedMatrix<'_>, context: &mut RunContext) {
        if !self.is_current || (self.curves.are_medians() && !self.is_first) {
            return;
        }
        let mut name = self.curves.title(matrix, vec!["entries".to_owned()]);
        if !name.starts_with(matrix.name()) {
            name = format!("{} {name}", matrix.name());
        }
        context.emit(Event::Series(Series::new(&name, "energy", &name)));
        let (x, y) = matrix.exact.energy.iter().copied().unzip();
        context.emit(Event::Curve(Curve { series: name, x, y }));
    }
}
