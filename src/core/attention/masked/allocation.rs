//! How a budget is shared among the coordinates of the mask.

use super::error::MaskedError;
use ndarray::{ArrayView2, Axis};

/// Shares of the mask coordinates.
#[derive(Clone, Debug, PartialEq)]
pub enum Shares {
    /// The same for every coordinate.
    Uniform,
    /// In proportion to ‖a_:j‖·‖b_:j‖, the norms of the masks' columns: the best probabilities of a sampled matrix
    /// product (Drineas, Kannan, Mahoney 2006). Looks at the whole sequence, so it leaks the future of a causal one.
    Norm,
    /// Given numbers: probabilities, or features.
    List(Vec<f64>),
}

impl Shares {
    /// Reads `uniform`, `norm` or numbers with commas between; none where it is neither.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "uniform" => Some(Self::Uniform),
            "norm" => Some(Self::Norm),
            list => {
                let numbers: Option<Vec<f64>> =
                    list.split(',').map(|part| part.trim().parse().ok().filter(|n: &f64| n.is_finite())).collect();
                numbers.map(Self::List)
            }
        }
    }

    /// Probabilities of the coordinates for masks \[L, d_v\].
    pub(super) fn probabilities(&self, a: ArrayView2<f64>, b: ArrayView2<f64>) -> Result<Vec<f64>, MaskedError> {
        let given = self.given(a, b)?;
        let sum: f64 = given.iter().sum();
        if let Self::List(_) = self
            && (sum - 1.0).abs() > 1e-6
        {
            return Err(MaskedError::Sum(sum));
        }
        let probabilities: Vec<_> = given.iter().map(|share| share / sum).collect();
        self.reach(a, b, |j| probabilities[j] > 0.0)?;
        Ok(probabilities)
    }

    /// Features of each coordinate, `features` in all: largest remainder, at least one where a mask can reach.
    pub(super) fn allocation(
        &self,
        features: usize,
        a: ArrayView2<f64>,
        b: ArrayView2<f64>,
    ) -> Result<Vec<usize>, MaskedError> {
        let given = self.given(a, b)?;
        let allocation = if let Self::List(_) = self {
            if let Some(entry) = given.iter().position(|share| share.fract() != 0.0) {
                return Err(MaskedError::Entry { entry: entry + 1, value: given[entry], expected: "a whole number" });
            }
            let list: Vec<_> = given.iter().map(|share| *share as usize).collect();
            let sum = list.iter().sum();
            if sum != features {
                return Err(MaskedError::Allocation { sum, features });
            }
            list
        } else {
            let least = given.iter().filter(|share| **share > 0.0).count();
            if features < least {
                return Err(MaskedError::Budget { method: "stratified", least, features });
            }
            largest_remainder(&given, features)
        };
        self.reach(a, b, |j| allocation[j] > 0)?;
        Ok(allocation)
    }

    /// The shares before they are brought to their sum, non-negative and not all zero.
    fn given(&self, a: ArrayView2<f64>, b: ArrayView2<f64>) -> Result<Vec<f64>, MaskedError> {
        let dim = a.ncols();
        let shares = match self {
            Self::Uniform => vec![1.0; dim],
            Self::Norm => {
                let norms = |masks: ArrayView2<f64>| masks.map_axis(Axis(0), |column| column.dot(&column).sqrt());
                let shares = (norms(a) * norms(b)).to_vec();
                // No mask meets another: every entry is 0, and any shares estimate it exactly.
                if shares.iter().all(|share| *share == 0.0) { vec![1.0; dim] } else { shares }
            }
            Self::List(list) => list.clone(),
        };
        if shares.len() != dim {
            return Err(MaskedError::Entries { found: shares.len(), expected: dim });
        }
        if let Some(entry) = shares.iter().position(|share| *share < 0.0) {
            return Err(MaskedError::Entry {
                entry: entry + 1,
                value: shares[entry],
                expected: "a number of at least 0",
            });
        }
        Ok(shares)
    }

    /// Refuses a coordinate that a query's and a key's mask both touch but that gets nothing.
    fn reach(&self, a: ArrayView2<f64>, b: ArrayView2<f64>, gets: impl Fn(usize) -> bool) -> Result<(), MaskedError> {
        let touched = |masks: ArrayView2<f64>, j: usize| masks.column(j).iter().any(|value| *value > 0.0);
        match (0..a.ncols()).find(|&j| !gets(j) && touched(a, j) && touched(b, j)) {
            Some(j) => Err(MaskedError::Unreached { coordinate: j + 1 }),
            None => Ok(()),
        }
    }
}

/// `total` things shared in proportion to `shares` (non-negative): rounded down, what is left to the largest remainders,
/// then at least one for every positive share, taken from the largest. `total` is at least the number of those.
#[must_use]
pub fn largest_remainder(shares: &[f64], total: usize) -> Vec<usize> {
    let sum: f64 = shares.iter().sum();
    let exact: Vec<f64> = shares.iter().map(|share| share / sum * total as f64).collect();
    let mut counts: Vec<usize> = exact.iter().map(|value| value.floor() as usize).collect();
    let mut order: Vec<usize> = (0..shares.len()).filter(|&j| shares[j] > 0.0).collect();
    order.sort_by(|&i, &j| (exact[j].fract()).total_cmp(&exact[i].fract()));
    let left = total.saturating_sub(counts.iter().sum());
    for &j in order.iter().cycle().take(left) {
        counts[j] += 1;
    }
    for &j in &order {
        if counts[j] == 0
            && let Some(largest) = (0..counts.len()).max_by_key(|&i| counts[i])
            && counts[largest] > 1
        {
            counts[largest] -= 1;
            counts[j] = 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_remainders_get_what_is_left() {
        assert_eq!(largest_remainder(&[1.0, 1.0, 1.0], 20), [7, 7, 6]);
        assert_eq!(largest_remainder(&[0.5, 0.3, 0.2], 10), [5, 3, 2]);
        assert_eq!(largest_remainder(&[100.0, 1.0, 0.001, 0.0], 10), [8, 1, 1, 0]);
        assert_eq!(largest_remainder(&[1e-9, 1e-9, 1.0], 3), [1, 1, 1]);
    }

    #[test]
    fn shares_are_read() {
        assert_eq!(Shares::from_text("norm"), Some(Shares::Norm));
        assert_eq!(Shares::from_text("0.25, 0.75"), Some(Shares::List(vec![0.25, 0.75])));
        assert_eq!(Shares::from_text("0.25;0.75"), None);
        assert_eq!(Shares::from_text("inf"), None);
        assert_eq!(Shares::from_text(""), None);
    }
}
