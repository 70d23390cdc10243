//! Loops over registers, one for each kind of step.

use super::elementary::{unary, unary_and_slope};
use crate::function::{Reduction, Unary};
use crate::vision::fused::register::{keep_first, load, multiply_add, store};
use pulp::Simd;

/// The numbers of an operand beside a result of another shape.
#[derive(Clone, Copy)]
pub(super) enum Operand<'a> {
    /// As many as the result has.
    Each(&'a [f32]),
    /// One for each row of a wide result.
    Rows(&'a [f32]),
    /// The same everywhere.
    Same(f32),
}

/// `value` of each register of `from`.
#[inline(always)]
pub(super) fn each<S: Simd>(simd: S, from: &[f32], into: &mut [f32], value: impl Fn(S::f32s) -> S::f32s) {
    for (a, into) in from.chunks_exact(S::F32_LANES).zip(into.chunks_exact_mut(S::F32_LANES)) {
        store(simd, into, value(load(simd, a)));
    }
}

/// A function of one number at each of `from`. The function is told apart outside the loop.
#[inline(always)]
pub(super) fn each_unary<S: Simd>(simd: S, function: Unary, from: &[f32], into: &mut [f32]) {
    macro_rules! loops {
        ($($Function:ident)+) => {
            match function {
                $(Unary::$Function => {
                    each(simd, from, into, #[inline(always)] |a| unary(simd, Unary::$Function, a));
                })+
            }
        };
    }
    loops!(Relu Exp Log Sqrt Abs Square Sigmoid Softplus Tanh Elu Gelu Silu Sin Cos);
}

/// A function whose derivative shares its work, and that derivative.
#[inline(always)]
pub(super) fn each_unary_and_slope<S: Simd>(
    simd: S,
    function: Unary,
    from: &[f32],
    into: &mut [f32],
    slopes: &mut [f32],
) {
    let lanes = S::F32_LANES;
    macro_rules! loops {
        ($($Function:ident)+) => {
            match function {
                $(Unary::$Function => {
                    let results = into.chunks_exact_mut(lanes).zip(slopes.chunks_exact_mut(lanes));
                    for (a, (into, into_slope)) in from.chunks_exact(lanes).zip(results) {
                        let (value, slope) = unary_and_slope(simd, Unary::$Function, load(simd, a));
                        store(simd, into, value);
                        store(simd, into_slope, slope);
                    }
                })+
                _ => {}
            }
        };
    }
    loops!(Softplus Gelu Silu Sin Cos);
}

/// `value` of each pair of registers of two operands.
#[inline(always)]
pub(super) fn pairs<S: Simd>(
    simd: S,
    width: usize,
    a: Operand<'_>,
    b: Operand<'_>,
    into: &mut [f32],
    value: impl Fn(S::f32s, S::f32s) -> S::f32s,
) {
    let lanes = S::F32_LANES;
    match (a, b) {
        (Operand::Each(a), Operand::Each(b)) => {
            let operands = a.chunks_exact(lanes).zip(b.chunks_exact(lanes));
            for ((a, b), into) in operands.zip(into.chunks_exact_mut(lanes)) {
                store(simd, into, value(load(simd, a), load(simd, b)));
            }
        }
        (Operand::Each(a), Operand::Same(b)) => {
            let b = simd.splat_f32s(b);
            each(
                simd,
                a,
                into,
                #[inline(always)]
                |a| value(a, b),
            );
        }
        (Operand::Same(a), Operand::Each(b)) => {
            let a = simd.splat_f32s(a);
            each(
                simd,
                b,
                into,
                #[inline(always)]
                |b| value(a, b),
            );
        }
        (Operand::Each(a), Operand::Rows(b)) => {
            for ((a, b), into) in a.chunks_exact(width).zip(b).zip(into.chunks_exact_mut(width)) {
                let b = simd.splat_f32s(*b);
                each(
                    simd,
                    a,
                    into,
                    #[inline(always)]
                    |a| value(a, b),
                );
            }
        }
        (Operand::Rows(a), Operand::Each(b)) => {
            for ((a, b), into) in a.iter().zip(b.chunks_exact(width)).zip(into.chunks_exact_mut(width)) {
                let a = simd.splat_f32s(*a);
                each(
                    simd,
                    b,
                    into,
                    #[inline(always)]
                    |b| value(a, b),
                );
            }
        }
        // A result is as wide as its widest operand.
        (Operand::Rows(_) | Operand::Same(_), Operand::Rows(_) | Operand::Same(_)) => {}
    }
}

/// A number from the first `coordinates` of a padded row.
#[inline(always)]
pub(super) fn reduce<S: Simd>(simd: S, reduction: Reduction, row: &[f32], coordinates: usize) -> f32 {
    let lanes = S::F32_LANES;
    let zero = simd.splat_f32s(0.0);
    if reduction == Reduction::MaxOver {
        let mut top = load(simd, row);
        for part in row.chunks_exact(lanes) {
            top = simd.max_f32s(top, load(simd, part));
        }
        return simd.reduce_max_f32s(top);
    }
    let mut sum = zero;
    for (index, part) in row.chunks_exact(lanes).enumerate() {
        let valid = coordinates.saturating_sub(index * lanes).min(lanes);
        let part = keep_first(simd, valid, load(simd, part), zero);
        sum = match reduction {
            Reduction::Norm => multiply_add(simd, part, part, sum),
            _ => simd.add_f32s(sum, part),
        };
    }
    let sum = simd.reduce_sum_f32s(sum);
    match reduction {
        Reduction::Mean => sum / coordinates as f32,
        Reduction::Norm => sum.sqrt(),
        _ => sum,
    }
}

/// Adds g·(slope by the first operand) to `into` for registers of it beside a `fixed` second operand, and returns the sum of
/// g·(slope by the second).
#[inline(always)]
pub(super) fn lopsided<S: Simd>(
    simd: S,
    values: &[f32],
    fixed: S::f32s,
    (y, g): (&[f32], &[f32]),
    into: &mut [f32],
    slopes: impl Fn(S::f32s, S::f32s, S::f32s) -> (S::f32s, S::f32s),
) -> S::f32s {
    let lanes = S::F32_LANES;
    let mut sum = simd.splat_f32s(0.0);
    let numbers = values.chunks_exact(lanes).zip(y.chunks_exact(lanes)).zip(g.chunks_exact(lanes));
    for (((value, y), g), into) in numbers.zip(into.chunks_exact_mut(lanes)) {
        let g = load(simd, g);
        let (by_each, by_fixed) = slopes(load(simd, value), fixed, load(simd, y));
        store(simd, into, multiply_add(simd, g, by_each, load(simd, into)));
        sum = multiply_add(simd, g, by_fixed, sum);
    }
    sum
}
