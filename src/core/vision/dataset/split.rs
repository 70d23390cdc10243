//! Which training images are trained on and which are held out for validation: a function of the seed alone.

use crate::random::generator;
use rand::seq::SliceRandom;

/// Indices into the training images: those trained on and those held out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Images to train on.
    pub train: Vec<usize>,
    /// Images to validate on; never trained on.
    pub validation: Vec<usize>,
}

impl Split {
    /// Splits `count` images by `seed`: `validation` of them are held out, then `train` of the rest (0: all the rest)
    /// are trained on. The validation images of a seed do not depend on `train`; where there are fewer images than
    /// asked for, at least half of them are left to train on.
    #[must_use]
    pub fn new(count: usize, validation: usize, train: usize, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut generator(seed, "split", 0));
        let validation = validation.min(count / 2);
        let mut rest = order.split_off(validation);
        if train > 0 {
            rest.truncate(train);
        }
        Self { train: rest, validation: order }
    }

    /// The training images in the order of `epoch`: every sample once, shuffled anew each epoch.
    #[must_use]
    pub fn epoch(&self, seed: u64, epoch: u64) -> Vec<usize> {
        let mut order = self.train.clone();
        order.shuffle(&mut generator(seed, "shuffle", epoch));
        order
    }
}

/// `most` of `count` images chosen by `seed`, in ascending order; all of them where `most` is 0 or no fewer are there.
pub(super) fn sample(count: usize, most: usize, seed: u64, part: &str) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    if most > 0 && most < count {
        order.shuffle(&mut generator(seed, part, 0));
        order.truncate(most);
        order.sort_unstable();
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn parts_are_disjoint_and_known_by_the_seed() {
        let split = Split::new(100, 20, 0, 1);
        let all: BTreeSet<_> = split.train.iter().chain(&split.validation).copied().collect();
        assert_eq!((split.train.len(), split.validation.len(), all.len()), (80, 20, 100));
        assert_eq!(split, Split::new(100, 20, 0, 1));
        assert_ne!(split, Split::new(100, 20, 0, 2));
        let subset = Split::new(100, 20, 30, 1);
        assert_eq!((subset.train.len(), &subset.validation), (30, &split.validation));
        assert_eq!(subset.train, split.train[..30]);
        assert_eq!(Split::new(3, 20, 0, 1).train.len(), 2);
    }

    #[test]
    fn an_epoch_is_every_sample_once_in_its_own_order() {
        let split = Split::new(50, 10, 0, 1);
        let (first, second) = (split.epoch(1, 0), split.epoch(1, 1));
        assert_ne!(first, second);
        assert_eq!(first, split.epoch(1, 0));
        assert_eq!(first.iter().collect::<BTreeSet<_>>(), split.train.iter().collect());
    }
}
