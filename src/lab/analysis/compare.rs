//! Variants against each other: means with intervals, and differences paired by everything else.

use crate::lab::{Differences, Kind, Problem, Row, RunState, RunSummary, StoredParams, common};
use crate::statistics::mean_and_error;
use serde::Serialize;
use serde_json::Value;
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The mean of a column over runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Half the width of its 95 % confidence interval (Student); none from one run.
    pub interval: Option<f64>,
}

impl Mean {
    /// The mean of some numbers with its interval; none where there is no number.
    #[must_use]
    pub fn of(numbers: &[f64]) -> Option<Self> {
        let (mean, error) = mean_and_error(numbers.iter().copied())?;
        let quantile = || Some(student(numbers.len())?.inverse_cdf(0.975));
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
    /// Two-sided p of the paired t test; none from fewer than two pairs.
    pub p: Option<f64>,
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
    settings
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
        .collect()
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
        Paired { base: (*base).to_owned(), pairs: differences.len(), difference: Mean::of(&differences), p }
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

/// The probability of a t at least as large in size; none where it is not a number, as for differences that are all 0.
fn two_sided(t: f64, count: usize) -> Option<f64> {
    if t.is_nan() {
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
        assert_eq!(two_sided(1.0, 1), None);
        assert_eq!(two_sided(f64::NAN, 2), None);
    }
}
