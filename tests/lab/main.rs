//! Runs, their folders and the queue, with a problem made for the purpose.

mod export;
mod figures;
mod fold;
mod going_on;
mod grid;
mod params;
mod preset;
mod queue;
mod resume;
mod slope;
mod store;
mod strange;
mod sweep;
