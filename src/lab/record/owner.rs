//! The process that works on a run, as the file `lock` in the run's folder names it.

use crate::lab::record::files;
use crate::lab::record::machine::Machine;
use crate::lab::record::process::{self, Realm};
use crate::lab::record::pulse::{self, Pulse};
use serde::{Deserialize, Serialize};
use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// The lock's name in a run's folder.
pub(in crate::lab::record) const LOCK: &str = "lock";

/// The most bytes that a lock or a request has.
pub(in crate::lab::record) const MOST: u64 = 1 << 16;

/// How often a beat is looked at that is watched.
const GLANCE: Duration = Duration::from_millis(100);

/// How long a list watches beats that seem old: a process at work beats once a second.
const BRIEFLY: Duration = Duration::from_secs(2);

/// A list does not watch beats that are older: it would do so for every run that was ever lost.
const OLD: Duration = Duration::from_secs(15 * 60);

/// A process, told from later ones of the same number by when it began, and from those of other machines and containers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The machine's name in the network.
    pub host: String,
    /// The process's number.
    pub pid: u32,
    /// When it began, in clock ticks since the machine did; 0 where the system does not tell.
    #[serde(default)]
    pub began: u64,
    /// Where its number is valid. A lock of an earlier version does not say.
    #[serde(flatten)]
    pub realm: Realm,
    /// Grows each time a process takes the run.
    #[serde(default)]
    pub(in crate::lab::record) token: u64,
}

impl Owner {
    /// This process.
    #[must_use]
    pub fn me() -> Self {
        let pid = std::process::id();
        let (host, realm) = (Machine::here().host.clone(), Realm::here().clone());
        Self { host, pid, began: process::began(pid), realm, token: 0 }
    }

    /// The process that the lock at `path` names, dead or alive; none where the lock names nobody.
    pub(in crate::lab::record) fn read(path: &Path) -> io::Result<Option<Self>> {
        // A lock that is just being written is nobody's yet.
        files::read(path, MOST).map(|text| serde_json::from_slice(&text).ok())
    }

    /// Whether its number means a process among those that this process sees.
    pub(in crate::lab::record) fn is_here(&self) -> bool {
        self.host == Machine::here().host && self.realm.may_be(Realm::here())
    }

    /// The owner that the lock in `folder` names, and whether it lives.
    fn look(folder: &Path) -> Option<(Self, Pulse)> {
        let path = folder.join(LOCK);
        // Opened each time: a network file system then asks its server instead of remembering the lock's time.
        let mut file = files::open_to_read(&path).ok()?;
        let mut text = Vec::new();
        file.by_ref().take(MOST).read_to_end(&mut text).ok()?;
        let owner: Self = serde_json::from_slice(&text).ok()?;
        let pulse = match owner.is_here() {
            true if process::is_alive(owner.pid, owner.began) => Pulse::Alive,
            true => Pulse::Gone,
            false => pulse::feel(&path, owner.token, &file.metadata().ok()?),
        };
        Some((owner, pulse))
    }

    /// Who works on the run in `folder`, as far as that can be told without waiting; none if nobody does (any more).
    #[must_use]
    pub fn of(folder: &Path) -> Option<Self> {
        Self::look(folder).filter(|(_, pulse)| *pulse == Pulse::Alive).map(|(owner, _)| owner)
    }

    /// Who works on the run in `folder` or may do so: a process of another machine whose sign of life seems old counts
    /// until it has been watched for long enough. For everything that a living process must be spared.
    #[must_use]
    pub fn perhaps_of(folder: &Path) -> Option<Self> {
        Self::look(folder).filter(|(_, pulse)| *pulse != Pulse::Gone).map(|(owner, _)| owner)
    }

    /// Waits until it is certain whether a process works on the run in `folder`, and says who. That takes half a minute
    /// where the lock is of another machine and seems old, and no time otherwise.
    #[must_use]
    pub fn surely_of(folder: &Path) -> Option<Self> {
        let mut told = false;
        loop {
            let (owner, pulse) = Self::look(folder)?;
            match pulse {
                Pulse::Alive => return Some(owner),
                Pulse::Gone => return None,
                Pulse::Doubtful { .. } if !told => {
                    told = true;
                    let id = folder.file_name().unwrap_or_default().to_string_lossy();
                    let Self { host, pid, .. } = owner;
                    log::warn!(target: "run", "{id}: watching whether process {pid} on {host} still works on it, 30 s");
                }
                Pulse::Doubtful { .. } => thread::sleep(GLANCE),
            }
        }
    }

    /// Watches for a moment those of `folders` whose locks are of other machines and seem old, all at once. What is seen
    /// is known to [`Owner::of`] afterwards. Returns those that were watched and whose process turned out to live.
    pub(in crate::lab) fn watch_briefly<'a>(folders: impl IntoIterator<Item = &'a Path>) -> Vec<&'a Path> {
        let is_doubtful = |folder: &Path| match Self::look(folder) {
            Some((_, Pulse::Doubtful { still, distance })) => still < BRIEFLY && distance < OLD,
            _ => false,
        };
        let mut watched: Vec<&Path> = folders.into_iter().filter(|folder| is_doubtful(folder)).collect();
        let (all, since) = (watched.clone(), Instant::now());
        while !watched.is_empty() && since.elapsed() < BRIEFLY {
            thread::sleep(GLANCE);
            watched.retain(|folder| is_doubtful(folder));
        }
        all.into_iter().filter(|folder| Self::of(folder).is_some()).collect()
    }
}
