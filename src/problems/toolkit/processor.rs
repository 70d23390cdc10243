//! The time that processors gave to the threads of a run, and how long the threads waited for one.
//!
//! Linux counts both for every thread (`/proc/thread-self/schedstat`), so that other runs of the same process, and the screen, do
//! not count. Elsewhere the times are not known, and nothing is said of them.

use rayon::ThreadPool;

/// The share of the time in which threads could have worked that they may wait, before a run says that the machine was busy.
const BUSY: f64 = 0.1;

/// Seconds of some threads together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::problems) struct ProcessorTime {
    /// On a processor.
    pub worked: f64,
    /// Ready to work, while processors worked for others.
    pub waited: f64,
}

impl ProcessorTime {
    /// That of the calling thread since it began; none where the system does not tell.
    pub fn of_thread() -> Option<Self> {
        Self::read(&std::fs::read_to_string("/proc/thread-self/schedstat").ok()?)
    }

    /// That of all threads of `pool`.
    fn of_pool(pool: &ThreadPool) -> Option<Self> {
        Self::sum(pool.broadcast(|_| Self::of_thread()))
    }

    /// From nanoseconds worked and waited.
    fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().map_while(|word| word.parse::<u64>().ok());
        let mut seconds = || Some(numbers.next()? as f64 / 1e9);
        Some(Self { worked: seconds()?, waited: seconds()? })
    }

    /// The sum of `times`; none where one is not known.
    pub fn sum(times: impl IntoIterator<Item = Option<Self>>) -> Option<Self> {
        times.into_iter().try_fold(Self::default(), |sum, time| Some(sum.plus(time?, 1.0)))
    }

    /// `self` + `factor` · `other`.
    pub fn plus(self, other: Self, factor: f64) -> Self {
        Self { worked: self.worked + factor * other.worked, waited: self.waited + factor * other.waited }
    }

    /// A remark where the threads waited long.
    pub fn remark(self) -> Option<String> {
        let share = self.waited / (self.worked + self.waited);
        (share > BUSY).then(|| {
            format!(
                "the machine was busy: the threads of this run waited {:.0} % of the time for a processor, so times and speeds are worse than on an idle machine",
                100.0 * share
            )
        })
    }
}

/// Counts the processor time of a pool's work, piece by piece.
#[derive(Default)]
pub(in crate::problems) struct ProcessorMeter {
    total: ProcessorTime,
    before: Option<ProcessorTime>,
}

impl ProcessorMeter {
    /// A piece of work begins.
    pub fn begin(&mut self, pool: &ThreadPool) {
        self.before = ProcessorTime::of_pool(pool);
    }

    /// It has ended: processor seconds of the pool's threads since it began; none where they are not known.
    pub fn end(&mut self, pool: &ThreadPool) -> Option<f64> {
        let piece = ProcessorTime::of_pool(pool)?.plus(self.before.take()?, -1.0);
        self.total = self.total.plus(piece, 1.0);
        Some(piece.worked)
    }

    /// A remark on all pieces, where the threads waited long.
    pub fn remark(&self) -> Option<String> {
        self.total.remark()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_waiting_is_told() {
        let time = ProcessorTime::read("2500000000 400000000 17\n").unwrap();
        assert_eq!(time, ProcessorTime { worked: 2.5, waited: 0.4 });
        assert_eq!(ProcessorTime::read("2500000000"), None);
        assert!(time.remark().unwrap().contains("waited 14 % of the time"));
        assert_eq!(ProcessorTime { worked: 2.5, waited: 0.2 }.remark(), None);
        assert_eq!(ProcessorTime::default().remark(), None);
        assert_eq!(ProcessorTime::sum([Some(time), None]), None);
    }
}
