//! One trial of random features beside its products alone, in the same run: how much more a trial takes than what no engine can do
//! without.
//!
//! ```text
//! cargo bench --bench features -- [--length L] [--dim D] [--threads N] [--rounds N]
//! ```
//!
//! Products alone are those of the features, m to a row of the estimate, in the largest blocks that the threads can share; the exact
//! matrix is kept between trials and has none. `nested` measures seven m from 16 to 1024 in one pass. Rounds take turns; told are
//! medians.

use attnlab::attention::frobenius::{FrobeniusEngine, Precision};
use attnlab::attention::inputs::Distribution;
use attnlab::attention::spikiness::Exact;
use attnlab::attention::{FeatureMap, Projection, RandomFeatures};
use attnlab::product::product;
use attnlab::random::generator;
use ndarray::{Array2, Axis, s};
use rayon::prelude::*;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The number after `name`, or `default`.
fn number(name: &str, default: usize) -> usize {
    let mut words = std::env::args().skip_while(|word| word != name).skip(1);
    words.next().map_or(default, |word| word.parse().unwrap_or_else(|_| panic!("{name}: `{word}` is no whole number")))
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn main() {
    let (length, dim, rounds) = (number("--length", 4096), number("--dim", 64), number("--rounds", 9));
    let threads = number("--threads", std::thread::available_parallelism().map_or(1, usize::from));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let never = || false;
    let inputs = Distribution::Gauss { sigma: 0.5, scale: (dim as f64).powf(-0.25) };
    let inputs = inputs.draw(length, dim, &mut generator(0, "inputs", 0)).expect("inputs");
    println!("L = {length}, d = {dim}, {threads} threads, medians of {rounds} rounds in turns");
    println!("what                        trial   products alone   ratio");
    let nested: Vec<usize> = (4..=10).map(|power| 1 << power).collect();
    pool.install(|| {
        let exact = Exact::survey(&inputs, &never).expect("a survey");
        let engine = FrobeniusEngine::new(&inputs, &exact, Precision::Single).and_then(FrobeniusEngine::keep_exact);
        let engine = engine.expect("an engine");
        for (what, ms) in [("m = 256", vec![256]), ("m = 16 … 1024, nested", nested)] {
            let m = ms[ms.len() - 1];
            let projections = Projection::Gaussian.draw(m, dim, &mut generator(0, "projection", 0)).expect("rows");
            let draw = RandomFeatures { map: FeatureMap::Positive, projections };
            let phi = Array2::from_shape_fn((m, length), |(i, j)| ((i * 31 + j * 17) % 97) as f32 * 0.01);
            let rows = length.div_ceil(threads * 2);
            let mut blocks: Vec<Array2<f32>> =
                phi.axis_chunks_iter(Axis(1), rows).map(|phi| Array2::zeros((phi.ncols(), length))).collect();
            let (mut trials, mut alone) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                let began = Instant::now();
                engine.measure(&draw, &ms, &never).expect("a trial");
                trials.push(began.elapsed().as_secs_f64());
                let began = Instant::now();
                blocks.par_iter_mut().enumerate().for_each(|(block, into)| {
                    let own = phi.slice(s![.., block * rows..(block * rows + into.nrows())]);
                    product(own.t(), phi.view(), into.view_mut(), 0.0);
                });
                alone.push(began.elapsed().as_secs_f64());
            }
            let (trial, alone) = (median(trials), median(alone));
            println!("{what:<24} {trial:>8.4} s {alone:>14.4} s {:>7.2}", trial / alone);
        }
    });
}
