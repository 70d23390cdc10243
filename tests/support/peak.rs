//! The peak memory of the real program.

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// The peak resident memory of the program called with `arguments` in an empty directory, in bytes; none where the system
/// does not tell. The program must succeed.
///
/// Pages that are freed go back to the system at once here. Otherwise the allocator keeps them for a while, and the peak
/// holds buffers that do not live at the same time.
pub fn peak(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Option<f64> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_attnlab"));
    command.current_dir(folder.path()).args(["--logs", "logs", "run"]).args(arguments);
    of(command)
}

/// As [`peak`], of any call of the program.
pub fn of(mut command: Command) -> Option<f64> {
    command.env("MIMALLOC_PURGE_DELAY", "0").stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program runs");
    let status = format!("/proc/{}/status", child.id());
    let mut highest = None;
    loop {
        // The high-water mark rises, but for where a run begins; the highest one read is the peak up to a few milliseconds.
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        highest = kib.map(|kib| kib * 1024.0).into_iter().chain(highest).reduce(f64::max);
        if let Some(end) = child.try_wait().unwrap() {
            assert!(end.success(), "{command:?}: {end}");
            return highest;
        }
        sleep(Duration::from_millis(2));
    }
}
