//! Which baselines there are beside the estimators, with as many features, and what they cost.

use crate::attention::baseline::Baseline;
use crate::lab::Params;
use crate::problems::estimators::{estimators, rising_sizes};
use crate::problems::inputs::HeadPlace;

/// Singular values are taken of matrices with up to so many entries, 1024 × 1024.
const SVD_ENTRIES: usize = 1 << 20;
/// The other baselines look at up to so many entries.
const ENTRIES: usize = 1 << 26;
/// The kernel of up to so many landmarks is inverted.
const LANDMARKS: usize = 1 << 10;
/// Landmarks are drawn in as many trials as the run has, but no more than this.
const TRIALS: usize = 15;

/// The baselines asked for.
pub(super) fn chosen(params: &Params) -> Vec<Baseline> {
    let mut chosen: Vec<Baseline> = params.choices("baselines");
    chosen.retain(|baseline| *baseline != Baseline::None);
    chosen
}

/// The numbers of features that the estimators have on a matrix of so many queries and keys, up to its smaller side: from there on
/// the limit is 0.
pub(super) fn ranks(params: &Params, (queries, keys): (usize, usize)) -> Vec<usize> {
    let most = queries.min(keys);
    let of = |m: usize| estimators(params).into_iter().map(move |estimator| estimator.features(m, params));
    let mut ranks: Vec<usize> =
        rising_sizes(params, "m").into_iter().flat_map(of).filter(|rank| *rank <= most).collect();
    ranks.sort_unstable();
    ranks.dedup();
    ranks
}

/// Whether `baseline` draws landmarks, so that it has trials.
pub(super) const fn has_landmarks(baseline: Baseline) -> bool {
    matches!(baseline, Baseline::Nystrom | Baseline::KMeans)
}

/// Trials of `baseline`: one where nothing is drawn.
pub(super) fn trials(baseline: Baseline, params: &Params) -> usize {
    if has_landmarks(baseline) { params.size("trials").min(TRIALS) } else { 1 }
}

/// Why `baseline` is left out at this rank.
pub(super) fn refusal(baseline: Baseline, rank: usize, (queries, keys): (usize, usize)) -> Option<String> {
    let most = if baseline == Baseline::Svd { SVD_ENTRIES } else { ENTRIES };
    let side = most.isqrt();
    if queries.saturating_mul(keys) > most {
        return Some(format!("skipped at {queries} × {keys}: up to {most} entries are looked at (L = {side})"));
    }
    (has_landmarks(baseline) && rank > LANDMARKS)
        .then(|| format!("skipped at {rank} landmarks: the kernel of up to {LANDMARKS} is inverted"))
}

/// Rows of the baselines of one matrix.
pub(super) fn rows(params: &Params, place: &HeadPlace) -> usize {
    chosen(params).len() * ranks(params, (place.queries, place.keys)).len()
}

/// Trials of the baselines of one matrix, those of one without draws as one for each number of features.
pub(super) fn units(params: &Params, place: &HeadPlace) -> usize {
    let ranks = ranks(params, (place.queries, place.keys)).len();
    chosen(params).into_iter().map(|baseline| ranks * trials(baseline, params)).sum()
}

/// Seconds that the baselines of one matrix take, at rates of one core of a recent machine in a release build.
pub(super) fn seconds(params: &Params, place: &HeadPlace) -> f64 {
    let shape = (place.queries, place.keys);
    let (entries, tokens) = (place.queries as f64 * place.keys as f64, (place.queries + place.keys) as f64);
    let ranks = ranks(params, shape);
    let of = |baseline: Baseline| -> f64 {
        let at = |&rank: &usize| {
            if refusal(baseline, rank, shape).is_some() {
                return 0.0;
            }
            let m = rank as f64;
            match baseline {
                Baseline::None => 0.0,
                Baseline::Svd => entries * place.queries.min(place.keys) as f64 * 3e-9 / ranks.len() as f64,
                Baseline::TopEntries => entries * 1e-7 / ranks.len() as f64,
                Baseline::Nystrom | Baseline::KMeans => {
                    let rounds = if baseline == Baseline::KMeans { 20.0 } else { 0.0 };
                    let products = tokens * m * (place.dim as f64 * (1.0 + rounds) + m) + entries * m;
                    trials(baseline, params) as f64 * (products * 1e-10 + 1e-8 * m * m * m)
                }
            }
        };
        ranks.iter().map(at).sum()
    };
    chosen(params).into_iter().map(of).sum()
}

/// The peak of the baselines of one matrix, in bytes, beside what the run holds of the matrix.
pub(super) fn bytes(params: &Params, shape: (usize, usize), dim: usize) -> f64 {
    let (entries, tokens) = (shape.0 as f64 * shape.1 as f64, (shape.0 + shape.1) as f64);
    let ranks = ranks(params, shape);
    let of = |baseline: Baseline| {
        let fits = |rank: &&usize| refusal(baseline, **rank, shape).is_none();
        let m = ranks.iter().filter(fits).max().map_or(0.0, |&rank| rank as f64);
        match baseline {
            Baseline::Svd if m > 0.0 => 24.0 * entries + 8.0 * tokens * dim as f64,
            Baseline::Nystrom | Baseline::KMeans => {
                8.0 * (5.0 * m * m + 4.0 * m * tokens + (2.0 * tokens + m) * dim as f64)
            }
            Baseline::TopEntries => 8.0 * 4.0 * shape.1 as f64 * 64.0,
            Baseline::None | Baseline::Svd => 0.0,
        }
    };
    chosen(params).into_iter().map(of).fold(0.0, f64::max)
}
