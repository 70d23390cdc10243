//! The attention kernels: each is declared once, in the table below, and a kernel of linear attention has a file of its own
//! with its feature map, composed and fused, beside the formulas.
//!
//! To add one, write its file (a unit type that implements [`LinearKernel`](linear::LinearKernel)) and its line in the table:
//! the parameter's choices, help, parsing, both forms of the model, tests and benchmarks go through the table.

mod affine;
mod attention;
mod cosformer;
mod elu;
mod exp;
mod favor;
mod focused;
pub(in crate::vision) mod linear;
mod norms;
mod rational;
mod relu;
mod relu_squared;
mod softplus_mixture;
mod tempered;
mod typed;

pub use attention::Attention;
pub use favor::{FavorEstimator, FavorMap};
pub use typed::TypedMap;

use crate::named::{self, Choice, named};
use crate::vision::fused::feature_map::{HeadMap, HeadShape};
use crate::vision::fused::head::{HeadAttention, HeadGradient};
use crate::vision::fused::identity_attention::IdentityAttention;
use crate::vision::fused::linear_attention::LinearAttention;
use crate::vision::fused::softmax_attention::SoftmaxAttention;
use candle_core::{Result, Tensor};
use linear::{LinearKernel, MapParameters, Mapped};
use pulp::Simd;

/// Declares the kernels: softmax and the identity, which stand alone, and the kernels of linear attention with their types.
macro_rules! kernels {
    (
        Softmax = $softmax_name:literal, $softmax_help:literal;
        Identity = $identity_name:literal, $identity_help:literal;
        $($(#[$attribute:meta])* $Kernel:ident($Map:ty) = $name:literal, $help:literal;)+
    ) => {
        named! {
            /// How a block attends.
            pub enum AttentionKernel {
                Softmax = $softmax_name, $softmax_help;
                $($(#[$attribute])* $Kernel = $name, $help;)+
                Identity = $identity_name, $identity_help;
            }
        }

        impl AttentionKernel {
            /// The parameters of one head's feature map as they start, for heads of width `head_dim`; none for fixed kernels.
            /// They are a row of `blocks.N.attention.feature`:
            ///
            /// | kernel | a row |
            /// |---|---|
            /// | `softplus` | a, b, c, three each; a and b are the softplus of what stands there |
            /// | `tempered` | a, c |
            /// | `rational` | P's coefficients from the constant up (6), Q's from the linear up (4) |
            /// | `focused` | θ |
            /// | `hedgehog`, `projection` | W by rows (d·d), b (d) |
            #[must_use]
            pub fn feature_start(self, head_dim: usize) -> Vec<f32> {
                match self {
                    Self::Softmax | Self::Identity => Vec::new(),
                    $(Self::$Kernel => <$Map>::start(head_dim),)+
                }
            }

            /// What the other coordinates are while the feature map is shown along one axis.
            pub(in crate::vision) const fn rest(self) -> f32 {
                match self {
                    Self::Softmax | Self::Identity => 0.0,
                    $(Self::$Kernel => <$Map>::REST,)+
                }
            }

            /// Features of a head of width `head_dim`; 0 for softmax and the identity, which have no feature map.
            #[must_use]
            pub fn features(self, head_dim: usize) -> usize {
                match self {
                    Self::Softmax | Self::Identity => 0,
                    $(Self::$Kernel => HeadMap::features(&<$Map>::FUSED, head_dim),)+
                }
            }

            /// What the composed feature map makes of `x` `[batch, heads, tokens, head_dim]`, given its parameters
            /// `[heads, …]` where it has any; none for softmax and the identity.
            pub(in crate::vision) fn map(self, x: &Tensor, parameters: Option<&Tensor>) -> Result<Option<Mapped>> {
                match self {
                    Self::Softmax | Self::Identity => Ok(None),
                    $(Self::$Kernel => <$Map>::composed(x, &MapParameters(parameters)).map(Some),)+
                }
            }
        }

        /// The fused form of each kernel.
        #[derive(Clone, Copy, Debug)]
        pub(in crate::vision) enum FusedAttention {
            Softmax(SoftmaxAttention),
            Identity(IdentityAttention),
            Typed(LinearAttention<TypedMap>),
            Favor(LinearAttention<FavorMap>),
            $($Kernel(LinearAttention<<$Map as LinearKernel>::Fused>),)+
        }

        impl FusedAttention {
            /// For such heads.
            pub fn new(attention: Attention, shape: HeadShape) -> Self {
                let kernel = match attention {
                    Attention::Kernel(kernel) => kernel,
                    Attention::Typed(map) => return Self::Typed(LinearAttention::new(map, shape)),
                    Attention::Favor(map) => return Self::Favor(LinearAttention::new(map, shape)),
                };
                match kernel {
                    AttentionKernel::Softmax => Self::Softmax(SoftmaxAttention::new(shape)),
                    AttentionKernel::Identity => Self::Identity(IdentityAttention::new(shape)),
                    $(AttentionKernel::$Kernel => Self::$Kernel(LinearAttention::new(<$Map>::FUSED, shape)),)+
                }
            }
        }

        /// `$body` for the attention inside `$fused`, whichever it is.
        macro_rules! with_attention {
            ($fused:expr, $attention:ident => $body:expr) => {
                match $fused {
                    FusedAttention::Softmax($attention) => $body,
                    FusedAttention::Identity($attention) => $body,
                    FusedAttention::Typed($attention) => $body,
                    FusedAttention::Favor($attention) => $body,
                    $(FusedAttention::$Kernel($attention) => $body,)+
                }
            };
        }
    };
}

kernels! {
    Softmax = "softmax", "softmax(q·k/√d): exact, quadratic in the number of tokens";
    Identity = "identity", "control without mixing: each token keeps its own value";
    /// Performer-ReLU (Choromanski et al. 2021).
    Relu(relu::Relu) = "relu", "f(u) = max(u, 0) + 0.001 in linear form";
    Exp(exp::Exp) = "exp", "f(u) = exp(u) in linear form, stabilised exactly";
    /// Katharopoulos et al. 2020.
    Elu(elu::Elu) = "elu", "f(u) = elu(u) + 1 in linear form: eᵘ below 0, 1 + u above";
    /// f(u) = Σ_{k<3} a_k softplus(b_k u + c_k)/b_k + 0.001, a and b kept positive.
    Softplus(softplus_mixture::SoftplusMixture) = "softplus", "learned f, elementwise: three softplus, starts near relu";
    /// A constant in the exponent would cancel.
    Tempered(tempered::Tempered) = "tempered", "learned f, elementwise: exp(a u − c² u²), starts near exp";
    /// f(u) = softplus(P(u)/(1 + |Q(u)|)) + 0.001, P of degree 5, Q of degree 4 without a constant: a safe Padé unit (Molina et
    /// al. 2020).
    Rational(rational::Rational) = "rational", "learned f, elementwise: softplus of a safe rational function, starts near relu";
    /// r = max(x, 0) + 0.001, f(x) = |r|·r^p/|r^p| with p = 1 + softplus(θ) (Han et al. 2023, whose p is fixed); elementwise
    /// up to the norm.
    Focused(focused::Focused) = "focused", "learned extension: a power that keeps the norm, starts at 3";
    /// f(x) = (exp(Wx + b), exp(−Wx − b)) (Zhang et al. 2024); W starts at the identity.
    Hedgehog(affine::Hedgehog) = "hedgehog", "learned extension: exp(±(Wx + b)), both signs, starts near exp";
    /// Positive features with learned projections; W starts at the identity.
    Projection(affine::LearnedProjection) = "projection", "learned extension: exp(Wx + b − |x|²/2), starts near exp";
    ReluSquared(relu_squared::ReluSquared) = "relu-squared", "f(u) = max(u, 0)² + 0.001 in linear form";
    /// Qin et al. 2022.
    CosFormer(cosformer::CosFormer) = "cosformer", "relu features weighed by place, cos(π(i − j)/2M), in linear form: two a coordinate";
}

/// The choice of a feature map that the user types.
pub const TYPED: Choice = Choice { name: "custom", help: "f typed by you, in linear form: see f" };

/// The choice of random features.
pub const FAVOR: Choice = Choice { name: "favor", help: "softmax estimated by random features: see estimator" };

/// Every way to attend that can be chosen: the kernels, a function that is typed, and random features.
pub const ATTENTIONS: &[Choice] =
    &named::joined::<{ AttentionKernel::CHOICES.len() + 2 }>(AttentionKernel::CHOICES, &[TYPED, FAVOR]);

impl HeadAttention for FusedAttention {
    fn kept_len(&self) -> usize {
        with_attention!(self, attention => attention.kept_len())
    }

    fn scratch_len(&self) -> usize {
        with_attention!(self, attention => attention.scratch_len())
    }

    fn not_positive(&self, kept: &mut [f32]) -> usize {
        with_attention!(self, attention => attention.not_positive(kept))
    }

    fn forward<S: Simd>(&self, simd: S, parameters: &[f32], kept: &mut [f32], scratch: &mut [f32], out: &mut [f32]) {
        with_attention!(self, attention => attention.forward(simd, parameters, kept, scratch, out));
    }

    fn backward<S: Simd>(
        &self,
        simd: S,
        parameters: &[f32],
        kept: &mut [f32],
        scratch: &mut [f32],
        gradient: HeadGradient<'_>,
        parameters_gradient: &mut [f32],
    ) {
        with_attention!(self, attention => {
            attention.backward(simd, parameters, kept, scratch, gradient, parameters_gradient);
        });
    }
}
