//! One-dimensional quadrature over a normal variable z, for functions that have kinks: composite Gauss–Legendre rules whose
//! panels end at the kinks, with nodes that crowd there.

use super::special::gauss_legendre;
use crate::function::{Function, Operation, Rows, Slot, Tape, Unary};
use std::sync::OnceLock;

/// |z| beyond this is out of reach: e^{-z²/4} leaves 64 bits soon after.
const REACH: f64 = 52.0;
/// Parts below exp(−DEEP) of the largest are left out.
const DEEP: f64 = 46.0;
/// Steps of the grid that finds where a function matters, and where it has kinks.
const COARSE: f64 = 0.25;
const FINE: f64 = 1.0 / 16.0;
/// More kinks than this are too many to integrate between.
const KINKS: usize = 256;
/// Nodes of a panel.
const ORDER: usize = 16;

/// A function whose Gaussian moments are wanted, with the products of its components that second moments need.
pub(super) struct Integrand<'a> {
    function: &'a Function,
    starts: Vec<f64>,
    /// What is 0 at a kink: the difference of two outputs, or one.
    kinks: Tape,
    differences: Vec<(usize, Option<usize>)>,
    /// The components, each alone, then the products of two; the factor counts a product of different ones twice.
    pub factors: Vec<Factor>,
}

/// A component of a function, or the product of two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Factor {
    pub first: usize,
    pub second: Option<usize>,
    /// How often it counts in the sum over all components or over all pairs of them.
    pub count: f64,
}

/// Sizes, as logarithms, and signs of every component at some points: `[points, components]`.
pub(super) struct ComponentLogs {
    components: usize,
    logs: Vec<f64>,
    signs: Vec<f64>,
}

impl ComponentLogs {
    /// Logarithm of the size and sign of a factor at a point.
    pub fn at(&self, point: usize, factor: Factor) -> (f64, f64) {
        let first = point * self.components + factor.first;
        let (log, sign) = (self.logs[first], self.signs[first]);
        factor.second.map_or((log, sign), |second| {
            let second = point * self.components + second;
            (log + self.logs[second], sign * self.signs[second])
        })
    }
}

/// A node z and its weight dz.
pub(super) type QuadratureNode = (f64, f64);

impl<'a> Integrand<'a> {
    /// The moments of `function` at the starts of its learned scalars; it must not reduce over coordinates.
    pub fn new(function: &'a Function) -> Self {
        let tape = function.features();
        let (mut outputs, mut differences): (Vec<Slot>, Vec<_>) = (Vec::new(), Vec::new());
        for step in &tape.steps {
            match step.operation {
                Operation::Unary(Unary::Relu | Unary::Abs | Unary::Elu | Unary::Sqrt, a) => {
                    differences.push((outputs.len(), None));
                    outputs.push(a);
                }
                Operation::Pair(_, a, b) => {
                    differences.push((outputs.len(), Some(outputs.len() + 1)));
                    outputs.extend([a, b]);
                }
                _ => {}
            }
        }
        let components = function.components();
        let alone = (0..components).map(|first| Factor { first, second: None, count: 1.0 });
        let pairs = (0..components).flat_map(|first| {
            (first..components).map(move |second| Factor {
                first,
                second: Some(second),
                count: if first == second { 1.0 } else { 2.0 },
            })
        });
        Self {
            function,
            starts: function.starts(),
            kinks: Tape { steps: tape.steps.clone(), outputs },
            differences,
            factors: alone.chain(pairs).collect(),
        }
    }

    fn outputs(&self, tape: &Tape, square: f64, points: impl Iterator<Item = f64>) -> Vec<f64> {
        let length = square.sqrt();
        let projected: Vec<f64> = points.map(|z| length * z).collect();
        let squared_norms = vec![square; projected.len()];
        let rows =
            Rows { count: projected.len(), coordinates: &[], projected: &projected, squared_norms: &squared_norms };
        tape.evaluate(&self.starts, &rows)
    }

    /// The components at p = √`square`·z, n = `square`.
    ///
    /// # Errors
    /// A value is not finite.
    pub fn components(&self, square: f64, points: impl Iterator<Item = f64>) -> Result<ComponentLogs, String> {
        let components = self.function.components();
        let undefined = || format!("f is not finite everywhere at n = {square:.4}");
        if let Some(exponents) = self.function.exponents() {
            let logs = self.outputs(exponents, square, points);
            if !logs.iter().all(|log| log.is_finite()) {
                return Err(undefined());
            }
            return Ok(ComponentLogs { components, signs: vec![1.0; logs.len()], logs });
        }
        let values = self.outputs(self.function.features(), square, points);
        if !values.iter().all(|value| value.is_finite()) {
            return Err(undefined());
        }
        let signs = values.iter().map(|value| value.signum()).collect();
        Ok(ComponentLogs { components, signs, logs: values.iter().map(|value| value.abs().ln()).collect() })
    }

    /// The z between which every factor g has its part of E g and of E g².
    ///
    /// # Errors
    /// A factor grows so fast that there is no such place, or is not finite.
    pub fn range(&self, square: f64) -> Result<[f64; 2], String> {
        const CHUNK: usize = 16;
        let kinds = 2 * self.factors.len();
        // For each point, the logarithms of |g| e^{-z²/2} and of |g| e^{-z²/4} of every factor.
        let mut tops = vec![f64::NEG_INFINITY; kinds];
        let mut found: Vec<(f64, Vec<f64>)> = Vec::new();
        for side in [1.0, -1.0] {
            let mut step = 0;
            loop {
                let points: Vec<f64> = (step..step + CHUNK).map(|step| side * COARSE * step as f64).collect();
                let values = self.components(square, points.iter().copied())?;
                let first = found.len();
                for (place, z) in points.iter().enumerate() {
                    let logs = self.factors.iter().map(|factor| values.at(place, *factor).0);
                    let sizes: Vec<f64> = logs.flat_map(|log| [log - z * z / 2.0, log - z * z / 4.0]).collect();
                    tops.iter_mut().zip(&sizes).for_each(|(top, size)| *top = top.max(*size));
                    found.push((*z, sizes));
                }
                step += CHUNK;
                let reached = COARSE * step as f64;
                let faded = |(_, sizes): &(f64, Vec<f64>)| {
                    let small = |(size, top): (&f64, &f64)| *size == f64::NEG_INFINITY || *size < top - DEEP - 12.0;
                    sizes.iter().zip(&tops).all(small)
                };
                if reached > 10.0 && found[first..].iter().all(faded) {
                    break;
                }
                if reached > REACH {
                    return Err(format!(
                        "f grows so fast with p that its second moments are not found finite at n = {square:.4}"
                    ));
                }
            }
        }
        let counts = |(_, sizes): &&(f64, Vec<f64>)| {
            sizes.iter().zip(&tops).any(|(size, top)| *size > f64::NEG_INFINITY && *size >= top - DEEP)
        };
        let ends = found.iter().filter(counts).fold([-8.0_f64, 8.0], |[low, high], (z, _)| [low.min(*z), high.max(*z)]);
        Ok([ends[0] - COARSE, ends[1] + COARSE])
    }

    /// Where in `range` the function has kinks.
    ///
    /// # Errors
    /// There are too many.
    pub fn kinks(&self, square: f64, [low, high]: [f64; 2]) -> Result<Vec<f64>, String> {
        if self.differences.is_empty() {
            return Ok(Vec::new());
        }
        let width = self.kinks.outputs.len();
        let at = |points: &[f64]| self.outputs(&self.kinks, square, points.iter().copied());
        let difference = |row: &[f64], (first, second): (usize, Option<usize>)| {
            row[first] - second.map_or(0.0, |second| row[second])
        };
        let count = ((high - low) / FINE).ceil() as usize;
        // The grid meets 0 exactly.
        let grid: Vec<f64> = (0..=count).map(|step| (step as f64 - (-low / FINE).ceil()) * FINE).collect();
        let values = at(&grid);
        let mut kinks = Vec::new();
        for &kink in &self.differences {
            let all: Vec<f64> = values.chunks_exact(width).map(|row| difference(row, kink)).collect();
            for place in 1..grid.len() {
                let (left, right) = (all[place - 1], all[place]);
                if left * right < 0.0 {
                    let value = |z: f64| difference(&at(&[z]), kink);
                    kinks.push(root(value, (grid[place - 1], left), (grid[place], right)));
                } else if (left == 0.0) != (right == 0.0) {
                    kinks.push(if left == 0.0 { grid[place - 1] } else { grid[place] });
                }
            }
        }
        kinks.sort_unstable_by(f64::total_cmp);
        kinks.dedup_by(|a, b| (*a - *b).abs() < 1e-12);
        if kinks.len() > KINKS {
            return Err(format!("f has more than {KINKS} kinks"));
        }
        Ok(kinks)
    }
}

/// The place between two of different signs where `value` is 0, by the Illinois rule.
fn root(value: impl Fn(f64) -> f64, mut low: (f64, f64), mut high: (f64, f64)) -> f64 {
    for _ in 0..80 {
        let z = low.0 - low.1 * (high.0 - low.0) / (high.1 - low.1);
        let here = value(z);
        if here == 0.0 || (high.0 - low.0).abs() < 1e-15 {
            return z;
        }
        if here * high.1 < 0.0 {
            low = high;
        } else {
            low.1 /= 2.0;
        }
        if (high.0 - z).abs() < 1e-15 * z.abs().max(1e-3) {
            return z;
        }
        high = (z, here);
    }
    high.0
}

/// Nodes over `range` with panels of at most `width` that end at the rising `breaks`, where nodes crowd.
pub(super) fn composite([low, high]: [f64; 2], breaks: &[f64], width: f64) -> Vec<QuadratureNode> {
    let mut nodes = Vec::new();
    let mut from = low;
    let mut kinked = false;
    let inside = breaks.iter().copied().filter(|z| *z > low && *z < high);
    for (to, ends_at_kink) in inside.map(|z| (z, true)).chain([(high, false)]) {
        panels(from, to, [kinked, ends_at_kink], width, &mut nodes);
        (from, kinked) = (to, ends_at_kink);
    }
    nodes
}

/// Panels from `from` to `to`; at an end with a kink z = z₀ + w t³.
fn panels(from: f64, to: f64, kinked: [bool; 2], width: f64, nodes: &mut Vec<QuadratureNode>) {
    let least = if kinked == [true, true] { 2 } else { 1 };
    let count = (((to - from) / width).ceil() as usize).max(least);
    let each = (to - from) / count as f64;
    for panel in 0..count {
        let start = from + each * panel as f64;
        for &(x, weight) in rule() {
            let t = f64::midpoint(x, 1.0);
            let (share, slope) = match () {
                () if kinked[0] && panel == 0 => (t.powi(3), 3.0 * t * t),
                () if kinked[1] && panel + 1 == count => (1.0 - (1.0 - t).powi(3), 3.0 * (1.0 - t).powi(2)),
                () => (t, 1.0),
            };
            nodes.push((start + each * share, weight / 2.0 * each * slope));
        }
    }
}

fn rule() -> &'static [QuadratureNode] {
    static RULE: OnceLock<Vec<QuadratureNode>> = OnceLock::new();
    RULE.get_or_init(|| gauss_legendre(ORDER))
}
