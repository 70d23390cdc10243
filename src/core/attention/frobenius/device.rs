//! The comparison of estimate and exact matrix on a device, in tensor operations on tiles.

use super::grid::pieces;
use super::sums::TileSums;
use super::tiles::{Comparison, RowBlock};
use crate::attention::AttentionError;
use crate::attention::kernel::Float;
use candle_core::{D, Device, Result, Tensor};
use ndarray::{Array2, ArrayView2};

/// A tile of 2²³ entries: large enough that its operations take longer than it takes to start them.
const ROWS: usize = 2048;
const COLS: usize = 4096;
/// Tensors of a tile that lie on the device at once.
const BUFFERS: usize = 8;

/// Bytes that a device needs for a comparison in 32 bits: features and tokens of both sides, and the tensors of a tile.
#[must_use]
pub fn device_bytes((queries, keys): (usize, usize), dim: usize, features: usize) -> u64 {
    let sides = (queries as u64 + keys as u64) * (dim as u64 + features as u64);
    4 * (sides + (BUFFERS * ROWS.min(queries) * COLS.min(keys)) as u64)
}

impl<T: Float> Comparison<'_, T> {
    /// All rows, in blocks one after the other. Sums over the columns of a tile are made in the format of the numbers, then added in
    /// 64 bits.
    pub fn on_device(&self, device: &Device) -> std::result::Result<Vec<RowBlock>, AttentionError> {
        let sides = Sides::new(self, device).map_err(failed)?;
        let mut blocks = Vec::new();
        for (start, rows) in pieces(self.cast.queries.nrows(), ROWS) {
            let mut block =
                RowBlock { sums: vec![TileSums::default(); self.ms.len()], rows: Array2::zeros((rows, self.ms.len())) };
            let here = sides.rows(self, start, rows).map_err(failed)?;
            for (start_col, cols) in pieces(self.cast.keys.ncols(), COLS) {
                if (self.stop)() {
                    return Err(AttentionError::Stopped);
                }
                let keys = sides.keys.narrow(1, start_col, cols).map_err(failed)?;
                let psi = sides.psi.narrow(1, start_col, cols).map_err(failed)?;
                here.add_tile(self, (&keys, &psi), &mut block).map_err(failed)?;
            }
            block.rows /= self.norm;
            blocks.push(block);
        }
        Ok(blocks)
    }
}

fn failed(error: candle_core::Error) -> AttentionError {
    AttentionError::Device(error.to_string().lines().next().unwrap_or_default().to_owned())
}

/// Both sides on the device.
struct Sides {
    /// L_q×d.
    queries: Tensor,
    /// d×L_k.
    keys: Tensor,
    /// What is added to the exponents of each row: L_q×1.
    shifts: Tensor,
    /// M×L_q.
    phi: Tensor,
    /// M×L_k.
    psi: Tensor,
    device: Device,
}

impl Sides {
    fn new<T: Float>(of: &Comparison<'_, T>, device: &Device) -> Result<Self> {
        let upload = |array: ArrayView2<'_, T>| {
            let array = array.as_standard_layout();
            Tensor::from_slice(array.as_slice().unwrap_or_default(), array.dim(), device)
        };
        let shifts: Vec<T> = of.inputs.row_exponents.iter().map(|exponent| T::of(exponent - of.exact.peak)).collect();
        Ok(Self {
            queries: upload(of.cast.queries.view())?,
            keys: upload(of.cast.keys.view())?,
            shifts: column(shifts, device)?,
            phi: upload(of.queries.features.view())?,
            psi: upload(of.keys.features.view())?,
            device: device.clone(),
        })
    }

    /// Rows from `start` on, as many as `rows`.
    fn rows<T: Float>(&self, of: &Comparison<'_, T>, start: usize, rows: usize) -> Result<DeviceRows> {
        let factors = (0..of.ms.len()).map(|size| {
            let factors: Vec<[f64; 4]> = (start..start + rows).map(|row| of.factors(row, size)).collect();
            let of_rows = |place: usize| {
                column(factors.iter().map(|factors| T::of(factors[place])).collect::<Vec<T>>(), &self.device)
            };
            Ok([of_rows(0)?, of_rows(2)?, of_rows(3)?])
        });
        Ok(DeviceRows {
            queries: self.queries.narrow(0, start, rows)?,
            shifts: self.shifts.narrow(0, start, rows)?,
            phi: self.phi.narrow(1, start, rows)?.t()?.contiguous()?,
            factors: factors.collect::<Result<_>>()?,
        })
    }
}

/// What a block of rows needs for every tile.
struct DeviceRows {
    queries: Tensor,
    shifts: Tensor,
    /// Features, a row a query.
    phi: Tensor,
    /// For every value of m what products of features are multiplied with, what makes rows of them add up to 1, and what those of
    /// A/exp(peak): a column of each.
    factors: Vec<[Tensor; 3]>,
}

impl DeviceRows {
    /// Adds what the tile of these keys (d×columns) and their features (M×columns) comes to.
    fn add_tile<T: Float>(
        &self,
        of: &Comparison<'_, T>,
        (keys, psi): (&Tensor, &Tensor),
        block: &mut RowBlock,
    ) -> Result<()> {
        let exact = self.queries.matmul(&keys.contiguous()?)?.broadcast_add(&self.shifts)?.exp()?;
        let truth = (&exact * of.row_scale)?;
        let psi = psi.contiguous()?;
        let (mut estimate, mut from): (Option<Tensor>, usize) = (None, 0);
        for (size, (&m, [scale, of_estimate, of_row])) in of.ms.iter().zip(&self.factors).enumerate() {
            let to = m * of.width;
            let part = self.phi.narrow(1, from, to - from)?.contiguous()?.matmul(&psi.narrow(0, from, to - from)?)?;
            let whole = match estimate.take() {
                Some(before) => (before + part)?,
                None => part,
            };
            from = to;
            let guess = whole.broadcast_mul(scale)?;
            let normalized = (whole.broadcast_mul(of_estimate)? - exact.broadcast_mul(of_row)?)?;
            // Each is added up before the next is made.
            let sums = [
                (&guess - &truth)?.sqr()?.sum(D::Minus1)?,
                normalized.sqr()?.sum(D::Minus1)?,
                (&guess * &truth)?.sum(D::Minus1)?,
                guess.gt(0.0)?.to_dtype(guess.dtype())?.sum(D::Minus1)?,
            ];
            estimate = Some(whole);
            let sums: Vec<Vec<T>> = Tensor::stack(&sums, 0)?.to_vec2()?;
            let [difference, normalized, cross, positive] =
                [0, 1, 2, 3].map(|place: usize| sums[place].iter().map(|sum| sum.to()).sum::<f64>());
            let into = &mut block.sums[size];
            into.difference += difference;
            into.normalized += normalized;
            into.cross += cross;
            into.nonpositive += guess.elem_count() as f64 - positive;
            block.rows.column_mut(size).iter_mut().zip(&sums[0]).for_each(|(row, sum)| *row += sum.to());
        }
        Ok(())
    }
}

/// A column of numbers.
fn column<T: Float>(numbers: Vec<T>, device: &Device) -> Result<Tensor> {
    let count = numbers.len();
    Tensor::from_vec(numbers, (count, 1), device)
}
