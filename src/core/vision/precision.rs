//! In how many bits products are computed.

use crate::named::named;
use candle_core::{DType, Device, Result, Tensor};

named! {
    /// How the composed operations compute products of matrices. Everything else (parameters and their moments, losses, layer
    /// norm, softmax, exponents with what keeps them small) is f32 in any case.
    #[derive(Default)]
    pub enum Precision {
        #[default]
        F32 = "f32", "products in single precision";
        Tf32 = "tf32", "products of numbers rounded to 10 bits behind the point, on NVIDIA's cards";
        Bf16 = "bf16", "products of numbers rounded to 7 bits behind the point, summed in single precision";
    }
}

impl Precision {
    /// a·b, of the kind of `a`. With bf16 factors and product are rounded, and so are gradients on their way back; sums are made
    /// in f32. The processor has no products of such numbers, so it rounds and multiplies in f32.
    ///
    /// # Errors
    /// The shapes do not fit.
    pub(in crate::vision) fn product(self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        if self != Self::Bf16 {
            return a.matmul(b);
        }
        let [low, kind] = [DType::BF16, a.dtype()];
        let (a, b) = (a.to_dtype(low)?, b.to_dtype(low)?);
        if a.device().is_cpu() {
            return a.to_dtype(kind)?.matmul(&b.to_dtype(kind)?)?.to_dtype(low)?.to_dtype(kind);
        }
        a.matmul(&b)?.to_dtype(kind)
    }

    /// Whether `device` has it, with composed operations.
    #[must_use]
    pub fn is_on(self, device: &Device) -> bool {
        self != Self::Tf32 || device.is_cuda()
    }

    /// Does `work` with products on `device` in this precision. Whether cards round factors to tf32 is one switch of the whole
    /// process: work in the other precision waits until this has been handed to the card.
    pub(in crate::vision) fn during<T>(self, device: &Device, work: impl FnOnce() -> T) -> T {
        #[cfg(feature = "cuda")]
        if device.is_cuda() {
            let _turn = switch::PrecisionTurn::begin(self == Self::Tf32);
            return work();
        }
        let _ = device;
        work()
    }
}

#[cfg(feature = "cuda")]
mod switch {
    use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

    /// Which way the switch stands, and how many count on it.
    static STATE: Mutex<(bool, usize)> = Mutex::new((false, 0));
    static CHANGED: Condvar = Condvar::new();

    fn state() -> MutexGuard<'static, (bool, usize)> {
        STATE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The switch stands still as long as this lives.
    pub struct PrecisionTurn;

    impl PrecisionTurn {
        pub fn begin(reduced: bool) -> Self {
            let mut now = state();
            while now.1 > 0 && now.0 != reduced {
                now = CHANGED.wait(now).unwrap_or_else(PoisonError::into_inner);
            }
            if now.0 != reduced {
                candle_core::cuda::set_gemm_reduced_precision_f32(reduced);
            }
            *now = (reduced, now.1 + 1);
            Self
        }
    }

    impl Drop for PrecisionTurn {
        fn drop(&mut self) {
            state().1 -= 1;
            CHANGED.notify_all();
        }
    }
}
