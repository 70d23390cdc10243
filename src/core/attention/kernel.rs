//! The exact kernel exp(x·y), and element-wise exp, sin and cos that the compiler can vectorise.
//!
//! Loops are compiled for every instruction set `pulp` knows and chosen at run time. Multiplications and additions are
//! kept apart: a fused one without hardware for it is a call into a library.

use super::feature_map::inner_products;
use super::{AttentionError, Inputs};
use crate::product::Real;
use crate::vectorized::vectorized;
use candle_core::WithDType;
use ndarray::Array2;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// A float the streamed engine computes in.
pub trait Float:
    Real
    + WithDType
    + Send
    + Sync
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
{
    /// Its name.
    const NAME: &'static str;
    /// How far exponents of one matrix may lie apart before what matters underflows.
    const SPREAD: f64;
    /// Rounds an f64.
    fn of(value: f64) -> Self;
    /// As f64.
    fn to(self) -> f64;
    /// e^self to about 2 units in the last place; the argument is clamped to what the format holds.
    fn exp(self) -> Self;
    /// (sin, cos), for |self| below 10⁴ (f32) or 10⁶ (f64).
    fn sin_cos(self) -> (Self, Self);
}

/// Evaluates a polynomial from its highest coefficient down.
macro_rules! polynomial {
    ($x:expr; $first:expr $(, $rest:expr)*) => {{
        let x = $x;
        let value = $first;
        $(let value = value * x + $rest;)*
        value
    }};
}

impl Float for f32 {
    const NAME: &'static str = "f32";
    const SPREAD: f64 = 60.0;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as Self
    }

    #[inline(always)]
    fn to(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn exp(self) -> Self {
        const MAGIC: f32 = 12_582_912.0;
        let x = self.clamp(-87.3, 88.3);
        // Adding 1.5·2²³ leaves the nearest whole number in the low bits.
        let shifted = x * std::f32::consts::LOG2_E + MAGIC;
        let n = shifted - MAGIC;
        let r = (x - n * 0.693_359_4) + n * 2.121_944_4e-4;
        let p = polynomial!(r; 1.987_569_1e-4_f32, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5);
        let value = p * r * r + r + 1.0;
        value * Self::from_bits((shifted.to_bits().wrapping_add(127)) << 23)
    }

    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        const MAGIC: f32 = 12_582_912.0;
        let shifted = self * std::f32::consts::FRAC_2_PI + MAGIC;
        let n = shifted - MAGIC;
        // π/2 in three parts, the first two short enough for exact products.
        let r = ((self - n * 1.570_312_5) - n * 4.837_513e-4) - n * 7.549_79e-8;
        let r2 = r * r;
        let sin = polynomial!(r2; -1.951_529_6e-4_f32, 8.332_161e-3, -0.166_666_55) * r2 * r + r;
        let cos = polynomial!(r2; 2.443_315_7e-5_f32, -1.388_731_6e-3, 4.166_664_6e-2) * r2 * r2 - r2 * 0.5 + 1.0;
        let quadrant = shifted.to_bits();
        let (a, b) = if quadrant & 1 == 0 { (sin, cos) } else { (cos, sin) };
        (
            Self::from_bits(a.to_bits() ^ ((quadrant & 2) << 30)),
            Self::from_bits(b.to_bits() ^ ((quadrant.wrapping_add(1) & 2) << 30)),
        )
    }
}

impl Float for f64 {
    const NAME: &'static str = "f64";
    const SPREAD: f64 = 300.0;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn to(self) -> f64 {
        self
    }

    #[inline(always)]
    fn exp(self) -> Self {
        const MAGIC: f64 = 6_755_399_441_055_744.0;
        let x = self.clamp(-708.0, 709.0);
        let shifted = x * std::f64::consts::LOG2_E + MAGIC;
        let n = shifted - MAGIC;
        let r = (x - n * 0.693_147_180_369_123_8) - n * 1.908_214_929_270_587_7e-10;
        // 1/k! for k = 13 … 2: the rest is below 1e-17 for |r| ≤ ln 2/2.
        let p = polynomial!(
            r;
            1.605_904_383_682_161_5e-10, 2.087_675_698_786_81e-9, 2.505_210_838_544_172e-8,
            2.755_731_922_398_589e-7, 2.755_731_922_398_589_3e-6, 2.480_158_730_158_73e-5,
            1.984_126_984_126_984e-4, 1.388_888_888_888_889e-3, 8.333_333_333_333_333e-3,
            4.166_666_666_666_666_4e-2, 0.166_666_666_666_666_66, 0.5
        );
        let value = p * r * r + r + 1.0;
        value * Self::from_bits((shifted.to_bits().wrapping_add(1023)) << 52)
    }

    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        const MAGIC: f64 = 6_755_399_441_055_744.0;
        let shifted = self * std::f64::consts::FRAC_2_PI + MAGIC;
        let n = shifted - MAGIC;
        let r =
            ((self - n * 1.570_796_326_734_125_6) - n * 6.077_100_506_303_966e-11) - n * 2.022_266_248_795_950_6e-21;
        let r2 = r * r;
        // ±1/k!: the rest is below 1e-16 for |r| ≤ π/4.
        let sin = polynomial!(
            r2;
            -7.647_163_731_819_816e-13, 1.605_904_383_682_161_5e-10, -2.505_210_838_544_172e-8,
            2.755_731_922_398_589_3e-6, -1.984_126_984_126_984e-4, 8.333_333_333_333_333e-3,
            -0.166_666_666_666_666_66
        ) * r2
            * r
            + r;
        let cos = polynomial!(
            r2;
            4.779_477_332_387_385e-14, -1.147_074_559_772_972_5e-11, 2.087_675_698_786_81e-9,
            -2.755_731_922_398_589e-7, 2.480_158_730_158_73e-5, -1.388_888_888_888_889e-3,
            4.166_666_666_666_666_4e-2, -0.5
        ) * r2
            + 1.0;
        let quadrant = shifted.to_bits();
        let (a, b) = if quadrant & 1 == 0 { (sin, cos) } else { (cos, sin) };
        (
            Self::from_bits(a.to_bits() ^ ((quadrant & 2) << 62)),
            Self::from_bits(b.to_bits() ^ ((quadrant.wrapping_add(1) & 2) << 62)),
        )
    }
}

/// v ← exp(v + shift) for every value.
pub fn exp_shifted<T: Float>(values: &mut [T], shift: T) {
    vectorized!({
        for value in values.iter_mut() {
            *value = (*value + shift).exp();
        }
    });
}

/// v ← exp(v + shift), value by value.
pub fn exp_sums<T: Float>(values: &mut [T], shifts: &[T]) {
    vectorized!({
        for (value, shift) in values.iter_mut().zip(shifts) {
            *value = (*value + *shift).exp();
        }
    });
}

/// (p, ·) ← scale·(cos p, sin p) for every value p of `cosines`.
pub fn turn<T: Float>(cosines: &mut [T], sines: &mut [T], scales: &[T]) {
    vectorized!({
        for ((cosine, sine), &scale) in cosines.iter_mut().zip(sines.iter_mut()).zip(scales) {
            let (sin, cos) = cosine.sin_cos();
            (*cosine, *sine) = (scale * cos, scale * sin);
        }
    });
}

/// The exact matrix exp(x_i·y_j + r_i), stored whole: for small problems and for display.
///
/// # Errors
/// There is not enough memory.
pub fn exact(inputs: &Inputs) -> Result<Array2<f64>, AttentionError> {
    let mut matrix = inner_products(inputs.queries.view(), inputs.keys.view(), "the exact matrix")?;
    for (mut row, &exponent) in matrix.rows_mut().into_iter().zip(&inputs.row_exponents) {
        row.mapv_inplace(|product| f64::exp(product + exponent));
    }
    Ok(matrix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_agree_with_the_library() {
        for i in -8000..=8000 {
            let x = f64::from(i) * 0.0107;
            assert!((Float::exp(x) / x.exp() - 1.0).abs() < 1e-15, "{x}");
            let (sin, cos) = Float::sin_cos(x);
            assert!((sin - x.sin()).abs() < 1e-15 && (cos - x.cos()).abs() < 1e-15, "{x}: {sin} {cos}");
            let x = x as f32;
            let exact = f64::from(x);
            assert!((f64::from(Float::exp(x)) / exact.exp() - 1.0).abs() < 3e-7, "{x}");
            let (sin, cos) = Float::sin_cos(x);
            let off = (f64::from(sin) - exact.sin()).abs().max((f64::from(cos) - exact.cos()).abs());
            assert!(off < 3e-7, "{x}: {off}");
        }
        assert_eq!(Float::exp(0.0_f32), 1.0);
        assert!(Float::exp(-1000.0_f32) < 1e-37);
        let mut values = [0.5_f64; 37];
        exp_shifted(&mut values, 0.25);
        assert!(values.iter().all(|value| (value - 0.75_f64.exp()).abs() < 1e-15));
    }
}
