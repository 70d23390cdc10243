//! How keys and news change the console's state.

mod dispatch;
mod fields;
mod home;
mod marked;
mod messages;
mod mouse;
mod news;
mod presets;
mod problem;
mod runs;
mod submit;
mod sweep;
mod sweeps;
