//! The shape of a vision transformer.

use std::fmt;

/// How a block attends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttentionKernel {
    /// softmax(q·k/√d): quadratic in the number of tokens.
    Softmax,
    /// f(u) = max(u, 0) + 1e-3 in linear form (Performer-ReLU, Choromanski et al. 2021).
    Relu,
    /// f(u) = exp(u), stabilised exactly, in linear form.
    Exp,
    /// Learned, elementwise: f(u) = Σ_{k<3} a_k softplus(b_k u + c_k)/b_k + 1e-3, a and b kept positive; starts near relu.
    Softplus,
    /// Learned, elementwise: f(u) = exp(a u − c² u²); starts near exp. (A constant in the exponent would cancel.)
    Tempered,
    /// Learned, elementwise: f(u) = softplus(P(u)/(1 + |Q(u)|)) + 1e-3, P of degree 5, Q of degree 4 without constant, a
    /// safe Padé unit (Molina et al. 2020); starts near relu.
    Rational,
    /// Learned, an extension: r = max(x, 0) + 1e-3, f(x) = |r|·r^p/|r^p| with p = 1 + softplus(θ) (Han et al. 2023, whose
    /// p is fixed); elementwise up to the norm; starts at p = 3.
    Focused,
    /// Learned, an extension: f(x) = (exp(Wx + b), exp(−Wx − b)), both signs (Zhang et al. 2024); W starts at the identity.
    Hedgehog,
    /// Learned, an extension: f(x) = exp(Wx + b − |x|²/2), positive features with learned projections; W starts at the
    /// identity.
    Projection,
}

impl AttentionKernel {
    /// Every kernel, in the order they are offered.
    pub const ALL: &[Self] = &[
        Self::Softmax,
        Self::Relu,
        Self::Exp,
        Self::Softplus,
        Self::Tempered,
        Self::Rational,
        Self::Focused,
        Self::Hedgehog,
        Self::Projection,
    ];

    /// The name on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Relu => "relu",
            Self::Exp => "exp",
            Self::Softplus => "softplus",
            Self::Tempered => "tempered",
            Self::Rational => "rational",
            Self::Focused => "focused",
            Self::Hedgehog => "hedgehog",
            Self::Projection => "projection",
        }
    }

    /// The parameters of one head's feature map as they start, for heads of width `head_dim`; none for fixed kernels. They
    /// are a row of `blocks.N.attention.feature`:
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
        // What softplus makes into `value`.
        let inverse = |value: f32| value.exp_m1().ln();
        match self {
            Self::Softmax | Self::Relu | Self::Exp => Vec::new(),
            Self::Softplus => {
                let third = inverse(1.0 / 3.0);
                vec![third, third, third, inverse(1.0), inverse(2.0), inverse(4.0), 0.0, 0.0, 0.0]
            }
            Self::Tempered => vec![1.0, 0.1],
            // Q begins off zero, where its absolute value has no slope.
            Self::Rational => vec![0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.02, 0.0, 0.0],
            Self::Focused => vec![inverse(2.0)],
            Self::Hedgehog | Self::Projection => {
                let identity = (0..head_dim * head_dim).map(|at| if at % (head_dim + 1) == 0 { 1.0 } else { 0.0 });
                identity.chain(std::iter::repeat_n(0.0, head_dim)).collect()
            }
        }
    }

    /// The kernel called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kernel| kernel.name() == name)
    }
}

impl fmt::Display for AttentionKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A vision transformer: patch embedding, learned positions, pre-norm blocks, mean pooling, linear head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VitConfig {
    /// Colour channels of an image.
    pub channels: usize,
    /// Height and width of an image in pixels.
    pub image_size: usize,
    /// Height and width of a patch in pixels; divides the image size.
    pub patch: usize,
    /// Width of the residual stream.
    pub dim: usize,
    /// Number of blocks.
    pub depth: usize,
    /// Heads a block; divides `dim`.
    pub heads: usize,
    /// Width of the MLP's hidden layer over `dim`.
    pub mlp_ratio: usize,
    /// Number of classes.
    pub classes: usize,
    /// The attention kernel.
    pub attention: AttentionKernel,
}

/// A shape that does not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The patch does not divide the image.
    #[error("a patch of {patch} pixels does not divide an image of {image_size} pixels")]
    Patch {
        /// Patch size.
        patch: usize,
        /// Image size.
        image_size: usize,
    },
    /// The heads do not divide the width.
    #[error("{heads} heads do not divide a width of {dim}")]
    Heads {
        /// Number of heads.
        heads: usize,
        /// Width.
        dim: usize,
    },
    /// A size is zero.
    #[error("{0} is zero")]
    Zero(&'static str),
}

impl VitConfig {
    /// Checks that the sizes fit together.
    ///
    /// # Errors
    /// Says which do not.
    pub fn check(&self) -> Result<(), ConfigError> {
        let sizes = [
            ("channels", self.channels),
            ("image size", self.image_size),
            ("patch", self.patch),
            ("dim", self.dim),
            ("depth", self.depth),
            ("heads", self.heads),
            ("mlp ratio", self.mlp_ratio),
            ("classes", self.classes),
        ];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(ConfigError::Zero(name));
        }
        if !self.image_size.is_multiple_of(self.patch) {
            return Err(ConfigError::Patch { patch: self.patch, image_size: self.image_size });
        }
        if !self.dim.is_multiple_of(self.heads) {
            return Err(ConfigError::Heads { heads: self.heads, dim: self.dim });
        }
        Ok(())
    }

    /// Tokens an image: its patches.
    #[must_use]
    pub const fn tokens(&self) -> usize {
        let side = self.image_size / self.patch;
        side * side
    }

    /// Numbers a patch.
    #[must_use]
    pub const fn patch_dim(&self) -> usize {
        self.channels * self.patch * self.patch
    }

    /// Width of a head.
    #[must_use]
    pub const fn head_dim(&self) -> usize {
        self.dim / self.heads
    }

    /// Width of the MLP's hidden layer.
    #[must_use]
    pub const fn hidden(&self) -> usize {
        self.dim * self.mlp_ratio
    }
}
