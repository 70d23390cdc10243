//! What differs from one measurement to the next.

use attnlab::lab::Row;

/// Takes times, speeds and peaks of memory out of a row.
pub fn forget_measured(row: &mut Row) {
    row.retain(|key, _| !key.contains("second") && !key.ends_with("_peak_bytes"));
}
