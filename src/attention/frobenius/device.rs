//! The comparison of estimate and exact matrix on a device, in tensor operations on tiles.

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
        let count = self.cast.queries.nrows();
        let mut blocks = Vec::new();
        for start in (0..count).step_by(ROWS) {
            let rows = ROWS.min(count - start);
            let mut block =
                RowBlock { sums: vec![TileSums::default(); self.ms.len()], rows: Array2::zeros((rows, self.ms.len())) };
            for start_col in (0..self.cast.keys.ncols()).step_by(COLS) {
                if (self.stop)() {
                    return Err(AttentionError::Stopped);
                }
                let cols = COLS.min(self.cast.keys.ncols() - start_col);
                sides.add_tile(self, (start, rows), (start_col, cols), &mut block).map_err(failed)?;
            }
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

    /// Adds what the tile of these rows and columns comes to.
    fn add_tile<T: Float>(
        &self,
        of: &Comparison<'_, T>,
        (start, rows): (usize, usize),
        (start_col, cols): (usize, usize),
        block: &mut RowBlock,
    ) -> Result<()> {
        let keys = self.keys.narrow(1, start_col, cols)?.contiguous()?;
        let exponents = self.queries.narrow(0, start, rows)?.matmul(&keys)?;
        let exact = exponents.broadcast_add(&self.shifts.narrow(0, start, rows)?)?.exp()?;
        let truth = (&exact * of.row_scale)?;
        let phi = self.phi.narrow(1, start, rows)?.t()?.contiguous()?;
        let psi = self.psi.narrow(1, start_col, cols)?.contiguous()?;
        let (mut estimate, mut from): (Option<Tensor>, usize) = (None, 0);
        for (size, &m) in of.ms.iter().enumerate() {
            let to = m * of.width;
            let part = phi.narrow(1, from, to - from)?.contiguous()?.matmul(&psi.narrow(0, from, to - from)?)?;
            let whole = match estimate.take() {
                Some(before) => (before + part)?,
                None => part,
            };
            from = to;
            let factors: Vec<[f64; 4]> = (start..start + rows).map(|row| of.factors(row, size)).collect();
            let of_row =
                |place: usize| column(factors.iter().map(|factors| T::of(factors[place])).collect(), &self.device);
            let guess = whole.broadcast_mul(&of_row(0)?)?;
            let normalized = (whole.broadcast_mul(&of_row(2)?)? - exact.broadcast_mul(&of_row(3)?)?)?;
            let sums = Tensor::stack(
                &[
                    (&guess - &truth)?.sqr()?.sum(D::Minus1)?,
                    normalized.sqr()?.sum(D::Minus1)?,
                    (&guess * &truth)?.sum(D::Minus1)?,
                    guess.gt(0.0)?.to_dtype(guess.dtype())?.sum(D::Minus1)?,
                ],
                0,
            )?;
            estimate = Some(whole);
            let sums: Vec<Vec<T>> = sums.to_vec2()?;
            let total = |place: usize| sums[place].iter().map(|sum| sum.to()).sum::<f64>();
            let into = &mut block.sums[size];
            into.difference += total(0);
            into.normalized += total(1);
            into.cross += total(2);
            into.nonpositive += (rows * cols) as f64 - total(3);
            for (row, difference) in sums[0].iter().enumerate() {
                block.rows[[row, size]] += difference.to() / of.norm;
            }
        }
        Ok(())
    }
}

/// A column of numbers.
fn column<T: Float>(numbers: Vec<T>, device: &Device) -> Result<Tensor> {
    let count = numbers.len();
    Tensor::from_vec(numbers, (count, 1), device)
}
