//! The curves of a function: f and its slope over one coordinate.
//!
//! u runs from −4 to 4. The other coordinates have a fixed setting: the row has one coordinate, its projection is the
//! coordinate itself (p = u), and so n = u². Learned scalars are at their starts. f′ is the derivative along u in this
//! setting, by central differences in double precision.

use crate::function::{Function, Rows};
use crate::lab::Sample;

/// How far u runs to both sides.
pub const REACH: f64 = 4.0;

/// How the setting is called on the axis.
pub const SETTING: &str = "u, with p = u, n = u²";

/// The most components that are drawn.
pub const COMPONENTS: usize = 8;

/// Points of the curve of f on each side of 0.
const POINTS: u16 = 200;

/// Half the distance of the points of a central difference.
const STEP: f64 = 1e-5;

/// The curve of each component, of at most [`COMPONENTS`].
pub fn values(function: &Function) -> Vec<Vec<Sample>> {
    let grid = grid(POINTS);
    let values = at(function, &grid);
    each_component(function, &grid, |at| values[at])
}

/// The slope of each component, of at most [`COMPONENTS`], with as many `points` on each side of 0; a gap where f is not
/// finite on both sides.
pub fn slopes(function: &Function, points: u16) -> Vec<Vec<Sample>> {
    let grid = grid(points.clamp(1, POINTS));
    let moved = |by: f64| grid.iter().map(|u| u + by).collect::<Vec<_>>();
    let (right, left) = (moved(STEP), moved(-STEP));
    let (above, below) = (at(function, &right), at(function, &left));
    let count = function.components();
    each_component(function, &grid, |at| {
        let slope = (above[at] - below[at]) / (right[at / count] - left[at / count]);
        if slope.is_finite() { slope } else { f64::NAN }
    })
}

fn grid(points: u16) -> Vec<f64> {
    let points = i32::from(points);
    (-points..=points).map(|step| f64::from(step) * REACH / f64::from(points)).collect()
}

/// The components at every u, one row after the other.
fn at(function: &Function, u: &[f64]) -> Vec<f64> {
    let squares: Vec<f64> = u.iter().map(|u| u * u).collect();
    let rows = Rows { count: u.len(), coordinates: u, projected: u, squared_norms: &squares };
    function.features().evaluate(&function.starts(), &rows)
}

fn each_component(function: &Function, grid: &[f64], value: impl Fn(usize) -> f64) -> Vec<Vec<Sample>> {
    let count = function.components();
    let sample = |component: usize, (row, &x): (usize, &f64)| Sample {
        x,
        y: value(row * count + component),
        lo: None,
        hi: None,
    };
    let curve = |component: usize| grid.iter().enumerate().map(|row| sample(component, row)).collect();
    (0..count.min(COMPONENTS)).map(curve).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_those_of_the_function() {
        let function = Function::parse("[a*u^3, exp(p - n/2), relu(u)]; a = 0.5").unwrap();
        let (values, slopes) = (values(&function), slopes(&function, POINTS));
        assert_eq!((values.len(), values[0].len()), (3, 401));
        assert_eq!((values[0][0].x, values[0][200].x, values[0][400].x), (-4.0, 0.0, 4.0));
        for (values, slopes) in values[0].iter().zip(&slopes[0]) {
            assert!((values.y - 0.5 * values.x.powi(3)).abs() < 1e-12);
            assert!((slopes.y - 1.5 * values.x.powi(2)).abs() < 1e-8, "{slopes:?}");
        }
        // Along u, with p = u and n = u².
        let (value, slope) = (values[1][300], slopes[1][300]);
        let expected = (value.x - value.x.powi(2) / 2.0).exp();
        assert!((value.y - expected).abs() < 1e-12);
        assert!((slope.y - (1.0 - value.x) * expected).abs() < 1e-8);
        assert!((slopes[2][200].y - 0.5).abs() < 1e-9, "the mean of both sides at a kink");
    }

    #[test]
    fn what_is_not_finite_is_a_gap() {
        let function = Function::parse("exp(exp(exp(u)))").unwrap();
        assert!(values(&function)[0][400].y.is_infinite());
        assert!(slopes(&function, POINTS)[0][400].y.is_nan());
        let many = format!("[{}]", (1..=20).map(|index| format!("u+{index}")).collect::<Vec<_>>().join(","));
        assert_eq!(values(&Function::parse(&many).unwrap()).len(), COMPONENTS);
    }
}
