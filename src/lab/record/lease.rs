//! Whose run it is: the file `lock` in its folder names the process that works on it, and its age shows that the
//! process lives.
//!
//! The lock carries a token that grows with every process that takes the run. A process that was cut off for so long
//! that it counts as dead finds another token there when it comes back, and from then on leaves the folder alone: the
//! last lease wins.

use crate::lab::LabError;
use crate::lab::record::files;
use crate::lab::record::owner::{LOCK, MOST, Owner};
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, futimens};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How often the owner of a run at work shows that it lives.
pub(in crate::lab) const BEAT: Duration = Duration::from_secs(1);

/// How often the owner of a run that waits for its turn does so: there may be thousands of them.
pub(in crate::lab) const BEAT_OF_WAITING: Duration = Duration::from_secs(15);

/// How long a process waits for another that is just taking or giving up the run.
const PATIENCE: Duration = Duration::from_secs(10);

/// What has become of a process's hold on a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lab) enum Standing {
    /// The run is still this process's.
    Held,
    /// Another process has taken it over.
    TakenOver,
    /// The run's folder is gone.
    Gone,
}

/// This process's hold on a run, given up when released or dropped.
#[derive(Debug)]
pub(in crate::lab) struct Lease {
    folder: PathBuf,
    token: u64,
    /// When the lock was last seen to be this one's, in milliseconds since 1970.
    seen: AtomicU64,
    released: AtomicBool,
    /// Whether it was taken from a process of another machine that may still live.
    pub from_afar: bool,
}

impl Lease {
    /// Takes the run in `folder`, unless a living process has it.
    ///
    /// # Errors
    /// [`LabError::Busy`] when a living process works on the run; the lock cannot be written.
    pub fn take(folder: &Path) -> Result<Self, LabError> {
        let path = folder.join(LOCK);
        // Before the gate, which nobody should hold for half a minute.
        if let Some(owner) = Owner::surely_of(folder) {
            return Err(busy(folder, &owner));
        }
        // Two processes that take a dead one's run at the same time do so one after the other.
        let mut gate = pass_gate(folder, &path)?;
        if let Some(owner) = Owner::perhaps_of(folder) {
            return Err(busy(folder, &owner));
        }
        let before = Owner::read(&path).ok().flatten();
        let now = SystemTime::now();
        // The lock goes when its owner ends, and the last token with it: by the clock the next is larger all the same.
        let clock = now.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros() as u64);
        let token = clock.max(before.as_ref().map_or(0, |owner| owner.token.saturating_add(1)));
        let text = serde_json::to_vec(&Owner { token, ..Owner::me() }).unwrap_or_default();
        // In place, not by renaming: those who wait for the lock wait for this very file.
        let written = gate.set_len(0).and_then(|()| gate.rewind()).and_then(|()| gate.write_all(&text));
        written.map_err(LabError::io("lock the run by", &path))?;
        // A request to the process before is not meant for this one.
        fs::remove_file(folder.join(REQUEST)).ok();
        let from_afar = before.is_some_and(|owner| !owner.is_here());
        let seen = AtomicU64::new(milliseconds(now));
        Ok(Self { folder: folder.to_owned(), token, seen, released: AtomicBool::new(false), from_afar })
    }

    /// Follows the run's folder to another name.
    pub fn move_to(&mut self, folder: &Path) {
        folder.clone_into(&mut self.folder);
    }

    /// What has become of this hold, as seen at most `within` ago. After its release it counts as held.
    pub fn standing(&self, within: Duration) -> Standing {
        let now = milliseconds(SystemTime::now());
        let age = now.checked_sub(self.seen.load(Ordering::SeqCst));
        if self.released.load(Ordering::SeqCst) || age.is_some_and(|age| u128::from(age) < within.as_millis()) {
            return Standing::Held;
        }
        let is_mine = |owner: &Owner| owner.token == self.token && owner.pid == std::process::id();
        let found = Owner::read(&self.folder.join(LOCK));
        // Released while the lock was looked for: what was found does not count.
        if self.released.load(Ordering::SeqCst) {
            return Standing::Held;
        }
        match found {
            Ok(owner) if !owner.as_ref().is_some_and(is_mine) => return Standing::TakenOver,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return if self.folder.is_dir() { Standing::TakenOver } else { Standing::Gone };
            }
            // A disk that does not answer says nothing about who has the run.
            Ok(_) | Err(_) => {}
        }
        self.seen.store(now, Ordering::SeqCst);
        Standing::Held
    }

    /// Shows that the owner lives.
    pub fn beat(&self) {
        let lock = files::open(&self.folder.join(LOCK), OpenOptions::new().write(true));
        // By the clock of the file system, where it has one, and not by this machine's.
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let times = Timestamps { last_access: now, last_modification: now };
        // A beat that is missed is made up for by the next.
        lock.and_then(|file| Ok(futimens(&file, &times)?)).ok();
    }

    /// Gives the run up: another process may take it from now on.
    pub fn release(&self) {
        if self.released.load(Ordering::SeqCst) {
            return;
        }
        let path = self.folder.join(LOCK);
        if let Ok(gate) = files::open_to_read(&path) {
            gate.lock().ok();
            if self.standing(Duration::ZERO) == Standing::Held {
                // First, so that a thread that looks for the lock at this moment does not take it for another's.
                self.released.store(true, Ordering::SeqCst);
                fs::remove_file(&path).ok();
            }
        }
        self.released.store(true, Ordering::SeqCst);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.release();
    }
}

/// Opens the lock at `path` and holds it against other processes that want to take or give up the run.
fn pass_gate(folder: &Path, path: &Path) -> Result<File, LabError> {
    let since = Instant::now();
    loop {
        let mut options = OpenOptions::new();
        let gate = files::open(path, options.read(true).write(true).create(true).truncate(false));
        let gate = gate.map_err(LabError::io("lock the run by", path))?;
        match gate.try_lock() {
            Err(TryLockError::WouldBlock) if since.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_millis(5));
                continue;
            }
            Err(TryLockError::WouldBlock) => {
                let id = id_of(folder);
                return Err(LabError::Refused(format!("{id}: another process holds its lock; try again later")));
            }
            // Some network file systems have no locks: what follows is then still right but for a moment.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        // The owner before may have removed the file meanwhile; then this is not the file that others see.
        let same = gate.metadata().ok().zip(fs::symlink_metadata(path).ok()).map(|(a, b)| a.ino() == b.ino());
        if same == Some(true) {
            return Ok(gate);
        }
    }
}

fn milliseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}

fn id_of(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Why a run cannot be taken that `owner` works on.
pub(in crate::lab) fn busy(folder: &Path, owner: &Owner) -> LabError {
    LabError::Busy { id: id_of(folder), pid: owner.pid, host: owner.host.clone() }
}

/// What another process may ask of the one that works on a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Hold still.
    Pause,
    /// Go on.
    Proceed,
    /// End, keeping what there is.
    Stop,
}

/// The name of the file that carries a request.
const REQUEST: &str = "request";

impl Request {
    /// Writes the request into the run's folder, where its process finds it within a second.
    ///
    /// # Errors
    /// The file cannot be written, or nobody works on the run.
    pub fn send(self, folder: &Path) -> Result<(), LabError> {
        if Owner::perhaps_of(folder).is_none() {
            return Err(LabError::Refused(format!("{}: no process works on this run", id_of(folder))));
        }
        let word = match self {
            Self::Pause => "pause",
            Self::Proceed => "proceed",
            Self::Stop => "stop",
        };
        let path = folder.join(REQUEST);
        files::replace(&path, word.as_bytes(), false).map_err(LabError::io("write", path))
    }

    /// Whether a request lies in the run's folder.
    pub(in crate::lab) fn is_pending(folder: &Path) -> bool {
        fs::symlink_metadata(folder.join(REQUEST)).is_ok_and(|metadata| !metadata.is_dir())
    }

    /// Takes the request that lies in the run's folder.
    pub(in crate::lab) fn take(folder: &Path) -> Option<Self> {
        let path = folder.join(REQUEST);
        let word = match files::read_text(&path, MOST) {
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            word => word.unwrap_or_default(),
        };
        fs::remove_file(&path).ok();
        match word.trim() {
            "pause" => Some(Self::Pause),
            "proceed" => Some(Self::Proceed),
            "stop" => Some(Self::Stop),
            _ => None,
        }
    }
}
