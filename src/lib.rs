//! attnlab: a terminal lab console for efficient attention.
//!
//! The house has floors, and imports go down only:
//!
//! ```text
//! console/   cli/                  the two faces: keyboard and command line
//!     \      /
//!     problems/                    the problems: parameters + what one run does
//!     |       \
//!  vision/     |                   models and data
//!     |        |
//! attention/  lab/                 the ground: mathematics · runs
//!         \   /
//!   arrays  named  nearest        numbers of files · choices by name · slips of the keyboard
//!   paths  text  product  random  `~` in paths · text made harmless · matrix products · named generators
//!   statistics  memory  threads   means, errors, quantiles · large buffers · how many threads
//!   function  device              functions that a user types · processor and GPUs
//! ```
//!
//! * [`attention`] knows no file and no screen: arrays in, arrays out; heavy loops run on rayon's current pool.
//! * [`vision`] is image data, the vision transformer, its fused CPU kernels and training.
//! * [`lab`] is everything about *runs* (parameters, events, folders, queue) and nothing about attention.
//! * [`problems`] ties them together; the faces read only `lab` and the list of problems.

pub mod arrays;
pub mod attention;
pub mod cli;
pub mod console;
pub mod device;
pub mod function;
#[doc(hidden)]
pub mod fuzzing;
pub mod lab;
pub mod memory;
pub mod named;
mod nearest;
mod paths;
pub mod problems;
pub mod product;
pub mod random;
mod statistics;
pub mod text;
pub mod threads;
mod vectorized;
pub mod vision;
