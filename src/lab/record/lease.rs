//! Whose run it is: the file `lock` in its folder names the process that works on it, and its age shows that the
//! process lives.
//!
//! The lock carries a token that grows with every process that takes the run. A process that was cut off for so long
//! that it counts as dead finds another token there when it comes back, and from then on leaves the folder alone: the
//! last lease wins.

use crate::lab::{LabError, Machine, files};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The lock's name in a run's folder.
const NAME: &str = "lock";

/// How often the owner shows that it lives.
pub(in crate::lab) const BEAT: Duration = Duration::from_secs(15);

/// A lock of another machine that is older is of a dead process.
const DEAD: Duration = Duration::from_secs(60);

/// A process, told from later ones of the same number by when it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The machine's name in the network.
    pub host: String,
    /// The process's number.
    pub pid: u32,
    /// When it began, in clock ticks since the machine did; 0 where the system does not tell.
    #[serde(default)]
    pub began: u64,
    /// Grows each time a process takes the run.
    #[serde(default)]
    token: u64,
}

impl Owner {
    /// This process.
    #[must_use]
    pub fn me() -> Self {
        let pid = std::process::id();
        Self { host: Machine::here().host.clone(), pid, began: began(pid), token: 0 }
    }

    fn read(path: &Path) -> io::Result<Option<Self>> {
        // A lock that is just being written is nobody's yet.
        fs::read(path).map(|text| serde_json::from_slice(&text).ok())
    }

    /// Who works on the run in `folder`; none if nobody does (any more).
    #[must_use]
    pub fn of(folder: &Path) -> Option<Self> {
        let path = folder.join(NAME);
        let owner = Self::read(&path).ok()??;
        let alive = if owner.host == Machine::here().host {
            let pid = Pid::from_raw(i32::try_from(owner.pid).ok()?)?;
            // A process of another user answers that it may not be asked, so it lives.
            let there = test_kill_process(pid) != Err(rustix::io::Errno::SRCH);
            there && (owner.began == 0 || owner.began == began(owner.pid))
        } else {
            age(&path).is_some_and(|age| age < DEAD)
        };
        alive.then_some(owner)
    }
}

/// When process `pid` began; 0 where the system does not tell.
fn began(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold anything; the 22nd field is the 20th after it.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    after.split_whitespace().nth(19).and_then(|field| field.parse().ok()).unwrap_or_default()
}

fn age(path: &Path) -> Option<Duration> {
    Some(SystemTime::now().duration_since(fs::metadata(path).ok()?.modified().ok()?).unwrap_or_default())
}

/// This process's hold on a run, given up when dropped.
#[derive(Debug)]
pub(in crate::lab) struct Lease {
    path: PathBuf,
    token: u64,
    /// When the lock was last seen to be this one's.
    seen: SystemTime,
    /// Whether it was taken from a process of another machine that may still live.
    pub from_afar: bool,
}

impl Lease {
    /// Takes the run in `folder`, unless a living process has it.
    pub fn take(folder: &Path) -> Result<Self, LabError> {
        let path = folder.join(NAME);
        // Two that take a dead process's run at the same time pass this gate one after the other.
        let _gate = loop {
            let gate = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
            let gate = gate.map_err(LabError::io("lock the run by", &path))?;
            // Some network file systems have no locks: the check below still holds, but for a moment.
            flock(&gate, FlockOperation::LockExclusive).ok();
            // The owner before may have removed the file meanwhile: then this is the gate to nothing.
            let same = gate.metadata().ok().zip(fs::metadata(&path).ok()).map(|(a, b)| a.ino() == b.ino());
            if same == Some(true) {
                break gate;
            }
        };
        if let Some(owner) = Owner::of(folder) {
            let id = folder.file_name().unwrap_or_default().to_string_lossy();
            let Owner { host, pid, .. } = owner;
            return Err(LabError::Refused(format!("{id}: process {pid} on {host} works on this run")));
        }
        let before = Owner::read(&path).ok().flatten();
        let now = SystemTime::now();
        // The lock goes when its owner ends, and the last token with it: by the clock the next is larger all the same.
        let clock = now.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros() as u64);
        let token = clock.max(before.as_ref().map_or(0, |owner| owner.token + 1));
        let text = serde_json::to_vec(&Owner { token, ..Owner::me() }).unwrap_or_default();
        // In place, not by renaming: those who wait at the gate wait for this very file.
        fs::write(&path, text).map_err(LabError::io("lock the run by", &path))?;
        // A request to the process before is not meant for this one.
        fs::remove_file(folder.join(REQUEST)).ok();
        let from_afar = before.is_some_and(|owner| owner.host != Machine::here().host);
        Ok(Self { path, token, seen: now, from_afar })
    }

    /// The number that tells this hold from every other on the run.
    pub const fn token(&self) -> u64 {
        self.token
    }

    /// Whether the run is still this process's, as seen at most `within` ago.
    pub fn holds(&mut self, within: Duration) -> bool {
        let now = SystemTime::now();
        if now.duration_since(self.seen).is_ok_and(|age| age < within) {
            return true;
        }
        let holds = match Owner::read(&self.path) {
            Ok(owner) => owner.is_some_and(|owner| owner.token == self.token && owner.pid == std::process::id()),
            // A disk that does not answer tells nothing, and takes nothing either.
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        };
        if holds {
            self.seen = now;
        }
        holds
    }

    /// Shows that the owner lives.
    pub fn beat(&self) {
        let now = File::options().write(true).open(&self.path).and_then(|file| file.set_modified(SystemTime::now()));
        // A beat that is missed is made up for by the next.
        now.ok();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Ok(gate) = File::open(&self.path) else { return };
        flock(&gate, FlockOperation::LockExclusive).ok();
        if self.holds(Duration::ZERO) {
            fs::remove_file(&self.path).ok();
        }
    }
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
        if Owner::of(folder).is_none() {
            let id = folder.file_name().unwrap_or_default().to_string_lossy();
            return Err(LabError::Refused(format!("{id}: no process works on this run")));
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
        folder.join(REQUEST).exists()
    }

    /// Takes the request that lies in the run's folder.
    pub(in crate::lab) fn take(folder: &Path) -> Option<Self> {
        let path = folder.join(REQUEST);
        let word = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
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
