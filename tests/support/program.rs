//! The real program, called from a directory of the test's own.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

/// A call of the program from `folder` that takes nothing from the environment and has no terminal.
pub fn program(folder: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attnlab"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    for name in ["ATTNLAB_LOGS", "ATTNLAB_DATA", "ATTNLAB_PRESETS", "ATTNLAB_LOG"] {
        command.env_remove(name);
    }
    command
}
