//! The streamed engine: relative Frobenius error of an estimate against the exact matrix. The estimate is never stored,
//! the exact matrix only where it is small and asked for again ([`FrobeniusEngine::keep_exact`]).
//!
//! Row tiles are spread over rayon's pool, each product runs on its own thread, and partial sums are added in f64 in a
//! fixed order: results do not depend on the number of threads. All m of a curve come from one pass, because features of
//! a draw are nested.
//!
//! Exponents are kept in range by one global factor for each side, which relative errors do not see.

mod cast;
mod device;
mod grid;
mod side;
mod sums;
mod tiles;

pub use device::device_bytes;

use super::kernel::Float;
use super::spikiness::Exact;
use super::{AttentionError, Inputs, RandomFeatures, Sketch};
use crate::memory;
use crate::named::named;
use candle_core::Device;
use cast::Cast;
use grid::block_rows;
use ndarray::{Array1, Array2, ArrayView1, Axis, s};
use rayon::prelude::*;
use side::{SideFeatures, extreme, features, out_of_range};
use sums::{TileSums, add_scaled};
use tiles::Comparison;

/// An exact matrix of up to this many entries is kept between draws (256 MiB in f32).
const KEPT: usize = 1 << 26;

/// Whether [`FrobeniusEngine::keep_exact`] keeps the exact matrix of this many queries and keys, in 32 bits.
#[must_use]
pub fn is_kept((queries, keys): (usize, usize)) -> bool {
    queries.checked_mul(keys).is_some_and(|entries| entries <= KEPT)
}

/// How an estimate differs from the exact matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ErrorMeasure {
    /// ‖Â−A‖/‖A‖; also where its square is more than 64 bits hold.
    pub relative: f64,
    /// ‖Â−A‖²/‖A‖².
    pub relative_squared: f64,
    /// The same of the row-normalised matrices; a row of Â that adds up to 0 counts as 0.
    pub normalized_squared: f64,
    /// ⟨Â,A⟩/‖A‖²: 1 on average for unbiased estimators.
    pub ratio: f64,
    /// Share of entries of Â that are ≤ 0.
    pub nonpositive_entries: f64,
    /// Share of rows of Â that add up to ≤ 0.
    pub nonpositive_rows: f64,
    /// ‖D̂⁻¹ÂV−D⁻¹AV‖²/‖D⁻¹AV‖² with the values V; none where the engine has no values.
    pub output_squared: Option<f64>,
}

/// What one draw comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawErrors {
    /// For every m asked for, rising.
    pub measures: Vec<ErrorMeasure>,
    /// The number format that was used: 32 or 64 bits.
    pub precision: Precision,
    /// The part that each row has in ‖Â−A‖²/‖A‖², a row of A a row, an m a column.
    pub rows: Array2<f64>,
}

/// Measures estimates of one exact matrix, over and over.
#[derive(Clone, Debug)]
pub struct FrobeniusEngine<'a> {
    inputs: &'a Inputs,
    exact: &'a Exact,
    single: Option<Cast<f32>>,
    fallback: bool,
    /// What compares the matrices, in place of the processor.
    device: Option<Device>,
}

named! {
    /// The number format of the engine.
    pub enum Precision {
        Auto = "auto", "f32 where exponents allow, else f64, else log";
        Single = "f32", "f32, or an error that names the token";
        Double = "f64", "f64";
        Log = "log", "the logarithmic domain, with a scale for each row";
    }
}

impl<'a> FrobeniusEngine<'a> {
    /// An engine for `inputs`, whose survey is `exact`.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn new(inputs: &'a Inputs, exact: &'a Exact, precision: Precision) -> Result<Self, AttentionError> {
        let single = if precision == Precision::Double { None } else { Some(Cast::new(inputs)?) };
        Ok(Self { inputs, exact, single, fallback: precision == Precision::Auto, device: None })
    }

    /// Compares the matrices on `device`, in tensor operations. Features are made on the processor, in any case.
    #[must_use]
    pub fn on(mut self, device: &Device) -> Self {
        self.device = Some(device.clone());
        self
    }

    /// Whether a device compares the matrices.
    #[must_use]
    pub const fn is_on_device(&self) -> bool {
        self.device.is_some()
    }

    /// Keeps the exact matrix for the draws to come, unless it is large; without it every draw computes it anew, tile by
    /// tile. Worth it from the second draw on.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn keep_exact(mut self) -> Result<Self, AttentionError> {
        let (inputs, peak) = (self.inputs, self.exact.peak);
        let shape = (inputs.queries.nrows(), inputs.keys.nrows());
        if let Some(cast) = self.single.as_mut().filter(|_| is_kept(shape)) {
            cast.keep_exact(inputs, peak)?;
        }
        Ok(self)
    }

    /// The part that each row of A has in ‖A‖².
    #[must_use]
    pub fn row_shares(&self) -> Array1<f64> {
        let (inputs, peak) = (self.inputs, self.exact.peak);
        let shares = (0..inputs.queries.nrows()).into_par_iter().map(|row| {
            let exponents = inputs.keys.dot(&inputs.queries.row(row)) + (inputs.row_exponents[row] - peak);
            exponents.iter().map(|exponent| (2.0 * exponent).exp()).sum::<f64>() / self.exact.norm_squared
        });
        shares.collect::<Vec<_>>().into()
    }

    /// Measures the draw's first m projections for every m of `ms`, which rises and ends at or below the number drawn.
    ///
    /// # Errors
    /// Exponents too far apart for the number format (names the token), or an end that was asked for.
    ///
    /// # Panics
    /// `ms` is empty, does not rise, or asks for more projections than were drawn.
    pub fn measure(
        &self,
        draw: &RandomFeatures,
        ms: &[usize],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<DrawErrors, AttentionError> {
        assert!(ms.windows(2).all(|pair| pair[0] < pair[1]), "sizes must rise");
        assert!(ms.last().is_some_and(|&m| m <= draw.projections.nrows()), "sizes exceed the draw");
        if let Some(cast) = &self.single {
            match self.measured(cast, draw, ms, stop) {
                Err(AttentionError::Range { .. }) if self.fallback => {}
                other => return other,
            }
        }
        self.measured(&Cast::<f64>::new(self.inputs)?, draw, ms, stop)
    }

    /// Measures any other sketch, in f64 and with all of its features: one measure.
    ///
    /// # Errors
    /// As [`FrobeniusEngine::measure`].
    pub fn measure_sketch(
        &self,
        sketch: &dyn Sketch,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<DrawErrors, AttentionError> {
        let cast = Cast::<f64>::new(self.inputs)?;
        let factors = self.inputs.row_exponents.mapv(f64::exp).insert_axis(Axis(1));
        let side = |features: Array2<f64>| -> Result<_, AttentionError> {
            let mut turned = memory::array((features.ncols(), features.nrows()), 0.0, "the features")?;
            turned.assign(&features.t());
            Ok(SideFeatures { features: turned, log_scale: 0.0 })
        };
        let queries = side(sketch.queries(self.inputs.queries.view())? * factors)?;
        let keys = side(sketch.keys(self.inputs.keys.view())?)?;
        self.compare(&cast, &queries, &keys, (&[1], sketch.features()), stop)
    }

    fn measured<T: Float>(
        &self,
        cast: &Cast<T>,
        draw: &RandomFeatures,
        ms: &[usize],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<DrawErrors, AttentionError> {
        let inputs = self.inputs;
        let used = draw.projections.slice(s![..ms[ms.len() - 1], ..]);
        let exponents = Some(&inputs.row_exponents);
        let queries = features("query", cast.queries.t(), &inputs.queries, exponents, &draw.map, used)?;
        let keys = features("key", cast.keys.view(), &inputs.keys, None, &draw.map, used)?;
        self.compare(cast, &queries, &keys, (ms, draw.map.features_per_projection()), stop)
    }

    /// Measures the first m·`width` features of both sides, divided by m, for every m of `ms`.
    fn compare<T: Float>(
        &self,
        cast: &Cast<T>,
        queries: &SideFeatures<T>,
        keys: &SideFeatures<T>,
        (ms, width): (&[usize], usize),
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<DrawErrors, AttentionError> {
        let (inputs, exact) = (self.inputs, self.exact);
        // One factor for both matrices, so that no entry of either exceeds the format.
        let top = (queries.log_scale + keys.log_scale).max(exact.peak);
        let spread = top - exact.lowest_row.0;
        if spread.partial_cmp(&T::SPREAD) != Some(std::cmp::Ordering::Less) {
            let (_, row) = exact.lowest_row;
            let lengths: Vec<f64> = inputs.queries.rows().into_iter().map(|x| x.dot(&x)).collect();
            let (longest, _) = extreme(&lengths, |a, b| a > b);
            let token = if exact.peak >= top { row } else { longest };
            return Err(out_of_range::<T>("query", token, &inputs.queries, spread, T::SPREAD));
        }
        // What is left of the factor goes to the estimate.
        let rest = (queries.log_scale + keys.log_scale - top).exp();
        let row_scale = (exact.peak - top).exp();
        let estimated_rows = row_sums(&queries.features, &keys.features, ms, width, rest);

        let count = cast.queries.nrows();
        let norm = exact.norm_squared * row_scale * row_scale;
        let estimated_rows = &estimated_rows;
        let comparison =
            Comparison { inputs, exact, cast, queries, keys, ms, width, rest, row_scale, norm, estimated_rows, stop };
        let blocks = match &self.device {
            Some(device) => comparison.on_device(device)?,
            None => comparison.on_processor()?,
        };

        let entries = (inputs.queries.nrows() * inputs.keys.nrows()) as f64;
        let measures = (0..ms.len())
            .map(|size| {
                let mut total = TileSums::default();
                for block in &blocks {
                    let of = block.sums[size];
                    total.difference += of.difference;
                    total.normalized += of.normalized;
                    total.cross += of.cross;
                    total.nonpositive += of.nonpositive;
                }
                let rows = estimated_rows.column(size);
                let relative_squared = total.difference / norm;
                ErrorMeasure {
                    relative: relative_squared.sqrt(),
                    relative_squared,
                    normalized_squared: total.normalized / exact.normalized_norm_squared,
                    ratio: total.cross / norm,
                    nonpositive_entries: total.nonpositive / entries,
                    nonpositive_rows: rows.iter().filter(|&&sum| sum <= 0.0).count() as f64 / rows.len() as f64,
                    output_squared: None,
                }
            })
            .collect();
        let mut rows = Array2::zeros((count, ms.len()));
        let mut first = 0;
        for block in &blocks {
            let end = first + block.rows.nrows();
            rows.slice_mut(s![first..end, ..]).assign(&block.rows);
            first = end;
        }
        let precision = if T::NAME == f32::NAME { Precision::Single } else { Precision::Double };
        Ok(DrawErrors { measures, precision, rows })
    }
}

/// Row sums of the estimate for every m: Φ_q·(Φ_kᵀ1), in O(L·M); a row a feature.
fn row_sums<T: Float>(queries: &Array2<T>, keys: &Array2<T>, ms: &[usize], width: usize, rest: f64) -> Array2<f64> {
    let add = |row: ArrayView1<'_, T>| row.iter().map(|value| value.to()).sum::<f64>();
    let total: Vec<f64> = keys.axis_iter(Axis(0)).into_par_iter().map(add).collect();
    let mut sums = Array2::zeros((queries.ncols(), ms.len()));
    let rows = block_rows(queries.ncols());
    let blocks = sums.axis_chunks_iter_mut(Axis(0), rows).into_par_iter();
    blocks.zip(queries.axis_chunks_iter(Axis(1), rows)).for_each(|(mut sums, queries)| {
        let (mut sum, mut from) = (vec![0.0; queries.ncols()], 0);
        for (place, &m) in ms.iter().enumerate() {
            for (row, total) in queries.slice(s![from..m * width, ..]).rows().into_iter().zip(&total[from..]) {
                add_scaled(&mut sum, row.to_slice().unwrap_or_default(), *total);
            }
            from = m * width;
            for (out, sum) in sums.column_mut(place).iter_mut().zip(&sum) {
                *out = sum * rest / m as f64;
            }
        }
    });
    sums
}
