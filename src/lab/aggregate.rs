//! A sweep in numbers: the runs of each point together, with mean and interval over repeats.

use super::{Estimate, RunSpec, RunState, RunSummary, queue::SMALL_SECONDS};
use serde_json::Value;

/// The runs that agree in the swept parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Their values, one for each swept parameter.
    pub at: Vec<Value>,
    /// The runs, by id.
    pub runs: Vec<String>,
    /// Those that are not over.
    pub open: usize,
    /// Those that have the number.
    pub count: usize,
    /// The number's mean over them; none before one has it.
    pub mean: Option<f64>,
    /// Half the width of the 95 % confidence interval of the mean (Student's t); none for fewer than two.
    pub interval: Option<f64>,
}

/// Gathers runs by the parameters `axes`; `number` is `headline`, `seconds` or a column of the last row. Cells come in
/// the order of their first runs.
#[must_use]
pub fn aggregate(runs: &[RunSummary], axes: &[&str], number: &str) -> Vec<Cell> {
    let mut cells: Vec<(Cell, Vec<f64>)> = Vec::new();
    for run in runs {
        let at: Vec<Value> = axes.iter().map(|axis| run.get(axis).unwrap_or_default()).collect();
        let place = cells.iter().position(|(cell, _)| cell.at == at).unwrap_or_else(|| {
            let cell = Cell { at, runs: Vec::new(), open: 0, count: 0, mean: None, interval: None };
            cells.push((cell, Vec::new()));
            cells.len() - 1
        });
        let (cell, numbers) = &mut cells[place];
        cell.runs.push(run.id.clone());
        cell.open += usize::from(!run.state.is_final());
        numbers.extend(run.get(number).and_then(|value| value.as_f64()).filter(|value| value.is_finite()));
    }
    cells
        .into_iter()
        .map(|(mut cell, numbers)| {
            cell.count = numbers.len();
            (cell.mean, cell.interval) = mean_and_interval(&numbers);
            cell
        })
        .collect()
}

/// The mean, and half the width of its 95 % confidence interval.
#[must_use]
pub fn mean_and_interval(numbers: &[f64]) -> (Option<f64>, Option<f64>) {
    if numbers.is_empty() {
        return (None, None);
    }
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    if numbers.len() < 2 {
        return (Some(mean), None);
    }
    let variance = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (Some(mean), Some(student(numbers.len() - 1) * (variance / count).sqrt()))
}

/// The 97.5 % quantile of Student's t distribution.
fn student(freedom: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];
    // Beyond the table the expansion around the normal quantile (Abramowitz and Stegun 26.7.5) is as exact.
    TABLE.get(freedom.wrapping_sub(1)).copied().unwrap_or_else(|| {
        let (z, n) = (1.959_964_f64, freedom as f64);
        z + (z.powi(3) + z) / (4.0 * n) + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * n * n)
    })
}

/// What several runs will cost together, with `workers` small ones side by side.
#[must_use]
pub fn estimate(specs: &[RunSpec], workers: usize) -> Estimate {
    let mut total = Estimate { rows: 0, seconds: Some(0.0), bytes: None };
    let (mut small, mut large) = (0.0, 0.0);
    for spec in specs {
        let one = spec.estimate();
        total.rows += one.rows;
        total.bytes = total.bytes.max(one.bytes);
        match one.seconds {
            Some(seconds) if seconds < SMALL_SECONDS => small += seconds,
            Some(seconds) => large += seconds,
            None => total.seconds = None,
        }
    }
    let side_by_side = workers.clamp(1, specs.len().max(1)) as f64;
    total.seconds = total.seconds.map(|_| large + small / side_by_side);
    total
}

/// How many runs are in each state, in the order in which states follow each other.
#[must_use]
pub fn states(runs: &[RunSummary]) -> Vec<(RunState, usize)> {
    let mut counts: Vec<(RunState, usize)> = Vec::new();
    for run in runs {
        match counts.iter_mut().find(|(state, _)| *state == run.state) {
            Some((_, count)) => *count += 1,
            None => counts.push((run.state, 1)),
        }
    }
    counts.sort_unstable();
    counts
}

#[cfg(test)]
mod tests {
    use super::{mean_and_interval, student};

    #[test]
    fn the_interval_is_students() {
        // t(2) = 4.303, standard error 1/√3.
        let (mean, interval) = mean_and_interval(&[1.0, 2.0, 3.0]);
        assert_eq!(mean, Some(2.0));
        assert!((interval.unwrap() - 4.303 / 3.0_f64.sqrt()).abs() < 1e-9);
        assert_eq!(mean_and_interval(&[5.0]), (Some(5.0), None));
        assert_eq!(mean_and_interval(&[]), (None, None));
        assert!((student(60) - 2.000_298).abs() < 1e-4 && (student(31) - 2.039_513).abs() < 1e-4);
    }
}
