//! Files that are always whole: written beside their place, then renamed into it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Replaces `path` by `bytes` so that a reader sees the old file or the new one, never a part.
///
/// With `durable` the bytes are on the disk before the name is: for what must outlive a power cut (checkpoints).
///
/// # Errors
/// As the system says; the old file is untouched then.
pub fn replace(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    replace_by(path, durable, |part| File::create(part)?.write_all(bytes))
}

/// As [`replace`], with the content written by `write` into the path it is given.
///
/// # Errors
/// As `write` or the system says.
pub fn replace_by(path: &Path, durable: bool, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let done = write(&part)
        .and_then(|()| if durable { File::open(&part)?.sync_all() } else { Ok(()) })
        .and_then(|()| fs::rename(&part, path));
    if done.is_err() {
        // What is half written only takes the room that is missing.
        fs::remove_file(&part).ok();
    } else if durable && let Some(parent) = path.parent() {
        // The rename itself is kept by the directory; not every file system lets one be synced.
        File::open(parent).and_then(|parent| parent.sync_all()).ok();
    }
    done
}
