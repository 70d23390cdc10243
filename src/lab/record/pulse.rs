//! Whether a process of another machine lives, judged by its beat: the time of a file that it touches again and again.
//!
//! Clocks of two machines may differ by minutes, so this machine's clock is never held against that of another. A beat is
//! compared with the clock of the file system it lies on, which stamps a file written there just now; and it is watched,
//! because some file systems stamp with the clock of whoever writes. A beat that changes while it is watched is of a
//! process that lives, whatever the time says.

use crate::lab::record::files;
use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// A beat whose time is further from the file system's, in the past or in the future, seems to be of a dead process.
const DEAD: Duration = Duration::from_secs(60);

/// Clocks are less wrong than this: a beat that is further away needs no watching.
const BEYOND_DOUBT: Duration = Duration::from_secs(24 * 3600);

/// How long a beat that seems dead must have stood still in view before its process counts as gone: twice the time in which
/// a process that lives beats at least once.
const WATCH: Duration = Duration::from_secs(30);

/// How long the time of a file system is counted on before it is asked again.
const CLOCK: Duration = Duration::from_secs(10);

/// What a beat says about its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lab::record) enum Pulse {
    /// It lives.
    Alive,
    /// Its beat seems old, but the clocks may differ: only watching tells. It has stood still in view for this long, and
    /// its time is this far from the file system's.
    Doubtful {
        /// For how long it has stood still in view.
        still: Duration,
        /// How far its time is from the file system's.
        distance: Duration,
    },
    /// It is gone.
    Gone,
}

/// A beat as it was seen.
struct Sighting {
    token: u64,
    beat: SystemTime,
    /// Since when it has stood still in view.
    since: Instant,
    /// Whether it has been seen to change.
    moved: bool,
}

/// What this process has seen of beats so far, by the path of the file that carries them.
static SIGHTINGS: Mutex<Option<HashMap<PathBuf, Sighting>>> = Mutex::new(None);

/// What the file at `path`, whose owner is known by `token`, says about its owner; `metadata` was read from it just now.
pub(in crate::lab::record) fn feel(path: &Path, token: u64, metadata: &Metadata) -> Pulse {
    let Ok(beat) = metadata.modified() else { return Pulse::Gone };
    let (still, moved) = look(path, token, beat);
    if moved && still < DEAD {
        return Pulse::Alive;
    }
    if still >= DEAD {
        return Pulse::Gone;
    }
    let now = filesystem_now(path, metadata.dev());
    let distance = now.duration_since(beat).unwrap_or_else(|future| future.duration());
    if distance < DEAD {
        Pulse::Alive
    } else if still >= WATCH || distance >= BEYOND_DOUBT {
        Pulse::Gone
    } else {
        Pulse::Doubtful { still, distance }
    }
}

/// For how long the beat at `path` has stood still in view, and whether it has ever been seen to change.
fn look(path: &Path, token: u64, beat: SystemTime) -> (Duration, bool) {
    let mut seen = SIGHTINGS.lock().unwrap_or_else(PoisonError::into_inner);
    let seen = seen.get_or_insert_default();
    let now = Instant::now();
    match seen.get_mut(path) {
        Some(known) if known.token == token => {
            if known.beat != beat {
                // A leap is of somebody who set the clock or the file's time, not of a process that beats.
                let ahead = beat.duration_since(known.beat).unwrap_or(BEYOND_DOUBT);
                let beats = ahead < now.duration_since(known.since) + DEAD;
                (known.beat, known.since, known.moved) = (beat, now, known.moved || beats);
            }
            (now.duration_since(known.since), known.moved)
        }
        _ => {
            seen.insert(path.to_owned(), Sighting { token, beat, since: now, moved: false });
            (Duration::ZERO, false)
        }
    }
}

/// The time of the file system, numbered `device`, that the file at `path` lies on. Where nothing can be written there, and
/// so no run be taken either, this machine's clock has to do.
fn filesystem_now(path: &Path, device: u64) -> SystemTime {
    static CLOCKS: Mutex<Option<HashMap<u64, (Instant, SystemTime)>>> = Mutex::new(None);
    let mut clocks = CLOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    let clocks = clocks.get_or_insert_default();
    if let Some((asked, time)) = clocks.get(&device).filter(|(asked, _)| asked.elapsed() < CLOCK) {
        return *time + asked.elapsed();
    }
    // In the directory of runs rather than in the run's folder, whose own time says whether the run has changed.
    let folder = path.parent().unwrap_or(path);
    let told = files::time_in(&folder.join("..")).or_else(|_| files::time_in(folder));
    if let Ok(time) = told {
        clocks.insert(device, (Instant::now(), time));
    }
    told.unwrap_or_else(|_| SystemTime::now())
}
