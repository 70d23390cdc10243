//! Lists, ranges, grids.

use crate::slope::SLOPE;
use attnlab::lab::list::{self, LIMIT, count, values, values_seeded};
use attnlab::lab::{Draft, Param, Problem, Scale, Sweep, SweepMode, Value, shell};
use proptest::prelude::*;

const WHOLE: Param = Param::int("m", "m", 1, 1 << 40, "1");
const REAL: Param = Param::float("x", "x", f64::MIN, f64::MAX, "1");

fn whole(text: &str) -> Vec<i64> {
    let whole = |value: &Value| if let Value::Int(value) = value { *value } else { panic!("{value}") };
    values(&WHOLE, text).unwrap().iter().map(whole).collect()
}

fn real(text: &str) -> Vec<f64> {
    let real = |value: &Value| if let Value::Float(value) = value { *value } else { panic!("{value}") };
    values(&REAL, text).unwrap().iter().map(real).collect()
}

#[test]
fn the_language_says_what_it_seems_to_say() {
    assert_eq!(whole("16..1024 x2"), [16, 32, 64, 128, 256, 512, 1024]);
    assert_eq!(whole("3, 16..64x2 ,5"), [3, 16, 32, 64, 5]);
    assert_eq!(whole("1024..100 x0.5"), [1024, 512, 256, 128]);
    assert_eq!(whole("10..35 +10"), [10, 20, 30]);
    assert_eq!(whole("10..1 -3"), [10, 7, 4, 1]);
    assert_eq!(whole("log(1..1000, 4)"), [1, 10, 100, 1000]);
    assert_eq!(whole("log(1..4, 10)"), [1, 2, 3, 4]);
    assert_eq!(real("0..1 +0.1"), [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]);
    assert_eq!(real("-0.3..0.3 +0.3"), [-0.3, 0.0, 0.3]);
    assert_eq!(real("1e-4..1 x10"), [1e-4, 1e-3, 1e-2, 0.1, 1.0]);
    assert_eq!(real("5..5 +1"), [5.0]);
    assert_eq!(real("log(1e-4..1e-2, 5)"), [1e-4, 3.162_277_660_17e-4, 1e-3, 3.162_277_660_17e-3, 1e-2]);
    assert_eq!(real("1e-300..1e-297 x10"), [1e-300, 1e-299, 1e-298, 1e-297]);
    assert_eq!(real("1e300..3e300 +1e300"), [1e300, 2e300, 3e300]);
    let many = real("1..1000 x1.1");
    assert_eq!((many.len(), many[2]), (73, 1.21));
    assert!((many[72] - 1.1_f64.powi(72)).abs() < 1e-8);
}

#[test]
fn draws_are_known_by_seed_and_key() {
    let text = "random(8, log 1e-4..1e-1)";
    let first = real(text);
    assert_eq!(first.len(), 8);
    assert!(first.iter().all(|value| (1e-4..=1e-1).contains(value)));
    assert!(first.iter().any(|value| *value < 3e-3) && first.iter().any(|value| *value > 3e-3));
    assert_eq!(first, real(text));
    assert_ne!(values_seeded(&REAL, text, 1).unwrap(), values(&REAL, text).unwrap());
    assert!(whole("random(100, 3..5)").iter().all(|value| (3..=5).contains(value)));
}

#[test]
fn what_makes_no_sense_is_refused_in_one_line() {
    for (text, word) in [
        ("0..1 +0", "not 0"),
        ("1..8 x1", "not 1"),
        ("1..8 x-2", "not 1"),
        ("0..8 x2", "above 0"),
        ("1..0 +0.1", "empty"),
        ("0..1 -0.1", "empty"),
        ("0..1", "step"),
        ("0..1 0.1", "`+`"),
        ("0..1 +0.00001", "10000 points"),
        ("0..1e300 +1e-300", "10000 points"),
        ("log(0..1, 5)", "above 0"),
        ("log(1..2, 1)", "2 points"),
        ("log(1..2, 10001)", "10000"),
        ("log(1..2)", "the form"),
        ("random(0, 0..1)", "from 1"),
        ("random(8, 1..0)", "empty"),
        ("random(8, log 0..1)", "above 0"),
        ("random(8, -1e308..1e308)", "empty"),
        ("random(8, 0..1e999)", "empty"),
        ("1,two", "`two`"),
        ("1,,2", "``"),
        ("", "``"),
        ("1..two +1", "`two`"),
        ("..", "step"),
        ("ä..ö +ü", "`ä`"),
        ("NaN", "`NaN`"),
    ] {
        let error = values(&REAL, text).unwrap_err();
        assert_eq!(error.key, "x");
        let line = error.to_string();
        assert!(line.contains(word) && !line.contains('\n'), "`{text}`: {line}");
    }
    let error = values(&WHOLE, "2..20 x1.5").unwrap_err().to_string();
    assert_eq!(error, format!("m: found `4.5 (from 2..20 x1.5)`, allowed: {}", WHOLE.allowed()));
    assert!(values(&REAL, &vec!["1"; LIMIT + 1].join(",")).is_err());
}

#[test]
fn the_scale_follows_the_range() {
    assert_eq!(list::scale("16..64 x2"), Some(Scale::Log));
    assert_eq!(list::scale("log(1..2, 3)"), Some(Scale::Log));
    assert_eq!(list::scale("0..1 +0.1"), Some(Scale::Linear));
    assert_eq!((list::scale("softmax,exp"), list::scale("1e-4,1e-3")), (None, None), "values decide");
}

#[test]
fn lists_make_runs_and_repeats_make_seeds() {
    let schema = SLOPE.schema();
    let mut draft = Draft::new(&schema);
    draft.set(&schema, "steps", "1,2,3").unwrap();
    draft.set(&schema, "angle", "10,20").unwrap();
    draft.set(&schema, "sizes", "4,5,6").unwrap();
    let sweep = |draft: &Draft, repeats| Sweep::new(&SLOPE, draft.clone()).repeated(repeats);
    let specs = sweep(&draft, 2).specs().unwrap();
    assert_eq!(sweep(&draft, 2).count(), Ok(12));
    let told: Vec<_> = specs.iter().map(|s| (s.params.int("steps"), s.params.float("angle"), s.seed())).collect();
    assert_eq!(told.len(), 12);
    assert_eq!(told[..5], [(1, 10.0, 0), (1, 10.0, 1), (1, 20.0, 0), (1, 20.0, 1), (2, 10.0, 0)]);
    assert_eq!(specs[0].params.ints("sizes"), [4, 5, 6]);
    draft.set(&schema, "angle", "88,89").unwrap();
    assert_eq!(sweep(&draft, 1).specs().unwrap_err().key, "angle");
    assert_eq!(sweep(&draft, 1).first().unwrap().params.float("angle"), 88.0);
    assert_eq!(sweep(&draft, 0).specs().unwrap_err().to_string(), "repeats: found `0`, allowed: at least 1");
}

#[test]
fn side_by_side_needs_equal_numbers() {
    let schema = SLOPE.schema();
    let mut draft = Draft::new(&schema);
    draft.set(&schema, "steps", "1,2,3").unwrap();
    draft.set(&schema, "angle", "10..30 +10").unwrap();
    let zip = |draft: &Draft| Sweep::new(&SLOPE, draft.clone()).combined(SweepMode::Zip);
    let specs = zip(&draft).specs().unwrap();
    assert_eq!((zip(&draft).count(), zip(&draft).repeated(4).count()), (Ok(3), Ok(12)));
    let told: Vec<_> = specs.iter().map(|s| (s.params.int("steps"), s.params.float("angle"))).collect();
    assert_eq!(told, [(1, 10.0), (2, 20.0), (3, 30.0)]);
    assert_eq!(zip(&draft).swept().iter().map(|param| param.key).collect::<Vec<_>>(), ["steps", "angle"]);
    draft.set(&schema, "angle", "10,20").unwrap();
    assert_eq!(zip(&draft).specs().unwrap_err().key, "angle");
    assert_eq!(zip(&draft).count().unwrap_err().key, "angle");
    draft.set(&schema, "seed", "0,1").unwrap();
    let grid = |draft: &Draft| Sweep::new(&SLOPE, draft.clone());
    assert_eq!(grid(&draft).repeated(2).specs().unwrap_err().key, "seed");
    draft.set(&schema, "steps", "1..9999 +1").unwrap();
    assert!(grid(&draft).specs().unwrap_err().to_string().contains("at most 10000"));
    assert_eq!(grid(&draft).count(), Ok(39_996));
    draft.set(&schema, "angle", "0..80 +0.01").unwrap();
    let error = grid(&draft).count().unwrap_err().to_string();
    assert_eq!(error, "angle: found `160003998 points`, allowed: at most 100000");
}

#[test]
fn a_sweep_is_one_command_that_stands_for_the_same_runs() {
    let schema = SLOPE.schema();
    let mut draft = Draft::new(&schema);
    draft.set(&schema, "steps", "1,2").unwrap();
    draft.set(&schema, "angle", "10..20 +10").unwrap();
    let sweep = Sweep::new(&SLOPE, draft).combined(SweepMode::Zip).repeated(3);
    let sweep = Sweep { title: Some("it's ~ #1".to_owned()), ..sweep };
    assert_eq!(
        sweep.command("sweep"),
        r"attnlab sweep slope --set steps=1,2 --set 'angle=10..20 +10' --zip --repeats 3 '--title=it'\''s ~ #1'"
    );
    assert!(sweep.specs().unwrap().iter().all(|spec| spec.title.as_deref() == Some("it's ~ #1")));
    // With one swept parameter a grid is the same as a zip, and the command need not say so.
    let mut draft = sweep.draft.clone();
    draft.set(&schema, "angle", "30").unwrap();
    let one = Sweep::new(&SLOPE, draft).combined(SweepMode::Zip);
    assert_eq!(one.command("run"), "attnlab run slope --set steps=1,2");
}

#[test]
fn points_take_turns_where_a_sweep_is_interleaved() {
    let schema = SLOPE.schema();
    let mut draft = Draft::new(&schema);
    draft.set(&schema, "steps", "1,2").unwrap();
    let order = |sweep: &Sweep| {
        let runs = sweep.specs().unwrap().into_iter();
        runs.map(|spec| (spec.params.int("steps"), spec.seed())).collect::<Vec<_>>()
    };
    let sweep = Sweep::new(&SLOPE, draft.clone()).repeated(2);
    assert_eq!(order(&sweep), [(1, 0), (1, 1), (2, 0), (2, 1)]);
    let turns = Sweep { interleaved: true, ..sweep };
    assert_eq!(order(&turns), [(1, 0), (2, 0), (1, 1), (2, 1)]);
    assert_eq!(turns.command("sweep"), "attnlab sweep slope --set steps=1,2 --repeats 2 --interleave");
    // Seeds that are listed take turns too, in the order of the list.
    draft.set(&schema, "seed", "7,3").unwrap();
    let listed = Sweep { interleaved: true, ..Sweep::new(&SLOPE, draft) };
    assert_eq!(order(&listed), [(1, 7), (2, 7), (1, 3), (2, 3)]);
}

#[test]
fn lists_of_one_run_have_a_limit_on_their_combinations() {
    use attnlab::problems::find;
    let problem = find("random-features").unwrap();
    let schema = problem.schema();
    let mut draft = Draft::new(&schema);
    draft.set(&schema, "length", "1..10000 +1").unwrap();
    draft.set(&schema, "dim", "1..1000 +1").unwrap();
    let sweep = Sweep::new(problem, draft);
    for error in [sweep.count().unwrap_err(), sweep.specs().unwrap_err(), sweep.first().unwrap_err()] {
        assert_eq!(error.key, "length");
        let text = error.to_string();
        assert!(text.contains("found `10000 values`") && text.contains("at most 10000 combinations"), "{text}");
        assert!(text.contains("1000 of dim"), "{text}");
    }
}

#[test]
fn a_point_is_known_by_what_determines_its_result() {
    let point = |changes: &[(&str, &str)]| crate::slope::spec(changes).point();
    assert_eq!(point(&[]), point(&[("threads", "4")]));
    assert_eq!(point(&[("angle", "45")]), point(&[("angle", "45.0")]));
    assert_ne!(point(&[]), point(&[("seed", "1")]));
    assert_ne!(point(&[("sizes", "1,2")]), point(&[("sizes", "2,1")]));
}

proptest! {
    #[test]
    fn steps_are_exact(first in -1000_i64..1000, step in 1_i64..500, count in 1_usize..200, digits in 0_usize..6) {
        // Written in decimals, compared with the nearest float of the exact decimal.
        let scale = 10_i64.pow(digits as u32);
        let decimal = |units: i64| {
            let (sign, size) = (if units < 0 { "-" } else { "" }, units.abs());
            format!("{sign}{}.{:0digits$}", size / scale, size % scale).trim_end_matches('.').to_owned()
        };
        let decimal = |units: i64| if digits == 0 { units.to_string() } else { decimal(units) };
        let last = first + step * (count as i64 - 1);
        let got = real(&format!("{}..{} +{}", decimal(first), decimal(last), decimal(step)));
        let want: Vec<f64> = (0..count).map(|k| decimal(first + step * k as i64).parse().unwrap()).collect();
        prop_assert_eq!(got, want);
    }

    #[test]
    fn no_text_breaks_the_reader(text in r"(log|random|[0-9]{1,3}|e|\.\.|x|\+|-|,| |\(|\)|\PC){0,12}") {
        for param in [&REAL, &WHOLE] {
            if let Ok(values) = values(param, &text) {
                prop_assert!(!values.is_empty() && values.len() <= LIMIT);
                prop_assert_eq!(count(param, &text), Ok(values.len()));
            }
        }
    }

    #[test]
    fn counting_finds_as_many_values_as_there_are(
        a in -300_i32..300, b in -300_i32..300, digits in 1_i64..100_000, more in 1_i64..2000, factor in 101_i64..1000,
    ) {
        // Steps, factors and logarithms at every order of magnitude, with ends that are met and ends that are passed over.
        let texts = [
            format!("{digits}e{a}..{}e{a} +{more}e{}", digits + 7 * more, a - 1),
            format!("{digits}e{a}..{}e{b} +{more}e{a}", digits + more),
            format!("{digits}e{a}..{}e{b} x{}.{:02}", digits + more, factor / 100, factor % 100),
            format!("{digits}e{a}..{}e{} x{}.{:02}", digits * more, a + 3, factor / 100, factor % 100),
            format!("{digits}e{a}..1e{} x0.{:02}", a - 9, factor % 98 + 1),
            format!("1e{a}..1e{b} x10"),
            format!("log(1..{}, {more})", digits + 1),
            format!("{digits}, random({more}, 0..{digits}),{digits}..{} +3", digits + more),
        ];
        for text in texts {
            for param in [&REAL, &WHOLE] {
                if let Ok(values) = values(param, &text) {
                    prop_assert_eq!(count(param, &text), Ok(values.len()), "{}", text);
                }
            }
        }
    }

    #[test]
    fn a_quoted_word_comes_through_a_shell_unchanged(
        word in prop_oneof![any::<String>(), r#"[-~#$`"'\\!*?&|;<>(){}\[\] \n\t=a]{0,12}"#],
    ) {
        prop_assume!(!word.contains('\0'));
        let line = format!("printf %s {}", shell::quote(&word));
        let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
        prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), word, "{}", line);
    }

    #[test]
    fn draws_stay_within(a in -1e6_f64..1e6, width in 1e-3_f64..1e6, seed: u64) {
        let text = format!("random(20, {a:.3}..{:.3})", a + width);
        let low: f64 = format!("{a:.3}").parse().unwrap();
        for value in values_seeded(&REAL, &text, seed).unwrap() {
            let Value::Float(value) = value else { panic!() };
            prop_assert!(value >= low - 1e-5 * low.abs() && value <= a + width + 1e-5 * (a + width).abs() + 1e-3);
        }
    }
}
