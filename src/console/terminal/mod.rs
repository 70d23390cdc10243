//! The console's life in a terminal.

mod event_loop;
mod input;
mod paper;
mod rescue;
mod screen;

pub use event_loop::run;
