//! Features of one side of the estimate, in range of the number format.

use super::ROWS;
use crate::attention::kernel::{Number, exp_shifted};
use crate::attention::product::product;
use crate::attention::{AttentionError, FeatureMap};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

/// Unscaled features of one side, divided by exp(`log_scale`).
pub(super) struct Side<T> {
    pub features: Array2<T>,
    pub log_scale: f64,
}

/// Φ·√m of the tokens of one side; rows in parallel.
pub(super) fn features<T: Number>(
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

pub(super) fn extreme(values: &[f64], beats: impl Fn(f64, f64) -> bool) -> (usize, f64) {
    values
        .iter()
        .copied()
        .enumerate()
        .fold((0, values[0]), |best, next| if beats(next.1, best.1) { next } else { best })
}

pub(super) fn out_of_range<T: Number>(
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
