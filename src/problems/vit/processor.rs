//! The time that processors gave to the threads of a training, and how long the threads waited for one.
//!
//! Linux counts both for every thread (`/proc/thread-self/schedstat`), so that other runs of the same process, and the screen, do
//! not count. Elsewhere the times are not known, and nothing is said of them.

use crate::vision::Vit;
use std::collections::BTreeMap;

/// The share of the time in which threads could have worked that they may wait, before a run says that the machine was busy.
const BUSY: f64 = 0.1;

/// Seconds of all threads of a training together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct ProcessorTime {
    /// On a processor.
    worked: f64,
    /// Ready to work, while processors worked for others.
    waited: f64,
}

impl ProcessorTime {
    /// That of the calling thread since it began; none where the system does not tell.
    fn of_thread() -> Option<Self> {
        Self::read(&std::fs::read_to_string("/proc/thread-self/schedstat").ok()?)
    }

    /// From nanoseconds worked and waited.
    fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().map_while(|word| word.parse::<u64>().ok());
        let mut seconds = || Some(numbers.next()? as f64 / 1e9);
        Some(Self { worked: seconds()?, waited: seconds()? })
    }

    /// That of the threads of `model` and of the calling thread.
    fn of(model: &Vit) -> Option<Self> {
        model
            .on_each_thread(Self::of_thread)
            .into_iter()
            .try_fold(Self::default(), |sum, time| Some(sum.plus(time?, 1.0)))
    }

    fn plus(self, other: Self, factor: f64) -> Self {
        Self { worked: self.worked + factor * other.worked, waited: self.waited + factor * other.waited }
    }
}

/// The names of both times among the facts of a checkpoint.
const FACTS: [&str; 2] = ["training.processor_seconds", "training.waited_seconds"];

/// Counts the processor time of a training, all parts of the run together.
pub(super) struct ProcessorClock {
    /// What earlier parts took, less what the threads had taken before this part; none where it is not known.
    base: Option<ProcessorTime>,
}

impl ProcessorClock {
    /// A clock of a training that begins.
    pub fn begin(model: &Vit) -> Self {
        Self { base: Self::less(Some(ProcessorTime::default()), model) }
    }

    /// A clock of a training that goes on from a checkpoint with these facts. Earlier versions left none.
    pub fn go_on(model: &Vit, facts: &BTreeMap<String, String>) -> Self {
        let number = |name: &str| facts.get(name)?.parse::<f64>().ok();
        let [worked, waited] = FACTS.map(number);
        let before = worked.zip(waited).map(|(worked, waited)| ProcessorTime { worked, waited });
        Self { base: Self::less(before, model) }
    }

    fn less(before: Option<ProcessorTime>, model: &Vit) -> Option<ProcessorTime> {
        Some(before?.plus(ProcessorTime::of(model)?, -1.0))
    }

    fn so_far(&self, model: &Vit) -> Option<ProcessorTime> {
        Some(self.base?.plus(ProcessorTime::of(model)?, 1.0))
    }

    /// The facts of a checkpoint from which to go on.
    pub fn facts(&self, model: &Vit) -> Vec<(String, String)> {
        let values = self.so_far(model).map(|time| [time.worked, time.waited]);
        let facts = values.into_iter().flat_map(|values| FACTS.into_iter().zip(values));
        facts.map(|(name, value)| (name.to_owned(), value.to_string())).collect()
    }

    /// Processor seconds so far, and a remark where the machine was busy with other work.
    pub fn read(&self, model: &Vit) -> (Option<f64>, Option<String>) {
        let time = self.so_far(model);
        (time.map(|time| time.worked), time.and_then(ProcessorTime::remark))
    }
}

impl ProcessorTime {
    fn remark(self) -> Option<String> {
        let share = self.waited / (self.worked + self.waited);
        (share > BUSY).then(|| {
            format!(
                "the machine was busy: in training the threads of this run waited {:.0} % of the time for a processor, so times and speeds are worse than on an idle machine",
                100.0 * share
            )
        })
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
    }
}
