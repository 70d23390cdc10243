//! How keys and news change the console's state.

mod dispatch;
mod marked;
mod mouse;
mod news;
mod problem;
mod runs;
mod submit;
mod sweep;
mod sweeps;
