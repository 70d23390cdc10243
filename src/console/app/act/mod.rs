//! From a key, and from news, to what they change.

mod dispatch;
mod news;
mod problem;
mod runs;
mod submit;
mod sweep;
mod sweeps;
