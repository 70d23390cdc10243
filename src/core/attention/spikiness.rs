//! One streamed survey of the exact matrix: norms, row sums, spikiness, and what closed forms need of it.
//!
//! Tiles are spread over rayon's pool; partial sums are added in a fixed order, so results do not depend on the number
//! of threads. The matrix is never stored; everything is relative to its largest entry, exp([`Exact::peak`]).

use super::{AttentionError, Inputs};
use crate::product::product;
use ndarray::{Array1, Array2, ArrayView1, Axis, s};
use rayon::prelude::*;

/// Up to this many entries N90 and the median are exact (sorted); beyond, they come from a histogram of ln A.
const SORTED: usize = 1 << 22;
/// Up to this many entries closed forms are summed entry by entry; beyond, over bins of |x±y|² with their mean.
const ENTRIES: usize = 1 << 16;
/// Bins of either histogram: the error of a closed form is about 1e-7 of it.
const BINS: usize = 1 << 14;
/// Groups of rows; a fixed number, so that sums are the same on any machine.
const GROUPS: usize = 32;
const ROWS: usize = 64;
const COLS: usize = 512;

/// How concentrated the matrix is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spikiness {
    /// The smallest share of entries that holds 90 % of Σ A².
    pub n90: f64,
    /// Participation ratio (Σ A²)²/(N Σ A⁴), from 1/N (one entry) to 1 (flat).
    pub participation_ratio: f64,
    /// Largest entry over median entry.
    pub max_over_median: f64,
}

/// Weights K² (adding up to 1) at values of |x+y|² or |x−y|².
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile(pub Vec<(f64, f64)>);

impl Profile {
    /// The weighted mean of the values.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.0.iter().map(|(value, weight)| value * weight).sum()
    }
}

/// What one pass over the exact matrix A tells.
#[derive(Clone, Debug)]
pub struct Exact {
    /// The largest exponent ln max A.
    pub peak: f64,
    /// The smallest exponent.
    pub lowest: f64,
    /// The smallest of the rows' largest exponents, with its row.
    pub lowest_row: (f64, usize),
    /// Σ_j A_ij/exp(peak) for every row i; 0 for a row that lies too far below the peak for 64 bits.
    pub row_sums: Array1<f64>,
    /// ‖A‖²/exp(2·peak).
    pub norm_squared: f64,
    /// ‖D⁻¹A‖² with D the row sums, without rows too far below the peak for 64 bits.
    pub normalized_norm_squared: f64,
    /// How concentrated A is.
    pub spikiness: Spikiness,
    /// Shares of the entries, the largest first, with the share of Σ A² that they hold: rising, ending at (1, 1).
    pub energy: Vec<(f64, f64)>,
    /// Whether the profiles hold every entry; else they hold bins of this width.
    pub bin_width: Option<f64>,
    /// K²-weights over |x+y|².
    pub sums: Profile,
    /// K²-weights over |x−y|².
    pub differences: Profile,
    /// The K²-weighted mean of x+y, a shift for [`Inputs::recentred`].
    pub centre: Array1<f64>,
}

#[derive(Default)]
struct Partial {
    row_sums: Vec<f64>,
    second: f64,
    fourth: f64,
    normalized: f64,
    logs: Vec<f64>,
    counts: Vec<(u64, f64)>,
    sums: Vec<(f64, f64)>,
    differences: Vec<(f64, f64)>,
    centre: Array1<f64>,
}

struct Ranges {
    peak: f64,
    floor: f64,
    radius: f64,
    sorted: bool,
    entries: bool,
}

impl Exact {
    /// Surveys the exact matrix of `inputs` in O(L²d) time and O(L) memory (for small L the logarithms are kept once).
    /// `stop` is asked now and then.
    ///
    /// # Errors
    /// An end that was asked for.
    pub fn survey(inputs: &Inputs, stop: &(dyn Fn() -> bool + Sync)) -> Result<Self, AttentionError> {
        let (queries, keys) = (inputs.queries.nrows(), inputs.keys.nrows());
        let squares = |x: &Array2<f64>| x.rows().into_iter().map(|row| row.dot(&row)).collect::<Array1<f64>>();
        let (of_queries, of_keys) = (squares(&inputs.queries), squares(&inputs.keys));
        let longest = |squares: &Array1<f64>| squares.iter().copied().fold(0.0, f64::max).sqrt();

        let (peaks, floor) = row_peaks(inputs, stop)?;
        let peak = peaks.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let lowest_row = peaks
            .iter()
            .enumerate()
            .map(|(row, &peak)| (peak, row))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .unwrap_or((peak, 0));
        let count = queries * keys;
        let ranges = Ranges {
            peak,
            floor,
            radius: (longest(&of_queries) + longest(&of_keys)).powi(2) * (1.0 + 1e-12),
            sorted: count <= SORTED,
            entries: count <= ENTRIES,
        };
        let rows_of_group = queries.div_ceil(GROUPS);
        let partials: Vec<Partial> = (0..queries.div_ceil(rows_of_group))
            .into_par_iter()
            .map(|group| {
                let rows = group * rows_of_group..((group + 1) * rows_of_group).min(queries);
                survey_group(inputs, rows, &ranges, &of_queries, &of_keys, stop)
            })
            .collect::<Result<_, _>>()?;
        let mut all = Partial { centre: Array1::zeros(inputs.dim()), ..Partial::default() };
        if ranges.sorted {
            all.logs.reserve_exact(count);
        }
        for partial in partials {
            all.add(partial, &ranges);
        }
        let spikiness = all.spikiness(count, &ranges);
        let energy = all.energy(count);
        let norm_squared = all.second;
        let profile = |bins: Vec<(f64, f64)>| {
            let used = bins.into_iter().filter(|(_, weight)| *weight > 0.0);
            Profile(used.map(|(value, weight)| (value / weight, weight / norm_squared)).collect())
        };
        Ok(Self {
            peak,
            lowest: floor,
            lowest_row,
            row_sums: all.row_sums.into(),
            norm_squared,
            normalized_norm_squared: all.normalized,
            spikiness,
            energy,
            bin_width: (!ranges.entries).then_some(ranges.radius / BINS as f64),
            sums: profile(all.sums),
            differences: profile(all.differences),
            centre: all.centre / norm_squared,
        })
    }
}

/// The largest exponent of each row, and the smallest of all.
fn row_peaks(inputs: &Inputs, stop: &(dyn Fn() -> bool + Sync)) -> Result<(Vec<f64>, f64), AttentionError> {
    let chunks: Vec<(Vec<f64>, f64)> = inputs
        .queries
        .axis_chunks_iter(Axis(0), ROWS)
        .into_par_iter()
        .enumerate()
        .map(|(chunk, queries)| {
            let mut peaks = vec![f64::NEG_INFINITY; queries.nrows()];
            let mut floor = f64::INFINITY;
            let mut tile = Array2::zeros((queries.nrows(), COLS));
            for keys in inputs.keys.axis_chunks_iter(Axis(0), COLS) {
                if stop() {
                    return Err(AttentionError::Stopped);
                }
                let mut tile = tile.slice_mut(s![.., ..keys.nrows()]);
                product(queries, keys.t(), tile.view_mut(), 0.0);
                for (i, row) in tile.rows().into_iter().enumerate() {
                    let exponent = inputs.row_exponents[chunk * ROWS + i];
                    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
                    for &value in row {
                        low = if value < low { value } else { low };
                        high = if value > high { value } else { high };
                    }
                    peaks[i] = peaks[i].max(high + exponent);
                    floor = floor.min(low + exponent);
                }
            }
            Ok((peaks, floor))
        })
        .collect::<Result<_, _>>()?;
    let floor = chunks.iter().map(|chunk| chunk.1).fold(f64::INFINITY, f64::min);
    Ok((chunks.into_iter().flat_map(|chunk| chunk.0).collect(), floor))
}

fn survey_group(
    inputs: &Inputs,
    rows: std::ops::Range<usize>,
    ranges: &Ranges,
    of_queries: &Array1<f64>,
    of_keys: &Array1<f64>,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Partial, AttentionError> {
    let d = inputs.dim();
    let mut partial = Partial { centre: Array1::zeros(d), ..Partial::default() };
    if ranges.sorted {
        partial.logs.reserve_exact(rows.len() * inputs.keys.nrows());
    } else {
        partial.counts = vec![(0, 0.0); BINS];
    }
    if !ranges.entries {
        partial.sums = vec![(0.0, 0.0); BINS];
        partial.differences = vec![(0.0, 0.0); BINS];
    }
    let per_log = BINS as f64 / (ranges.peak - ranges.floor).max(1e-300);
    let per_square = BINS as f64 / ranges.radius.max(1e-300);
    let bin = |value: f64, per: f64| ((value * per) as usize).min(BINS - 1);
    let mut column_weights = vec![0.0; inputs.keys.nrows()];
    let mut tile = Array2::zeros((ROWS, COLS));
    let mut start = rows.start;
    while start < rows.end {
        let end = (start + ROWS).min(rows.end);
        let queries = inputs.queries.slice(s![start..end, ..]);
        // Row sums and sums of squares of the chunk's rows.
        let mut of_rows = vec![(0.0, 0.0); end - start];
        for (chunk, keys) in inputs.keys.axis_chunks_iter(Axis(0), COLS).enumerate() {
            if stop() {
                return Err(AttentionError::Stopped);
            }
            let mut tile = tile.slice_mut(s![..end - start, ..keys.nrows()]);
            product(queries, keys.t(), tile.view_mut(), 0.0);
            for (i, row) in tile.rows().into_iter().enumerate() {
                let exponent = inputs.row_exponents[start + i];
                let (mut sum, mut squares) = (0.0, 0.0);
                for (j, &dot) in row.iter().enumerate() {
                    let key = chunk * COLS + j;
                    let log = dot + exponent - ranges.peak;
                    let entry = super::kernel::Float::exp(log);
                    let weight = entry * entry;
                    sum += entry;
                    squares += weight;
                    partial.fourth += weight * weight;
                    column_weights[key] += weight;
                    if ranges.sorted {
                        partial.logs.push(log);
                    } else {
                        let count = &mut partial.counts[bin(-log, per_log)];
                        count.0 += 1;
                        count.1 += weight;
                    }
                    let both = of_queries[start + i] + of_keys[key];
                    let (with, against) = ((both + 2.0 * dot).max(0.0), (both - 2.0 * dot).max(0.0));
                    if ranges.entries {
                        partial.sums.push((with * weight, weight));
                        partial.differences.push((against * weight, weight));
                    } else {
                        for (bins, value) in [(&mut partial.sums, with), (&mut partial.differences, against)] {
                            let bin = &mut bins[bin(value, per_square)];
                            bin.0 += value * weight;
                            bin.1 += weight;
                        }
                    }
                }
                of_rows[i].0 += sum;
                of_rows[i].1 += squares;
            }
        }
        for (i, (sum, squares)) in of_rows.into_iter().enumerate() {
            partial.row_sums.push(sum);
            partial.second += squares;
            if squares > 0.0 {
                partial.normalized += squares / (sum * sum);
            }
            partial.centre.scaled_add(squares, &inputs.queries.row(start + i));
        }
        start = end;
    }
    partial.centre += &inputs.keys.t().dot(&ArrayView1::from(&column_weights));
    Ok(partial)
}

impl Partial {
    fn add(&mut self, other: Self, ranges: &Ranges) {
        fn join<T>(into: &mut Vec<T>, from: Vec<T>, binned: bool, add: impl Fn(&mut T, T)) {
            if !binned || into.is_empty() {
                into.extend(from);
            } else {
                into.iter_mut().zip(from).for_each(|(into, from)| add(into, from));
            }
        }
        let pairs = |into: &mut (f64, f64), from: (f64, f64)| {
            into.0 += from.0;
            into.1 += from.1;
        };
        self.row_sums.extend(other.row_sums);
        self.second += other.second;
        self.fourth += other.fourth;
        self.normalized += other.normalized;
        self.logs.extend(other.logs);
        join(&mut self.counts, other.counts, true, |into, from| {
            into.0 += from.0;
            into.1 += from.1;
        });
        join(&mut self.sums, other.sums, !ranges.entries, pairs);
        join(&mut self.differences, other.differences, !ranges.entries, pairs);
        self.centre += &other.centre;
    }

    /// What the largest entries hold, at about 16 shares a decade, from logarithms that are sorted or from their histogram.
    fn energy(&self, count: usize) -> Vec<(f64, f64)> {
        let (mut curve, mut held, mut seen, mut next) = (Vec::new(), 0.0, 0_u64, 1.0);
        let mut add = |entries: u64, weight: f64| {
            seen += entries;
            held += weight;
            if seen as f64 >= next {
                curve.push((seen as f64 / count as f64, held / self.second));
                next = (seen as f64 * 10_f64.powf(1.0 / 16.0)).max(seen as f64 + 1.0);
            }
        };
        if self.logs.is_empty() {
            self.counts.iter().filter(|(inside, _)| *inside > 0).for_each(|&(inside, weight)| add(inside, weight));
        } else {
            self.logs.iter().for_each(|log| add(1, (2.0 * log).exp()));
        }
        curve.retain(|(share, _)| *share < 1.0);
        curve.push((1.0, 1.0));
        curve
    }

    /// Reads the measures off the sorted logarithms, or off their histogram with linear interpolation inside a bin.
    fn spikiness(&mut self, count: usize, ranges: &Ranges) -> Spikiness {
        let participation_ratio = self.second * self.second / (count as f64 * self.fourth);
        let wanted = 0.9 * self.second;
        if ranges.sorted {
            self.logs.par_sort_unstable_by(|a, b| b.total_cmp(a));
            let mut held = 0.0;
            let needed = self.logs.iter().take_while(|log| {
                let short = held < wanted * (1.0 - 1e-12);
                held += (2.0 * **log).exp();
                short
            });
            let n90 = needed.count() as f64 / count as f64;
            let middle = |k: usize| self.logs[k].exp();
            let median = f64::midpoint(middle((count - 1) / 2), middle(count / 2));
            return Spikiness { n90, participation_ratio, max_over_median: 1.0 / median };
        }
        let (mut entries, mut held, mut n90, mut median) = (0_u64, 0.0, None, None);
        let width = (ranges.peak - ranges.floor) / BINS as f64;
        for (bin, &(inside, weight)) in self.counts.iter().enumerate() {
            if n90.is_none() && held + weight >= wanted {
                let part = (wanted - held) / weight;
                n90 = Some((entries as f64 + part * inside as f64) / count as f64);
            }
            if median.is_none() && 2 * (entries + inside) >= count as u64 {
                let part = (count as f64 / 2.0 - entries as f64) / inside as f64;
                median = Some(-(bin as f64 + part) * width);
            }
            entries += inside;
            held += weight;
        }
        Spikiness { n90: n90.unwrap_or(1.0), participation_ratio, max_over_median: (-median.unwrap_or(0.0)).exp() }
    }
}
