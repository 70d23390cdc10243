//! The program's log without a screen: lines on standard error.

use super::output;
use log::{LevelFilter, Log, Metadata, Record};

struct StandardError;

impl Log for StandardError {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            output::complain(&format!("{} {}: {}", record.level(), record.target(), record.args()));
        }
    }

    fn flush(&self) {}
}

/// Sends the log to standard error, down to `level`.
pub fn start(level: LevelFilter) {
    // A second start in one process keeps the first logger.
    if log::set_logger(&StandardError).is_ok() {
        log::set_max_level(level);
    }
}
