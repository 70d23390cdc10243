//! The machine a run ran on, for its records.

use crate::threads;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::OnceLock;

/// What a timing depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// Its name in the network.
    pub host: String,
    /// Operating system and release.
    pub system: String,
    /// The processor's model, or its architecture where the model is not known.
    pub processor: String,
    /// Threads it runs at once.
    pub cores: usize,
    /// Memory in MiB; 0 where it is not known.
    pub memory: u64,
    /// Models of its NVIDIA cards, sorted, whether or not the program can use them; empty where there is no driver.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<String>,
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn here() -> &'static Self {
        static HERE: OnceLock<Machine> = OnceLock::new();
        HERE.get_or_init(|| {
            let name = rustix::system::uname();
            Self {
                host: name.nodename().to_string_lossy().into_owned(),
                system: format!("{} {}", name.sysname().to_string_lossy(), name.release().to_string_lossy()),
                processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
                cores: threads::granted(),
                memory: field("/proc/meminfo", "MemTotal")
                    .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
                    .map_or(0, |kib| kib / 1024),
                gpus: cards(Path::new("/proc/driver/nvidia/gpus")),
            }
        })
    }

    /// What computes here: the processor, its cores, and cards where there are any, as `AMD EPYC, 16 cores, 2 × NVIDIA H200`.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = format!("{}, {} cores", self.processor, self.cores);
        for same in self.gpus.chunk_by(|first, second| first == second) {
            let count = if same.len() > 1 { format!("{} × ", same.len()) } else { String::new() };
            words += &format!(", {count}{}", same[0]);
        }
        words
    }
}

/// The models of the cards that NVIDIA's driver tells of in `folder`: a folder for each, with a file of facts. To ask the driver
/// itself would start it up, which takes longer than a short run.
fn cards(folder: &Path) -> Vec<String> {
    let cards = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut models: Vec<String> = cards.filter_map(|card| field(card.path().join("information"), "Model")).collect();
    models.sort();
    models
}

/// The first `key : value` of a file of such lines.
fn field(path: impl AsRef<Path>, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_counted_by_model() {
        let folder = tempfile::tempdir().unwrap();
        for (bus, model) in
            [("0000:01:00.0", "NVIDIA H200"), ("0000:02:00.0", "NVIDIA A2"), ("0000:03:00.0", "NVIDIA H200")]
        {
            std::fs::create_dir(folder.path().join(bus)).unwrap();
            let facts = format!("Model: \t\t {model}\nIRQ:   \t\t 11\nGPU UUID: \t GPU-1\n");
            std::fs::write(folder.path().join(bus).join("information"), facts).unwrap();
        }
        std::fs::create_dir(folder.path().join("0000:04:00.0")).unwrap();
        let machine =
            Machine { processor: "EPYC".to_owned(), cores: 16, gpus: cards(folder.path()), ..Machine::default() };
        assert_eq!(machine.words(), "EPYC, 16 cores, NVIDIA A2, 2 × NVIDIA H200");
        assert!(cards(&folder.path().join("none")).is_empty());
    }
}
