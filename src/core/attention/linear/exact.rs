//! The exact masked attention, quadratic in the length, streamed so that no L×L matrix exists.

use super::output::{BLOCK, LinearError, Output, Tally, divide, expect, with_ones};
use crate::memory;
use crate::product::product;
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut1, Axis, Zip, s};
use rayon::prelude::*;

/// Keys that are worked on at a time.
const KEYS: usize = 256;

/// Tokens of one side with their masks.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// Scaled tokens \[L, d\] (x = q/d^¼).
    pub tokens: ArrayView2<'a, f32>,
    /// Non-negative mask vectors \[L, d_v\]; a column of ones for no mask.
    pub masks: ArrayView2<'a, f32>,
}

/// `out_i = Σ_j K_ij v_j / Σ_j K_ij` with `K_ij = exp(x_i·y_j)·(a_i·b_j)`: the exact output \[L_q, d'\] over `values`
/// \[L_k, d'\], over `j ≤ i` when `causal` (then L_q = L_k). Time O(L²·(d + d_v + d')). A running maximum a row keeps
/// every exponential below one, so norms of any size fit 32 bits.
///
/// # Errors
/// Sizes do not agree, or a result does not fit 32 bits.
pub fn exact(queries: Side, keys: Side, values: ArrayView2<f32>, causal: bool) -> Result<Output, LinearError> {
    let (length, keys_length, width) = (queries.tokens.nrows(), keys.tokens.nrows(), values.ncols());
    expect("dimension of the keys", keys.tokens.ncols(), queries.tokens.ncols())?;
    expect("mask dimension of the keys", keys.masks.ncols(), queries.masks.ncols())?;
    expect("rows of the query masks", queries.masks.nrows(), length)?;
    expect("rows of the key masks", keys.masks.nrows(), keys_length)?;
    expect("rows of the values", values.nrows(), keys_length)?;
    if causal {
        expect("keys of a causal product", keys_length, length)?;
    }
    let wide = with_ones(values)?;
    let mut out = memory::array((length, width), 0.0, "the attention output")?;
    let tally = out
        .axis_chunks_iter_mut(Axis(0), BLOCK)
        .into_par_iter()
        .enumerate()
        .map_init(
            || (Array2::zeros((BLOCK, KEYS)), Array2::zeros((BLOCK, KEYS))),
            |(scores, masks), (index, target)| {
                let first = index * BLOCK;
                let count = target.nrows();
                let tokens = queries.tokens.slice(s![first..first + count, ..]);
                let mask = queries.masks.slice(s![first..first + count, ..]);
                let mut sums = Array2::zeros((count, width + 1));
                let mut tops = vec![f32::NEG_INFINITY; count];
                let seen = if causal { first + count } else { keys_length };
                for start in (0..seen).step_by(KEYS) {
                    let end = seen.min(start + KEYS);
                    let mut scores = scores.slice_mut(s![..count, ..end - start]);
                    let mut masks = masks.slice_mut(s![..count, ..end - start]);
                    product(tokens, keys.tokens.slice(s![start..end, ..]).t(), scores.view_mut(), 0.0);
                    product(mask, keys.masks.slice(s![start..end, ..]).t(), masks.view_mut(), 0.0);
                    for (i, top) in tops.iter_mut().enumerate() {
                        let mut mask = masks.row_mut(i);
                        if causal {
                            mask.slice_mut(s![(first + i + 1).clamp(start, end) - start..]).fill(0.0);
                        }
                        weigh(scores.row_mut(i), mask.view(), top, sums.row_mut(i));
                    }
                    product(scores.view(), wide.slice(s![start..end, ..]), sums.view_mut(), 1.0);
                }
                divide(sums.view(), target, first)
            },
        )
        .collect::<Vec<_>>()
        .into_iter()
        .fold(Tally::default(), Tally::merge);
    let worker = BLOCK * (2 * KEYS + width + 1);
    let workers = rayon::current_num_threads().min(length.div_ceil(BLOCK));
    let numbers = wide.len() + out.len() + workers * worker;
    tally.output(out, numbers * size_of::<f32>())
}

/// Turns one row of scores into `exp(score − top)·mask`, raising `top` first where needed and scaling `sums` with it.
fn weigh(mut scores: ArrayViewMut1<f32>, masks: ArrayView1<f32>, top: &mut f32, mut sums: ArrayViewMut1<f32>) {
    let mut highest = *top;
    Zip::from(&scores).and(&masks).for_each(|score, mask| {
        if *mask > 0.0 && *score > highest {
            highest = *score;
        }
    });
    if highest > *top {
        let shrink = (*top - highest).exp();
        sums.map_inplace(|sum| *sum *= shrink);
        *top = highest;
    }
    Zip::from(&mut scores).and(&masks).for_each(|score, mask| {
        *score = if *mask > 0.0 { (*score - highest).exp() * mask } else { 0.0 };
    });
}
