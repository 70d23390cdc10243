//! `log.txt`: what the program logs while it works on a run, kept in the run's folder.

use crate::lab::record::files;
use log::{Level, Log, Metadata, Record};
use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

thread_local! {
    /// Where this thread's lines go: the log of the run it works on.
    static FILE: RefCell<Option<File>> = const { RefCell::new(None) };
}

/// A logger that passes everything on and keeps what concerns a run in the run's folder: the lines of the run's own
/// thread from [`Level::Info`] up. A face wraps its logger in it.
#[derive(Debug)]
pub struct RunLog<L>(pub L);

impl<L: Log> Log for RunLog<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info || self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.0.enabled(record.metadata()) {
            self.0.log(record);
        }
        if record.level() <= Level::Info {
            keep(record);
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// Writes a line into the log of the run this thread works on. A line that cannot be kept is no reason to stop.
fn keep(record: &Record<'_>) {
    FILE.with(|file| {
        // A line logged while one is being written would wait for itself.
        let Ok(mut file) = file.try_borrow_mut() else { return };
        if let Some(file) = file.as_mut() {
            let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
            let line = format!("{now} {:5} {}: {}\n", record.level(), record.target(), record.args());
            file.write_all(line.as_bytes()).ok();
        }
    });
}

/// This thread works on the run in a folder until the guard is dropped.
pub(in crate::lab) struct Working;

impl Working {
    pub fn on(folder: &Path) -> Self {
        let file = files::open(&folder.join("log.txt"), OpenOptions::new().create(true).append(true)).ok();
        FILE.set(file);
        Self
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        FILE.set(None);
    }
}
