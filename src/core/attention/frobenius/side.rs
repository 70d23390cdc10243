//! Features of one side of the estimate, in range of the number format.

use crate::attention::feature_map::FeatureShape;
use crate::attention::kernel::{Float, exp_sums, turn};
use crate::attention::typed::TypedSide;
use crate::attention::{AttentionError, FeatureMap};
use crate::memory;
use crate::product::product;
use crate::vectorized::vectorized;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

/// Tokens of a block that one thread fills.
const BLOCK: usize = 256;

/// Unscaled features of one side, a row a feature and a column a token, divided by exp(`log_scale`).
pub(super) struct SideFeatures<T> {
    pub features: Array2<T>,
    pub log_scale: f64,
}

/// Φᵀ·√m of the tokens of one side, which are the columns of `tokens` (d×L); blocks of tokens in parallel.
pub(super) fn features<T: Float>(
    side: &'static str,
    tokens: ArrayView2<'_, T>,
    precise: &Array2<f64>,
    row_exponents: Option<&Array1<f64>>,
    map: &FeatureMap,
    projections: ArrayView2<'_, f64>,
) -> Result<SideFeatures<T>, AttentionError> {
    if let FeatureMap::Custom(function) = map {
        let side = TypedSide { function, side, tokens: precise.view(), projections };
        return typed(&side, precise, row_exponents);
    }
    let prepared = map.prepare(projections)?;
    let (count, m) = (tokens.ncols(), projections.nrows());
    let (shape, width) = (map.shape(), map.features_per_projection());
    let mut w = memory::array(projections.dim(), T::default(), "the projections")?;
    w.zip_mut_with(&prepared.projections, |out, value| *out = T::of(*value));
    let offsets = prepared.offsets.mapv(T::of);
    drop(prepared.projections);
    let sign = if shape == FeatureShape::Circular { 1.0 } else { -1.0 };
    let own: Vec<f64> = (0..count)
        .map(|i| {
            let row = precise.row(i);
            sign * row.dot(&row) / 2.0 + row_exponents.map_or(0.0, |exponents| exponents[i])
        })
        .collect();
    let mut out = memory::array((m * width, count), T::default(), "the features")?;
    // First exponents (trigonometric: the products), and the largest exponent of each token.
    let tops: Vec<f64> = out
        .axis_chunks_iter_mut(Axis(1), BLOCK)
        .into_par_iter()
        .enumerate()
        .flat_map_iter(|(block, mut out)| {
            let (start, tokens_here) = (block * BLOCK, out.ncols());
            let tokens = tokens.slice(s![.., start..start + tokens_here]);
            let mut tops = vec![T::of(if sign > 0.0 { 0.0 } else { f64::NEG_INFINITY }); tokens_here];
            if width == 1 {
                product(w.view(), tokens, out.view_mut(), T::default());
                for (row, offset) in out.rows_mut().into_iter().zip(&offsets) {
                    shift_and_top(row.into_slice().unwrap_or_default(), *offset, &mut tops);
                }
            } else {
                let mut products = Array2::from_elem((m, tokens_here), T::default());
                product(w.view(), tokens, products.view_mut(), T::default());
                for (i, products) in products.rows().into_iter().enumerate() {
                    out.row_mut(2 * i).assign(&products);
                    if sign < 0.0 {
                        out.row_mut(2 * i + 1).zip_mut_with(&products, |feature, product| *feature = -*product);
                        for row in [2 * i, 2 * i + 1] {
                            let row = out.row_mut(row).into_slice().unwrap_or_default();
                            shift_and_top(row, T::default(), &mut tops);
                        }
                    }
                }
            }
            tops.into_iter().zip(own[start..].iter()).map(|(top, own)| top.to() + own).collect::<Vec<_>>()
        })
        .collect();
    let log_scale = common_scale::<T>(side, precise, &tops)?;
    let root = if shape == FeatureShape::BothSigns { -std::f64::consts::LN_2 / 2.0 } else { 0.0 };
    out.axis_chunks_iter_mut(Axis(1), BLOCK).into_par_iter().enumerate().for_each(|(block, mut out)| {
        let own = own[block * BLOCK..].iter().take(out.ncols());
        let shifts = own.map(|own| own - log_scale + root);
        if sign > 0.0 {
            let scales: Vec<T> = shifts.map(|shift| T::of(shift.exp())).collect();
            for i in 0..m {
                let (cosines, sines) = out.multi_slice_mut((s![2 * i, ..], s![2 * i + 1, ..]));
                turn(cosines.into_slice().unwrap_or_default(), sines.into_slice().unwrap_or_default(), &scales);
            }
        } else {
            let shifts: Vec<T> = shifts.map(T::of).collect();
            for row in out.rows_mut() {
                exp_sums(row.into_slice().unwrap_or_default(), &shifts);
            }
        }
    });
    Ok(SideFeatures { features: out, log_scale })
}

/// The same of a typed function: evaluated in 64 bits, each token at the scale of its largest feature, then all at one.
fn typed<T: Float>(
    side: &TypedSide<'_>,
    precise: &Array2<f64>,
    row_exponents: Option<&Array1<f64>>,
) -> Result<SideFeatures<T>, AttentionError> {
    let (count, m) = (precise.nrows(), side.projections.nrows());
    let mut out = memory::array((m * side.function.components(), count), T::default(), "the features")?;
    let tops: Vec<Vec<f64>> = out
        .axis_chunks_iter_mut(Axis(1), BLOCK)
        .into_par_iter()
        .enumerate()
        .map(|(chunk, mut out)| {
            let first = chunk * BLOCK;
            let mut tops = Vec::with_capacity(out.ncols());
            for rows in side.blocks(first..first + out.ncols()) {
                let (block, is_exponent) = match side.exponents(rows.clone()) {
                    Some(exponents) => (exponents?, true),
                    None => (side.values(rows.clone())?, false),
                };
                let size = |number: f64| if is_exponent { number } else { number.abs() };
                let largest = |row: &[f64]| row.iter().map(|number| size(*number)).fold(f64::NEG_INFINITY, f64::max);
                // What brings the largest feature of a row to 1, and that feature's logarithm.
                let scales: Vec<f64> = block.rows().map(largest).collect();
                let place = rows.start - first;
                let mut out = out.slice_mut(s![.., place..place + rows.len()]);
                for (l, mut feature) in out.rows_mut().into_iter().enumerate() {
                    for ((out, number), scale) in feature.iter_mut().zip(block.feature(l)).zip(&scales) {
                        *out = T::of(match () {
                            () if is_exponent => Float::exp(number - scale),
                            () if *scale > 0.0 => number / scale,
                            () => 0.0,
                        });
                    }
                }
                tops.extend(rows.zip(&scales).map(|(i, scale)| {
                    let own = row_exponents.map_or(0.0, |exponents| exponents[i]);
                    own + if is_exponent { *scale } else { scale.ln() }
                }));
            }
            Ok(tops)
        })
        .collect::<Result<_, AttentionError>>()?;
    let tops = tops.concat();
    let log_scale = common_scale::<T>(side.side, precise, &tops)?;
    out.axis_chunks_iter_mut(Axis(1), BLOCK).into_par_iter().zip(tops.par_chunks(BLOCK)).for_each(|(mut out, tops)| {
        let factors: Vec<T> = tops.iter().map(|top| T::of((top - log_scale).exp())).collect();
        for mut feature in out.rows_mut() {
            feature.iter_mut().zip(&factors).for_each(|(out, factor)| *out *= *factor);
        }
    });
    Ok(SideFeatures { features: out, log_scale })
}

/// The largest of the logarithms `tops` of the tokens' largest features; a token without a feature that is not 0 has −∞.
fn common_scale<T: Float>(side: &'static str, precise: &Array2<f64>, tops: &[f64]) -> Result<f64, AttentionError> {
    let (token, log_scale) = extreme(tops, |a, b| a > b);
    if log_scale == f64::NEG_INFINITY {
        return Ok(0.0);
    }
    let lowest = tops
        .iter()
        .copied()
        .filter(|top| *top != f64::NEG_INFINITY)
        .fold(log_scale, |low, top| if top < low { top } else { low });
    // What is not a number is out of range too.
    if tops.iter().any(|top| top.is_nan())
        || (log_scale - lowest).partial_cmp(&(T::SPREAD * 1.25)) != Some(std::cmp::Ordering::Less)
    {
        return Err(out_of_range::<T>(side, token, precise, log_scale - lowest, T::SPREAD * 1.25));
    }
    Ok(log_scale)
}

/// Adds `offset` to the exponents of a row and keeps the largest of each token.
fn shift_and_top<T: Float>(row: &mut [T], offset: T, tops: &mut [T]) {
    vectorized!({
        for (value, top) in row.iter_mut().zip(tops.iter_mut()) {
            *value += offset;
            *top = if *value > *top { *value } else { *top };
        }
    });
}

pub(super) fn extreme(values: &[f64], beats: impl Fn(f64, f64) -> bool) -> (usize, f64) {
    values
        .iter()
        .copied()
        .enumerate()
        .fold((0, values[0]), |best, next| if beats(next.1, best.1) { next } else { best })
}

pub(super) fn out_of_range<T: Float>(
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
