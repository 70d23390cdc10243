//! Columns for lists of runs: the parameters that vary in the list.

use super::names::{Differences, shortened};
use crate::lab::{Schema, StoredParams};
use std::collections::HashSet;

/// The most columns for parameters in a list.
const MOST: usize = 6;

/// Where more parameters vary, so many runs decide which of them do so most.
const LOOKED_AT: usize = 500;

/// The parameters that vary among the runs of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VariedColumns {
    /// The keys, in form order.
    pub keys: Vec<String>,
    /// Whether these are all that vary. Otherwise they are those with the most different values.
    pub are_all: bool,
}

impl VariedColumns {
    /// The parameters in which runs of the same problem differ, given as problem and parameters.
    #[must_use]
    pub fn of(runs: &[(&str, &StoredParams)], schema: impl Fn(&str) -> Option<Schema>) -> Self {
        let mut problems: Vec<&str> = Vec::new();
        for (problem, _) in runs {
            if !problems.contains(problem) {
                problems.push(problem);
            }
        }
        let mut keys: Vec<String> = Vec::new();
        for problem in problems {
            let own: Vec<&StoredParams> = runs.iter().filter(|(name, _)| *name == problem).map(|run| run.1).collect();
            for key in Differences::keys_between(&own, schema(problem)) {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        let are_all = keys.len() <= MOST;
        if !are_all {
            let values = |key: &String| {
                let texts = runs.iter().take(LOOKED_AT).filter_map(|(_, params)| params.get(key));
                texts.map(ToString::to_string).collect::<HashSet<_>>().len()
            };
            let mut counted: Vec<(usize, usize)> = keys.iter().enumerate().map(|(at, key)| (values(key), at)).collect();
            counted.sort_by_key(|(count, at)| (std::cmp::Reverse(*count), *at));
            let kept: HashSet<usize> = counted.into_iter().take(MOST).map(|(_, at)| at).collect();
            keys = keys.into_iter().enumerate().filter(|(at, _)| kept.contains(at)).map(|(_, key)| key).collect();
        }
        Self { keys, are_all }
    }

    /// The texts of some runs in these columns, a line for each run: numbers with the digits that tell those of these runs
    /// apart, nothing where a run has no such parameter.
    #[must_use]
    pub fn texts(&self, runs: &[&StoredParams]) -> Vec<Vec<String>> {
        let mut lines = vec![Vec::with_capacity(self.keys.len()); runs.len()];
        for key in &self.keys {
            let texts: Vec<String> = runs.iter().map(|params| params.text(key)).collect();
            for (line, text) in lines.iter_mut().zip(shortened(&texts)) {
                line.push(text);
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(text: &str) -> StoredParams {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_varies_within_a_problem_becomes_columns() {
        let all =
            [r#"{"lr":0.001,"seed":0,"m":4}"#, r#"{"lr":0.00316227766,"seed":0,"m":4}"#, r#"{"n":8}"#].map(params);
        let runs = [("vit", &all[0]), ("vit", &all[1]), ("other", &all[2])];
        let found = VariedColumns::of(&runs, |_| None);
        assert_eq!(found, VariedColumns { keys: vec!["lr".to_owned()], are_all: true });
        let texts = found.texts(&[&all[0], &all[1], &all[2]]);
        assert_eq!(texts, [["0.001"], ["3.2e-3"], [""]]);
    }

    #[test]
    fn of_many_the_ones_with_the_most_values_stay() {
        let line = |index: usize| {
            let keys = (0..8).map(|key| format!("\"k{key}\":{}", if key < 2 { index % 2 } else { index }));
            params(&format!("{{{}}}", keys.collect::<Vec<_>>().join(",")))
        };
        let all: Vec<StoredParams> = (0..5).map(line).collect();
        let runs: Vec<(&str, &StoredParams)> = all.iter().map(|params| ("vit", params)).collect();
        let found = VariedColumns::of(&runs, |_| None);
        assert!(!found.are_all);
        assert_eq!(found.keys, ["k2", "k3", "k4", "k5", "k6", "k7"]);
    }
}
