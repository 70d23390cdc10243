//! What the problems have in common: rows that are typed by their columns, points that a continued run need not compute
//! again, the report of progress, the thread pool, the processor time that its threads take, and the plots of what estimates cost.

mod columns;
mod costs;
mod meter;
mod points;
mod pool;
mod processor;

pub(super) use columns::{Columns, columns, joined, label, table};
pub(super) use costs::{declare_cost_series, declare_costs, tell_costs};
pub(super) use meter::Meter;
pub(super) use points::{Burst, FinishedPoints};
pub(super) use pool::pool;
pub(super) use processor::{ProcessorMeter, ProcessorTime};
