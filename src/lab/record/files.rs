//! Files of a run: always whole, always regular.
//!
//! A file is written beside its place and renamed into it, so that a reader sees the old one or the new one. A directory
//! of runs may be shared with others, so nothing here follows a symbolic link, waits at a named pipe or takes more into
//! memory than its caller allows.

use crate::lab::record::process;
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The end of the names of files that are not in place yet.
pub(in crate::lab) const PART: &str = ".part";

/// A file that a process of another machine has left half written is removed once it is older than this.
const STALE: Duration = Duration::from_secs(600);

/// Opens the regular file at `path`.
///
/// # Errors
/// As the system says; something else lies there: a symbolic link, a directory, a named pipe.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    // Without waiting: opening a named pipe would wait for its other end.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path).map_err(|error| {
        let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        if is_link { not_regular("a symbolic link, which is not followed") } else { error }
    })?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(not_regular("not a regular file")) }
}

fn not_regular(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, format!("it is {what}"))
}

/// Opens the regular file at `path` for reading.
///
/// # Errors
/// As [`open`].
pub fn open_to_read(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().read(true))
}

/// The content of the regular file at `path`, which has `most` bytes at most.
///
/// # Errors
/// As [`open`]; the file is longer.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_to_read(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(ErrorKind::InvalidData, format!("it is longer than {most} bytes")));
    }
    Ok(bytes)
}

/// As [`read`], for text.
///
/// # Errors
/// As [`read`]; the content is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"))
}

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
    let mut from = open_to_read(from)?;
    put(path, true, |file| io::copy(&mut from, file).map(drop))
}

/// Proves that files can be made in `folder`.
///
/// # Errors
/// As the system says.
pub fn probe(folder: &Path) -> io::Result<()> {
    let path = beside(&folder.join(".writable"));
    let outcome = create(&path).and_then(|mut file| file.write_all(b"attnlab\n"));
    fs::remove_file(&path).and(outcome.map(drop))
}

/// Removes the files in `folder` that a process left half written which is gone.
pub(in crate::lab) fn sweep_up(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        let mark = name.strip_suffix(PART).and_then(|name| name.rsplit('.').next());
        // Older versions left such files under the second name.
        let is_part = mark.is_some() || name.starts_with(".writable-");
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_part && is_file && is_abandoned(mark.unwrap_or_default(), &path) {
            fs::remove_file(path).ok();
        }
    }
}

/// Whether the process that made `path` is gone, by its mark in the name or else by the time of the last change.
pub(in crate::lab) fn is_abandoned(mark: &str, path: &Path) -> bool {
    process::is_gone(mark).unwrap_or_else(|| {
        let changed = fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
        let now = path.parent().map(time_in);
        changed.is_ok_and(|time| {
            now.is_some_and(|now| now.is_ok_and(|now| now.duration_since(time).is_ok_and(|age| age > STALE)))
        })
    })
}

/// A name beside `path` that nobody can guess, for a file that is not in place yet.
pub(in crate::lab) fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{:016x}{PART}", process::mark(), rand::random::<u64>()));
    path.with_file_name(name)
}

/// The time now by the clock of the file system that `folder` lies on: that of a file just written there.
///
/// # Errors
/// As the system says.
pub(in crate::lab) fn time_in(folder: &Path) -> io::Result<SystemTime> {
    let path = beside(&folder.join(".clock"));
    let file = create(&path);
    let time = file.and_then(|mut file| {
        file.write_all(b"attnlab\n")?;
        file.metadata()?.modified()
    });
    fs::remove_file(&path).and(time)
}

/// Makes a file that was not there.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

fn put(path: &Path, durable: bool, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let part = beside(path);
    let done = create(&part)
        .and_then(|mut file| {
            write(&mut file)?;
            if durable { file.sync_all() } else { Ok(()) }
        })
        .and_then(|()| fs::rename(&part, path));
    if done.is_err() {
        // What is half written only takes the room that is missing.
        fs::remove_file(&part).ok();
    } else if durable && let Some(parent) = path.parent() {
        sync_folder(parent);
    }
    done
}

/// Puts the names in `folder` on the disk; not every file system lets a directory be synced.
pub(in crate::lab) fn sync_folder(folder: &Path) {
    File::open(folder).and_then(|folder| folder.sync_all()).ok();
}
