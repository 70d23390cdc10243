//! The steps of a function that a user typed, and their derivative, over the registers of a head's rows.
//!
//! Rows are taken in blocks that stay in the fastest cache; each step runs over a whole block, so that finding out which
//! step it is costs little. Padding at the end of a row holds the row's first coordinate, at which every step is defined,
//! and takes no part in reductions, outputs and gradients.

mod backward;
mod elementary;
mod forward;
mod layout;
mod loops;
mod outputs;
#[cfg(test)]
mod tests;

pub(in crate::vision) use backward::differentiate;
pub(in crate::vision) use elementary::sine_and_cosine;
pub(in crate::vision) use forward::evaluate;
pub(in crate::vision) use layout::{RowGradients, TapeCall, TapeRows};
