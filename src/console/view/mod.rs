//! Drawing: what the state looks like. Nothing here changes the state, except that each frame sets what clicks choose.
//!
//! ```text
//! header     tabs, what is running
//! body       problem: form │ figures, progress, results · runs: table │ details · log
//! footer     the newest message, or the keys of the place
//! ```

mod figures;
mod frame;
mod log;
mod overlay;
mod problem;
mod remarks;
mod results;
mod runs;
mod screen;
mod sweep;
mod sweeps;

pub use screen::draw;
