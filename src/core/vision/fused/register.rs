//! Loading, storing and elementary functions of one register of f32, whatever its width.

use crate::vectorized::Body;
use pulp::{Simd, bytemuck};

/// Rows of heads, features and scores are padded with zeros to a multiple of this: the widest register there is, so that
/// one layout serves every instruction set.
pub(in crate::vision) const PAD: usize = 16;

/// The next multiple of [`PAD`].
pub(in crate::vision) const fn padded(size: usize) -> usize {
    size.next_multiple_of(PAD)
}

/// Runs `body`, marked `#[inline(always)]`, compiled for the instructions of `simd`; `vectorized` says why through [`Body`].
#[inline(always)]
pub(in crate::vision) fn vectorize<S: Simd, R>(simd: S, body: impl FnMut() -> R) -> R {
    simd.vectorize(Body(body))
}

/// The first register of `from`, which is at least that long.
#[inline(always)]
pub(in crate::vision) fn load<S: Simd>(_: S, from: &[f32]) -> S::f32s {
    bytemuck::pod_read_unaligned(bytemuck::cast_slice(&from[..S::F32_LANES]))
}

/// Writes the first register of `into`, which is at least that long.
#[inline(always)]
pub(in crate::vision) fn store<S: Simd>(_: S, into: &mut [f32], value: S::f32s) {
    into[..S::F32_LANES].copy_from_slice(bytemuck::cast_slice(std::slice::from_ref(&value)));
}

/// The first register of `from`, with zeros after its end.
#[inline(always)]
pub(in crate::vision) fn load_some<S: Simd>(simd: S, from: &[f32]) -> S::f32s {
    if from.len() >= S::F32_LANES { load(simd, from) } else { simd.partial_load_f32s(from) }
}

/// Writes the first register of `into`, or as much of it as there is.
#[inline(always)]
pub(in crate::vision) fn store_some<S: Simd>(simd: S, into: &mut [f32], value: S::f32s) {
    if into.len() >= S::F32_LANES { store(simd, into, value) } else { simd.partial_store_f32s(into, value) }
}

/// `value` in the first `count` lanes, `otherwise` in the rest.
#[inline(always)]
pub(in crate::vision) fn keep_first<S: Simd>(simd: S, count: usize, value: S::f32s, otherwise: S::f32s) -> S::f32s {
    simd.select_f32s(simd.mask_between_m32s(0, count as u32).mask(), value, otherwise)
}

/// a·b + c, in one rounding where the machine has the instruction.
#[inline(always)]
pub(in crate::vision) fn multiply_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    simd.mul_add_e_f32s(a, b, c)
}

/// Σ coefficients\[i\]·xⁱ by Horner's rule.
#[inline(always)]
pub(in crate::vision) fn polynomial<S: Simd, const N: usize>(simd: S, coefficients: [f32; N], x: S::f32s) -> S::f32s {
    let mut sum = simd.splat_f32s(coefficients[N - 1]);
    for coefficient in coefficients[..N - 1].iter().rev() {
        sum = multiply_add(simd, sum, x, simd.splat_f32s(*coefficient));
    }
    sum
}

/// eˣ to 2 units in the last place; below −87.3 it stays at the smallest normal number, above 88.3 it is 2¹²⁷·1.4.
///
/// x = n·ln 2 + r with |r| ≤ ln 2 / 2; eʳ by its Taylor polynomial of degree 6 with a fitted tail, 2ⁿ by adding n to the
/// exponent. Adding 1.5·2²³ rounds to the nearest integer and leaves it in the low bits. The estimators of `attention` have
/// an exponential of their own, without fused multiply-adds, whose last bits differ.
#[inline(always)]
pub(in crate::vision) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let splat = |value: f32| simd.splat_f32s(value);
    // A NaN in the second operand is what a vector's `max` and `min` return, so that it stays one; a scalar's drop it.
    let input = x;
    let x = simd.min_f32s(splat(88.3), simd.max_f32s(splat(-87.3), x));
    let shifted = multiply_add(simd, x, splat(std::f32::consts::LOG2_E), splat(12_582_912.0));
    let n = simd.sub_f32s(shifted, splat(12_582_912.0));
    let r = multiply_add(simd, n, splat(-0.693_359_4), x);
    let r = multiply_add(simd, n, splat(2.121_944_4e-4), r);
    let tail = polynomial(simd, [0.5, 0.166_666_65, 0.041_665_795, 8.333_452e-3, 1.398_199_9e-3, 1.987_569_2e-4], r);
    let power = multiply_add(simd, simd.mul_f32s(r, r), tail, simd.add_f32s(r, splat(1.0)));
    let exponent = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    let power = simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(power), exponent));
    if S::F32_LANES == 1 { simd.select_f32s(simd.equal_f32s(input, input), power, input) } else { power }
}

/// ln x for positive normal x, to 2 units in the last place.
///
/// x = 2ⁿ·m with m in [√½, √2); ln m = 2·artanh(s), s = (m − 1)/(m + 1), by its Taylor polynomial.
#[inline(always)]
pub(in crate::vision) fn ln<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let splat = |value: f32| simd.splat_f32s(value);
    // Taking √½'s bits first makes the exponent field count from there, and leaves m − √½ in the rest.
    let root = simd.splat_u32s(std::f32::consts::FRAC_1_SQRT_2.to_bits());
    let offset = simd.sub_u32s(simd.transmute_u32s_f32s(x), root);
    let mantissa = simd.and_u32s(offset, simd.splat_u32s(0x007f_ffff));
    let m = simd.transmute_f32s_u32s(simd.add_u32s(mantissa, root));
    // The exponent field, a whole number from −126 to 127 modulo 512, becomes a float as the low bits of 1.5·2²³ + n.
    let field = simd.wrapping_dyn_shr_u32s(offset, simd.splat_u32s(23));
    let signed = simd.sub_u32s(simd.xor_u32s(field, simd.splat_u32s(256)), simd.splat_u32s(256));
    let bits = simd.add_u32s(signed, simd.splat_u32s(12_582_912.0_f32.to_bits()));
    let n = simd.sub_f32s(simd.transmute_f32s_u32s(bits), splat(12_582_912.0));
    let s = simd.div_f32s(simd.sub_f32s(m, splat(1.0)), simd.add_f32s(m, splat(1.0)));
    let series = polynomial(simd, [2.0, 2.0 / 3.0, 2.0 / 5.0, 2.0 / 7.0, 2.0 / 9.0], simd.mul_f32s(s, s));
    multiply_add(simd, n, splat(std::f32::consts::LN_2), simd.mul_f32s(s, series))
}

/// ln(1 + eˣ) and its derivative 1/(1 + e⁻ˣ), with y = e^−|x| so that nothing overflows.
///
/// ln(1 + y) = 2·artanh(y/(2 + y)) by its Taylor polynomial.
#[inline(always)]
pub(in crate::vision) fn softplus_and_logistic<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
    let y = exp(simd, simd.neg_f32s(simd.abs_f32s(x)));
    let s = simd.div_f32s(y, simd.add_f32s(simd.splat_f32s(2.0), y));
    let coefficients = [2.0, 2.0 / 3.0, 2.0 / 5.0, 2.0 / 7.0, 2.0 / 9.0, 2.0 / 11.0, 2.0 / 13.0, 2.0 / 15.0];
    let log = simd.mul_f32s(s, polynomial(simd, coefficients, simd.mul_f32s(s, s)));
    let above = simd.greater_than_f32s(x, zero);
    let logistic = simd.div_f32s(simd.select_f32s(above, one, y), simd.add_f32s(one, y));
    (simd.add_f32s(simd.max_f32s(zero, x), log), logistic)
}

/// ln(1 + eˣ) of one number.
pub(in crate::vision) fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// 1/(1 + e⁻ˣ) of one number.
pub(in crate::vision) fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Adds `from` to `into`.
pub(in crate::vision) fn add<S: Simd>(simd: S, from: &[f32], into: &mut [f32]) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            let (from_registers, from_rest) = S::as_simd_f32s(from);
            let (into_registers, into_rest) = S::as_mut_simd_f32s(into);
            for (sum, value) in into_registers.iter_mut().zip(from_registers) {
                *sum = simd.add_f32s(*sum, *value);
            }
            for (sum, value) in into_rest.iter_mut().zip(from_rest) {
                *sum += value;
            }
        },
    );
}

/// Adds Σ of the rows of `from` `[rows, into.len()]` to `into`: the gradient of a bias.
pub(in crate::vision) fn add_column_sums<S: Simd>(simd: S, from: &[f32], into: &mut [f32]) {
    const AT_ONCE: usize = 8;
    vectorize(
        simd,
        #[inline(always)]
        || {
            let width = into.len();
            let mut column = 0;
            while column + AT_ONCE * S::F32_LANES <= width {
                let end = column + AT_ONCE * S::F32_LANES;
                let mut sums = [simd.splat_f32s(0.0); AT_ONCE];
                for row in from.chunks_exact(width) {
                    for (sum, part) in sums.iter_mut().zip(row[column..end].chunks_exact(S::F32_LANES)) {
                        *sum = simd.add_f32s(*sum, load(simd, part));
                    }
                }
                for (part, sum) in into[column..end].chunks_exact_mut(S::F32_LANES).zip(sums) {
                    store(simd, part, simd.add_f32s(load(simd, part), sum));
                }
                column = end;
            }
            while column < width {
                let end = width.min(column + S::F32_LANES);
                let mut sum = simd.splat_f32s(0.0);
                for row in from.chunks_exact(width) {
                    sum = simd.add_f32s(sum, load_some(simd, &row[column..end]));
                }
                let part = &mut into[column..end];
                store_some(simd, part, simd.add_f32s(load_some(simd, part), sum));
                column = end;
            }
        },
    );
}

/// Writes `from` `[rows, columns]` transposed to the first `columns` rows of `into`, whose rows are `stride` apart.
///
/// Blocks of four by four stay in registers and compile to shuffles.
pub(in crate::vision) fn transpose(
    from: &[f32],
    rows: usize,
    columns: usize,
    from_stride: usize,
    into: &mut [f32],
    stride: usize,
) {
    let (whole_rows, whole_columns) = (rows / 4 * 4, columns / 4 * 4);
    for first in (0..whole_rows).step_by(4) {
        for column in (0..whole_columns).step_by(4) {
            let block: [[f32; 4]; 4] = std::array::from_fn(|i| {
                let start = (first + i) * from_stride + column;
                let part = &from[start..start + 4];
                [part[0], part[1], part[2], part[3]]
            });
            let turned: [[f32; 4]; 4] = std::array::from_fn(|i| block.map(|row| row[i]));
            for (i, row) in turned.iter().enumerate() {
                let start = (column + i) * stride + first;
                into[start..start + 4].copy_from_slice(row);
            }
        }
    }
    for row in 0..rows {
        for column in if row < whole_rows { whole_columns..columns } else { 0..columns } {
            into[column * stride + row] = from[row * from_stride + column];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elementary_functions() {
        let simd = pulp::Scalar::new();
        let close = |got: f32, expected: f64, what: &str| {
            let error = (f64::from(got) - expected).abs();
            assert!(error <= 3e-7 * expected.abs() + 1e-37, "{what}: {got} {expected}");
        };
        for i in -870..=880 {
            let x = i as f32 * 0.1;
            close(exp(simd, x), f64::from(x).exp(), "exp");
            let (value, slope) = softplus_and_logistic(simd, x);
            close(value, f64::from(x).exp().ln_1p(), "softplus");
            close(slope, 1.0 / (1.0 + (-f64::from(x)).exp()), "logistic");
            let power = f64::from(x).exp() as f32;
            let error = f64::from(ln(simd, power)) - f64::from(power).ln();
            assert!(error.abs() <= 3e-7 * (1.0 + f64::from(x.abs())), "ln {power}: {error}");
        }
        assert!(exp(simd, f32::NAN).is_nan());
    }
}
