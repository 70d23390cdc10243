//! The machine a run ran on, for its records.

use crate::threads;
use serde::{Deserialize, Serialize};
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
            }
        })
    }
}

/// The first `key : value` of a file of such lines.
fn field(path: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim().to_owned())
    })
}
