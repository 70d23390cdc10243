//! The processor time of a training.

use crate::problems::toolkit::ProcessorTime;
use crate::vision::Vit;
use std::collections::BTreeMap;

/// The names of both times among the facts of a checkpoint.
const FACTS: [&str; 2] = ["training.processor_seconds", "training.waited_seconds"];

/// That of the threads of `model` and of the calling thread.
fn of_model(model: &Vit) -> Option<ProcessorTime> {
    ProcessorTime::sum(model.on_each_thread(ProcessorTime::of_thread))
}

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
        Some(before?.plus(of_model(model)?, -1.0))
    }

    fn so_far(&self, model: &Vit) -> Option<ProcessorTime> {
        Some(self.base?.plus(of_model(model)?, 1.0))
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
