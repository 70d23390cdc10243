//! The most memory that the process holds while a run works, as the system tells it.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Tells the peak of the resident memory of this process since a run began, as long as no other run of the process begins.
pub(super) struct PeakMeter {
    /// How many runs have begun.
    begun: Arc<AtomicUsize>,
    /// How many that were when this one had begun.
    place: usize,
}

impl PeakMeter {
    /// Begins to measure for the `place`-th run that `begun` counts, beside which none works. None where the system does not tell,
    /// which only Linux does.
    pub fn begin(begun: &Arc<AtomicUsize>, place: usize) -> Option<Self> {
        // 5 sets the high-water mark back to what the process holds now.
        fs::write("/proc/self/clear_refs", "5").ok()?;
        Some(Self { begun: Arc::clone(begun), place })
    }

    /// The peak in bytes; none where another run has begun meanwhile.
    pub fn bytes(&self) -> Option<u64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        (self.begun.load(Ordering::Relaxed) == self.place).then_some(kib * 1024)
    }
}
