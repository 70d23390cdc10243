//! What attnlab computes: attention and its estimators, vision transformers with fused kernels, image data. It knows no run and no
//! screen; those are the crate `attnlab`, which is built upon this one and has these modules under the same names.
//!
//! It is a crate of its own for the compiler's sake: its kernels are compiled for speed, and not again where only a screen changes.
//!
//! ```text
//!  vision/                         models and data
//!     |
//! attention/                       the mathematics
//!     |
//!   arrays  named  nearest        numbers of files · choices by name · slips of the keyboard
//!   paths  text  product  random  `~` in paths · text made harmless · matrix products · named generators
//!   statistics  memory  threads   means, errors, quantiles · large buffers · how many threads
//!   function  device              functions that a user types · processor and GPUs
//! ```
//!
//! * [`attention`] knows no file and no screen: arrays in, arrays out; heavy loops run on rayon's current pool.
//! * [`vision`] is image data, the vision transformer, its fused CPU kernels and training.

pub mod arrays;
pub mod attention;
pub mod device;
pub mod function;
pub mod memory;
pub mod named;
pub mod nearest;
pub mod paths;
pub mod product;
pub mod random;
pub mod statistics;
pub mod text;
pub mod threads;
mod vectorized;
pub mod vision;
