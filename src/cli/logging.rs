//! The program's log without a screen: lines on standard error, and in each run's folder.

use super::output;
use crate::lab::RunLog;
use log::{LevelFilter, Log, Metadata, Record};

/// Shows lines down to a level.
struct StandardError(LevelFilter);

impl Log for StandardError {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // The command itself reports how runs end.
        metadata.level() <= self.0 && metadata.target() != "run"
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            output::complain(&format!("{} {}: {}", record.level(), record.target(), record.args()));
        }
    }

    fn flush(&self) {}
}

/// Sends the log to standard error, down to `level`; what concerns a run is kept in its folder as well.
pub fn start(level: LevelFilter) {
    // A second start in one process keeps the first logger.
    if log::set_boxed_logger(Box::new(RunLog(StandardError(level)))).is_ok() {
        log::set_max_level(level.max(LevelFilter::Info));
    }
}
