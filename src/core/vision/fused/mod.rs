//! The vision transformer on the CPU: forward and backward by hand over flat f32 buffers.
//!
//! A batch is cut into slices of a few images whose activations stay in the second-level cache. A thread takes a slice
//! through the whole network and back in buffers of its own ([`network`]); products go through `gemm` on one thread
//! ([`linear`]), everything else through kernels over vector registers, one file per layer, forward beside backward, with
//! the formula above them. There is no graph and no temporary tensor; candle owns the parameters ([`loss`], [`logits`]).
//!
//! Results do not depend on the number of threads: how a batch is cut is a function of the batch and the model alone, and
//! gradients are summed along a fixed binary tree.

mod attention;
mod cross_entropy;
mod cut;
pub(in crate::vision) mod feature_map;
mod gelu;
pub(in crate::vision) mod head;
pub(in crate::vision) mod identity_attention;
mod instructions;
mod layer_norm;
mod linear;
pub(in crate::vision) mod linear_attention;
mod network;
mod operation;
pub(in crate::vision) mod register;
mod shape;
pub(in crate::vision) mod softmax_attention;
mod stages;
pub(in crate::vision) mod tape;
pub(in crate::vision) mod tile;
mod vit;
mod weights;

pub use instructions::Instructions;
pub use operation::{logits, loss};
pub use stages::Stage;
pub use vit::FusedVit;
