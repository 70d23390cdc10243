//! What attention costs a token on this machine: seconds and bytes.

use crate::attention::FeatureMap;
use crate::attention::feature_map::FeatureShape;
use crate::attention::kernel::{exp_shifted, turn};
use crate::function::Rows;
use crate::problems::estimators::FittedEstimator;
use crate::product::product;
use ndarray::Array2;
use std::hint::black_box;
use std::time::Instant;

/// Tokens of a measured block.
const BLOCK: usize = 256;
/// A measurement is repeated for this long; the shortest repetition counts.
const SECONDS: f64 = 0.004;

/// Seconds a token of linear attention on one thread: features of a query and a key, the key added to the running sums, the
/// query read from them.
pub(super) fn linear_seconds(method: &FittedEstimator, m: usize, dim: usize, value_dim: usize) -> f64 {
    let second = FeatureMap::Trigonometric;
    let (parts, copies) = match method {
        FittedEstimator::Features(map) => (vec![map], 1),
        FittedEstimator::Hybrid(spec) => (vec![&spec.first, &second], spec.n + 1),
    };
    let width: usize = parts.iter().map(|map| map.features(m)).sum::<usize>() * copies;
    let w = Array2::from_elem((m, dim), 0.1_f32);
    let tokens = Array2::from_elem((dim, BLOCK), 0.1_f32);
    let values = Array2::from_elem((BLOCK, value_dim + 1), 0.1_f32);
    let mut exponents = Array2::from_elem((m, BLOCK), 0.0_f32);
    let mut features = Array2::from_elem((width, BLOCK), 0.5_f32);
    let mut sums = Array2::from_elem((width, value_dim + 1), 0.0_f32);
    let mut output = Array2::from_elem((BLOCK, value_dim + 1), 0.0_f32);
    shortest(|| {
        for _ in 0..2 {
            let mut first = 0;
            for map in &parts {
                product(w.view(), tokens.view(), exponents.view_mut(), 0.0);
                for copy in 0..copies {
                    let columns = map.features(m);
                    let rows = first + copy * columns..first + (copy + 1) * columns;
                    let into = features.slice_mut(ndarray::s![rows, ..]).into_slice().unwrap_or_default();
                    write_features(map, exponents.as_slice().unwrap_or_default(), into);
                }
                first += copies * map.features(m);
            }
            black_box(&features);
        }
        product(features.view(), values.view(), sums.view_mut(), 1.0);
        product(features.t(), sums.view(), output.view_mut(), 0.0);
        black_box(&output);
        sums.fill(0.0);
    })
}

fn write_features(map: &FeatureMap, exponents: &[f32], into: &mut [f32]) {
    if let FeatureMap::Custom(function) = map {
        let products: Vec<f64> = exponents.iter().map(|product| f64::from(*product)).collect();
        let squares = [1.0; BLOCK];
        let rows = Rows { count: BLOCK, coordinates: &squares, projected: &products, squared_norms: &squares };
        for (out, value) in into.iter_mut().zip(function.features().evaluate(&function.starts(), &rows)) {
            *out = value as f32;
        }
    } else if map.shape() == FeatureShape::Circular {
        let (cosines, sines) = into.split_at_mut(exponents.len());
        cosines.copy_from_slice(exponents);
        for (cosines, sines) in cosines.chunks_mut(BLOCK).zip(sines.chunks_mut(BLOCK)) {
            turn(cosines, sines, &[1.0; BLOCK]);
        }
    } else {
        for part in into.chunks_mut(exponents.len()) {
            part.copy_from_slice(&exponents[..part.len()]);
            exp_shifted(part, -0.5);
        }
    }
}

/// Seconds a token of exact attention to `seen` keys on one thread.
pub(super) fn exact_seconds(seen: usize, dim: usize, value_dim: usize) -> f64 {
    // A long row is as long as many short ones.
    let keys_here = seen.min(4096);
    let queries = Array2::from_elem((BLOCK, dim), 0.1_f32);
    let keys = Array2::from_elem((keys_here, dim), 0.1_f32);
    let values = Array2::from_elem((keys_here, value_dim), 0.1_f32);
    let mut weights = Array2::from_elem((BLOCK, keys_here), 0.0_f32);
    let mut output = Array2::from_elem((BLOCK, value_dim), 0.0_f32);
    let seconds = shortest(|| {
        product(queries.view(), keys.t(), weights.view_mut(), 0.0);
        exp_shifted(weights.as_slice_mut().unwrap_or_default(), -1.0);
        product(weights.view(), values.view(), output.view_mut(), 0.0);
        black_box(&output);
    });
    seconds * seen as f64 / keys_here as f64
}

/// Seconds a token of the shortest of several repetitions of `work` on a block.
fn shortest(mut work: impl FnMut()) -> f64 {
    let (began, mut shortest) = (Instant::now(), f64::INFINITY);
    work();
    loop {
        let start = Instant::now();
        work();
        shortest = shortest.min(start.elapsed().as_secs_f64());
        if began.elapsed().as_secs_f64() > SECONDS {
            return shortest / BLOCK as f64;
        }
    }
}

/// Bytes a token, in 32 bits: the running sums of linear attention, M(d_v + 1) numbers for a sequence of `length`, spread over
/// its tokens.
pub(super) fn linear_bytes(features: usize, value_dim: usize, length: usize) -> f64 {
    4.0 * features as f64 * (value_dim as f64 + 1.0) / length as f64
}

/// Bytes a token of exact attention: the key and the value that are kept.
pub(super) fn exact_bytes(dim: usize, value_dim: usize) -> f64 {
    4.0 * (dim + value_dim) as f64
}
