//! How an estimate differs from the exact attention of a head.

use super::exact::{ExactHead, ROWS};
use super::features::{HeadEstimate, KeyScales};
use super::row::{compare, normalized_difference, totals};
use crate::attention::AttentionError;
use crate::attention::frobenius::ErrorMeasure;
use crate::product::product;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};
use rayon::prelude::*;

/// Rows whose entries that may be seen add up to less than this, beside a largest entry of about 1, are computed anew with
/// the scale of these entries.
const FAINT: f64 = 1e-25;

/// Sums over a tile of rows. Un-normalised sums are divided by exp(`log_scale`).
struct TileErrors {
    log_scale: f64,
    difference: f64,
    cross: f64,
    nonpositive: f64,
    normalized: f64,
    nonpositive_rows: usize,
    output: f64,
}

impl ExactHead<'_> {
    /// Measures `estimate`: un-normalised numbers over all entries, row-normalised ones and the output over the entries that a
    /// row may see. A row whose denominator is 0 counts as 0; other rows are divided by their denominators, positive or not.
    ///
    /// # Errors
    /// Not enough memory, or an end that was asked for.
    pub fn measure(
        &self,
        estimate: &HeadEstimate,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<ErrorMeasure, AttentionError> {
        let all = estimate.keys(self.inputs.keys.nrows())?;
        let count = self.inputs.queries.nrows();
        let starts: Vec<usize> = (0..count).step_by(ROWS).collect();
        let tiles: Vec<TileErrors> = starts
            .into_par_iter()
            .map(
                |start| {
                    if stop() { Err(AttentionError::Stopped) } else { self.tile_errors(estimate, &all, start, None) }
                },
            )
            .collect::<Result<_, _>>()?;
        let top = tiles.iter().map(|tile| tile.log_scale).fold(f64::NEG_INFINITY, f64::max);
        let sum = |value: fn(&TileErrors) -> f64| tiles.iter().map(value).sum::<f64>();
        let scaled = |value: fn(&TileErrors) -> f64| {
            tiles.iter().map(|tile| value(tile) * (tile.log_scale - top).exp()).sum::<f64>()
        };
        let (difference, cross) = (scaled(|tile| tile.difference), scaled(|tile| tile.cross));
        let log_relative = difference.ln() + top - self.log_norm_squared;
        Ok(ErrorMeasure {
            relative: (log_relative / 2.0).exp(),
            relative_squared: log_relative.exp(),
            normalized_squared: sum(|tile| tile.normalized) / self.normalized_squares.iter().sum::<f64>(),
            ratio: signed_exp(cross, top - self.log_norm_squared),
            nonpositive_entries: sum(|tile| tile.nonpositive) / (count * self.inputs.keys.nrows()) as f64,
            nonpositive_rows: tiles.iter().map(|tile| tile.nonpositive_rows).sum::<usize>() as f64 / count as f64,
            output_squared: self.output_norm().map(|norm| sum(|tile| tile.output) / (norm * norm)),
        })
    }

    /// The output of the estimated attention (L_q×d_v).
    ///
    /// # Errors
    /// Not enough memory, or an end that was asked for.
    ///
    /// # Panics
    /// There are no values: a mistake of the caller.
    pub fn estimated_output(
        &self,
        estimate: &HeadEstimate,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Array2<f64>, AttentionError> {
        let all = estimate.keys(self.inputs.keys.nrows())?;
        let width = self.values.as_ref().map_or_else(|| panic!("no values"), Array2::ncols);
        let mut output = crate::memory::array((self.inputs.queries.nrows(), width), 0.0, "the estimated output")?;
        output.axis_chunks_iter_mut(ndarray::Axis(0), ROWS).into_par_iter().enumerate().try_for_each(
            |(place, rows)| {
                if stop() {
                    return Err(AttentionError::Stopped);
                }
                self.tile_errors(estimate, &all, place * ROWS, Some(rows)).map(drop)
            },
        )?;
        Ok(output)
    }

    /// The exact row-normalised matrix and the estimated one, stored whole: for small problems and for display.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn normalized_pair(&self, estimate: &HeadEstimate) -> Result<[Array2<f64>; 2], AttentionError> {
        let all = estimate.keys(self.inputs.keys.nrows())?;
        let shape = (self.inputs.queries.nrows(), self.inputs.keys.nrows());
        let room = |what| crate::memory::array(shape, 0.0, what);
        let [mut exact, mut estimated] = [room("the exact matrix")?, room("the estimated matrix")?];
        for start in (0..shape.0).step_by(ROWS) {
            let end = (start + ROWS).min(shape.0);
            let mut guess = Array2::<f32>::zeros((end - start, shape.1));
            estimate.tile(&all, start..end, guess.view_mut());
            self.only_seen(estimate, start, &mut guess)?;
            self.tile(start, |_, normalized| {
                exact.slice_mut(s![start..end, ..]).assign(&normalized.mapv(f64::from));
            });
            for (mut out, guess) in estimated.slice_mut(s![start..end, ..]).rows_mut().into_iter().zip(guess.rows()) {
                let [sum, _] = totals(row(&guess));
                out.zip_mut_with(&guess, |out, guess| *out = if sum == 0.0 { 0.0 } else { f64::from(*guess) / sum });
            }
        }
        Ok([exact, estimated])
    }

    fn tile_errors(
        &self,
        estimate: &HeadEstimate,
        all: &KeyScales,
        start: usize,
        output: Option<ArrayViewMut2<'_, f64>>,
    ) -> Result<TileErrors, AttentionError> {
        let end = (start + ROWS).min(self.inputs.queries.nrows());
        let mut guess = Array2::<f32>::zeros((end - start, all.count()));
        let scales = estimate.tile(all, start..end, guess.view_mut());
        self.tile(start, |relative, normalized| {
            let mut errors = self.unnormalized(start, guess.view(), relative, &scales);
            if estimate.is_positive() {
                errors.nonpositive = 0.0;
            }
            self.only_seen(estimate, start, &mut guess)?;
            self.normalized(&mut errors, start, guess.view(), normalized, output);
            Ok(errors)
        })
    }

    /// Sums over all entries of the tile.
    fn unnormalized(
        &self,
        start: usize,
        guess: ArrayView2<'_, f32>,
        relative: ArrayView2<'_, f32>,
        scales: &[f64],
    ) -> TileErrors {
        let tops: Vec<f64> = scales.iter().zip(&self.row_peaks[start..]).map(|(a, b)| a.max(*b)).collect();
        let top = tops.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut errors = TileErrors {
            log_scale: 2.0 * top,
            difference: 0.0,
            cross: 0.0,
            nonpositive: 0.0,
            normalized: 0.0,
            nonpositive_rows: 0,
            output: 0.0,
        };
        for (place, (guess, relative)) in guess.rows().into_iter().zip(relative.rows()).enumerate() {
            let factors =
                [scales[place], self.row_peaks[start + place]].map(|scale| (scale - tops[place]).exp() as f32);
            let [difference, cross, nonpositive] = compare(row(&guess), row(&relative), factors);
            let weight = (2.0 * (tops[place] - top)).exp();
            errors.difference += weight * difference;
            errors.cross += weight * cross;
            errors.nonpositive += nonpositive;
        }
        errors
    }

    /// Leaves in each row the entries that it may see, at a scale at which they do not underflow.
    fn only_seen(&self, estimate: &HeadEstimate, start: usize, guess: &mut Array2<f32>) -> Result<(), AttentionError> {
        if !self.causal {
            return Ok(());
        }
        let end = start + guess.nrows();
        let is_faint = |guess: &Array2<f32>, place: usize, seen: usize| {
            guess.row(place).as_slice().is_some_and(|row| totals(&row[..seen])[1] < FAINT)
        };
        let faint = (start..end).any(|i| is_faint(guess, i - start, self.seen(i)));
        if faint {
            let keys = estimate.keys(self.seen(end - 1))?;
            estimate.tile(&keys, start..end, guess.slice_mut(s![.., ..keys.count()]));
        }
        for i in start..end {
            let (place, seen) = (i - start, self.seen(i));
            if faint && is_faint(guess, place, seen) {
                let keys = estimate.keys(seen)?;
                estimate.tile(&keys, i..i + 1, guess.slice_mut(s![place..=place, ..seen]));
            }
            guess.slice_mut(s![place, seen..]).fill(0.0);
        }
        Ok(())
    }

    /// Sums over the entries that are left, after division by their sum.
    fn normalized(
        &self,
        errors: &mut TileErrors,
        start: usize,
        guess: ArrayView2<'_, f32>,
        normalized: ArrayView2<'_, f32>,
        mut into: Option<ArrayViewMut2<'_, f64>>,
    ) {
        let weighted = self.values.as_ref().map(|values| {
            let mut output = Array2::zeros((guess.nrows(), values.ncols()));
            product(guess, values.view(), output.view_mut(), 0.0);
            output
        });
        for (place, (guess, exact)) in guess.rows().into_iter().zip(normalized.rows()).enumerate() {
            let [sum, _] = totals(&row(&guess)[..self.seen(start + place)]);
            let scale = if sum == 0.0 { 0.0 } else { sum.recip() };
            errors.nonpositive_rows += usize::from(sum <= 0.0);
            let seen = self.seen(start + place);
            errors.normalized += normalized_difference(&row(&guess)[..seen], &row(&exact)[..seen], scale as f32);
            let (Some(weighted), Some(exact)) = (&weighted, &self.output) else { continue };
            for (column, (weighted, exact)) in weighted.row(place).iter().zip(exact.row(start + place)).enumerate() {
                let value = f64::from(*weighted) * scale;
                errors.output += (value - exact).powi(2);
                if let Some(into) = &mut into {
                    into[[place, column]] = value;
                }
            }
        }
    }
}

fn row<'a>(row: &ndarray::ArrayView1<'a, f32>) -> &'a [f32] {
    row.to_slice().unwrap_or_else(|| unreachable!("rows of a tile are contiguous"))
}

/// value·exp(log), where exp(log) alone may overflow.
fn signed_exp(value: f64, log: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() * (value.abs().ln() + log).exp() }
}
