//! Variants against each other: means with intervals, and differences paired by everything else.

use crate::lab::{Differences, Kind, Problem, Row, RunState, RunSummary, StoredParams, common};
use crate::statistics::mean_and_error;
use serde::Serialize;
use serde_json::Value;
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::collections::BTreeMap;
use std::sync::Arc;

/// From so many runs on there is an interval or a test: two say next to nothing about their spread.
pub const LEAST: usize = 3;

/// The mean of a column over runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Half the width of its 95 % confidence interval (Student); none from fewer than [`LEAST`] runs.
    pub interval: Option<f64>,
}

impl Mean {
    /// The mean of some numbers with its interval; none where there is no number.
    #[must_use]
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let (mean, error) = mean_and_error(numbers.iter().copied())?;
        let quantile = || Some(student(numbers.len())?.inverse_cdf(0.975));
        let error = error.filter(|_| numbers.len() >= LEAST);
        Some(Self { mean, interval: error.zip(quantile()).map(|(error, quantile)| error * quantile) })
    }
}

/// How a variant differs from a base, over runs that differ in nothing else.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// The base's value.
    pub base: String,
    /// Number of pairs.
    pub pairs: usize,
    /// The mean difference, variant less base; none without a pair.
    pub difference: Option<Mean>,
    /// Two-sided p of the paired t test; none from fewer than [`LEAST`] pairs.
    pub p: Option<f64>,
    /// The same, corrected for every test that is told together with it (Holm 1979).
    pub p_holm: Option<f64>,
}

/// The runs with one value of the compared parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedVariant {
    /// That value.
    pub value: String,
    /// Number of runs.
    pub runs: usize,
    /// The mean of each column asked for, in that order; none where no run has a number.
    pub means: Vec<Option<Mean>>,
    /// How it differs from each base other than itself.
    pub against: Vec<Paired>,
}

/// Runs that differ in one parameter and in the seed, all else being equal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VariantComparison {
    /// The parameters that tell it from the other comparisons, as `key=value` with exact values, in form order; empty
    /// where there is one.
    pub setting: String,
    /// In the order in which the problem declares the values, numbers by size.
    pub variants: Vec<ComparedVariant>,
}

/// The last rows by value of the compared parameter, then seed.
type Seeds<'a> = BTreeMap<String, BTreeMap<String, &'a Row>>;

/// The place of the best of several numbers, the first of equal ones; none where fewer than two are there.
#[must_use]
pub fn best(numbers: &[Option<f64>], prefers_large: bool) -> Option<usize> {
    let there = || numbers.iter().enumerate().filter_map(|(place, number)| Some((place, (*number)?)));
    let by = |a: &(usize, f64), b: &(usize, f64)| {
        if prefers_large { b.1.total_cmp(&a.1) } else { a.1.total_cmp(&b.1) }
    };
    there().min_by(by).map(|(place, _)| place).filter(|_| there().count() > 1)
}

/// Compares the finished ones of `runs`, all of `problem`, by parameter `by`: the last row's `columns`, and the first of
/// these against each of `bases`. Of runs that differ in nothing the newest counts. One comparison for each setting of
/// the other parameters, but for the seed.
#[must_use]
pub fn compare(
    runs: &[Arc<RunSummary>],
    problem: &dyn Problem,
    by: &str,
    columns: &[&str],
    bases: &[&str],
) -> Vec<VariantComparison> {
    let schema = problem.schema();
    let counts = |key: &str| {
        ![by, common::SEED.key].contains(&key) && schema.get(key).is_some_and(|param| param.determines_result)
    };
    let mut finished: Vec<&RunSummary> =
        runs.iter().map(Arc::as_ref).filter(|run| run.state == RunState::Finished).collect();
    finished.retain(|run| run.params.get(by).is_some());
    finished.sort_by(|a, b| a.started.cmp(&b.started));
    let params: Vec<&StoredParams> = finished.iter().map(|run| &run.params).collect();
    let differences = Differences::between(&params, Some(schema), counts);
    let mut settings: BTreeMap<&[String], Seeds<'_>> = BTreeMap::new();
    for (index, run) in finished.iter().enumerate() {
        let variants = settings.entry(differences.exact(index)).or_default();
        let seeds = variants.entry(run.params.text(by)).or_default();
        seeds.insert(run.params.text(common::SEED.key), &run.row);
    }
    let mut found: Vec<VariantComparison> = settings
        .iter()
        .map(|(setting, variants)| {
            let words = differences.keys().iter().zip(*setting).map(|(key, value)| format!("{key}={value}"));
            let mut variants: Vec<ComparedVariant> =
                variants.iter().map(|(value, seeds)| variant(value, seeds, variants, columns, bases)).collect();
            variants.sort_by(|a, b| {
                let [(a, size), (b, other)] = [a, b].map(|variant| place(problem, by, &variant.value));
                a.cmp(&b).then(size.total_cmp(&other))
            });
            VariantComparison { setting: words.collect::<Vec<_>>().join(" "), variants }
        })
        .collect();
    correct(&mut found);
    found
}

/// Corrects every test for all others. Two variants that are bases of each other are one test.
fn correct(found: &mut [VariantComparison]) {
    let mut tests: BTreeMap<(usize, [String; 2]), Vec<&mut Paired>> = BTreeMap::new();
    for (setting, comparison) in found.iter_mut().enumerate() {
        for variant in &mut comparison.variants {
            for paired in &mut variant.against {
                let pair = pair(&variant.value, &paired.base).map(str::to_owned);
                tests.entry((setting, pair)).or_default().push(paired);
            }
        }
    }
    let corrected = holm(&tests.values().map(|both| both[0].p).collect::<Vec<_>>());
    for (both, p) in tests.into_values().zip(corrected) {
        both.into_iter().for_each(|paired| paired.p_holm = p);
    }
}

/// Two variants, whichever of them is the base.
fn pair<'a>(one: &'a str, other: &'a str) -> [&'a str; 2] {
    if one <= other { [one, other] } else { [other, one] }
}

/// The number of tests that [`compare`] has corrected for each other.
#[must_use]
pub fn tests(found: &[VariantComparison]) -> usize {
    let pairs = found.iter().enumerate().flat_map(|(setting, comparison)| {
        comparison.variants.iter().flat_map(move |variant| {
            let tested = variant.against.iter().filter(|paired| paired.p.is_some());
            tested.map(move |paired| (setting, pair(&variant.value, &paired.base)))
        })
    });
    pairs.collect::<std::collections::BTreeSet<_>>().len()
}

/// The p values corrected for each other, so that the chance of even one false finding among them stays below the level
/// at which they are read (Holm 1979): the smallest times the number of tests, the next times one less, never falling.
#[must_use]
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p.iter().enumerate().filter_map(|(place, p)| Some((place, (*p)?))).collect();
    order.sort_by(|one, other| one.1.total_cmp(&other.1));
    let (count, mut largest) = (order.len(), 0.0_f64);
    let mut corrected = vec![None; p.len()];
    for (rank, (place, p)) in order.into_iter().enumerate() {
        largest = largest.max(p * (count - rank) as f64).min(1.0);
        corrected[place] = Some(largest);
    }
    corrected
}

fn variant(
    value: &str,
    seeds: &BTreeMap<String, &Row>,
    all: &Seeds<'_>,
    columns: &[&str],
    bases: &[&str],
) -> ComparedVariant {
    let number = |row: &Row, key: &str| row.get(key).and_then(Value::as_f64);
    let numbers = |key: &str| seeds.values().filter_map(|row| number(row, key)).collect::<Vec<_>>();
    let against = bases.iter().filter(|base| **base != value).map(|base| {
        let others = all.get(*base);
        let first = columns.first().copied().unwrap_or_default();
        let pair = |(seed, row): (&String, &&Row)| Some(number(row, first)? - number(others?.get(seed)?, first)?);
        let differences: Vec<f64> = seeds.iter().filter_map(pair).collect();
        let p = mean_and_error(differences.iter().copied())
            .and_then(|(mean, error)| two_sided(mean / error?, differences.len()));
        let (pairs, difference) = (differences.len(), Mean::of(&differences));
        Paired { base: (*base).to_owned(), pairs, difference, p, p_holm: None }
    });
    ComparedVariant {
        value: value.to_owned(),
        runs: seeds.len(),
        means: columns.iter().map(|key| Mean::of(&numbers(key))).collect(),
        against: against.collect(),
    }
}

/// Where a value stands among the others: by the declaration of a choice, by size of a number.
fn place(problem: &dyn Problem, by: &str, value: &str) -> (usize, f64) {
    let declared = problem.schema().get(by).and_then(|param| match param.kind {
        Kind::Choice(choices) => choices.iter().position(|choice| choice.name == value),
        _ => None,
    });
    (declared.unwrap_or(usize::MAX), value.parse().unwrap_or(f64::INFINITY))
}

/// Student's distribution for the mean of so many numbers; none below two.
fn student(count: usize) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, count.checked_sub(1)? as f64).ok()
}

/// The probability of a t at least as large in size; none of fewer than [`LEAST`], and none where it is not a number, as for
/// differences that are all 0.
fn two_sided(t: f64, count: usize) -> Option<f64> {
    if t.is_nan() || count < LEAST {
        return None;
    }
    Some(2.0 * student(count)?.sf(t.abs())).filter(|p| p.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_and_tests_have_their_known_values() {
        // t(2) = 4.302653, standard error 1/√3.
        let found = Mean::of(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(found.mean, 2.0);
        assert!((found.interval.unwrap() - 4.302_652_7 / 3.0_f64.sqrt()).abs() < 1e-6);
        assert_eq!(Mean::of(&[5.0]), Some(Mean { mean: 5.0, interval: None }));
        assert_eq!(Mean::of(&[]), None);
        // The 97.5 % quantile with 4 degrees of freedom is 2.776445.
        assert!((two_sided(2.776_445_1, 5).unwrap() - 0.05).abs() < 1e-7);
        assert!((two_sided(-2.776_445_1, 5).unwrap() - 0.05).abs() < 1e-7);
        assert_eq!((two_sided(1.0, 1), two_sided(1.0, 2)), (None, None));
        assert_eq!(two_sided(f64::NAN, 3), None);
        assert_eq!(Mean::of(&[1.0, 2.0]), Some(Mean { mean: 1.5, interval: None }));
    }

    #[test]
    fn many_tests_are_corrected_for_each_other() {
        // 0.01·4, 0.02·3, 0.03·2, 0.5·1: the third is not below the second.
        let found = holm(&[Some(0.03), Some(0.01), None, Some(0.5), Some(0.02)]);
        let near = |place: usize, expected: f64| (found[place].unwrap() - expected).abs() < 1e-12;
        assert!(near(0, 0.06) && near(1, 0.04) && near(3, 0.5) && near(4, 0.06), "{found:?}");
        assert_eq!(found[2], None);
        assert_eq!(holm(&[Some(0.9), Some(0.8)]), [Some(1.0), Some(1.0)]);
    }
}
