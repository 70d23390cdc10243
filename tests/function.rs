//! Functions that users type: what the language accepts, what it means, and what it says of mistakes.

use attnlab::function::{Function, GALLERY, MOST_DEPTH, MOST_SCALARS, Rows, Variable};
use proptest::prelude::*;

fn function(text: &str) -> Function {
    Function::parse(text).unwrap_or_else(|error| panic!("{text}\n{}\n{error}", error.carets()))
}

/// The components of a function at one coordinate, whose projection is p.
fn at(text: &str, u: f64, p: f64) -> Vec<f64> {
    let function = function(text);
    let (u, p, n) = ([u], [p], [u * u]);
    let rows = Rows { count: 1, coordinates: &u, projected: &p, squared_norms: &n };
    function.features().evaluate(&function.starts(), &rows)
}

#[test]
fn values_are_those_of_the_mathematics() {
    let close = |text: &str, expected: &[f64]| {
        let found = at(text, 0.7, -1.3);
        assert_eq!(found.len(), expected.len(), "{text}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12 * expected.abs().max(1.0), "{text}: {found}, not {expected}");
        }
    };
    let (u, p, n) = (0.7_f64, -1.3_f64, 0.49_f64);
    close("-u^2", &[-n]);
    close("2^3^2*u/2^2^-1*n", &[512.0 * u / 2.0_f64.sqrt() * n]);
    close("1 - 2 - u - (3 - 4)", &[-u]);
    close("8/4/2 + u", &[1.0 + u]);
    close("[relu(u), relu(-u), relu(p)]", &[u, 0.0, 0.0]);
    close("[cos(p), sin(p)]*exp(n/2)", &[p.cos() * (n / 2.0).exp(), p.sin() * (n / 2.0).exp()]);
    close("elu(p) + elu(u)", &[p.exp_m1() + u]);
    close("softplus(a*u + c)/a; a = 2 > 0; c = -1", &[(1.0 + (2.0 * u - 1.0).exp()).ln() / 2.0]);
    close("gelu(u)", &[u * 0.758_036_347_776_927]);
    close("silu(u) - u*sigmoid(u) + tanh(p)", &[p.tanh()]);
    close("min(u, p) + 10*max(u, p)", &[p + 10.0 * u]);
    close("log(1 + exp(p)) - softplus(p) + sqrt(square(p)) - abs(p) + pi", &[std::f64::consts::PI]);
    close("r^t/norm(r^t)*norm(r); r = relu(u) + 0.001; t = 3", &[u + 0.001]);
}

#[test]
fn reductions_run_over_the_coordinates_of_a_row() {
    let x = [1.0, -2.0, 3.0, 0.5, 0.25, -4.0];
    let value = |text: &str| {
        let function = function(text);
        let n: Vec<f64> = x.chunks(3).map(|row| row.iter().map(|x| x * x).sum()).collect();
        let rows = Rows { count: 2, coordinates: &x, projected: &[], squared_norms: &n };
        function.features().evaluate(&function.starts(), &rows)
    };
    assert_eq!(value("u + sum(u)"), [3.0, 0.0, 5.0, -2.75, -3.0, -7.25]);
    assert_eq!(value("0*u + mean(u)*3"), [2.0, 2.0, 2.0, -3.25, -3.25, -3.25]);
    assert_eq!(value("max_over(u)"), [3.0, 3.0, 3.0, 0.5, 0.5, 0.5]);
    assert!(value("norm(u)^2 - n + 1").into_iter().all(|one| (one - 1.0).abs() < 1e-14));
    // Over both components of a list.
    assert_eq!(value("sum([u, 2*u])")[..1], [6.0]);
    assert_eq!(value("max_over([u, -u])")[3..4], [4.0]);
    // A feature of one value for each row stands at each of its coordinates.
    assert_eq!(value("[u, 1]"), [1.0, -2.0, 3.0, 1.0, 1.0, 1.0, 0.5, 0.25, -4.0, 1.0, 1.0, 1.0]);
}

#[test]
fn one_function_has_one_text() {
    for (typed, canonical) in [
        ("relu( u )+0.0010", "relu(u)+0.001"),
        ("((u)) ^ (2)", "u^2"),
        ("(u+1)*(u*2)-(3-(u-1))", "(u+1)*(u*2)-(3-(u-1))"),
        ("(2*3)*u + -(1)", "6*u+-1"),
        ("-(u^2); ", "-u^2"),
        ("(-u)^2", "(-u)^2"),
        ("exp(u)^-(2)+1/(exp(u))", "exp(u)^-2+1/exp(u)"),
        ("[ exp( p ) ,exp(-p)]", "[exp(p),exp(-p)]"),
        ("exp(k*u);k=2*pi>0", "exp(k*u); k=6.283185307179586>0"),
        ("a = 1; relu(α*u) + a ; α = 1e-9", "relu(α*u)+a; a=1; α=1e-9"),
    ] {
        let function = function(typed);
        assert_eq!(function.text(), canonical);
        assert_eq!(self::function(canonical).text(), canonical, "the canonical text is its own");
    }
}

#[test]
fn functions_are_told_apart() {
    assert!(function("exp(u)").exponents().is_some());
    assert!(function("[exp(p), exp(-p)]").exponents().is_some());
    assert!(function("exp(r); r = u - 1").exponents().is_some());
    assert!(function("2*exp(u)").exponents().is_none());
    assert_eq!(function("relu(u) + 0.001").negative(), None);
    assert_eq!(function("u").negative(), Some("u = -0.25"));
    assert_eq!(function("[u, p]").components(), 2);
    assert!(function("exp(p - n/2)").uses(Variable::SquaredNorm));
    assert!(!function("exp(p)").uses(Variable::Coordinate));
    assert_eq!(function("log(u^2 - 2*u + 1.5)").doubts().len(), 1, "defined everywhere, but not provably");
    assert_eq!(Function::shared("exp( u )"), Function::shared("exp(u)"));
}

#[test]
fn the_gallery_is_good() {
    let mut names = std::collections::BTreeSet::new();
    for ready in GALLERY {
        let function = function(ready.text);
        assert!(function.doubts().is_empty(), "{}: {:?}", ready.name, function.doubts());
        assert_eq!(function.negative().is_some(), ready.about.contains("can be negative"), "{}", ready.name);
        assert!(names.insert(ready.name), "{} stands twice", ready.name);
    }
}

/// What is said of a mistake, with the characters meant.
fn mistake(text: &str) -> String {
    let error = Function::parse(text).expect_err(text);
    let place: String = text.chars().skip(error.place.start).take(error.place.len()).collect();
    format!("{place} | {error}")
}

#[test]
fn mistakes_are_named_with_their_place() {
    let deep = "(".repeat(MOST_DEPTH + 1) + "u";
    let many = (0..=MOST_SCALARS).map(|i| format!("a{i}")).collect::<Vec<_>>();
    let many = many.join("+") + "+u;" + &many.iter().map(|name| format!("{name}=1")).collect::<Vec<_>>().join(";");
    let cases = [
        "",
        "  ;",
        "reul(u)",
        "relu(v)",
        "relu u",
        "relu(u",
        "relu(u))",
        "[u, p",
        "u +",
        "* u",
        "2u",
        "u p",
        "u ** 2",
        "u · 2",
        "relu(u, p)",
        "max(u)",
        "max()",
        "u; p",
        "a*u; a = 1; a = 2",
        "u; a = 1",
        "a*u; a = -1 > 0",
        "a*u; a = 1 > 2",
        "a*u; a = b; b = a",
        "u = 1",
        "log(u)",
        "sqrt(u - 1)",
        "1/u",
        "1/(u - 0.3)",
        "u^-2",
        "u^0.5",
        "relu(u)^e; e = 1",
        "log(a + 0*u); a = 1",
        "log(-1)*u",
        "1e999",
        "0*u",
        "relu(-1 - abs(u))",
        "sum(n)",
        "[[u, p], u]",
        "[u, p]*[u, p, 1]",
        "u > 0",
        "u, p",
        "1..2 + u",
        "u \u{1b}[2J",
        "a*u; a = u > 0",
        &deep,
        &many,
    ];
    let said: Vec<String> = cases.iter().map(|text| mistake(text)).collect();
    insta::assert_snapshot!(said.join("\n"));
}

/// Texts of random expressions.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("u".to_owned()),
        Just("p".to_owned()),
        Just("n".to_owned()),
        Just("a".to_owned()),
        (0..40_u32).prop_map(|tenths| format!("{}", f64::from(tenths) / 10.0)),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let call = prop::sample::select(vec![
            "relu", "exp", "log", "sqrt", "abs", "square", "sigmoid", "softplus", "tanh", "elu", "gelu", "silu", "sin",
            "cos", "sum", "mean", "max_over", "norm",
        ]);
        prop_oneof![
            (call, inner.clone()).prop_map(|(name, a)| format!("{name}({a})")),
            (prop::sample::select(vec!['+', '-', '*', '/', '^']), inner.clone(), inner.clone())
                .prop_map(|(sign, a, b)| format!("({a}) {sign} ({b})")),
            (prop::sample::select(vec!["min", "max"]), inner.clone(), inner.clone())
                .prop_map(|(name, a, b)| format!("{name}({a}, {b})")),
            inner.prop_map(|a| format!("-({a})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn canonical_texts_mean_the_same(body in expressions()) {
        let text = if body.contains('a') { format!("{body} + 0*a; a = 0.7") } else { body };
        if let Ok(typed) = Function::parse(&text) {
            let again = Function::parse(typed.text()).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(typed.text(), again.text());
            let rows = Rows { count: 2, coordinates: &[0.3, -1.2, 2.0, 0.1], projected: &[1.0, 0.2, -0.4, 3.0], squared_norms: &[1.53, 4.01] };
            let values = |f: &Function| f.features().evaluate(&f.starts(), &rows);
            for (a, b) in values(&typed).into_iter().zip(values(&again)) {
                prop_assert!(a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-12 * a.abs(), "{} {}", a, b);
            }
        }
    }

    #[test]
    fn no_text_is_a_panic(text in "[ -~αβ²·\n]{0,60}") {
        if let Err(error) = Function::parse(&text) {
            prop_assert!(error.place.end <= text.chars().count());
        }
    }

    #[test]
    fn no_sequence_of_pieces_is_a_panic(pieces in prop::collection::vec(prop::sample::select(vec![
        "u", "p", "n", "a", "b", "1", "0", "2.5", "+", "-", "*", "/", "^", "(", ")", "[", "]", ",", ";", "=", ">", "relu",
        "log(", "exp(", "norm(", "max(", " ", "pi", "1e300",
    ]), 0..40)) {
        let text: String = pieces.concat();
        if let Err(error) = Function::parse(&text) {
            prop_assert!(error.place.end <= text.chars().count());
        }
    }
}
