//! The most memory that the process holds while a run works, as the system tells it.

use std::fs;

/// Tells the peak of the resident memory of this process since a run began, as long as no other run of the process works.
pub(super) struct PeakMeter {
    is_alone: Box<dyn Fn() -> bool + Send>,
}

impl PeakMeter {
    /// Begins to measure. None where the system does not tell, which only Linux does.
    pub fn begin(is_alone: impl Fn() -> bool + Send + 'static) -> Option<Self> {
        // 5 sets the high-water mark back to what the process holds now.
        fs::write("/proc/self/clear_refs", "5").ok()?;
        Some(Self { is_alone: Box::new(is_alone) })
    }

    /// The peak in bytes; none where another run has worked in this process meanwhile.
    pub fn bytes(&self) -> Option<u64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        (self.is_alone)().then_some(kib * 1024)
    }
}
