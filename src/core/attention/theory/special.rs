//! The special functions of coupled projections, in logarithms where they outgrow f64.
//!
//! 0F1(;b;z) = Σ zᵏ/((b)ₖ k!) and 1F1(a;b;z) = Σ (a)ₖ zᵏ/((b)ₖ k!).

use std::f64::consts::PI;

/// A sum of terms given by their ratios, kept as (logarithm of the size, sign of the value).
///
/// `ratio(k)` is term k+1 over term k; summing ends when terms no longer count.
fn log_series(first_log: f64, ratio: impl Fn(f64) -> f64) -> (f64, f64) {
    const LARGE: f64 = 1e200;
    let (mut log_scale, mut term, mut sum, mut k) = (first_log, 1.0, 1.0, 0.0);
    loop {
        let step = ratio(k);
        term *= step;
        sum += term;
        k += 1.0;
        if f64::abs(term) > LARGE {
            term /= LARGE;
            sum /= LARGE;
            log_scale += LARGE.ln();
        }
        let falling = step.abs() < 0.5;
        if term == 0.0 || (falling && term.abs() <= f64::EPSILON / 8.0 * f64::abs(sum)) || k > 1e6 {
            break;
        }
        // Terms that cancelled to nothing: what is left is rounding.
        if falling && term.abs() < 1e-300 {
            break;
        }
    }
    (log_scale + f64::abs(sum).ln(), sum.signum())
}

/// ln 0F1(;b;z) for z ≥ 0.
#[must_use]
pub fn log_hyper_0f1(b: f64, z: f64) -> f64 {
    log_series(0.0, |k| z / ((b + k) * (k + 1.0))).0
}

/// ln 1F1(a;b;z) for a, b > 0 and z ≥ 0.
#[must_use]
pub fn log_hyper_1f1(a: f64, b: f64, z: f64) -> f64 {
    log_series(0.0, |k| (a + k) * z / ((b + k) * (k + 1.0))).0
}

/// 1F1(d; d/2; z) for any z: by Kummer's transformation e^z 1F1(−d/2; d/2; −z) where z is negative.
///
/// There the absolute error stays below 1e-10 for d ≤ 64; the relative one is lost where the value is far smaller.
#[must_use]
pub fn hyper_1f1(d: f64, z: f64) -> f64 {
    if z >= 0.0 {
        return log_hyper_1f1(d, d / 2.0, z).exp();
    }
    let half = d / 2.0;
    let (log, sign) = log_series(z, |k| (k - half) * -z / ((half + k) * (k + 1.0)));
    // The function is the mean of a cosine: beyond 1 there is only rounding.
    if log > 0.0 { 0.0 } else { sign * log.exp() }
}

/// E cos(r u₁) for u uniform on the unit sphere of Rᵈ: 0F1(;d/2;−r²/4) without the cancellation of its series.
///
/// # Panics
/// `d` is 0.
#[must_use]
pub fn sphere_cosine(d: usize, r: f64) -> f64 {
    assert!(d > 0, "a sphere needs a dimension");
    if d == 1 {
        return r.cos();
    }
    let order = 48 + d / 2 + r.abs() as usize;
    let (mut sum, mut total) = (0.0, 0.0);
    for (node, weight) in gauss_legendre(order) {
        // θ ∈ (0, π), density ∝ sin^{d−2} θ.
        let (sin, cos) = (PI / 2.0 * (node + 1.0)).sin_cos();
        let weight = weight * sin.powi(d as i32 - 2);
        total += weight;
        sum += weight * (r * cos).cos();
    }
    sum / total
}

/// Nodes and weights of Gauss–Legendre quadrature on (−1, 1), by Newton's method on the Legendre polynomial.
#[must_use]
pub fn gauss_legendre(order: usize) -> Vec<(f64, f64)> {
    let n = order as f64;
    (0..order)
        .map(|i| {
            let mut x = (PI * (i as f64 + 0.75) / (n + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..100 {
                let (mut last, mut value) = (1.0, x);
                for k in 2..=order {
                    let k = k as f64;
                    (last, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * last) / k);
                }
                slope = n * (x * value - last) / (x * x - 1.0);
                let step = value / slope;
                x -= step;
                if step.abs() < 1e-15 {
                    break;
                }
            }
            (x, 2.0 / ((1.0 - x * x) * slope * slope))
        })
        .collect()
}

/// The mixing law of simplex blocks: u = sin 2θ with θ of density ∝ sin(2θ)^{d−1} on (0, π/2), as nodes and weights that
/// sum to 1.
#[must_use]
pub fn simplex_nodes(d: usize) -> Vec<(f64, f64)> {
    let mut nodes: Vec<_> = gauss_legendre(100)
        .into_iter()
        .map(|(node, weight)| {
            let u = (PI / 2.0 * (node + 1.0)).sin();
            (u, weight * u.powi(d as i32 - 1))
        })
        .collect();
    let total: f64 = nodes.iter().map(|(_, weight)| weight).sum();
    for (_, weight) in &mut nodes {
        *weight /= total;
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-12, "{found} for {expected}");
    }

    #[test]
    fn known_values() {
        close(hyper_1f1(4.0, 0.365), 1.9982870342463);
        close(hyper_1f1(4.0, -0.325), 0.5004254556631);
        close(hyper_1f1(8.0, 1.415), 12.822354303605);
        close(hyper_1f1(16.0, 2.0), 39.454291582551);
        close(hyper_1f1(64.0, 2.0), 48.966737008840);
        close(hyper_1f1(5.0, -1.0), 0.0758420310159);
        close(log_hyper_0f1(2.0, 0.73).exp(), 1.4122108869225);
        close(log_hyper_0f1(8.0, 4.0).exp(), 1.6273673128577);
    }

    #[test]
    fn large_arguments_stay_finite() {
        // 1F1(a;b;z) → Γ(b)/Γ(a) e^z z^{a−b}.
        let z = 5000.0;
        close(log_hyper_1f1(4.0, 2.0, z), z + 2.0 * z.ln() - 6.0_f64.ln() + (1.0 + 6.0 / z + 6.0 / (z * z)).ln());
        for d in [3.0, 4.0, 64.0, 65.0] {
            for z in [-5.0, -30.0, -300.0, -3000.0] {
                assert!(hyper_1f1(d, z).abs() < 0.1, "{d} {z}: {}", hyper_1f1(d, z));
            }
        }
    }

    #[test]
    fn the_sphere_agrees_with_its_series() {
        for (d, r) in [(2, 1.0_f64), (3, 4.0), (16, 6.0), (64, 10.0)] {
            let b = d as f64 / 2.0;
            let (log, sign) = log_series(0.0, |k| -r * r / 4.0 / ((b + k) * (k + 1.0)));
            assert!((sphere_cosine(d, r) - sign * log.exp()).abs() < 1e-12);
        }
        // d = 3: sin r / r.
        assert!((sphere_cosine(3, 80.0) - 80.0_f64.sin() / 80.0).abs() < 1e-13);
    }
}
