//! Successive halving: the points of a sweep that fall behind are stopped on the way.

use crate::lab::{Estimate, ParamError, RunSpec, Sweep, common};
use crate::nearest::hint;

/// The runs of one point of a sweep over all its seeds, which are stopped or go on together.
#[derive(Clone, Debug)]
pub struct HalvingCandidate {
    /// The values that its group has in common, as `attention=relu`; empty where all compete with all.
    pub group: String,
    /// Its own values, as `lr=0.002`.
    pub name: String,
    /// A run for each seed.
    pub specs: Vec<RunSpec>,
}

/// Where a candidate stands among those of its group that were left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HalvingRank {
    /// Its place in [`Halving::candidates`].
    pub candidate: usize,
    /// What it is ranked by, the higher the better; none where one of its runs has no such number, as it diverged.
    pub number: Option<f64>,
    /// Its rank, from 1.
    pub rank: usize,
    /// How many were ranked.
    pub of: usize,
    /// Whether it goes on.
    pub kept: bool,
}

/// A sweep that halves (successive halving, Jamieson and Talwalkar 2016): all candidates are trained to a first share of their
/// budget, the worse half of each group is stopped, the rest goes on to twice the share, until one of each group has all
/// of it.
///
/// A run is trained under the schedule of its whole budget from the beginning, so that what is left in the end is the run that
/// would have been without the others.
#[derive(Clone, Debug)]
pub struct Halving {
    /// Every candidate, in the order of the sweep.
    pub candidates: Vec<HalvingCandidate>,
    /// The shares of the budget, rising; the last is 1.
    pub shares: Vec<f64>,
    /// The whole budget of every run, as [`Problem::halving_budget`](crate::lab::Problem::halving_budget) says.
    pub budget: f64,
}

impl Halving {
    /// The halving of `sweep` in which points with the same values of the parameters `within` compete with each other.
    ///
    /// # Errors
    /// As [`Sweep::specs`]; a key of `within` is not swept; there are no two points in any group; the runs cannot be held
    /// on their way, or their budgets differ.
    pub fn new(sweep: &Sweep, within: &[String]) -> Result<Self, ParamError> {
        let mut keys: Vec<&str> = sweep.swept().into_iter().map(|param| param.key).collect();
        keys.retain(|key| *key != common::SEED.key);
        if let Some(unknown) = within.iter().find(|key| !keys.contains(&key.as_str())) {
            let hint = hint(unknown, keys.iter().copied());
            let swept = if keys.is_empty() { "none is".to_owned() } else { keys.join(", ") };
            let allowed = format!("a swept parameter other than the seed ({swept}){hint}");
            return Err(ParamError::new("--within", unknown, allowed));
        }
        let words = |spec: &RunSpec, of_group: bool| {
            let keys = keys.iter().filter(|key| within.iter().any(|group| group == *key) == of_group);
            keys.map(|key| format!("{key}={}", spec.params.typed(key))).collect::<Vec<_>>().join(" ")
        };
        let mut candidates: Vec<HalvingCandidate> = Vec::new();
        let mut budget = None;
        for spec in sweep.specs()? {
            let whole = spec.problem.halving_budget(&spec.params)?;
            if *budget.get_or_insert(whole) != whole {
                let found = format!("budgets of {} and {whole}", budget.unwrap_or_default());
                return Err(ParamError::new("--halve", found, "the same budget for every point"));
            }
            let (group, name) = (words(&spec, true), words(&spec, false));
            match candidates.iter_mut().find(|known| known.group == group && known.name == name) {
                None => candidates.push(HalvingCandidate { group, name, specs: vec![spec] }),
                Some(known) if known.specs.iter().any(|other| other.point() == spec.point()) => {}
                Some(known) => known.specs.push(spec),
            }
        }
        let size = |group: &str| candidates.iter().filter(|other| other.group == group).count();
        let largest = candidates.iter().map(|candidate| size(&candidate.group)).max().unwrap_or(0);
        if largest < 2 {
            let allowed = "a sweep with two points or more in a group, beside the seeds";
            return Err(ParamError::new("--halve", format!("{largest} point a group"), allowed));
        }
        let rounds = largest.next_power_of_two().trailing_zeros();
        let shares = (0..=rounds).rev().map(|halvings| 0.5_f64.powi(halvings.cast_signed())).collect();
        Ok(Self { candidates, shares, budget: budget.unwrap_or_default() })
    }

    /// The runs of the candidates `left`.
    #[must_use]
    pub fn specs(&self, left: &[usize]) -> Vec<RunSpec> {
        left.iter().flat_map(|candidate| self.candidates[*candidate].specs.clone()).collect()
    }

    /// The runs of every candidate, in the order of the sweep.
    #[must_use]
    pub fn all_specs(&self) -> Vec<RunSpec> {
        self.candidates.iter().flat_map(|candidate| candidate.specs.clone()).collect()
    }

    /// Ranks the candidates `left`, in the order of the sweep, by `numbers` within each group: the better half of a group goes
    /// on, rounded up. Of equal ones the earlier is better, and one without a number never goes on.
    #[must_use]
    pub fn decide(&self, left: &[usize], numbers: &[Option<f64>]) -> Vec<HalvingRank> {
        let numbers: Vec<_> = numbers.iter().map(|number| number.filter(|number| number.is_finite())).collect();
        let all: Vec<_> = left.iter().copied().zip(numbers).collect();
        let group = |candidate: usize| self.candidates[candidate].group.as_str();
        let stand = |(place, &(candidate, number)): (usize, &(usize, Option<f64>))| {
            let rivals = all.iter().enumerate().filter(|(_, (other, _))| group(*other) == group(candidate));
            let before = |(other, (_, theirs)): &(usize, &(usize, Option<f64>))| match (theirs, number) {
                (Some(theirs), Some(own)) => *theirs > own || (*theirs == own && *other < place),
                (theirs, own) => theirs.is_some() || (own.is_none() && *other < place),
            };
            let (of, rank) = (rivals.clone().count(), 1 + rivals.filter(before).count());
            HalvingRank { candidate, number, rank, of, kept: number.is_some() && rank <= of.div_ceil(2) }
        };
        all.iter().enumerate().map(stand).collect()
    }

    /// How many runs are trained to each share, as if none diverged.
    #[must_use]
    pub fn runs(&self) -> Vec<usize> {
        let mut left: Vec<usize> = (0..self.candidates.len()).collect();
        let count = |left: &[usize]| left.iter().map(|candidate| self.candidates[*candidate].specs.len()).sum();
        let all_but_last = self.shares.len() - 1;
        let mut runs = Vec::new();
        for _ in 0..all_but_last {
            runs.push(count(&left));
            let standings = self.decide(&left, &vec![Some(0.0); left.len()]);
            left = standings.iter().filter(|standing| standing.kept).map(|standing| standing.candidate).collect();
        }
        runs.push(count(&left));
        runs
    }

    /// What all of it will cost, one run after the other, where each has the mean cost of a whole one.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        let estimates: Vec<Estimate> = self.all_specs().iter().map(RunSpec::estimate).collect();
        let seconds: Option<f64> = estimates.iter().map(|estimate| estimate.seconds).sum();
        let mean = seconds.map(|seconds| seconds / estimates.len() as f64);
        let mut before = 0.0;
        let whole = self.shares.iter().zip(self.runs()).map(|(share, runs)| {
            let part = runs as f64 * (share - before);
            before = *share;
            part
        });
        let whole: f64 = whole.sum();
        Estimate {
            rows: self.runs().last().copied().unwrap_or_default(),
            seconds: mean.map(|mean| mean * whole),
            bytes: estimates.iter().filter_map(|estimate| estimate.bytes).max(),
        }
    }
}
