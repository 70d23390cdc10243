//! Landmarks among the tokens of both sides.

use crate::attention::feature_map::inner_products;
use crate::attention::{AttentionError, Inputs};
use crate::random::Generator;
use ndarray::{Array1, Array2, Axis, concatenate};

/// Most rounds of k-means.
const ROUNDS: usize = 20;

/// Queries and keys below one another.
fn tokens(inputs: &Inputs) -> Array2<f64> {
    concatenate(Axis(0), &[inputs.queries.view(), inputs.keys.view()])
        .unwrap_or_else(|_| unreachable!("queries and keys have the same number of columns"))
}

/// `m` tokens (m×d), each at most once, drawn from queries and keys together; all of them where there are fewer.
#[must_use]
pub fn random_tokens(inputs: &Inputs, m: usize, rng: &mut Generator) -> Array2<f64> {
    let tokens = tokens(inputs);
    let count = tokens.nrows();
    let drawn = rand::seq::index::sample(rng, count, m.min(count)).into_vec();
    tokens.select(Axis(0), &drawn)
}

/// The centres (m×d) that k-means finds among queries and keys together, from [`random_tokens`] on: Lloyd's rounds until no token
/// changes its centre, at most 20. A centre without tokens stays where it is.
///
/// # Errors
/// There is not enough memory, or an end was asked for.
pub fn k_means(
    inputs: &Inputs,
    m: usize,
    rng: &mut Generator,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Array2<f64>, AttentionError> {
    let mut centres = random_tokens(inputs, m, rng);
    let tokens = tokens(inputs);
    let mut nearest = vec![usize::MAX; tokens.nrows()];
    for _ in 0..ROUNDS {
        if stop() {
            return Err(AttentionError::Stopped);
        }
        let halves: Array1<f64> = centres.rows().into_iter().map(|centre| centre.dot(&centre) / 2.0).collect();
        let products = inner_products(tokens.view(), centres.view(), "the distances from the centres")?;
        let mut changed = false;
        for (row, nearest) in products.rows().into_iter().zip(&mut nearest) {
            // |t − c|² is smallest where t·c − |c|²/2 is largest.
            let closeness = row.iter().zip(&halves).map(|(product, half)| product - half).enumerate();
            let best = closeness
                .fold((0, f64::NEG_INFINITY), |best, (i, value)| if value > best.1 { (i, value) } else { best });
            changed |= *nearest != best.0;
            *nearest = best.0;
        }
        if !changed {
            break;
        }
        let (mut sums, mut counts) = (Array2::<f64>::zeros(centres.dim()), vec![0_usize; centres.nrows()]);
        for (token, &centre) in tokens.rows().into_iter().zip(&nearest) {
            let mut sum = sums.row_mut(centre);
            sum += &token;
            counts[centre] += 1;
        }
        for ((mut centre, sum), &count) in centres.rows_mut().into_iter().zip(sums.rows()).zip(&counts) {
            if count > 0 {
                centre.assign(&(&sum / count as f64));
            }
        }
    }
    Ok(centres)
}
