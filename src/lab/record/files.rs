//! Files that are always whole: written beside their place, then renamed into it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Replaces `path` by `bytes` so that a reader sees the old file or the new one, never a part.
///
/// With `durable` the bytes are on the disk before the name is: for what must outlive a power cut (checkpoints).
///
/// # Errors
/// As the system says; the old file is untouched then.
pub fn replace(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    put(path, durable, |file| file.write_all(bytes))
}

/// Puts a copy of `from` at `path`, which may be the same: then it is another file of the same name and content.
///
/// # Errors
/// As [`replace`].
pub fn copy(from: &Path, path: &Path) -> io::Result<()> {
    let mut from = File::open(from)?;
    put(path, true, |file| io::copy(&mut from, file).map(drop))
}

fn put(path: &Path, durable: bool, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{}.part", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    let part = path.with_file_name(name);
    let done = File::create(&part)
        .and_then(|mut file| {
            write(&mut file)?;
            if durable { file.sync_all() } else { Ok(()) }
        })
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
