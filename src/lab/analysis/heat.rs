//! Matrices as colours: the scale that those of a group share, and its colours.

use crate::lab::Matrix;

/// Viridis (Smith and van der Walt, 2015) at equal steps.
const VIRIDIS: [[u8; 3]; 16] = [
    [68, 1, 84],
    [72, 26, 108],
    [71, 47, 125],
    [65, 68, 135],
    [57, 86, 140],
    [49, 104, 142],
    [42, 120, 142],
    [35, 136, 142],
    [31, 152, 139],
    [34, 168, 132],
    [53, 183, 121],
    [84, 197, 104],
    [122, 209, 81],
    [165, 219, 54],
    [210, 226, 27],
    [253, 231, 37],
];

/// The colour of a place on the scale, 0 for the smallest value and 1 for the largest.
#[must_use]
pub fn viridis(along: f64) -> [u8; 3] {
    let along = along.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64;
    let low = (along.floor() as usize).min(VIRIDIS.len() - 2);
    [0, 1, 2].map(|part| {
        let (one, other) = (f64::from(VIRIDIS[low][part]), f64::from(VIRIDIS[low + 1][part]));
        (one + (along - low as f64) * (other - one)).round() as u8
    })
}

/// Smallest and largest finite value.
#[must_use]
pub fn matrix_range(matrix: &Matrix) -> Option<(f32, f32)> {
    let finite = matrix.values.iter().copied().filter(|value| value.is_finite());
    finite.fold(None, |range, value| {
        Some(range.map_or((value, value), |(lo, hi): (f32, f32)| (lo.min(value), hi.max(value))))
    })
}

/// Smallest and largest value of the scale of a matrix of a group. Those that are to be compared share it. Where it is not
/// said which these are, all do whose range is not far smaller than that of all together.
#[must_use]
pub fn matrix_scale(matrix: &Matrix, group: &[&Matrix]) -> Option<(f32, f32)> {
    let own = matrix_range(matrix);
    let shared = |among: &dyn Fn(&Matrix) -> bool| {
        let ranges = group.iter().filter(|other| among(other)).filter_map(|other| matrix_range(other));
        ranges.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    };
    if !matrix.scale.is_empty() {
        return shared(&|other| other.scale == matrix.scale);
    }
    let whole = shared(&|_| true);
    let is_alike = own.zip(whole).is_some_and(|(own, whole)| own.1 - own.0 > 0.2 * (whole.1 - whole.0));
    if is_alike { whole } else { own }
}
