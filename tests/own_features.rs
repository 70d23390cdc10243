//! Random features of functions that users type: known values of their theory, fresh draws against it, the shipped families
//! written as functions, and what the program says of bad ones.

#[path = "support/kept.rs"]
mod kept;
#[path = "support/program.rs"]
mod program;

use attnlab::attention::frobenius::{FrobeniusEngine, Precision};
use attnlab::attention::inputs::Distribution;
use attnlab::attention::rowwise::{ExactHead, HeadEstimate};
use attnlab::attention::spikiness::Exact;
use attnlab::attention::theory::{Expectation, Theory, TypedTheory, expectation};
use attnlab::attention::{AttentionError, FeatureMap, Inputs, Projection, RandomFeatures, Sketch};
use attnlab::function::Function;
use attnlab::lab::{Control, Draft, Event, Params, Problem, Row, RunContext};
use attnlab::problems;
use attnlab::random::generator;
use kept::Kept;
use ndarray::array;
use program::program;
use std::f64::consts::PI;
use std::path::Path;
use std::sync::Arc;

const POSITIVE: &str = "exp(p - n/2)";
const HYPERBOLIC: &str = "[exp(p - n/2), exp(-p - n/2)]/sqrt(2)";
const TRIGONOMETRIC: &str = "[cos(p), sin(p)]*exp(n/2)";

fn never() -> bool {
    false
}

fn function(text: &str) -> &'static Function {
    Function::shared(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn map(text: &str) -> FeatureMap {
    FeatureMap::custom(function(text)).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn pair(text: &str, a: f64, b: f64, c: f64) -> [f64; 2] {
    let theory = TypedTheory::new(function(text)).unwrap();
    theory.pair(a, b, c).unwrap_or_else(|error| panic!("{text} at {a}, {b}, {c}: {error}"))
}

#[track_caller]
fn near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} for {expected}");
}

#[test]
fn exponential_functions_have_their_known_moments() {
    for (a, b, c) in
        [(1.0, 1.0, 0.0), (0.6, 1.7, 0.8), (4.0, 3.0, -2.5), (9.0, 8.0, 1.5), (2.0, 2.0, 2.0), (0.0, 1.0, 0.0)]
    {
        let (kernel, sum, difference) = (f64::exp(c), a + b + 2.0 * c, a + b - 2.0 * c);
        let [mean, second] = pair(POSITIVE, a, b, c);
        near(mean / kernel, 1.0, 1e-6, "positive");
        near(second / (2.0 * c + sum).exp(), 1.0, 1e-6, "positive, squared");
        let [mean, second] = pair(HYPERBOLIC, a, b, c);
        near(mean / kernel, 1.0, 1e-6, "hyperbolic");
        near(second / ((2.0 * c + sum).exp() + (2.0 * c - sum).exp()), 0.5, 1e-6, "hyperbolic, squared");
        let [mean, second] = pair(TRIGONOMETRIC, a, b, c);
        let scale = f64::midpoint(a, b).exp();
        near(mean / kernel, 1.0, 1e-6, "trigonometric");
        near(second / (scale * scale), f64::midpoint(1.0, (-2.0 * difference).exp()), 1e-6, "trigonometric, squared");
        assert_eq!(pair("1", a, b, c).map(|one| (one * 1e9).round()), [1e9, 1e9]);
    }
}

/// Cho & Saul 2009: the arc-cosine kernels of degree 1 and 2, halved.
#[test]
fn kinks_have_their_known_moments_up_to_a_correlation_of_one() {
    let (a, b) = (1.3, 0.8);
    for rho in [0.0, 0.3, -0.5, 0.9, -0.95, 0.99, 0.999, -0.999, 0.99999, 1.0, -1.0] {
        let angle = f64::acos(rho);
        let size = f64::sqrt(a * b);
        let mean = size * (angle.sin() + (PI - angle) * rho) / (2.0 * PI);
        let second = size * size * (3.0 * angle.sin() * rho + (PI - angle) * (1.0 + 2.0 * rho * rho)) / (2.0 * PI);
        let found = pair("relu(p)", a, b, rho * size);
        near(found[0], mean, 1e-6 * size, &format!("relu at {rho}"));
        near(found[1], second, 1e-6 * size, &format!("relu at {rho}, squared"));
    }
    // A kink that is not at 0: E relu(U − t)² of one variable with itself.
    let (t, a) = (0.7_f64, 1.3_f64);
    let z = t / a.sqrt();
    let tail = statrs::function::erf::erfc(z / 2.0_f64.sqrt()) / 2.0;
    let expected = (a + t * t) * tail - t * a.sqrt() * (-z * z / 2.0).exp() / (2.0 * PI).sqrt();
    near(pair("relu(p - c); c = 0.7", a, a, a)[0], expected, 1e-7, "relu behind a threshold");
}

fn inputs(sigma: f64, length: usize, dim: usize) -> Inputs {
    Distribution::Gauss { sigma, scale: (dim as f64).powf(-0.25) }
        .draw(length, dim, &mut generator(5, "inputs", 0))
        .unwrap()
}

fn typed(text: &str, inputs: &Inputs, ms: &[usize]) -> Result<Vec<Expectation>, AttentionError> {
    let exact = Exact::survey(inputs, &never).unwrap();
    TypedTheory::new(function(text)).unwrap().expectation(inputs, &exact, ms, &never)
}

#[test]
fn the_theory_of_a_matrix_is_that_of_the_families() {
    for (sigma, length, dim) in [(0.7, 24, 8), (1.0, 10, 16)] {
        let inputs = inputs(sigma, length, dim);
        let inputs = inputs.clone().recentred(inputs.mean_shift().view());
        let exact = Exact::survey(&inputs, &never).unwrap();
        for (text, family) in [
            (POSITIVE, FeatureMap::Positive),
            (HYPERBOLIC, FeatureMap::Hyperbolic),
            (TRIGONOMETRIC, FeatureMap::Trigonometric),
        ] {
            let closed = Theory::new(&family, Projection::Gaussian, dim).unwrap();
            let expected = expectation(&closed, &inputs, &exact, &[3, 100], 1, &never).unwrap();
            for (found, expected) in typed(text, &inputs, &[3, 100]).unwrap().iter().zip(&expected) {
                near(found.relative_mse / expected.relative_mse, 1.0, 1e-6, text);
                near(found.variance / expected.variance, 1.0, 1e-6, text);
                near(found.mean_ratio, 1.0, 1e-6, text);
                assert_eq!((found.squared_bias, found.enough_projections(3)), (0.0, None), "{text}");
            }
        }
    }
}

#[test]
fn a_matrix_whose_pairs_are_almost_alike_settles() {
    let x = array![[1.0, 0.2, 0.0], [1.0, 0.2001, 0.0], [-0.4, 0.9, 0.3]];
    let inputs = Inputs::new(x.clone(), x.clone()).unwrap();
    let found = typed("relu(p)", &inputs, &[7]).unwrap()[0];
    let (mut bias, mut variance, mut norm) = (0.0, 0.0, 0.0);
    for (x, y) in inputs.queries.rows().into_iter().flat_map(|x| inputs.keys.rows().into_iter().map(move |y| (x, y))) {
        let [a, b, c] = [x.dot(&x), y.dot(&y), x.dot(&y)];
        let angle = (c / (a * b).sqrt()).clamp(-1.0, 1.0).acos();
        let mean = (a * b).sqrt() * (angle.sin() + (PI - angle) * angle.cos()) / (2.0 * PI);
        let second =
            a * b * (3.0 * angle.sin() * angle.cos() + (PI - angle) * (1.0 + 2.0 * angle.cos().powi(2))) / (2.0 * PI);
        bias += (mean - c.exp()).powi(2);
        variance += second - mean * mean;
        norm += (2.0 * c).exp();
    }
    near(found.squared_bias / (bias / norm), 1.0, 1e-6, "bias²");
    near(found.variance / (variance / norm / 7.0), 1.0, 1e-6, "variance");
    assert_eq!(found.enough_projections(7), Some((variance / bias).floor() as u64 + 1));
}

#[test]
fn functions_without_theory_say_why() {
    for (text, reason) in [("p/(1 + norm(p))", "reduces"), ("relu(p) + max_over(u)", "reduces")] {
        assert!(TypedTheory::new(function(text)).err().unwrap().contains(reason), "{text}");
    }
    let far = inputs(1.0, 6, 16);
    let error = typed("exp(p^2)", &far, &[4]).unwrap_err();
    assert!(matches!(error, AttentionError::Quadrature(_)) && error.to_string().contains("grows so fast"), "{error}");
    let error = TypedTheory::new(function("relu(p)")).unwrap().check(1 << 40).unwrap_err();
    assert!(error.contains("pair by pair"), "{error}");
}

#[test]
fn draws_meet_the_theory() {
    let inputs = inputs(0.5, 12, 4);
    let survey = Exact::survey(&inputs, &never).unwrap();
    let (trials, ms) = (600, [2, 16]);
    for text in ["relu(p)", "elu(p) + 1", "[exp(p - n/2), relu(p)^2/4]"] {
        let expected = typed(text, &inputs, &ms).unwrap();
        let engine = FrobeniusEngine::new(&inputs, &survey, Precision::Double).unwrap();
        for (m, expected) in ms.into_iter().zip(expected) {
            let (mut errors, mut ratios) = (Vec::new(), Vec::new());
            for trial in 0..trials {
                let projections = Projection::Gaussian.draw(m, 4, &mut generator(2, "draw", trial)).unwrap();
                let found =
                    engine.measure(&RandomFeatures { map: map(text), projections }, &[m], &never).unwrap().measures[0];
                errors.push(found.relative_squared);
                ratios.push(found.ratio);
            }
            for (values, expected) in [(errors, expected.relative_mse), (ratios, expected.mean_ratio)] {
                let mean = values.iter().sum::<f64>() / trials as f64;
                let square: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
                let error = (square / (trials * (trials - 1)) as f64).sqrt();
                near(mean, expected, 4.5 * error, &format!("{text}, m = {m}, standard error {error}"));
            }
            assert!(expected.squared_bias > 0.0, "{text}");
        }
    }
}

#[test]
fn families_written_as_functions_measure_the_same() {
    let inputs = inputs(0.8, 40, 16);
    let survey = Exact::survey(&inputs, &never).unwrap();
    let values = inputs.keys.clone();
    let head = ExactHead::new(&inputs, Some(&values), true, &never).unwrap();
    for (text, family) in [
        (POSITIVE, FeatureMap::Positive),
        (HYPERBOLIC, FeatureMap::Hyperbolic),
        (TRIGONOMETRIC, FeatureMap::Trigonometric),
    ] {
        for &projection in Projection::ALL {
            let projections = projection.draw(24, 16, &mut generator(3, "draw", 0)).unwrap();
            let [own, shipped] =
                [map(text), family.clone()].map(|map| RandomFeatures { map, projections: projections.clone() });
            let what = format!("{text} on {projection}");
            for (precision, tolerance) in [(Precision::Double, 1e-9), (Precision::Single, 2e-4)] {
                let engine = FrobeniusEngine::new(&inputs, &survey, precision).unwrap();
                let [own, shipped] =
                    [&own, &shipped].map(|draw| engine.measure(draw, &[5, 24], &never).unwrap().measures);
                for (own, shipped) in own.iter().zip(&shipped) {
                    near(own.relative_squared / shipped.relative_squared, 1.0, tolerance, &what);
                    near(own.normalized_squared / shipped.normalized_squared, 1.0, 50.0 * tolerance, &what);
                    near(own.ratio, shipped.ratio, tolerance, &what);
                    near(own.nonpositive_entries, shipped.nonpositive_entries, 1e-9, &what);
                }
            }
            let of = |draw: &RandomFeatures| {
                let estimate = HeadEstimate::of_features(&inputs, &draw.map, draw.projections.view()).unwrap();
                assert_eq!(estimate.features(), draw.features());
                head.measure(&estimate, &never).unwrap()
            };
            let [own, shipped] = [of(&own), of(&shipped)];
            near(own.relative_squared / shipped.relative_squared, 1.0, 1e-3, &what);
            near(own.normalized_squared / shipped.normalized_squared, 1.0, 2e-2, &what);
            near(own.output_squared.unwrap() / shipped.output_squared.unwrap(), 1.0, 2e-2, &what);
            near(own.nonpositive_rows, shipped.nonpositive_rows, 1e-9, &what);
        }
    }
}

/// What cannot be written as exponents: signs, features that are 0 at every key, reductions.
#[test]
fn row_by_row_and_whole_matrices_agree() {
    let inputs = inputs(0.8, 30, 8);
    let survey = Exact::survey(&inputs, &never).unwrap();
    let head = ExactHead::new(&inputs, None, false, &never).unwrap();
    for text in
        ["p", "relu(p - 2)", "relu(p)^2 - 0.3*n", "p/(1 + norm(p))", "[1, tanh(p), exp(p)]", "relu(p) + mean(u)"]
    {
        let projections = Projection::Orthogonal.draw(12, 8, &mut generator(4, "draw", 0)).unwrap();
        let draw = RandomFeatures { map: map(text), projections };
        let whole = FrobeniusEngine::new(&inputs, &survey, Precision::Double).unwrap();
        let whole = whole.measure(&draw, &[12], &never).unwrap().measures[0];
        let estimate = HeadEstimate::of_features(&inputs, &draw.map, draw.projections.view()).unwrap();
        let rows = head.measure(&estimate, &never).unwrap();
        near(rows.relative_squared / whole.relative_squared, 1.0, 1e-5, text);
        near(rows.ratio, whole.ratio, 1e-5, text);
        near(rows.nonpositive_rows, whole.nonpositive_rows, 1e-9, text);
        near(rows.nonpositive_entries, whole.nonpositive_entries, 1e-9, text);
        // Φ_q Φ_kᵀ, stored.
        let stored = draw.matrix(inputs.queries.view(), inputs.keys.view()).unwrap();
        let exact = attnlab::attention::kernel::exact(&inputs).unwrap();
        let difference: f64 = (&stored - &exact).iter().map(|value| value * value).sum();
        let norm: f64 = exact.iter().map(|value| value * value).sum();
        near(whole.relative_squared / (difference / norm), 1.0, 1e-9, text);
    }
}

#[test]
fn functions_that_features_cannot_be_made_of_are_refused() {
    for text in ["relu(u)", "[p, u]", "p*u", "sum(u*p) + p"] {
        let error = FeatureMap::custom(function(text)).unwrap_err().to_string();
        assert!(error.starts_with("f: found `") && error.contains("p in place of u"), "{text}: {error}");
    }
    let large = Inputs::new(array![[300.0, 0.0]], array![[1.0, 0.0]]).unwrap();
    let projections = Projection::Gaussian.draw(3, 2, &mut generator(1, "draw", 0)).unwrap();
    let error = HeadEstimate::of_features(&large, &map("1 + exp(n)"), projections.view()).unwrap_err().to_string();
    assert_eq!(
        error,
        "f: `exp(n)` is inf at query 0 (counted from 0, squared length 90000.000), allowed: a function that is finite on these inputs"
    );
}

fn run(changes: &[(&str, &str)]) -> (Vec<Row>, Vec<String>) {
    let problem: &dyn Problem = problems::find("random-features").unwrap();
    let small = [("length", "10"), ("dim", "4"), ("trials", "3"), ("estimator", "custom")];
    let changes: Vec<_> = small.iter().chain(changes).copied().collect();
    let params = Params::with(&problem.schema(), &changes).unwrap();
    problem.check(&params).unwrap();
    let (kept, folder) = (Kept::default(), tempfile::tempdir().unwrap());
    let mut context = RunContext::new(1, folder.path(), Arc::new(Control::default()), vec![Box::new(kept.clone())]);
    problem.run(&params, &mut context).unwrap();
    let (mut rows, mut notes) = (Vec::new(), Vec::new());
    for event in kept.0.lock().unwrap().drain(..) {
        match event {
            Event::Row { row } => rows.push(row),
            Event::Note { text } => notes.push(text),
            _ => {}
        }
    }
    (rows, notes)
}

#[test]
fn a_run_compares_functions_and_says_what_is_to_be_known() {
    let texts = "exp(p - n/2)|relu(p)|p/(1 + norm(p))|softplus(a*p); a = 2 > 0";
    let (rows, notes) = run(&[("f", texts), ("m", "4,8"), ("projection", "gaussian,orthogonal"), ("causal", "yes")]);
    let of = |text: &str, projection: &str, m: u64| {
        let found = rows.iter().find(|row| row["f"] == text && row["projection"] == projection && row["m"] == m);
        found.unwrap_or_else(|| panic!("no row of {text}"))
    };
    assert_eq!(rows.len(), 4 * 2 * 2);
    assert!(rows.iter().all(|row| row["estimator"] == "custom" && row["rel_frobenius_median"].is_number()));
    let relu = of("relu(p)", "gaussian", 4);
    let [bias, variance, error] =
        ["squared_bias_theory", "variance_theory", "rel_mse_theory"].map(|key| relu[key].as_f64().unwrap());
    near(bias + variance, error, 1e-12, "parts of the error");
    let enough = relu["enough_projections"].as_u64().unwrap() as f64;
    assert!(variance * 4.0 / enough < bias && variance * 4.0 / (enough - 1.0) >= bias, "{enough}");
    assert_eq!(of("relu(p)", "gaussian", 8)["enough_projections"], relu["enough_projections"]);
    let positive = of("exp(p-n/2)", "gaussian", 8);
    assert!(positive["enough_projections"].is_null() && positive["squared_bias_theory"] == 0.0, "{positive:?}");
    assert!(of("relu(p)", "orthogonal", 8)["rel_mse_theory"].is_null());
    let said = |words: &[&str]| notes.iter().any(|note| words.iter().all(|word| note.contains(word)));
    assert!(said(&["no theory curve for relu(p) on orthogonal", "independent Gaussian rows"]), "{notes:?}");
    assert!(said(&["norm(p)", "on gaussian", "reduces"]), "{notes:?}");
    assert!(said(&["relu(p)", "squared bias", &format!("from m = {enough} on")]), "{notes:?}");
    assert!(said(&["norm(p)", "can be negative, as at p = -", "row sums ≤ 0"]), "{notes:?}");
    assert!(said(&["constants are a = 2"]), "{notes:?}");
}

#[test]
fn a_function_that_is_a_family_has_the_rows_of_the_family() {
    for projection in Projection::ALL {
        let common = [("projection", projection.name()), ("m", "4,12"), ("precision", "f64")];
        let own = run(&[&common[..], &[("f", POSITIVE)]].concat()).0;
        let shipped = run(&[&common[..], &[("estimator", "positive")]].concat()).0;
        for (own, shipped) in own.iter().zip(&shipped) {
            for key in ["rel_frobenius_median", "rel_mse_mean", "mean_ratio", "normalized_rel_frobenius_median"] {
                let [own, shipped] = [own, shipped].map(|row| row[key].as_f64().unwrap());
                near(own / shipped, 1.0, 1e-9, &format!("{key} on {projection}"));
            }
        }
    }
}

#[test]
fn bad_functions_end_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let call = |more: &[&str]| {
        let mut arguments = vec!["run", "random-features", "--quiet", "--set", "length=8", "--set", "m=4"];
        more.iter().for_each(|setting| arguments.extend(["--set", setting]));
        let output = program(Path::new(folder.path()), &arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for (settings, words) in [
        (&["estimator=custom", "f=relu(u)"][..], &["f: found `relu(u)`", "p in place of u"][..]),
        (&["estimator=custom", "f=relu(q)"], &["f: found `relu(q)`", "`q` is unknown"]),
        (&["estimator=custom", "f="], &["f: found ``"]),
        (&["f=relu(p)"], &["f: found `relu(p)`", "estimator=custom"]),
        (&["estimator=custom", "f=p/(1 + norm(p))", "nested=yes"], &["nested: found `yes with f=p/(1+norm(p))`"]),
        (&["estimator=costum"], &["custom"]),
    ] {
        let (status, said) = call(settings);
        assert_eq!(status, Some(2), "{settings:?}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{settings:?}: {said}");
    }
}

#[test]
fn a_recommendation_takes_one_function() {
    let folder = tempfile::tempdir().unwrap();
    let x = inputs(0.5, 24, 4);
    for (name, tokens) in [("q.npy", &x.queries), ("k.npy", &x.keys)] {
        ndarray_npy::write_npy(folder.path().join(name), tokens).unwrap();
    }
    let call = |f: &str| {
        let arguments = ["recommend", "--queries", "q.npy", "--keys", "k.npy", "--error", "0.9", "--json", "--set"];
        let more = ["estimator=custom", "--set", f];
        program(folder.path(), arguments.iter().chain(&more)).output().unwrap()
    };
    let output = call("f=exp(p - n/2)");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && said.contains("\"custom\""),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let output = call("f=exp(p - n/2)|relu(p)");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.contains("one function")), (Some(2), true), "{said}");
}

#[test]
fn lists_of_functions_are_written_as_they_are_typed() {
    let schema = problems::find("random-features").unwrap().schema();
    let text = "relu(p)|p|[p,n]|max(p,1)";
    let params = Params::with(&schema, &[("estimator", "custom,positive"), ("f", text)]).unwrap();
    assert_eq!((params.typed("f").as_str(), params.typed("estimator").as_str()), (text, "custom,positive"));
    let again = Draft::from_params(&params);
    assert_eq!(again.text("f"), text);
    let stored = params.stored(&schema);
    let found = |key: &str| stored.iter().find(|(known, _)| *known == key).unwrap().1.to_string();
    assert_eq!((found("f").as_str(), found("estimator").as_str()), (text, "custom,positive"));
}
