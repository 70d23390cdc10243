//! Parameters as text, TOML and JSON: every conversion is exact in both directions.

use attnlab::lab::{Draft, Param, Params, Schema, StoredParams, StoredValue, Value, list};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const SCHEMA: Schema = Schema(&[
    Param::int("count", "count", i64::MIN, i64::MAX, "0"),
    Param::int("counts", "counts", i64::MIN, i64::MAX, "0").list(),
    Param::float("rate", "rate", f64::MIN, f64::MAX, "0"),
    Param::float("rates", "rates", f64::MIN, f64::MAX, "0").list(),
    Param::flag("flag", "flag", "no"),
    Param::text("text", "text", "any text", |_| true, ""),
]);

#[derive(Debug, Deserialize, Serialize)]
struct File {
    params: StoredParams,
}

/// Equal to the bit: `{:?}` tells -0.0 from 0.0 and writes every number with the digits that read back as the same.
fn same<T: std::fmt::Debug>(a: &T, b: &T) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

fn finite() -> impl Strategy<Value = f64> {
    any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |value| value.is_finite())
}

proptest! {
    #[test]
    fn parameters_come_back_from_every_form(
        count: i64,
        counts in prop::collection::vec(any::<i64>(), 1..4),
        rate in finite(),
        rates in prop::collection::vec(prop_oneof![finite(), Just(0.0), Just(-0.0), Just(1.0), Just(1e-3)], 1..4),
        flag: bool,
        text in prop_oneof![any::<String>(), "[0-9.e,-]{0,6}", "(yes|true|1|\\[1\\]|'|\"|\\\\|\n|#| )*"],
    ) {
        let values = BTreeMap::from([
            ("count", vec![Value::Int(count)]),
            ("counts", counts.into_iter().map(Value::Int).collect()),
            ("rate", vec![Value::Float(rate)]),
            ("rates", rates.into_iter().map(Value::Float).collect()),
            ("flag", vec![Value::Flag(flag)]),
            ("text", vec![Value::Text(text.trim().to_owned())]),
        ]);
        let params = Params::new(&SCHEMA, values).unwrap();
        let file = File { params: params.stored(&SCHEMA) };
        let toml: File = toml::from_str(&toml::to_string(&file).unwrap()).unwrap();
        let json: File = serde_json::from_str(&serde_json::to_string(&file).unwrap()).unwrap();
        // A table of TOML is sorted by key; JSON keeps form order.
        let kept = |(key, value): (&str, &StoredValue)| toml.params.get(key).is_some_and(|read| same(read, value));
        prop_assert!(file.params.iter().all(kept), "{:?} {:?}", file, toml);
        prop_assert!(same(&json, &file), "{:?} {:?}", file, json);
        // As text: what a run shows, put into a form, is the same run.
        let mut draft = Draft::new(&SCHEMA);
        for (key, value) in toml.params.iter() {
            draft.set(&SCHEMA, key, &value.to_string()).unwrap();
        }
        for param in SCHEMA.iter() {
            let read = list::values(param, draft.text(param.key)).unwrap();
            prop_assert!(same(&read.as_slice(), &params.values(param.key)), "{}: {:?}", param.key, read);
        }
        prop_assert_eq!(&draft, &Draft::from_params(&params));
    }
}

#[test]
fn functions_are_separated_whatever_brackets_stand_open() {
    let param = Param::function("f", "f", "u");
    let texts = |text: &str| {
        list::values(&param, text)
            .map(|values| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "))
    };
    assert_eq!(texts("max(u, p) | [u,p]|exp( u )").as_deref(), Ok("max(u,p) and [u,p] and exp(u)"));
    let error = texts("relu(u | elu(u)").unwrap_err();
    assert_eq!(error.found, "relu(u", "{error}");
}

#[test]
fn what_this_version_does_not_know_stays_readable() {
    let text = "params.new = [[1, 2.0], [\"x\"]]\nparams.when = 2026-01-02\nparams.table = { a = 1, b = true }\nparams.lr = 1e-3\n";
    let file: File = toml::from_str(text).unwrap();
    let texts: Vec<(&str, String)> = file.params.iter().map(|(key, value)| (key, value.to_string())).collect();
    let text = |key: &str| file.params.text(key);
    assert_eq!(texts.len(), 4);
    assert_eq!((text("new"), text("when"), text("lr")), ("1,2,x".into(), "2026-01-02".into(), "0.001".into()));
    assert_eq!(text("table"), "{ a = 1, b = yes }");
    let json: File = serde_json::from_str(r#"{"params": {"big": 18446744073709551615, "none": null}}"#).unwrap();
    assert_eq!((json.params.text("big"), json.params.text("none")), ("18446744073709551615".into(), String::new()));
}

const WITH_WORDS: Schema = Schema(&[
    Param::int("size", "size", 0, 64, "8"),
    Param::int("images", "images", 0, 1000, "0").list().stands_for("0", "all"),
    Param::int("patch", "patch", 0, 64, "0")
        .stands_for("0", "auto")
        .resolved_by(|text_of| text_of("size").parse::<u32>().ok().map(|size| format!("{} px", size / 4))),
    Param::text("from", "from", "a file, or nothing", |text| text.len() < 9, "").stands_for("", "fresh weights"),
]);

#[test]
fn words_stand_for_values_and_files_keep_the_values() {
    let params = |changes: &[(&str, &str)]| Params::with(&WITH_WORDS, changes);
    let typed = params(&[("images", "all,50"), ("patch", "auto"), ("from", "fresh weights")]).unwrap();
    assert_eq!(typed.ints("images"), [0, 50]);
    assert_eq!((typed.int("patch"), typed.text("from")), (0, ""));
    let error = params(&[("patch", "all")]).unwrap_err().to_string();
    assert_eq!(error, "patch: found `all`, allowed: a whole number from 0 to 64; 0 is `auto`");
    let mut draft = Draft::new(&WITH_WORDS);
    let shown = |draft: &Draft, key: &str| draft.shown(WITH_WORDS.get(key).unwrap());
    assert_eq!(shown(&draft, "images"), "all");
    assert_eq!(shown(&draft, "patch"), "auto (2 px)");
    assert_eq!(shown(&draft, "from"), "fresh weights");
    draft.set(&WITH_WORDS, "size", "8..32 x2").unwrap();
    assert_eq!(shown(&draft, "patch"), "auto", "several sizes have no one patch");
    draft.set(&WITH_WORDS, "images", "all").unwrap();
    assert_eq!(draft.text("images"), "0", "files keep the value");
    assert!(draft.changes(&WITH_WORDS).iter().all(|(param, _)| param.key == "size"), "a word is no change");
    draft.set(&WITH_WORDS, "images", "20").unwrap();
    assert_eq!(shown(&draft, "images"), "20");
}
