//! What theory expects of an estimate, in numbers.

/// What theory expects of an estimate of a whole matrix from m projections.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Expectation {
    /// E ‖Â−A‖²/‖A‖²; infinite where 64 bits do not hold it.
    pub relative_mse: f64,
    /// log₁₀ of it; NaN where neither it is finite nor the matrix small enough to sum its entries as logarithms.
    pub log10_relative_mse: f64,
    /// The part of it that is squared bias; it stays however large m is.
    pub squared_bias: f64,
    /// The part that is variance.
    pub variance: f64,
    /// E ⟨Â,A⟩/‖A‖²: 1 for unbiased estimators.
    pub mean_ratio: f64,
    /// The share of `relative_mse` that the given number of draws can be expected to show: that of pairs for which
    /// [`is_visible`] holds with trials · m draws. The rest is carried by draws too rare to be seen.
    pub visible: f64,
}

impl Expectation {
    /// The smallest number of projections with which the squared bias is more than the variance, of independent ones of which
    /// this is the expectation for `m`: beyond it more features buy little. None without bias.
    #[must_use]
    pub fn enough_projections(&self, m: usize) -> Option<u64> {
        let ratio = self.variance * m as f64 / self.squared_bias;
        ratio.is_finite().then(|| ratio.floor() as u64 + 1)
    }

    /// Whether draws can be expected to show at least half of the expectation; otherwise they mostly lie far below it, and so
    /// do their standard errors. None where that is not known.
    #[must_use]
    pub fn observable(&self) -> Option<bool> {
        if !self.relative_mse.is_finite() {
            return Some(false);
        }
        (!self.visible.is_nan()).then_some(self.visible >= 0.5)
    }
}

/// How often a draw has to be expected before the mean squared error over draws can be relied upon to show it. That it be
/// expected once is not enough: a calibration by simulation is in `docs/random-features.md`.
pub const SIGHTINGS: usize = 16;

/// Whether `draws` draws, trials times projections, show what draws of this rarity (see
/// [`Moments::rarity`](super::Moments::rarity)) carry: `rarity` ≤ ln(`draws`/[`SIGHTINGS`]).
#[must_use]
pub fn is_visible(rarity: f64, draws: f64) -> bool {
    rarity <= (draws / SIGHTINGS as f64).ln()
}

/// What the number of draws and their coupling come to.
#[derive(Clone, Copy)]
pub(super) struct DrawBudget {
    pub block: usize,
    pub trials: usize,
}
