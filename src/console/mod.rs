//! The keyboard face: a terminal console over runs.
//!
//! ```text
//! terminal   takes the terminal; the loop of keys, news and frames; every way to leave
//! app        what the console knows, and how keys change it
//! keymap     the one key table
//! view       what the state looks like, one file a tab
//! widget     plot, heat map, form, table: pure drawing
//! theme      every style and symbol
//! palette    the colours
//! search     how well what is typed fits a name
//! ```

pub mod app;
pub mod ascii;
pub mod keymap;
mod logging;
pub mod palette;
mod search;
mod terminal;
pub mod theme;
pub mod view;
pub mod widget;

pub use terminal::run;
