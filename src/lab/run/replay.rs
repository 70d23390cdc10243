//! What earlier parts of a run have emitted, so that a continued run emits nothing twice.
//!
//! A run that goes on works from its last checkpoint, or from its beginning where it has none, and emits again much of
//! what it had emitted. Since a run is a function of its parameters, the second emission is the same as the first, and each
//! event is recognised by what it is:
//!
//! | event | is the same as one emitted before when it has the same |
//! |---|---|
//! | row | values in the columns that identify it |
//! | point | series and horizontal position |
//! | curve, matrix | name and content, in the order they were emitted |
//! | plot, series, note | content |
//!
//! Each emission by an earlier part holds back one now; what was lost from the journal is emitted again. States and
//! progress are never held back.

use crate::lab::event::{Event, Row};
use crate::lab::run::column::Column;
use md5::{Digest, Md5};
use std::collections::{HashMap, HashSet, VecDeque};

/// By what the rows of a table are told apart.
#[derive(Clone, Debug, Default)]
pub(super) struct RowIdentity {
    /// The keys of the columns that identify a row; with none, every key but those below does.
    keys: Vec<&'static str>,
    /// The keys of columns with times, speeds and memory.
    measured: Vec<&'static str>,
}

impl RowIdentity {
    pub fn of(columns: &[Column]) -> Self {
        let keys = columns.iter().filter(|column| column.identity).map(|column| column.key).collect();
        let measured = columns.iter().filter(|column| column.is_measured()).map(|column| column.key).collect();
        Self { keys, measured }
    }

    /// The values that identify `row`, as one text.
    pub fn text(&self, row: &Row) -> String {
        let value = |key: &str| row.get(key).map_or_else(|| "null".to_owned(), ToString::to_string);
        if !self.keys.is_empty() {
            return self.keys.iter().map(|key| value(key)).collect::<Vec<_>>().join(",");
        }
        let mut keys: Vec<&String> = row.keys().filter(|key| !self.measured.contains(&key.as_str())).collect();
        keys.sort();
        keys.into_iter().map(|key| format!("{key}={}", value(key))).collect::<Vec<_>>().join(",")
    }
}

/// The content of a curve or matrix in short.
type Fingerprint = [u8; 16];

/// Curves of one series or matrices of one name that were emitted and have not come again yet, in order.
#[derive(Debug, Default)]
struct Pictures {
    told: VecDeque<Fingerprint>,
    /// Whether one has been emitted since that is not among them: then the last of them must be emitted again, since the
    /// newest of a name is the one that is shown.
    overtaken: bool,
}

/// The events that earlier parts of a run have emitted and that have not come again yet.
#[derive(Debug, Default)]
pub(super) struct Replay {
    rows: HashMap<String, usize>,
    /// Of each series how often every horizontal position, by its bits.
    points: HashMap<String, HashMap<u64, usize>>,
    curves: HashMap<String, Pictures>,
    matrices: HashMap<String, Pictures>,
    /// Plots, series and notes as JSON, those of this part as well.
    statements: HashSet<String>,
}

impl Replay {
    /// Takes in an event that an earlier part has emitted.
    pub fn add(&mut self, event: &Event, identity: &RowIdentity) {
        match event {
            Event::Row { row } => *self.rows.entry(identity.text(row)).or_default() += 1,
            Event::Point(point) => {
                *self.points.entry(point.series.clone()).or_default().entry(position(point.x)).or_default() += 1;
            }
            Event::Curve(curve) => {
                self.curves.entry(curve.series.clone()).or_default().told.push_back(fingerprint(event));
            }
            Event::Matrix(matrix) => {
                self.matrices.entry(matrix.id.clone()).or_default().told.push_back(fingerprint(event));
            }
            Event::Plot(_) | Event::Series(_) | Event::Note { .. } => {
                self.statements.insert(text(event));
            }
            Event::Burst { events } => events.iter().for_each(|event| self.add(event, identity)),
            Event::State { .. } | Event::Progress(_) => {}
        }
    }

    /// Whether `event` was emitted before and need not be emitted again.
    pub fn is_replayed(&mut self, event: &Event, identity: &RowIdentity) -> bool {
        match event {
            Event::Row { .. } if self.rows.is_empty() => false,
            Event::Row { row } => take_one(&mut self.rows, &identity.text(row)),
            Event::Point(point) => match self.points.get_mut(&point.series) {
                Some(known) => take_one(known, &position(point.x)),
                None => false,
            },
            Event::Curve(curve) => is_known_picture(&mut self.curves, &curve.series, event),
            Event::Matrix(matrix) => is_known_picture(&mut self.matrices, &matrix.id, event),
            Event::Plot(_) | Event::Series(_) | Event::Note { .. } => !self.statements.insert(text(event)),
            Event::Burst { .. } | Event::State { .. } | Event::Progress(_) => false,
        }
    }
}

/// Counts `key` down. Returns whether it was there.
fn take_one<K, Q>(counts: &mut HashMap<K, usize>, key: &Q) -> bool
where
    K: std::borrow::Borrow<Q> + std::hash::Hash + Eq,
    Q: std::hash::Hash + Eq + ?Sized,
{
    let Some(count) = counts.get_mut(key) else { return false };
    *count -= 1;
    if *count == 0 {
        counts.remove(key);
    }
    true
}

fn is_known_picture(pictures: &mut HashMap<String, Pictures>, id: &str, event: &Event) -> bool {
    let Some(known) = pictures.get_mut(id) else { return false };
    let print = fingerprint(event);
    let Some(place) = known.told.iter().position(|told| *told == print) else {
        known.overtaken = true;
        return false;
    };
    // Those before it are skipped this time: the run works from a later place.
    known.told.drain(..=place);
    let must_come_last = known.overtaken && known.told.is_empty();
    if known.told.is_empty() {
        pictures.remove(id);
    }
    !must_come_last
}

/// The bits of a horizontal position; every NaN is the same.
fn position(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
}

fn text(event: &Event) -> String {
    // An event of strings and numbers always has a text.
    serde_json::to_string(event).unwrap_or_default()
}

fn fingerprint(event: &Event) -> Fingerprint {
    Md5::digest(text(event)).into()
}
