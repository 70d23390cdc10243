//! Drawing: what the state looks like. Nothing here changes the state, except that each frame sets what clicks choose.
//!
//! ```text
//! header     tabs, what is running
//! body       problem: form │ figures, progress, results · runs: table │ details · log
//! footer     the keys of the place, below the newest message
//! ```

mod figures;
mod frame;
mod home;
mod log;
mod overlay;
mod problem;
mod progress;
mod remarks;
mod results;
mod runs;
mod screen;
mod sweep;
mod sweeps;
mod toast;

pub use screen::draw;
