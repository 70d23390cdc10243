//! The words that tell several runs apart: in legends, tables, exported files and lists of points.

use crate::lab::{Schema, StoredParams};
use std::collections::{BTreeSet, HashMap};

/// Numbers with at most so many characters are shown as they are.
const SHORT: usize = 7;

/// The parameters in which several runs differ, and those that are equal in all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// The parameters that differ, in form order.
    keys: Vec<String>,
    /// For each run the texts of these parameters, exact.
    exact: Vec<Vec<String>>,
    /// The same, with numbers shortened to the digits that tell them apart.
    short: Vec<Vec<String>>,
    /// The parameters that are equal in all runs, with their text.
    common: Vec<(String, String)>,
}

impl Differences {
    /// The differences between `runs` runs in the parameters `keys`; `text` gives the text of the parameter of a run.
    pub fn of<'a>(keys: impl IntoIterator<Item = &'a str>, runs: usize, text: impl Fn(usize, &str) -> String) -> Self {
        let mut differences = Self { exact: vec![Vec::new(); runs], short: vec![Vec::new(); runs], ..Self::default() };
        for key in keys {
            let mut texts: Vec<String> = (0..runs).map(|run| text(run, key)).collect();
            if texts.iter().all(|text| *text == texts[0]) {
                differences.common.extend(texts.pop().map(|text| (key.to_owned(), text)));
                continue;
            }
            for (run, short) in shortened(&texts).into_iter().enumerate() {
                differences.short[run].push(short);
            }
            for (run, text) in texts.into_iter().enumerate() {
                differences.exact[run].push(text);
            }
            differences.keys.push(key.to_owned());
        }
        differences
    }

    /// The differences between stored runs in those of their parameters that `counts` admits. With the `schema` of their
    /// problem they stand in form order, and a run of a version that did not have a parameter has its default.
    #[must_use]
    pub fn between(runs: &[&StoredParams], schema: Option<Schema>, counts: impl Fn(&str) -> bool) -> Self {
        let differing = differing(runs);
        let keys: Vec<&str> = in_order(&differing, schema).into_iter().filter(|key| counts(key)).collect();
        let text = |run: usize, key: &str| match schema.and_then(|schema| schema.get(key)) {
            Some(param) => runs[run].text_or_default(param),
            None => runs[run].text(key),
        };
        let mut differences = Self::of(keys, runs.len(), text);
        let equal = runs.first().into_iter().flat_map(|run| run.iter()).filter(|(key, _)| !differing.contains(key));
        let common = equal.filter(|(key, _)| counts(key)).map(|(key, value)| (key.to_owned(), value.to_string()));
        differences.common.splice(..0, common);
        differences
    }

    /// The parameters alone in which stored runs differ, as [`Differences::between`] finds them.
    #[must_use]
    pub fn keys_between(runs: &[&StoredParams], schema: Option<Schema>) -> Vec<String> {
        Self::between(runs, schema, |_| true).keys
    }

    /// The parameters that differ, in form order.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// The parameters that are equal in all runs, with their text.
    #[must_use]
    pub fn common(&self) -> &[(String, String)] {
        &self.common
    }

    /// What `runs` have in common, in words: those of their labels that all share, then equal parameters that are not at
    /// their default.
    fn in_common(&self, runs: &[(&str, &StoredParams)], schema: Schema) -> String {
        let shared = |word: &&str| runs.iter().all(|(label, _)| label.split(' ').any(|other| other == *word));
        let first = runs.first().map_or("", |(label, _)| *label);
        let mut words: Vec<String> = first.split(' ').filter(shared).map(str::to_owned).collect();
        let changed =
            |key: &str, text: &str| !text.is_empty() && schema.get(key).is_some_and(|param| !param.is_default(text));
        for (key, text) in self.common.iter().filter(|(key, text)| changed(key, text)) {
            let word = word(key, text);
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words.join(" ")
    }

    /// The exact texts of a run's parameters, in the order of [`Differences::keys`].
    #[must_use]
    pub fn exact(&self, run: usize) -> &[String] {
        &self.exact[run]
    }

    /// The words for a run: `relu dim=16`, names alone, numbers and flags with their key. Empty where no run differs.
    #[must_use]
    pub fn words(&self, run: usize) -> String {
        self.words_without(run, "")
    }

    /// The same without the parameter `left_out`, which is told elsewhere.
    #[must_use]
    pub fn words_without(&self, run: usize, left_out: &str) -> String {
        let pairs = self.keys.iter().zip(&self.short[run]).filter(|(key, _)| *key != left_out);
        pairs.map(|(key, text)| word(key, text)).collect::<Vec<_>>().join(" ")
    }
}

/// A parameter in words: a name alone, a number or a flag with its key.
fn word(key: &str, text: &str) -> String {
    let bare = text.parse::<f64>().is_err() && !matches!(text, "yes" | "no" | "");
    if bare { text.to_owned() } else { format!("{key}={text}") }
}

/// What several runs of one problem are called beside each other, by what differs between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunNames {
    /// A name for each run; no two runs have the same one.
    pub names: Vec<String>,
    /// What all of them have in common: the words that their labels share, and parameters that are not at their default.
    /// Empty for a single run, and where the names are whole labels.
    pub common: String,
}

impl RunNames {
    /// The most characters of a name made of the parameters that differ.
    pub const LONGEST: usize = 44;

    /// Names for runs of the problem with this `schema`, given as label and parameters. Where the parameters that differ
    /// would make a name long, the runs keep their labels, and only those of equal labels are told apart by parameters.
    #[must_use]
    pub fn of(runs: &[(&str, &StoredParams)], schema: Schema) -> Self {
        let params: Vec<&StoredParams> = runs.iter().map(|(_, params)| *params).collect();
        let differences = Differences::between(&params, Some(schema), |_| true);
        let words: Vec<String> = (0..runs.len()).map(|run| differences.words(run)).collect();
        if runs.len() > 1 && words.iter().all(|words| (1..=Self::LONGEST).contains(&words.chars().count())) {
            return Self { names: numbered(words), common: differences.in_common(runs, schema) };
        }
        let named: Vec<(&str, &str, &StoredParams)> =
            runs.iter().map(|(label, params)| ("", *label, *params)).collect();
        Self { names: numbered(distinct_names(&named, |_| Some(schema))), common: String::new() }
    }
}

/// The names, with a number behind those that have been before.
fn numbered(names: Vec<String>) -> Vec<String> {
    let mut before: HashMap<String, usize> = HashMap::new();
    let number = |name: String| {
        let count = before.entry(name.clone()).and_modify(|count| *count += 1).or_insert(1);
        if *count == 1 { name } else { format!("{name} ({count})") }
    };
    names.into_iter().map(number).collect()
}

/// A name for each of several runs, given as problem, name and parameters: names of runs that differ in a parameter differ.
/// Where several runs of a problem have the same name, the words that tell these apart stand behind it: `name · lr=0.1`.
pub fn distinct_names(runs: &[(&str, &str, &StoredParams)], schema: impl Fn(&str) -> Option<Schema>) -> Vec<String> {
    let mut groups: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for (place, (problem, name, _)) in runs.iter().enumerate() {
        groups.entry((problem, name)).or_default().push(place);
    }
    let mut names: Vec<String> = runs.iter().map(|(_, name, _)| (*name).to_owned()).collect();
    for ((problem, name), places) in groups.iter().filter(|(_, places)| places.len() > 1) {
        let params: Vec<&StoredParams> = places.iter().map(|place| runs[*place].2).collect();
        let differences = Differences::between(&params, schema(problem), |_| true);
        for (run, place) in places.iter().enumerate() {
            let words = differences.words(run);
            if !words.is_empty() {
                names[*place] = format!("{name} · {words}");
            }
        }
    }
    names
}

/// Keys in form order, those that the schema does not have last.
fn in_order<'a>(keys: &BTreeSet<&'a str>, schema: Option<Schema>) -> Vec<&'a str> {
    let declared: Vec<&str> = schema.iter().flat_map(Schema::iter).map(|param| param.key).collect();
    let place = |key: &str| declared.iter().position(|other| *other == key).unwrap_or(usize::MAX);
    let mut keys: Vec<&str> = keys.iter().copied().collect();
    keys.sort_by_key(|key| place(key));
    keys
}

/// The keys under which runs have different values, or only some of the runs have one.
fn differing<'a>(runs: &[&'a StoredParams]) -> BTreeSet<&'a str> {
    let mut keys = BTreeSet::new();
    let Some((first, others)) = runs.split_first() else { return keys };
    for run in others {
        // Runs of one version have the same keys in the same order.
        for (here, there) in run.iter().zip(first.iter()).filter(|(here, there)| here != there) {
            keys.extend([here.0, there.0]);
        }
        let (short, long) = (run.iter().count().min(first.iter().count()), [*run, *first]);
        long.iter().for_each(|params| keys.extend(params.iter().skip(short).map(|(key, _)| key)));
    }
    keys
}

/// Long numbers with the fewest digits, at least two, that keep different ones different: `3.2e-3` for 0.00316227766.
pub(super) fn shortened(texts: &[String]) -> Vec<String> {
    let long = |text: &String| text.len() > SHORT && text.contains('.') && text.parse::<f64>().is_ok();
    // One number can be written in two ways: numbers are told apart by value.
    let told = |text: &str| text.parse::<f64>().map_or_else(|_| text.to_owned(), |number| number.to_string());
    let distinct: BTreeSet<&String> = texts.iter().collect();
    let values: BTreeSet<String> = texts.iter().map(|text| told(text)).collect();
    if !texts.iter().any(long) {
        return texts.to_vec();
    }
    let at = |text: &String, digits: usize| {
        if long(text) { rounded(text.parse().unwrap_or(f64::NAN), digits) } else { text.clone() }
    };
    let fits = |digits: &usize| {
        let shown: BTreeSet<String> = distinct.iter().map(|text| told(&at(text, *digits))).collect();
        shown.len() == values.len()
    };
    match (2..17).find(fits) {
        Some(digits) => texts.iter().map(|text| at(text, digits)).collect(),
        None => texts.to_vec(),
    }
}

/// A number with `digits` significant digits, without zeros at their end; in scientific notation where that is shorter.
fn rounded(value: f64, digits: usize) -> String {
    let text = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    let scientific = format!("{mantissa}e{exponent}");
    let plain = scientific.parse::<f64>().unwrap_or(value).to_string();
    // Where both are equally long, a small number is easier to read without its leading zeros.
    let is_short = plain.len() < scientific.len() || (plain.len() == scientific.len() && value.abs() >= 1.0);
    if is_short { plain } else { scientific }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(key: &str, texts: &[&str]) -> Vec<String> {
        let differences = Differences::of([key], texts.len(), |run, _| texts[run].to_owned());
        (0..texts.len()).map(|run| differences.words(run)).collect()
    }

    #[test]
    fn numbers_are_shown_as_people_write_them() {
        assert_eq!(words("lr", &["0.001", "0.00316227766017"]), ["lr=0.001", "lr=3.2e-3"]);
        assert_eq!(words("lr", &["0.00316227766017", "0.0032"]), ["lr=3.16e-3", "lr=0.0032"]);
        assert_eq!(words("x", &["1.00000001", "1.00000002"]), ["x=1.00000001", "x=1.00000002"]);
        assert_eq!(words("x", &["12345.6789", "-0.123456789"]), ["x=12000", "x=-0.12"]);
        assert_eq!(words("seed", &["123456789", "123456790"]), ["seed=123456789", "seed=123456790"]);
        assert_eq!(words("kind", &["relu", "exp"]), ["relu", "exp"]);
        assert_eq!(words("flip", &["yes", "no"]), ["flip=yes", "flip=no"]);
        assert_eq!(words("kind", &["relu", "relu"]), ["", ""]);
    }

    #[test]
    fn what_is_equal_in_all_is_told_apart_from_what_differs() {
        let texts = [["relu", "1"], ["exp", "1"]];
        let place = |key: &str| usize::from(key == "seed");
        let differences = Differences::of(["kind", "seed"], 2, |run, key| texts[run][place(key)].to_owned());
        assert_eq!(differences.keys(), ["kind"]);
        assert_eq!(differences.common(), [("seed".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn runs_beside_each_other_are_called_by_what_differs() {
        use crate::lab::{Param, choice};
        const KINDS: &[crate::lab::Choice] = &[choice("relu", ""), choice("exp", "")];
        const SCHEMA: Schema = Schema(&[
            Param::choice("kind", "kind", KINDS, "relu"),
            Param::int("epochs", "epochs", 1, 100, "3"),
            Param::float("lr", "learning rate", 0.0, 1.0, "0.001"),
            Param::text("note", "note", "any words", |_| true, ""),
        ]);
        let params = |json: &str| serde_json::from_str::<StoredParams>(json).unwrap();
        let run = |lr: &str| params(&format!(r#"{{"kind":"relu","epochs":8,"lr":{lr},"note":""}}"#));
        let all = [run("0.001"), run("0.00316227766017")];
        let runs: Vec<(&str, &StoredParams)> = all.iter().map(|params| ("relu digits", params)).collect();
        let found = RunNames::of(&runs, SCHEMA);
        assert_eq!(found.names, ["lr=0.001", "lr=3.2e-3"]);
        assert_eq!(found.common, "relu digits epochs=8");
        // Runs that differ in nothing are numbered, one run keeps its label.
        let twins = [runs[0], runs[0]];
        assert_eq!(RunNames::of(&twins, SCHEMA).names, ["relu digits", "relu digits (2)"]);
        let one = RunNames::of(&runs[..1], SCHEMA);
        assert_eq!((one.names, one.common), (vec!["relu digits".to_owned()], String::new()));
        // Long differences: the labels, and only those that are equal with parameters.
        let long = params(&format!(r#"{{"kind":"exp","epochs":8,"lr":0.001,"note":"{}"}}"#, "long ".repeat(12)));
        let mixed = [runs[0], runs[1], ("exp digits", &long)];
        let found = RunNames::of(&mixed, SCHEMA);
        assert_eq!(found.names, ["relu digits · lr=0.001", "relu digits · lr=3.2e-3", "exp digits"]);
        assert_eq!(found.common, "");
    }

    #[test]
    fn a_version_without_a_parameter_had_its_default() {
        use crate::lab::Param;
        const SCHEMA: Schema =
            Schema(&[Param::int("epochs", "epochs", 1, 100, "3"), Param::float("rate", "rate", 0.0, 10.0, "1")]);
        let params = |json: &str| serde_json::from_str::<StoredParams>(json).unwrap();
        let [older, newer, other] =
            [r#"{"epochs":3}"#, r#"{"epochs":3,"rate":1.0}"#, r#"{"epochs":3,"rate":2.0}"#].map(params);
        let between = |runs: &[&StoredParams]| Differences::between(runs, Some(SCHEMA), |_| true);
        let alike = between(&[&older, &newer]);
        assert!(alike.keys().is_empty(), "{alike:?}");
        assert_eq!(
            alike.common(),
            [("epochs", "3"), ("rate", "1")].map(|(key, text)| (key.to_owned(), text.to_owned()))
        );
        let differ = between(&[&older, &newer, &other]);
        assert_eq!(differ.keys(), ["rate"]);
        assert_eq!([0, 1, 2].map(|run| differ.exact(run)[0].as_str()), ["1", "1", "2"]);
    }

    #[test]
    fn equal_names_of_different_runs_become_different() {
        let params: Vec<StoredParams> =
            [r#"{"lr":0.001,"seed":0}"#, r#"{"lr":0.002,"seed":0}"#, r#"{"lr":0.001,"seed":1}"#]
                .iter()
                .map(|json| serde_json::from_str(json).unwrap())
                .collect();
        let named = |problem, name, run: usize| (problem, name, &params[run]);
        let runs = [named("a", "relu", 0), named("a", "relu", 1), named("a", "exp", 1), named("b", "relu", 2)];
        assert_eq!(distinct_names(&runs, |_| None), ["relu · lr=0.001", "relu · lr=0.002", "exp", "relu"]);
        let repeats = [named("a", "relu", 0), named("a", "relu", 0), named("a", "relu", 2)];
        assert_eq!(distinct_names(&repeats, |_| None), ["relu · seed=0", "relu · seed=0", "relu · seed=1"]);
    }
}
