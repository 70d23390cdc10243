//! Loops that are compiled for every set of vector instructions, of which the machine's own is chosen when they run.
//!
//! A closure has the instructions of the function around it only where the compiler inlines it, so two things must be: the closure
//! is marked `#[inline(always)]`, and it is called through `FnMut`, because through `FnOnce` the compiler puts a shim between that
//! it need not inline. Without either the loop is compiled for the oldest processor, and two to four times slower. Hence the macro.

use pulp::{Arch, Simd, WithSimd};

/// A closure as `pulp` takes work: compiled with the instructions that it is called with, and called through `FnMut`.
pub(crate) struct Body<F>(pub F);

impl<F: FnMut() -> R, R> WithSimd for Body<F> {
    type Output = R;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) -> R {
        (self.0)()
    }
}

/// Runs a block, whose loops the compiler may vectorise with the instructions of this machine: `vectorized!({ … })`. The block may
/// call functions only where these are inlined.
macro_rules! vectorized {
    ($body:block) => {
        $crate::vectorized::run(
            #[inline(always)]
            || $body,
        )
    };
}
pub(crate) use vectorized;

/// What [`vectorized!`] calls.
#[inline(always)]
pub(crate) fn run<R>(body: impl FnMut() -> R) -> R {
    Arch::new().dispatch(Body(body))
}
