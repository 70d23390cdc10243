//! Processes, told from later ones of the same number, so that what one left half written can be removed.

use crate::lab::record::machine::Machine;
use md5::{Digest, Md5};
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};
use std::fs;
use std::sync::OnceLock;

/// Where the number of a process is valid: containers on one machine count theirs apart, and after a start of the machine
/// they are given anew. Empty where the system, or a lock of an earlier version, does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Realm {
    /// What the kernel calls its present run, from `/proc/sys/kernel/random/boot_id`.
    pub boot: String,
    /// The process namespace, as `/proc/self/ns/pid` names it.
    pub namespace: String,
}

impl Realm {
    /// That of this process.
    pub(in crate::lab) fn here() -> &'static Self {
        static HERE: OnceLock<Realm> = OnceLock::new();
        HERE.get_or_init(|| {
            let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
            let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
            Self { boot: boot.trim().to_owned(), namespace: namespace.to_string_lossy().into_owned() }
        })
    }

    /// Whether nothing that is known of both tells them apart.
    pub(in crate::lab) fn may_be(&self, other: &Self) -> bool {
        let same = |a: &str, b: &str| a.is_empty() || b.is_empty() || a == b;
        same(&self.boot, &other.boot) && same(&self.namespace, &other.namespace)
    }
}

/// When process `pid` began, in clock ticks since the machine did; 0 where the system does not tell.
pub(in crate::lab) fn began(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold anything; the 22nd field is the 20th after it.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    after.split_whitespace().nth(19).and_then(|field| field.parse().ok()).unwrap_or_default()
}

/// Whether the process of this machine lives that has number `pid` and began at `since` (0 for any).
pub(in crate::lab) fn is_alive(pid: u32, since: u64) -> bool {
    let Some(raw) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    // A process of another user answers that it may not be asked, so it lives.
    let there = test_kill_process(raw) != Err(rustix::io::Errno::SRCH);
    there && (since == 0 || since == began(pid))
}

/// This process in a word that is part of a file's name: machine, number and beginning.
pub(in crate::lab) fn mark() -> &'static str {
    static MARK: OnceLock<String> = OnceLock::new();
    MARK.get_or_init(|| {
        let pid = std::process::id();
        format!("{}-{pid}-{}", machine(), began(pid))
    })
}

/// Whether the process that [`mark`] stands for is gone; none where that cannot be known here.
pub(in crate::lab) fn is_gone(mark: &str) -> Option<bool> {
    let mut parts = mark.split('-');
    let (host, pid, since) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (host == machine()).then(|| !is_alive(pid, since))
}

/// This machine and the realm of this process in 8 hexadecimal digits.
fn machine() -> String {
    let Realm { boot, namespace } = Realm::here();
    hex::encode(&Md5::digest(format!("{}\n{boot}\n{namespace}", Machine::here().host))[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_whether_its_process_is_gone() {
        assert_eq!(is_gone(mark()), Some(false));
        assert_eq!(is_gone(&format!("{}-1-1", machine())), Some(true));
        assert_eq!(is_gone("00000000-1-1"), None);
        assert_eq!(is_gone("anything"), None);
    }
}
