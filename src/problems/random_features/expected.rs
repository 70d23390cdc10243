//! What theory says of a curve before it is drawn.

use super::run::FeaturesSession;
use super::schema::{projections, sizes};
use super::surveyed::SurveyedMatrix;
use crate::attention::hybrid::{HybridSpec, HybridTheory};
use crate::attention::theory::{Expectation, SIGHTINGS, Theory, TypedTheory, expectation};
use crate::attention::{AttentionError, FeatureMap, Projection};
use crate::function::Function;
use crate::lab::{RunContext, RunError};
use crate::problems::estimators::{FeatureEstimator, FittedEstimator};
use crate::problems::limits::failure;

/// Closed forms that depend on directions are summed entry by entry up to this many multiplications.
const DIRECTIONS: usize = 1 << 31;
/// The closed form of a hybrid is read off tables for up to this many pairs.
const MATRIX: usize = 1 << 26;

impl FeaturesSession<'_> {
    /// Trials as the rule of what can be observed counts them: runs that an earlier version began keep to its rule.
    fn trials(&self) -> usize {
        self.params.size("trials") * if self.is_current { 1 } else { SIGHTINGS }
    }

    /// The closed form for every m; a note says why where there is none.
    pub(super) fn theory(
        &self,
        matrix: &SurveyedMatrix<'_>,
        method: &FittedEstimator,
        projection: Projection,
        ms: &[usize],
        context: &mut RunContext,
    ) -> Result<Option<Vec<Expectation>>, RunError> {
        let map = match method {
            FittedEstimator::Features(FeatureMap::Custom(function)) => {
                return self.typed_theory(matrix, function, projection, ms, context);
            }
            FittedEstimator::Features(map) => map,
            FittedEstimator::Hybrid(spec) => return self.hybrid_theory(matrix, spec, projection, ms, context),
        };
        let theory = match Theory::new(map, projection, matrix.inputs.dim()) {
            Ok(theory) => theory,
            Err(reason) => {
                context.note(format!("no theory curve for {}: {reason}", projection.name()));
                return Ok(None);
            }
        };
        let entries = matrix.inputs.queries.nrows() * matrix.inputs.keys.nrows();
        let each = matrix.inputs.dim() * if projection == Projection::Hadamard { 8 } else { 1 };
        if !theory.is_radial() && entries.saturating_mul(each) > DIRECTIONS {
            context.note(format!(
                "no theory curve for {} at this length: its closed form depends on the direction of every pair, {entries} of them",
                projection.name()
            ));
            return Ok(None);
        }
        let control = context.control();
        let stop = move || control.is_stopping();
        self.pool
            .install(|| expectation(&theory, matrix.inputs, matrix.exact, ms, self.trials(), &stop))
            .map(Some)
            .map_err(failure)
    }

    /// The closed form of a hybrid, summed entry by entry: it depends on the angle of every pair.
    fn hybrid_theory(
        &self,
        matrix: &SurveyedMatrix<'_>,
        spec: &HybridSpec,
        projection: Projection,
        ms: &[usize],
        context: &mut RunContext,
    ) -> Result<Option<Vec<Expectation>>, RunError> {
        let entries = matrix.inputs.queries.nrows() * matrix.inputs.keys.nrows();
        // Coupled rows sum a series for every pair.
        let each = (matrix.inputs.dim() + if projection == Projection::Gaussian { 100 } else { 4000 }) * ms.len();
        let control = context.control();
        let stop = move || control.is_stopping();
        let mut expected = Vec::with_capacity(ms.len());
        for &m in ms {
            let spec = spec.of(m);
            let theory = match HybridTheory::new(&spec, matrix.inputs.dim()) {
                Ok(theory) => theory,
                Err(reason) => {
                    context.note(format!("no theory curve for hybrid on {}: {reason}", projection.name()));
                    return Ok(None);
                }
            };
            let (relative_mse, visible) = if matrix.is_rowwise() || entries.saturating_mul(each) > DIRECTIONS {
                // What draws show of an error that is summed as logarithms is not known.
                (f64::INFINITY, f64::NAN)
            } else {
                let found = || theory.relative_mse_and_visible(matrix.inputs, self.trials(), &stop);
                self.pool.install(found).map_err(failure)?
            };
            let visible = if self.is_current { visible } else { f64::NAN };
            let (squared_bias, mean_ratio) = (0.0, 1.0);
            let log10_relative_mse = relative_mse.log10();
            expected.push(Expectation {
                relative_mse,
                log10_relative_mse,
                squared_bias,
                variance: relative_mse,
                mean_ratio,
                visible,
            });
        }
        if expected.iter().all(|expected| expected.relative_mse.is_finite()) {
            return Ok(Some(expected));
        }
        if entries > MATRIX {
            context.note(format!(
                "no theory curve for hybrid at this length: its closed form depends on the angle of every pair, {entries} of them"
            ));
            return Ok(None);
        }
        let theory =
            HybridTheory::new(spec, matrix.inputs.dim()).map_err(|reason| RunError::Input(reason.to_owned()))?;
        let logs = self.pool.install(|| theory.log10_relative_mse(matrix.inputs, ms, &stop)).map_err(failure)?;
        for (expected, log10_relative_mse) in expected.iter_mut().zip(logs) {
            let relative_mse = 10_f64.powf(log10_relative_mse);
            *expected = Expectation { relative_mse, log10_relative_mse, variance: relative_mse, ..*expected };
        }
        Ok(Some(expected))
    }

    /// Theory by quadrature of a typed function, summed pair by pair.
    fn typed_theory(
        &self,
        matrix: &SurveyedMatrix<'_>,
        function: &'static Function,
        projection: Projection,
        ms: &[usize],
        context: &mut RunContext,
    ) -> Result<Option<Vec<Expectation>>, RunError> {
        let mut none = |reason: &str| {
            context.note(format!("no theory curve for {function} on {}: {reason}", projection.name()));
            Ok(None)
        };
        if projection != Projection::Gaussian {
            return none("a typed function has theory for independent Gaussian rows");
        }
        let theory = match TypedTheory::new(function) {
            Ok(theory) => theory,
            Err(reason) => return none(reason),
        };
        if let Err(reason) = theory.check(matrix.inputs.queries.nrows() * matrix.inputs.keys.nrows()) {
            return none(&reason);
        }
        let control = context.control();
        let stop = move || control.is_stopping();
        match self.pool.install(|| theory.expectation(matrix.inputs, matrix.exact, ms, &stop)) {
            Ok(expected) => Ok(Some(expected)),
            Err(AttentionError::Quadrature(reason)) => {
                context.note(format!("no theory curve for {function} on {}: {reason}", projection.name()));
                Ok(None)
            }
            Err(error) => Err(failure(error)),
        }
    }

    /// What is to be known of a typed function.
    fn function_remarks(
        &self,
        matrix: &SurveyedMatrix<'_>,
        function: &Function,
        projection: Projection,
        theory: Option<&[Expectation]>,
        context: &mut RunContext,
    ) {
        // What holds on every matrix and under every projection is said once.
        if self.is_first && projections(self.params).first() == Some(&projection) {
            function_facts(function, context);
        }
        let Some((first, m)) = theory.and_then(<[Expectation]>::first).zip(sizes(self.params).first().copied()) else {
            return;
        };
        let Some(enough) = first.enough_projections(m) else { return };
        context.note(format!(
            "{}, f = {function}: its squared bias {:.3e} is more than the variance {:.3e}/m from m = {enough} on: more features buy little then",
            matrix.title,
            first.squared_bias,
            first.variance * m as f64
        ));
    }

    /// What is to be known of a curve beside its numbers.
    pub(super) fn remarks(
        &self,
        matrix: &SurveyedMatrix<'_>,
        estimator: FeatureEstimator,
        method: &FittedEstimator,
        projection: Projection,
        theory: Option<&[Expectation]>,
        context: &mut RunContext,
    ) {
        if let FittedEstimator::Features(FeatureMap::Gerf { a }) = method {
            context.note(format!("{}: gerf takes A = {a}", matrix.title));
        }
        if self.curves.are_medians() {
            // The rows say what holds for one head of many.
            return;
        }
        if let FittedEstimator::Features(FeatureMap::Custom(function)) = method {
            self.function_remarks(matrix, function, projection, theory, context);
        }
        if let Some(caveat) = estimator.caveat(projection) {
            context.note(caveat);
        }
        let dim = matrix.inputs.dim();
        if projection.pads() && !dim.is_power_of_two() {
            context.note(format!(
                "{}: d = {dim} is no power of two, so queries and keys are zero-padded to {}",
                projection.name(),
                projection.inner_dim(dim)
            ));
        }
        let block = projection.block(dim);
        let cut: Vec<_> = sizes(self.params).into_iter().filter(|m| m % block != 0).map(|m| m.to_string()).collect();
        if block > 1 && !cut.is_empty() {
            context.note(format!(
                "{}: m = {} cut a block of {block} rows short, which costs part of what coupled rows gain; the error need not fall from one m to the next",
                projection.name(),
                cut.join(", ")
            ));
        }
        let trials = self.params.size("trials");
        let hidden: Vec<_> = theory
            .into_iter()
            .flatten()
            .zip(sizes(self.params))
            .filter(|(expected, _)| expected.observable() == Some(false))
            .map(|(_, m)| m.to_string())
            .collect();
        if !hidden.is_empty() {
            let what = format!("{} {} on {}", estimator.label(), projection.name(), matrix.title);
            let ms = hidden.join(", ");
            context.note(if self.is_current {
                format!(
                    "{what}: theory is not observable at this budget for m = {ms}: rare, huge draws carry the expectation, so that the mean of {trials} trials lies below it more often than not; no standard errors are given there"
                )
            } else {
                format!(
                    "{what}: theory is not observable at this budget for m = {ms}: rare, huge draws carry the expectation, {trials} trials will mostly lie far below it"
                )
            });
        }
    }
}

/// What is to be known of a typed function itself.
fn function_facts(function: &Function, context: &mut RunContext) {
    for doubt in function.doubts() {
        context.note(format!("f = {function}: {doubt}"));
    }
    if let Some(place) = function.negative() {
        context.note(format!(
                "f = {function} can be negative, as at {}: entries and denominators need not be positive; the columns of entries and row sums ≤ 0 count them",
                place.replacen('u', "p", 1)
            ));
    }
    if !function.scalars().is_empty() {
        let starts: Vec<_> =
            function.scalars().iter().map(|scalar| format!("{} = {}", scalar.name, scalar.start)).collect();
        context.note(format!("f = {function}: nothing is learned here, constants are {}", starts.join(", ")));
    }
}
