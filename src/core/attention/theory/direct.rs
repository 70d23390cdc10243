//! Moments of one pair by quadrature in two dimensions, for correlations near ±1 where Hermite series converge slowly.

use super::quadrature::{Integrand, composite};

/// Both integrals are refined at most so often.
const HALVINGS: u32 = 3;
/// Two steps agree to this share of the integral of sizes.
const SETTLED: f64 = 1e-8;
/// The outermost z of the inner integral, beyond the shift that growth brings.
const INNER: f64 = 9.0;
/// A pair with 1 − ρ² below this lies on a line.
const LINE: f64 = 1e-13;

/// E g(U)g(V) of every factor g for normal U, V of variances a, b and correlation ρ, with the logarithm of the scale it is
/// divided by.
pub(super) type PairMeans = Vec<(f64, f64)>;

/// The means of a pair with squared lengths `a`, `b` and the cosine `rho` between them; none where they do not settle.
pub(super) fn direct(integrand: &Integrand<'_>, a: f64, b: f64, rho: f64) -> Option<PairMeans> {
    let pair = DirectPair::new(integrand, a, b, rho).ok()?;
    let mut last = pair.refine(1.0)?;
    for halvings in 1..=HALVINGS {
        let next = pair.refine(1.0 / f64::from(1 << halvings))?;
        let agree = |(next, last): (&Sums, &Sums)| {
            // A factor that is 0 everywhere has no scale.
            let there = if last.sum == 0.0 { 0.0 } else { last.sum * (last.scale - next.scale).exp() };
            (next.sum - there).abs() <= SETTLED * next.size
        };
        if next.iter().zip(&last).all(agree) {
            return Some(next.iter().map(|sums| (sums.sum, sums.scale)).collect());
        }
        last = next;
    }
    None
}

/// One pair with the ranges and kinks of both sides, in units of their standard deviations.
struct DirectPair<'a> {
    integrand: &'a Integrand<'a>,
    squares: [f64; 2],
    rho: f64,
    /// √(1 − ρ²).
    spread: f64,
    ranges: [[f64; 2]; 2],
    kinks: [Vec<f64>; 2],
}

/// The sum of a factor and that of its sizes, divided by exp(`scale`).
#[derive(Clone, Copy)]
struct Sums {
    sum: f64,
    size: f64,
    scale: f64,
}

impl Sums {
    fn add(&mut self, log: f64, value: f64) {
        if value == 0.0 || log == f64::NEG_INFINITY {
            return;
        }
        if log > self.scale {
            let factor = (self.scale - log).exp();
            (self.sum, self.size, self.scale) = (self.sum * factor, self.size * factor, log);
        }
        let term = value * (log - self.scale).exp();
        self.sum += term;
        self.size += term.abs();
    }
}

impl<'a> DirectPair<'a> {
    fn new(integrand: &'a Integrand<'a>, a: f64, b: f64, rho: f64) -> Result<Self, String> {
        let ranges = [integrand.range(a)?, integrand.range(b)?];
        let kinks = [integrand.kinks(a, ranges[0])?, integrand.kinks(b, ranges[1])?];
        let spread = (1.0 - rho * rho).max(0.0);
        Ok(Self { integrand, squares: [a, b], rho, spread: spread.sqrt(), ranges, kinks })
    }

    /// The sums with outer panels of `width`.
    fn refine(&self, width: f64) -> Option<Vec<Sums>> {
        if self.spread * self.spread < LINE {
            return self.line(width);
        }
        let density = 1.0 / std::f64::consts::TAU.sqrt();
        let mut all = vec![Sums { sum: 0.0, size: 0.0, scale: f64::NEG_INFINITY }; self.integrand.factors.len()];
        // What the inner integral makes of a kink of V is as wide as the spread, around kink/ρ.
        let mut breaks = self.kinks[0].clone();
        let kinks = if self.rho == 0.0 { &[][..] } else { &self.kinks[1] };
        for kink in kinks {
            let (centre, mut step) = (kink / self.rho, self.spread / self.rho.abs());
            breaks.push(centre);
            while step < self.ranges[0][1] - self.ranges[0][0] {
                breaks.extend([centre - step, centre + step]);
                step *= 2.0;
            }
        }
        breaks.sort_unstable_by(f64::total_cmp);
        breaks.dedup_by(|a, b| (*a - *b).abs() < 1e-12);
        let outer = composite(self.ranges[0], &breaks, width);
        let values = self.integrand.components(self.squares[0], outer.iter().map(|(z, _)| *z)).ok()?;
        let farthest = self.ranges[1][0].abs().max(self.ranges[1][1].abs());
        let reach = INNER + farthest * self.spread;
        for (place, (z, weight)) in outer.iter().enumerate() {
            let middle = self.rho * z;
            let inside = |y: f64| (y - middle) / self.spread;
            let low = inside(self.ranges[1][0]).max(-reach);
            let high = inside(self.ranges[1][1]).min(reach);
            if low >= high {
                continue;
            }
            let kinks: Vec<f64> = self.kinks[1].iter().map(|kink| inside(*kink)).collect();
            let inner = composite([low, high], &kinks, 2.0 * width);
            let points = inner.iter().map(|(t, _)| middle + self.spread * t);
            let of_inner = self.integrand.components(self.squares[1], points).ok()?;
            for (sums, &factor) in all.iter_mut().zip(&self.integrand.factors) {
                let (log, sign) = values.at(place, factor);
                let log = log - z * z / 2.0;
                for (place, (t, inner_weight)) in inner.iter().enumerate() {
                    let (inner_log, inner_sign) = of_inner.at(place, factor);
                    let weight = density * density * weight * inner_weight * sign * inner_sign;
                    sums.add(log + inner_log - t * t / 2.0, weight);
                }
            }
        }
        Some(all)
    }

    /// The same where V is ±√(b/a) U.
    fn line(&self, width: f64) -> Option<Vec<Sums>> {
        let density = 1.0 / std::f64::consts::TAU.sqrt();
        let sign = self.rho.signum();
        let turned = |z: &f64| sign * z;
        let mut breaks: Vec<f64> = self.kinks[0].iter().copied().chain(self.kinks[1].iter().map(turned)).collect();
        breaks.sort_unstable_by(f64::total_cmp);
        breaks.dedup_by(|a, b| (*a - *b).abs() < 1e-12);
        let low = self.ranges[0][0].min(self.ranges[1][0]).min(-self.ranges[1][1]);
        let high = self.ranges[0][1].max(self.ranges[1][1]).max(-self.ranges[1][0]);
        let nodes = composite([low, high], &breaks, width);
        let values = self.integrand.components(self.squares[0], nodes.iter().map(|(z, _)| *z)).ok()?;
        let others = self.integrand.components(self.squares[1], nodes.iter().map(|(z, _)| turned(z))).ok()?;
        let mut all = vec![Sums { sum: 0.0, size: 0.0, scale: f64::NEG_INFINITY }; self.integrand.factors.len()];
        for (sums, &factor) in all.iter_mut().zip(&self.integrand.factors) {
            for (place, (z, weight)) in nodes.iter().enumerate() {
                let ((log, sign), (other_log, other_sign)) = (values.at(place, factor), others.at(place, factor));
                sums.add(log + other_log - z * z / 2.0, density * weight * sign * other_sign);
            }
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::super::hermite::{HermiteRow, STRIDE};
    use super::*;
    use crate::function::Function;

    /// Series and double integrals are two ways to one number.
    #[test]
    fn series_and_double_integrals_agree() {
        for text in [
            "relu(p)",
            "sqrt(abs(p)) + 0.1",
            "sigmoid(20*p)",
            "min(p, 1) + max(p, p^2 - 2)",
            "exp(-p^2) + 0.01",
            "softplus(p - n/4)",
            "gelu(p) + elu(p)",
            "cos(9*p)",
            "[tanh(3*p), relu(p - 1)*relu(2 - p)]",
            "(relu(p - 0.3) + 0.01)^0.4",
        ] {
            let function = Function::parse(text).unwrap();
            let integrand = Integrand::new(&function);
            let (a, b) = (1.7, 0.9);
            for rho in [0.55, -0.7] {
                let terms = 30 * STRIDE;
                let [x, y] = [a, b].map(|square| HermiteRow::new(&integrand, square, terms).unwrap());
                let found = direct(&integrand, a, b, rho).unwrap_or_else(|| panic!("{text} at {rho} does not settle"));
                for (place, (value, scale)) in found.into_iter().enumerate() {
                    let pairs = x.coefficients[place].iter().zip(&y.coefficients[place]).enumerate();
                    let sum: f64 = pairs.map(|(k, (x, y))| rho.powi(k as i32) * x * y).sum();
                    let series = sum * (x.scales[place] + y.scales[place]).exp();
                    let off = (series - value * scale.exp()).abs();
                    assert!(off < 1e-8, "{text}, factor {place}, at {rho}: {series} and {}", value * scale.exp());
                }
            }
        }
    }
}
