//! The product in linear time: a state of M·(d'+1) numbers a segment, features of one block a thread.

use super::output::{BLOCK, Features, LinearError, Output, Tally, divide, expect, with_ones};
use crate::memory::{self, OutOfMemory};
use crate::product::product;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;
use std::ops::Range;

/// The most segments a sequence is cut into: enough for the threads of a machine, few enough that the states stay
/// small, and fixed so that the order of every sum is too.
const SEGMENTS: usize = 16;

/// Attention output \[L_q, d'\] of `queries` and `keys` (features of the same map) over `values` \[L_k, d'\]; `causal`
/// lets token i see keys `j ≤ i` and needs L_q = L_k. Time O(L·M·d'), memory O(M·d') beside the output.
///
/// # Errors
/// Sizes do not agree, or a result does not fit 32 bits.
pub fn linear(
    queries: &dyn Features,
    keys: &dyn Features,
    values: ArrayView2<f32>,
    causal: bool,
) -> Result<Output, LinearError> {
    let (length, features, width) = (queries.tokens(), queries.features(), values.ncols());
    expect("features of the keys", keys.features(), features)?;
    expect("rows of the values", values.nrows(), keys.tokens())?;
    if causal {
        expect("keys of a causal product", keys.tokens(), length)?;
    }
    let wide = with_ones(values)?;
    let zeros = |rows, columns, what| memory::array((rows, columns), 0.0_f32, what);
    let block_of_features = || zeros(BLOCK, features, "the features of a block");
    let new_state = || zeros(features, width + 1, "the state of a segment");
    let mut states = segments(keys.tokens())
        .into_par_iter()
        .map_init(block_of_features, |buffer, segment| {
            let buffer = buffer.as_mut().map_err(|short| short.clone())?;
            let mut state = new_state()?;
            for rows in blocks(segment) {
                absorb(keys, &rows, wide.view(), buffer, state.view_mut())?;
            }
            Ok(state)
        })
        .collect::<Result<Vec<_>, OutOfMemory>>()?;
    let mut total = new_state()?;
    for state in &mut states {
        // Each segment's sum gives way to the sum of those before it: where a causal segment starts from.
        let mut before = new_state()?;
        before.assign(&total);
        total += &*state;
        *state = before;
    }

    let mut out = zeros(length, width, "the attention output")?;
    let parts: Vec<_> = segments(length).into_iter().zip(split(out.view_mut(), segments(length))).collect();
    let tally = parts
        .into_par_iter()
        .enumerate()
        .map(|(index, (segment, mut out))| {
            let mut features_of = [block_of_features()?, block_of_features()?];
            let mut weights = Array2::zeros((BLOCK, BLOCK));
            let mut sums = Array2::zeros((BLOCK, width + 1));
            let mut state = if causal { Some(new_state()?) } else { None };
            if let Some(state) = &mut state {
                state.assign(&states[index]);
            }
            let mut tally = Tally::default();
            let first = segment.start;
            for rows in blocks(segment) {
                let count = rows.len();
                let [query_buffer, key_buffer] = &mut features_of;
                let mut block = query_buffer.slice_mut(s![..count, ..]);
                queries.write(rows.clone(), block.view_mut())?;
                let mut sum = sums.slice_mut(s![..count, ..]);
                if let Some(state) = &mut state {
                    product(block.view(), state.view(), sum.view_mut(), 0.0);
                    absorb(keys, &rows, wide.view(), key_buffer, state.view_mut())?;
                    let mut weight = weights.slice_mut(s![..count, ..count]);
                    product(block.view(), key_buffer.slice(s![..count, ..]).t(), weight.view_mut(), 0.0);
                    for (i, mut row) in weight.outer_iter_mut().enumerate() {
                        row.slice_mut(s![i + 1..]).fill(0.0);
                    }
                    product(weight.view(), wide.slice_axis(Axis(0), rows.clone().into()), sum.view_mut(), 1.0);
                } else {
                    product(block.view(), total.view(), sum.view_mut(), 0.0);
                }
                let target = out.slice_mut(s![rows.start - first..rows.end - first, ..]);
                tally = tally.merge(divide(sum.view(), target, rows.start));
            }
            Ok(tally)
        })
        .collect::<Result<Vec<_>, OutOfMemory>>()?
        .into_iter()
        .fold(Tally::default(), Tally::merge);

    let scratch = queries.scratch(BLOCK).max(keys.scratch(BLOCK));
    let bytes = linear_bytes((length, keys.tokens()), (features, width), scratch, causal, rayon::current_num_threads());
    tally.output(out, bytes)
}

/// The most bytes that [`linear`] holds at once on `threads` threads, the output with them, for as many queries and keys as
/// `lengths`, features, values of this width, and [`Features::scratch`] of a block of 128 tokens.
#[must_use]
pub fn linear_bytes(
    lengths: (usize, usize),
    (features, width): (usize, usize),
    scratch: usize,
    causal: bool,
    threads: usize,
) -> usize {
    let (queries, keys) = lengths;
    let times = usize::saturating_mul;
    let state = times(features, width + 1);
    let own_state = if causal { state } else { 0 };
    let worker = times(BLOCK, times(2, features).saturating_add(BLOCK + width + 1))
        .saturating_add(scratch)
        .saturating_add(own_state);
    let workers = threads.min(segments(queries).len());
    let tokens = times(keys, width + 1).saturating_add(times(queries, width));
    let states = times(segments(keys).len() + 2, state);
    times(tokens.saturating_add(states).saturating_add(times(workers, worker)), size_of::<f32>())
}

/// Adds the block `rows` of the keys to the state, and leaves their features in `buffer`.
fn absorb(
    keys: &dyn Features,
    rows: &Range<usize>,
    wide: ArrayView2<f32>,
    buffer: &mut Array2<f32>,
    state: ArrayViewMut2<f32>,
) -> Result<(), OutOfMemory> {
    let mut block = buffer.slice_mut(s![..rows.len(), ..]);
    keys.write(rows.clone(), block.view_mut())?;
    product(block.t(), wide.slice_axis(Axis(0), rows.clone().into()), state, 1.0);
    Ok(())
}

/// `length` rows cut into at most [`SEGMENTS`] runs of whole blocks.
fn segments(length: usize) -> Vec<Range<usize>> {
    let size = length.div_ceil(BLOCK).div_ceil(SEGMENTS).max(1) * BLOCK;
    (0..length).step_by(size).map(|start| start..length.min(start + size)).collect()
}

/// A run of rows cut into blocks.
fn blocks(rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = rows.end;
    rows.step_by(BLOCK).map(move |start| start..end.min(start + BLOCK))
}

/// The rows of `whole` by `runs`, which follow each other.
fn split(mut whole: ArrayViewMut2<f32>, runs: Vec<Range<usize>>) -> Vec<ArrayViewMut2<f32>> {
    let mut parts = Vec::with_capacity(runs.len());
    for run in runs {
        let (head, tail) = whole.split_at(Axis(0), run.len());
        parts.push(head);
        whole = tail;
    }
    parts
}
