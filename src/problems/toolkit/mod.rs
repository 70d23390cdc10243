//! What the problems have in common: rows that are typed by their columns, points that a continued run need not compute
//! again, the report of progress, and the thread pool.

mod columns;
mod meter;
mod points;
mod pool;

pub(super) use columns::{Columns, columns, joined, label, table};
pub(super) use meter::Meter;
pub(super) use points::{Burst, FinishedPoints};
pub(super) use pool::pool;
