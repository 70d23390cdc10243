//! attnlab: a terminal lab console for efficient attention.
//!
//! The house has floors, and imports go down only:
//!
//! ```text
//! console/   cli/                  the two faces: keyboard and command line
//!     \      /
//!     problems/                    the problems: parameters + what one run does
//!     |       \
//!     |       lab/                 the ground: runs
//!     |       /
//!     core/                        what computes, a crate of its own: attention, models, data
//! ```
//!
//! * [`attnlab_core`] has the mathematics ([`attention`]), models and data ([`vision`]) and what both crates need: text, random
//!   numbers, statistics. Its modules stand here under their own names.
//! * [`lab`] is everything about *runs* (parameters, events, folders, queue) and nothing about attention.
//! * [`problems`] ties them together; the faces read only `lab` and the list of problems.

pub mod cli;
pub mod console;
#[doc(hidden)]
pub mod fuzzing;
pub mod lab;
pub mod problems;

pub use attnlab_core::{arrays, attention, device, function, memory, named, product, random, text, threads, vision};
use attnlab_core::{nearest, paths, statistics};
