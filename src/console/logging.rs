//! The program's log while the console has the terminal. It goes into the Log tab and the runs' folders, not onto the
//! screen.

use crate::lab::RunLog;
use log::{LevelFilter, Log, Metadata, Record};
use std::sync::atomic::{AtomicUsize, Ordering};

static LINES: AtomicUsize = AtomicUsize::new(0);

struct Tab;

impl Log for Tab {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            tui_logger::Drain::new().log(record);
            LINES.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

/// Sends the log to the Log tab.
pub fn start() {
    // A second start in one process keeps the first logger.
    if log::set_boxed_logger(Box::new(RunLog(Tab))).is_ok() {
        log::set_max_level(LevelFilter::Debug);
        tui_logger::set_default_level(LevelFilter::Debug);
    }
}

/// The number of lines logged so far. A larger number than before means that there are new lines.
#[must_use]
pub fn lines() -> usize {
    LINES.load(Ordering::Relaxed)
}
