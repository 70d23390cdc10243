//! Writing to standard output and standard error without a panic when the other side is gone.

use super::failure::Failure;
use crate::text;
use indicatif::MultiProgress;
use serde::Serialize;
use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

/// The bars that a line on standard error must not cut through.
static BARS: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// Writes a command's result, with what a terminal would obey made visible. A reader that has seen enough (`| head`) is
/// no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    write(&text::visible_lines(text))
}

fn write(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write the output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes one JSON document.
pub fn print_json(document: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(document)
        .map_err(|error| Failure::failed(format!("cannot write the output as JSON: {error}")))?;
    write(&text::visible_json(&(text + "\n")))
}

/// Writes a line to standard error, with what a terminal would obey made visible. When nobody reads it any more, nothing
/// is to be done about it.
pub fn complain(line: &str) {
    let line = text::visible(line);
    let bars = BARS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let write = || drop(writeln!(io::stderr(), "{line}"));
    bars.map_or_else(write, |bars| bars.suspend(write));
}

/// Lines on standard error make room for `bars` from now on.
pub fn share_with(bars: &MultiProgress) {
    *BARS.lock().unwrap_or_else(PoisonError::into_inner) = Some(bars.clone());
}

/// There are no bars any more.
pub fn share_with_nobody() {
    *BARS.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// Columns of the terminal behind standard output; none when it is a file or a pipe.
pub fn width() -> Option<u16> {
    rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col).filter(|columns| *columns > 0)
}
