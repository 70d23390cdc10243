//! A curve in one line of characters.

/// The heights of a character, from low to high.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The mean of each of at most `most` equal parts of `values`, in order; of fewer values each stands for itself.
#[must_use]
pub fn thinned(values: &[f64], most: usize) -> Vec<f64> {
    let parts = values.len().min(most);
    let part = |index: usize| &values[index * values.len() / parts..(index + 1) * values.len() / parts];
    (0..parts).map(|index| part(index).iter().sum::<f64>() / part(index).len() as f64).collect()
}

/// A curve of finite values in at most `width` characters, from the lowest to the highest of them.
#[must_use]
pub fn sparkline(values: &[f64], width: usize) -> String {
    let values = thinned(values, width);
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let height = |value: &f64| match high - low {
        span if span > 0.0 => HEIGHTS[(((value - low) / span) * 7.0).round() as usize % HEIGHTS.len()],
        _ => HEIGHTS[3],
    };
    values.iter().map(height).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_from_its_lowest_to_its_highest_value() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 8), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[1.0, 3.0, 9.0, 11.0], 2), "▁█");
        assert_eq!(sparkline(&[5.0, 5.0], 9), "▄▄");
        assert_eq!(sparkline(&[], 9), "");
    }
}
