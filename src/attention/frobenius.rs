//! The streamed engine: relative Frobenius error of an estimate against the exact matrix, neither of them stored.
//!
//! Row tiles are spread over rayon's pool, each product runs on its own thread, and partial sums are added in f64 in a
//! fixed order: results do not depend on the number of threads. All m of a curve come from one pass, because features of
//! a draw are nested.
//!
//! Exponents are kept in range by one global factor for each side, which relative errors do not see.

use super::kernel::{Number, exp_shifted};
use super::product::product;
use super::spikiness::Exact;
use super::{AttentionError, FeatureMap, Inputs, RandomFeatures, Sketch};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};
use rayon::prelude::*;

const ROWS: usize = 512;
const COLS: usize = 512;
/// Independent sums of an inner loop: one wide register of f32.
const LANES: usize = 16;

/// How an estimate differs from the exact matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measure {
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
}

/// Inputs in the number format of the engine.
#[derive(Clone, Debug)]
struct Cast<T> {
    queries: Array2<T>,
    /// Keys as columns (d×L_k).
    keys: Array2<T>,
}

impl<T: Number> Cast<T> {
    fn new(inputs: &Inputs) -> Self {
        let keys = inputs.keys.t();
        Self { queries: inputs.queries.mapv(T::of), keys: keys.as_standard_layout().mapv(T::of) }
    }
}

/// Measures estimates of one exact matrix, over and over.
#[derive(Clone, Debug)]
pub struct Engine<'a> {
    inputs: &'a Inputs,
    exact: &'a Exact,
    single: Option<Cast<f32>>,
    fallback: bool,
}

/// The number format of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// f32 where exponents allow, f64 otherwise.
    Auto,
    /// f32, or an error that names the token.
    Single,
    /// f64.
    Double,
}

impl<'a> Engine<'a> {
    /// An engine for `inputs`, whose survey is `exact`.
    #[must_use]
    pub fn new(inputs: &'a Inputs, exact: &'a Exact, precision: Precision) -> Self {
        Self {
            inputs,
            exact,
            single: (precision != Precision::Double).then(|| Cast::new(inputs)),
            fallback: precision == Precision::Auto,
        }
    }

    /// Measures the draw's first m projections for every m of `ms`, which rises and ends at or below the number drawn.
    /// The second value says whether f64 had to be used.
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
    ) -> Result<(Vec<Measure>, Precision), AttentionError> {
        assert!(ms.windows(2).all(|pair| pair[0] < pair[1]), "sizes must rise");
        assert!(ms.last().is_some_and(|&m| m <= draw.projections.nrows()), "sizes exceed the draw");
        if let Some(cast) = &self.single {
            match measure(self.inputs, self.exact, cast, draw, ms, stop) {
                Err(AttentionError::Range { .. }) if self.fallback => {}
                other => return other.map(|measures| (measures, Precision::Single)),
            }
        }
        measure(self.inputs, self.exact, &Cast::<f64>::new(self.inputs), draw, ms, stop)
            .map(|measures| (measures, Precision::Double))
    }

    /// Measures any other sketch, in f64 and with all of its features.
    ///
    /// # Errors
    /// As [`Engine::measure`].
    pub fn measure_sketch(
        &self,
        sketch: &impl Sketch,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Measure, AttentionError> {
        let cast = Cast::<f64>::new(self.inputs);
        let factors = self.inputs.row_exponents.mapv(f64::exp).insert_axis(Axis(1));
        let queries = Side { features: sketch.queries(self.inputs.queries.view()) * factors, log_scale: 0.0 };
        let keys = Side { features: sketch.keys(self.inputs.keys.view()), log_scale: 0.0 };
        let measures = compare(self.inputs, self.exact, &cast, &queries, &keys, (&[1], sketch.features()), stop)?;
        Ok(measures[0])
    }
}

/// Unscaled features of one side, divided by exp(`log_scale`).
struct Side<T> {
    features: Array2<T>,
    log_scale: f64,
}

/// Φ·√m of the tokens of one side; rows in parallel.
fn features<T: Number>(
    side: &'static str,
    tokens: ArrayView2<'_, T>,
    precise: &Array2<f64>,
    row_exponents: Option<&Array1<f64>>,
    map: &FeatureMap,
    projections: ArrayView2<'_, f64>,
) -> Result<Side<T>, AttentionError> {
    let prepared = map.prepare(projections);
    let (count, m) = (tokens.nrows(), projections.nrows());
    let width = map.features_per_projection();
    let w = prepared.projections.mapv(T::of);
    let offsets = prepared.offsets.mapv(T::of);
    let sign = if matches!(map, FeatureMap::Trigonometric) { 1.0 } else { -1.0 };
    let own: Vec<f64> = (0..count)
        .map(|i| {
            let row = precise.row(i);
            sign * row.dot(&row) / 2.0 + row_exponents.map_or(0.0, |exponents| exponents[i])
        })
        .collect();
    let mut out = Array2::from_elem((count, m * width), T::default());
    // First exponents (trigonometric: the products), and the largest exponent of each row.
    let tops: Vec<f64> = out
        .axis_chunks_iter_mut(Axis(0), ROWS)
        .into_par_iter()
        .enumerate()
        .flat_map_iter(|(chunk, mut out)| {
            let start = chunk * ROWS;
            let tokens = tokens.slice(s![start..start + out.nrows(), ..]);
            let mut products = Array2::from_elem((out.nrows(), m), T::default());
            product(tokens, w.t(), products.view_mut(), T::default());
            let mut tops = Vec::with_capacity(out.nrows());
            for (i, (mut row, products)) in out.rows_mut().into_iter().zip(products.rows()).enumerate() {
                let own = own[start + i];
                let row = row.as_slice_mut().unwrap_or_default();
                let mut top = T::of(f64::NEG_INFINITY);
                match map {
                    FeatureMap::Trigonometric => {
                        for (pair, &product) in row.chunks_exact_mut(2).zip(products) {
                            pair[0] = product;
                        }
                        top = T::default();
                    }
                    FeatureMap::Hyperbolic => {
                        for (pair, &product) in row.chunks_exact_mut(2).zip(products) {
                            (pair[0], pair[1]) = (product, -product);
                            let size = if product < T::default() { -product } else { product };
                            top = if size > top { size } else { top };
                        }
                    }
                    _ => {
                        for ((feature, &product), &offset) in row.iter_mut().zip(products).zip(&offsets) {
                            *feature = product + offset;
                            top = if *feature > top { *feature } else { top };
                        }
                    }
                }
                tops.push(top.to() + own);
            }
            tops
        })
        .collect();
    let (token, log_scale) = extreme(&tops, |a, b| a > b);
    let (_, lowest) = extreme(&tops, |a, b| a < b);
    if (log_scale - lowest).partial_cmp(&(T::SPREAD * 1.25)) != Some(std::cmp::Ordering::Less) {
        return Err(out_of_range::<T>(side, token, precise, log_scale - lowest, T::SPREAD * 1.25));
    }
    let root = if width == 2 && sign < 0.0 { -std::f64::consts::LN_2 / 2.0 } else { 0.0 };
    out.axis_chunks_iter_mut(Axis(0), ROWS).into_par_iter().enumerate().for_each(|(chunk, mut out)| {
        for (i, mut row) in out.rows_mut().into_iter().enumerate() {
            let shift = own[chunk * ROWS + i] - log_scale + root;
            let row = row.as_slice_mut().unwrap_or_default();
            if sign > 0.0 { sines(row, T::of(shift.exp())) } else { exp_shifted(row, T::of(shift)) }
        }
    });
    Ok(Side { features: out, log_scale })
}

/// (p, ·) ← scale·(cos p, sin p) for every pair.
fn sines<T: Number>(row: &mut [T], scale: T) {
    pulp::Arch::new().dispatch(|| {
        for pair in row.chunks_exact_mut(2) {
            let (sin, cos) = pair[0].sin_cos();
            (pair[0], pair[1]) = (scale * cos, scale * sin);
        }
    });
}

fn extreme(values: &[f64], beats: impl Fn(f64, f64) -> bool) -> (usize, f64) {
    values
        .iter()
        .copied()
        .enumerate()
        .fold((0, values[0]), |best, next| if beats(next.1, best.1) { next } else { best })
}

fn out_of_range<T: Number>(
    side: &'static str,
    token: usize,
    tokens: &Array2<f64>,
    spread: f64,
    limit: f64,
) -> AttentionError {
    let row = tokens.row(token);
    AttentionError::Range {
        side,
        token,
        length: row.dot(&row).sqrt(),
        spread,
        format: T::NAME,
        limit,
        advice: if T::NAME == "f32" { "use precision=f64" } else { "scale the queries and keys down" },
    }
}

#[derive(Clone, Copy, Default)]
struct Sums {
    difference: f64,
    normalized: f64,
    cross: f64,
    nonpositive: f64,
}

fn measure<T: Number>(
    inputs: &Inputs,
    exact: &Exact,
    cast: &Cast<T>,
    draw: &RandomFeatures,
    ms: &[usize],
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<Measure>, AttentionError> {
    let used = draw.projections.slice(s![..ms[ms.len() - 1], ..]);
    let exponents = Some(&inputs.row_exponents);
    let queries = features("query", cast.queries.view(), &inputs.queries, exponents, &draw.map, used)?;
    let keys = features("key", cast.keys.t(), &inputs.keys, None, &draw.map, used)?;
    compare(inputs, exact, cast, &queries, &keys, (ms, draw.map.features_per_projection()), stop)
}

/// Measures the first m·`width` features of both sides, divided by m, for every m of `ms`.
fn compare<T: Number>(
    inputs: &Inputs,
    exact: &Exact,
    cast: &Cast<T>,
    queries: &Side<T>,
    keys: &Side<T>,
    (ms, width): (&[usize], usize),
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<Measure>, AttentionError> {
    // Keys as columns: the products then read them as they lie instead of packing them for every tile.
    let psi = keys.features.t().as_standard_layout().into_owned();
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
    let estimated_rows = row_sums(&queries.features, &psi, ms, width, rest);

    let tiles: Vec<Vec<Sums>> = cast
        .queries
        .axis_chunks_iter(Axis(0), ROWS)
        .into_par_iter()
        .enumerate()
        .map(|(chunk, tokens)| {
            let start = chunk * ROWS;
            let rows = start..start + tokens.nrows();
            let phi = queries.features.slice(s![rows.clone(), ..]);
            let mut sums = vec![Sums::default(); ms.len()];
            let mut tile = Array2::from_elem((tokens.nrows(), COLS), T::default());
            let mut estimate = tile.clone();
            for start_col in (0..cast.keys.ncols()).step_by(COLS) {
                if stop() {
                    return Err(AttentionError::Stopped);
                }
                let end_col = (start_col + COLS).min(cast.keys.ncols());
                let cols = end_col - start_col;
                let mut tile = tile.slice_mut(s![.., ..cols]);
                product(tokens, cast.keys.slice(s![.., start_col..end_col]), tile.view_mut(), T::default());
                for (mut row, exponent) in tile.rows_mut().into_iter().zip(inputs.row_exponents.slice(s![rows.clone()]))
                {
                    exp_shifted(row.as_slice_mut().unwrap_or_default(), T::of(exponent - top));
                }
                let mut estimate = estimate.slice_mut(s![.., ..cols]);
                let mut from = 0;
                for (size, (&m, sums)) in ms.iter().zip(&mut sums).enumerate() {
                    let to = m * width;
                    let psi = psi.slice(s![from..to, start_col..end_col]);
                    let keep = if from == 0 { T::default() } else { T::ONE };
                    product(phi.slice(s![.., from..to]), psi, estimate.view_mut(), keep);
                    from = to;
                    for (i, (exact_row, row)) in tile.rows().into_iter().zip(estimate.rows()).enumerate() {
                        let of_row = 1.0 / (exact.row_sums[start + i] * row_scale);
                        let of_estimate = inverse(estimated_rows[[start + i, size]]);
                        let scale = rest / m as f64;
                        let factors = [scale, of_row, of_estimate * scale].map(T::of);
                        add_row(sums, exact_row, row, factors);
                    }
                }
            }
            Ok(sums)
        })
        .collect::<Result<_, _>>()?;

    let entries = (inputs.queries.nrows() * inputs.keys.nrows()) as f64;
    let norm = exact.norm_squared * row_scale * row_scale;
    Ok((0..ms.len())
        .map(|size| {
            let mut total = Sums::default();
            for tile in &tiles {
                let of = tile[size];
                total.difference += of.difference;
                total.normalized += of.normalized;
                total.cross += of.cross;
                total.nonpositive += of.nonpositive;
            }
            let rows = estimated_rows.column(size);
            Measure {
                relative_squared: total.difference / norm,
                normalized_squared: total.normalized / exact.normalized_norm_squared,
                ratio: total.cross / norm,
                nonpositive_entries: total.nonpositive / entries,
                nonpositive_rows: rows.iter().filter(|&&sum| sum <= 0.0).count() as f64 / rows.len() as f64,
            }
        })
        .collect())
}

/// 1/sum; 0 where the sum is 0.
fn inverse(sum: f64) -> f64 {
    if sum == 0.0 { 0.0 } else { sum.recip() }
}

/// Row sums of the estimate for every m: Φ_q·(Φ_kᵀ1), in O(L·M); keys as columns.
fn row_sums<T: Number>(queries: &Array2<T>, keys: &Array2<T>, ms: &[usize], width: usize, rest: f64) -> Array2<f64> {
    let total: Array1<f64> = keys.rows().into_iter().map(|row| row.iter().map(|value| value.to()).sum()).collect();
    let mut sums = Array2::zeros((queries.nrows(), ms.len()));
    sums.axis_iter_mut(Axis(0)).into_par_iter().zip(queries.axis_iter(Axis(0))).for_each(|(mut sums, row)| {
        let (mut sum, mut from) = (0.0, 0);
        for (out, &m) in sums.iter_mut().zip(ms) {
            for (value, total) in row.slice(s![from..m * width]).iter().zip(total.slice(s![from..m * width])) {
                sum += value.to() * total;
            }
            from = m * width;
            *out = sum * rest / m as f64;
        }
    });
    sums
}

/// Adds one row of a tile: lanes in T over at most [`COLS`] entries, then f64.
fn add_row<T: Number>(sums: &mut Sums, exact: ArrayView1<'_, T>, estimate: ArrayView1<'_, T>, factors: [T; 3]) {
    let (Some(exact), Some(estimate)) = (exact.to_slice(), estimate.to_slice()) else {
        unreachable!("rows of a tile are contiguous")
    };
    let [scale, of_row, of_estimate] = factors;
    pulp::Arch::new().dispatch(|| {
        let zero = T::default();
        let mut lanes = [[zero; LANES]; 4];
        let mut chunks = exact.chunks_exact(LANES).zip(estimate.chunks_exact(LANES));
        for (exact, estimate) in &mut chunks {
            for l in 0..LANES {
                let guess = estimate[l] * scale;
                let difference = guess - exact[l];
                let normalized = estimate[l] * of_estimate - exact[l] * of_row;
                lanes[0][l] += difference * difference;
                lanes[1][l] += normalized * normalized;
                lanes[2][l] += guess * exact[l];
                lanes[3][l] += if guess > zero { zero } else { T::ONE };
            }
        }
        let done = exact.len() / LANES * LANES;
        for (l, (&exact, &estimate)) in exact[done..].iter().zip(&estimate[done..]).enumerate() {
            let guess = estimate * scale;
            let difference = guess - exact;
            let normalized = estimate * of_estimate - exact * of_row;
            lanes[0][l] += difference * difference;
            lanes[1][l] += normalized * normalized;
            lanes[2][l] += guess * exact;
            lanes[3][l] += if guess > zero { zero } else { T::ONE };
        }
        let [difference, normalized, cross, nonpositive] =
            lanes.map(|lanes| lanes.iter().map(|lane| lane.to()).sum::<f64>());
        sums.difference += difference;
        sums.normalized += normalized;
        sums.cross += cross;
        sums.nonpositive += nonpositive;
    });
}

/// ‖A−Φ_qΦ_kᵀ‖²/‖A‖² by the Gram identity ‖A‖² − 2 tr(Φ_qᵀAΦ_k) + tr(Φ_qᵀΦ_q·Φ_kᵀΦ_k): a cross-check in f64 that loses about
/// 16 digits over the error itself.
#[must_use]
pub fn relative_squared_by_gram(exact: ArrayView2<'_, f64>, phi: ArrayView2<'_, f64>, psi: ArrayView2<'_, f64>) -> f64 {
    let norm: f64 = exact.iter().map(|value| value * value).sum();
    let cross = (phi.t().dot(&exact).dot(&psi)).diag().sum();
    let own = phi.t().dot(&phi).dot(&psi.t().dot(&psi)).diag().sum();
    (norm - 2.0 * cross + own) / norm
}
