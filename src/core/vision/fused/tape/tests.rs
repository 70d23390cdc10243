//! Random functions over registers against double precision, in value and derivative.

use super::{RowGradients, TapeCall, TapeRows, differentiate, evaluate};
use crate::function::{Function, Rows, Tape};
use crate::random::generator;
use crate::vision::fused::register::padded;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use pulp::{Arch, WithSimd};
use rand::Rng;

/// Texts of random functions that are defined everywhere and of moderate size.
fn functions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => Just("u".to_owned()),
        2 => Just("p".to_owned()),
        1 => Just("n/8".to_owned()),
        1 => Just("a".to_owned()),
        1 => (1..30_u32).prop_map(|tenths| format!("{}", f64::from(tenths) / 10.0)),
    ];
    leaf.prop_recursive(6, 48, 3, |inner| {
        let call = prop::sample::select(vec![
            "relu", "abs", "square", "sigmoid", "softplus", "tanh", "elu", "gelu", "silu", "sin", "cos", "mean",
            "max_over",
        ]);
        prop_oneof![
            4 => (call, inner.clone()).prop_map(|(name, a)| format!("{name}({a})")),
            3 => (prop::sample::select(vec!['+', '-', '*']), inner.clone(), inner.clone())
                .prop_map(|(sign, a, b)| format!("({a}){sign}({b})")),
            1 => (prop::sample::select(vec!["min", "max"]), inner.clone(), inner.clone())
                .prop_map(|(name, a, b)| format!("{name}({a},{b})")),
            1 => inner.clone().prop_map(|a| format!("exp(tanh({a}))")),
            1 => inner.clone().prop_map(|a| format!("log(0.5+abs({a}))")),
            1 => inner.clone().prop_map(|a| format!("sqrt(0.1+({a})^2)")),
            1 => inner.clone().prop_map(|a| format!("norm({a}+0*u)")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})/(1+abs({b}))")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(0.2+abs({a}))^tanh({b})")),
            1 => inner.prop_map(|a| format!("-({a})^3")),
        ]
    })
}

const ROWS: usize = 5;
const COORDINATES: usize = 3;

struct Forward<'a>(TapeCall<'a>, &'a mut [f32]);

impl WithSimd for Forward<'_> {
    type Output = ();

    fn with_simd<S: pulp::Simd>(self, simd: S) {
        evaluate(simd, self.0, self.1);
    }
}

struct Backward<'a>(TapeCall<'a>, &'a [f32], RowGradients<'a>);

impl WithSimd for Backward<'_> {
    type Output = ();

    fn with_simd<S: pulp::Simd>(self, simd: S) {
        differentiate(simd, self.0, self.1, self.2);
    }
}

/// Numbers of a point: u and p of every row, |x|² of every row, and the scalar.
#[derive(Clone)]
struct PointValues {
    u: Vec<f64>,
    p: Vec<f64>,
    n: Vec<f64>,
    scalars: Vec<f64>,
}

impl PointValues {
    fn values(&self, tape: &Tape) -> Vec<f64> {
        let rows = Rows { count: ROWS, coordinates: &self.u, projected: &self.p, squared_norms: &self.n };
        tape.evaluate(&self.scalars, &rows)
    }

    fn all(&mut self) -> [&mut Vec<f64>; 4] {
        [&mut self.u, &mut self.p, &mut self.n, &mut self.scalars]
    }
}

/// Whether f has a kink or cannot be told apart from rounding near here: central differences of two sizes disagree.
fn difference(tape: &Tape, point: &PointValues, weights: &[f64], direction: &[Vec<f64>], step: f64) -> f64 {
    let along = |sign: f64| {
        let mut moved = point.clone();
        for (numbers, direction) in moved.all().into_iter().zip(direction) {
            numbers.iter_mut().zip(direction).for_each(|(value, d)| *value += sign * step * d);
        }
        moved.values(tape).iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>()
    };
    (along(1.0) - along(-1.0)) / (2.0 * step)
}

#[test]
fn random_functions_agree_with_double_precision() {
    let arch = Arch::new();
    let (mut compared, mut differentiated) = (0, 0);
    let mut runner = TestRunner::new_with_rng(
        Config::with_cases(10_000),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let counts = std::cell::RefCell::new((&mut compared, &mut differentiated));
    runner
        .run(&functions(), |body| {
            // Every variable is used, so that the function has both u and p.
            let text = format!("{body}+0*u+0*p+0*a; a=0.7>0");
            let Ok(function) = Function::parse(&text) else { return Ok(()) };
            let tape = function.features();
            let mut random = generator(7, &text, 0);
            let mut draw = |count: usize| -> Vec<f64> {
                (0..count).map(|_| f64::from(random.random_range(-2.0..2.0_f32))).collect()
            };
            let (u, p) = (draw(ROWS * COORDINATES), draw(ROWS * COORDINATES));
            let weights = draw(ROWS * COORDINATES);
            let direction = vec![draw(u.len()), draw(p.len()), draw(ROWS), draw(1)];
            let n: Vec<f64> =
                u.chunks(COORDINATES).map(|row| f64::from(row.iter().map(|u| u * u).sum::<f64>() as f32)).collect();
            let point = PointValues { u, p, n, scalars: vec![f64::from(0.7_f32)] };

            let expected = point.values(tape);
            let size = expected.iter().map(|value| value.abs()).fold(0.0, f64::max);
            // How much the value moves where its arguments are rounded: an ill-conditioned function has no value to 1e-5.
            let mut rounded = point.clone();
            rounded.all().into_iter().flatten().for_each(|value| *value *= 1.0 + 1e-7);
            let moved = rounded.values(tape).iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            if size.is_nan() || size > 1e4 || moved > 2e-6 * (1.0 + size) {
                return Ok(());
            }
            let width = padded(COORDINATES);
            let wide = |numbers: &[f64]| {
                let mut padded = vec![0.0_f32; ROWS * width];
                for (into, from) in padded.chunks_exact_mut(width).zip(numbers.chunks_exact(COORDINATES)) {
                    into.iter_mut().zip(from).for_each(|(into, value)| *into = *value as f32);
                }
                padded
            };
            let (u, p, g) = (wide(&point.u), wide(&point.p), wide(&weights));
            let n: Vec<f32> = point.n.iter().map(|value| *value as f32).collect();
            let rows = TapeRows { count: ROWS, coordinates: COORDINATES, width, u: &u, p: &p, n: &n };
            let call = TapeCall { tape, scalars: &[0.7], rows, out_width: width };
            let mut out = vec![f32::NAN; ROWS * width];
            arch.dispatch(Forward(call, &mut out));
            for (out, expected) in out.chunks_exact(width).zip(expected.chunks_exact(COORDINATES)) {
                for (out, expected) in out.iter().zip(expected) {
                    let error = (f64::from(*out) - expected).abs();
                    prop_assert!(error <= 1e-5 * (1.0 + expected.abs()), "{text}: {out}, not {expected}");
                }
                prop_assert!(out[COORDINATES..].iter().all(|padding| *padding == 0.0), "{}", text);
            }
            *counts.borrow_mut().0 += 1;

            let (mut of_u, mut of_p, mut of_n) = (vec![0.0; u.len()], vec![0.0; p.len()], vec![0.0; ROWS]);
            let mut of_scalars = vec![0.0];
            let into = RowGradients { u: &mut of_u, p: &mut of_p, n: &mut of_n, scalars: &mut of_scalars };
            arch.dispatch(Backward(call, &g, into));
            let differences = [1e-4, 1e-5, 1e-6].map(|step| difference(tape, &point, &weights, &direction, step));
            let [coarse, middle, fine] = differences;
            let scale = 1.0 + fine.abs();
            // A kink between the points of a difference: there is no derivative to compare with.
            if (coarse - fine).abs() > 1e-4 * scale || (middle - fine).abs() > 1e-4 * scale || fine.abs() > 1e4 {
                return Ok(());
            }
            let narrow = |padded: &[f32]| -> Vec<f64> {
                padded.chunks_exact(width).flat_map(|row| row[..COORDINATES].iter().map(|v| f64::from(*v))).collect()
            };
            let f64s = |numbers: &[f32]| -> Vec<f64> { numbers.iter().map(|value| f64::from(*value)).collect() };
            let along: f64 = [narrow(&of_u), narrow(&of_p), f64s(&of_n), f64s(&of_scalars)]
                .iter()
                .flatten()
                .zip(direction.iter().flatten())
                .map(|(g, d)| g * d)
                .sum();
            let gradient_size: f64 = narrow(&of_u).iter().chain(&narrow(&of_p)).map(|g| g.abs()).fold(1.0, f64::max);
            prop_assert!(
                (along - fine).abs() <= 1e-3 * scale + 2e-5 * gradient_size,
                "the derivative of {} is {} and not {}",
                text,
                along,
                fine
            );
            *counts.borrow_mut().1 += 1;
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(
        compared > 6000 && differentiated > 5000,
        "only {compared} and {differentiated} of 10000 could be compared"
    );
}
