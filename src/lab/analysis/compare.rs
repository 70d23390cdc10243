//! Variants against each other: means with intervals, and differences paired by everything else.

use super::mean::{Mean, holm, p_of_mean};
use crate::lab::{Column, Differences, Kind, Problem, Row, RunState, RunSummary, StoredParams, common};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How a variant differs from a base, over runs that differ in nothing else.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// The base's value of the first of the compared parameters; the others are those of the variant, as far as both read them.
    pub base: String,
    /// All values of the base; empty where no variant, or more than one, can be it.
    #[serde(skip)]
    base_values: Vec<String>,
    /// Number of pairs.
    pub pairs: usize,
    /// The mean difference, variant less base; none without a pair.
    pub difference: Option<Mean>,
    /// Two-sided p of the paired t test; none from fewer than [`super::mean::LEAST`] pairs.
    pub p: Option<f64>,
    /// The same, corrected for every test that is told together with it (Holm 1979).
    pub p_holm: Option<f64>,
}

/// One run of a variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedRun {
    /// Its name.
    pub run: String,
    /// Its seed.
    pub seed: String,
    /// The numbers of its last row in the columns asked for.
    pub numbers: Vec<Option<f64>>,
}

/// The runs with the same values of the compared parameters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedVariant {
    /// These values, one for each parameter; [`UNREAD`] for one that these runs do not read.
    pub values: Vec<String>,
    /// Of each parameter that variants have for themselves the values of its runs: one, unless runs are mixed that were tuned differently.
    pub own: Vec<Vec<String>>,
    /// The runs, by seed.
    pub runs: Vec<ComparedRun>,
    /// The mean of each column asked for, in that order; none where no run has a number.
    pub means: Vec<Option<Mean>>,
    /// How it differs from each base other than itself.
    pub against: Vec<Paired>,
}

/// Runs that differ in the compared parameters and in the seed, all else being equal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VariantComparison {
    /// The parameters that tell it from the other comparisons, as `key=value` with exact values, in form order; empty
    /// where there is one.
    pub setting: String,
    /// In the order in which the problem declares the values, numbers by size.
    pub variants: Vec<ComparedVariant>,
}

/// Everything that was compared at once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparisons {
    /// What all runs have in common that is not at its default, as `key=value` in form order.
    pub common: String,
    /// One for each setting of the other parameters.
    pub comparisons: Vec<VariantComparison>,
}

/// What is compared.
#[derive(Clone, Debug)]
pub struct ComparisonRequest<'a> {
    /// The parameters whose values make a variant.
    pub by: &'a [&'a str],
    /// Parameters of which every variant has a value of its own, as a learning rate that was tuned for it: told, but runs that
    /// differ in them are paired all the same.
    pub own: &'a [&'a str],
    /// The columns to tell, the compared one first.
    pub columns: &'a [&'static Column],
    /// Values of the first parameter to take differences from.
    pub bases: &'a [&'a str],
}

/// What stands for the value of a parameter that a run does not read, as a typed function beside the kernel `relu`.
pub const UNREAD: &str = "–";

/// The values of a variant, which are its place among the others, with its runs.
type Seeds<'a> = BTreeMap<Vec<String>, VariantSeeds<'a>>;

/// The newest run of each seed of a variant, and the values that its runs have of each parameter that is its own.
#[derive(Default)]
struct VariantSeeds<'a> {
    newest: BTreeMap<Seed, &'a RunSummary>,
    own: Vec<BTreeSet<String>>,
}

/// A seed in the order of its number.
type Seed = (u64, String);

/// Compares the finished ones of `runs`, all of `problem`: the last rows' columns, and the first of these against each
/// base. Of runs that differ in nothing the newest counts. One comparison for each setting of the other parameters, but
/// for the seed.
#[must_use]
pub fn compare(runs: &[Arc<RunSummary>], problem: &dyn Problem, request: &ComparisonRequest<'_>) -> Comparisons {
    let schema = problem.schema();
    let counts = |key: &str| {
        !request.by.contains(&key)
            && !request.own.contains(&key)
            && key != common::SEED.key
            && schema.get(key).is_some_and(|param| param.determines_result)
    };
    let mut finished: Vec<&RunSummary> =
        runs.iter().map(Arc::as_ref).filter(|run| run.state == RunState::Finished).collect();
    finished.sort_by(|a, b| a.started.cmp(&b.started));
    let value = |run: &RunSummary, key: &str| match schema.get(key) {
        Some(param) if !run.params.reads(&schema, param) => UNREAD.to_owned(),
        Some(param) => run.params.text_or_default(param),
        None => run.params.text(key),
    };
    let params: Vec<&StoredParams> = finished.iter().map(|run| &run.params).collect();
    let differences = Differences::between(&params, Some(schema), counts);
    let mut settings: BTreeMap<&[String], Seeds<'_>> = BTreeMap::new();
    for (index, run) in finished.iter().enumerate() {
        let variants = settings.entry(differences.exact(index)).or_default();
        let variant = variants.entry(request.by.iter().map(|key| value(run, key)).collect()).or_default();
        variant.own.resize_with(request.own.len(), BTreeSet::new);
        for (key, values) in request.own.iter().zip(&mut variant.own) {
            values.insert(value(run, key));
        }
        let seed = run.params.text(common::SEED.key);
        variant.newest.insert((seed.parse().unwrap_or(u64::MAX), seed), run);
    }
    let mut found: Vec<VariantComparison> = settings
        .iter()
        .map(|(setting, all)| {
            let words = differences.keys().iter().zip(*setting).map(|(key, value)| format!("{key}={value}"));
            let mut variants: Vec<ComparedVariant> = all.keys().map(|values| variant(values, all, request)).collect();
            variants.sort_by(|a, b| order(problem, request.by, &a.values, &b.values));
            VariantComparison { setting: words.collect::<Vec<_>>().join(" "), variants }
        })
        .collect();
    correct(&mut found);
    let changed = |pair: &&(String, String)| schema.get(&pair.0).is_some_and(|param| !param.is_default(&pair.1));
    let words = differences.common().iter().filter(changed).map(|(key, text)| format!("{key}={text}"));
    Comparisons { common: words.collect::<Vec<_>>().join(" "), comparisons: found }
}

/// Corrects every test for all others. Two variants that are bases of each other are one test.
fn correct(found: &mut [VariantComparison]) {
    let mut tests: BTreeMap<(usize, [Vec<String>; 2]), Vec<&mut Paired>> = BTreeMap::new();
    for (setting, comparison) in found.iter_mut().enumerate() {
        for variant in &mut comparison.variants {
            for paired in &mut variant.against {
                tests.entry((setting, pair(&variant.values, paired))).or_default().push(paired);
            }
        }
    }
    let corrected = holm(&tests.values().map(|both| both[0].p).collect::<Vec<_>>());
    for (both, p) in tests.into_values().zip(corrected) {
        both.into_iter().for_each(|paired| paired.p_holm = p);
    }
}

/// A variant and its base, whichever of them comes first.
fn pair(values: &[String], paired: &Paired) -> [Vec<String>; 2] {
    let mut both = [values.to_vec(), paired.base_values.clone()];
    both.sort();
    both
}

/// The variant that is the base of another one: the first parameter is `base`, and of the others have those the same value that
/// both read. None where there is no such variant or more than one.
fn based<'a>(values: &[String], base: &str, all: &'a Seeds<'_>) -> Option<&'a Vec<String>> {
    let alike = |own: &String, other: &String| own == other || own == UNREAD || other == UNREAD;
    let mut found = all.keys().filter(|key| {
        key.first().is_some_and(|value| value == base)
            && values.iter().zip(*key).skip(1).all(|(own, other)| alike(own, other))
    });
    found.next().filter(|_| found.next().is_none())
}

impl Comparisons {
    /// The number of tests that are corrected for each other.
    #[must_use]
    pub fn tests(&self) -> usize {
        let pairs = self.comparisons.iter().enumerate().flat_map(|(setting, comparison)| {
            comparison.variants.iter().flat_map(move |variant| {
                let tested = variant.against.iter().filter(|paired| paired.p.is_some());
                tested.map(move |paired| (setting, pair(&variant.values, paired)))
            })
        });
        pairs.collect::<BTreeSet<_>>().len()
    }
}

fn variant(values: &[String], all: &Seeds<'_>, request: &ComparisonRequest<'_>) -> ComparedVariant {
    let number = |row: &Row, column: &Column| row.get(column.key).and_then(Value::as_f64);
    let VariantSeeds { newest: seeds, own } = &all[values];
    let runs = seeds.iter().map(|((_, seed), run)| ComparedRun {
        run: run.id.clone(),
        seed: seed.clone(),
        numbers: request.columns.iter().map(|column| number(&run.row, column)).collect(),
    });
    let runs: Vec<ComparedRun> = runs.collect();
    let means = request.columns.iter().enumerate().map(|(place, column)| {
        let numbers: Vec<f64> = runs.iter().filter_map(|run| run.numbers[place]).collect();
        Mean::within(&numbers, column.range)
    });
    let against = request.bases.iter().filter(|base| values.first().is_some_and(|value| value != *base)).map(|base| {
        let base_values = based(values, base, all);
        let others = base_values.map(|values| &all[values]);
        let differences: Vec<f64> = request.columns.first().map_or_else(Vec::new, |column| {
            let pair = |(seed, run): (&Seed, &&RunSummary)| {
                Some(number(&run.row, column)? - number(&others?.newest.get(seed)?.row, column)?)
            };
            seeds.iter().filter_map(pair).collect()
        });
        // The difference of two numbers of a range is not larger than the range.
        let most = request.columns.first().and_then(|column| column.range).map(|(low, high)| high - low);
        let difference = Mean::of(&differences).map(|mean| most.map_or(mean, |most| mean.cut(most)));
        let (pairs, p) = (differences.len(), p_of_mean(&differences));
        let base_values = base_values.cloned().unwrap_or_default();
        Paired { base: (*base).to_owned(), base_values, pairs, difference, p, p_holm: None }
    });
    let (means, against) = (means.collect(), against.collect());
    let own = own.iter().map(|values| values.iter().cloned().collect()).collect();
    ComparedVariant { values: values.to_vec(), own, runs, means, against }
}

/// The order of two variants: parameter by parameter, by the declaration of a choice, by size of a number.
fn order(problem: &dyn Problem, by: &[&str], one: &[String], other: &[String]) -> std::cmp::Ordering {
    let place = |key: &str, value: &str| {
        let declared = problem.schema().get(key).and_then(|param| match param.kind {
            Kind::Choice(choices) => choices.iter().position(|choice| choice.name == value),
            _ => None,
        });
        (declared.unwrap_or(usize::MAX), value.parse().unwrap_or(f64::INFINITY))
    };
    let places = |values: &[String]| by.iter().zip(values).map(|(key, value)| place(key, value)).collect::<Vec<_>>();
    let by_place = |(a, b): (&(usize, f64), &(usize, f64))| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1));
    let compared = places(one).iter().zip(&places(other)).map(by_place).find(|order| order.is_ne());
    compared.unwrap_or_else(|| one.cmp(other))
}
