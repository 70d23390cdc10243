//! Which vector instructions the kernels use, chosen at run time.

use pulp::WithSimd;
use std::fmt;

/// A set of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instructions {
    /// AVX-512: sixteen f32 at once.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2 with FMA: eight.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// NEON: four.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// None beyond what the compiler assumes; multiplies, then adds.
    Portable,
}

impl Instructions {
    /// What this machine has, the fastest first; [`Self::Portable`] is always last.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if pulp::x86::V4::try_new().is_some() {
                all.push(Self::Avx512);
            }
            if pulp::x86::V3::try_new().is_some() {
                all.push(Self::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if pulp::aarch64::Neon::try_new().is_some() {
            all.push(Self::Neon);
        }
        all.push(Self::Portable);
        all
    }

    /// Runs `call` with these instructions, or portably if the machine lacks them.
    pub(super) fn dispatch<W: WithSimd>(self, call: W) -> W::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                if let Some(simd) = pulp::x86::V4::try_new() {
                    return call.with_simd(simd);
                }
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                if let Some(simd) = pulp::x86::V3::try_new() {
                    return call.with_simd(simd);
                }
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon => {
                if let Some(simd) = pulp::aarch64::Neon::try_new() {
                    return call.with_simd(simd);
                }
            }
            Self::Portable => {}
        }
        call.with_simd(pulp::Scalar::new())
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "avx-512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Self::Neon => "neon",
            Self::Portable => "portable",
        })
    }
}
