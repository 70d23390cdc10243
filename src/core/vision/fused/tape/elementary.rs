//! The elementary functions of a typed function over one register, with their derivatives. Where there is no derivative it
//! is 0: that of relu and |u| at 0, of a root and of a power at 0.

use crate::function::{Pair, Unary};
use crate::vision::fused::gelu::normal;
use crate::vision::fused::register::{exp, ln, multiply_add, polynomial, softplus_and_logistic};
use pulp::Simd;

/// Below this size, differences of exponentials are taken as series.
const SMALL: f32 = 0.35;

/// eˣ − 1 for a small x.
#[inline(always)]
fn small_exponential<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let coefficients = [1.0, 1.0 / 2.0, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0];
    simd.mul_f32s(x, polynomial(simd, coefficients, x))
}

/// sin x and cos x to 1e-7 for |x| ≤ 8192.
///
/// x = k·π/2 + r with |r| ≤ π/4; π/2 in three parts, of which the first products with k are exact. Polynomials of the Cephes
/// library (Moshier).
#[inline(always)]
pub(in crate::vision) fn sine_and_cosine<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let splat = |value: f32| simd.splat_f32s(value);
    let magic = splat(12_582_912.0);
    let shifted = multiply_add(simd, x, splat(std::f32::consts::FRAC_2_PI), magic);
    let k = simd.sub_f32s(shifted, magic);
    let r = multiply_add(simd, k, splat(-1.570_312_5), x);
    let r = multiply_add(simd, k, splat(-4.837_513e-4), r);
    let r = multiply_add(simd, k, splat(-7.549_79e-8), r);
    let square = simd.mul_f32s(r, r);
    let sine = polynomial(simd, [-1.666_665_5e-1, 8.332_161e-3, -1.951_529_6e-4], square);
    let sine = multiply_add(simd, simd.mul_f32s(r, square), sine, r);
    let cosine = polynomial(simd, [1.0, -0.5, 4.166_664_6e-2, -1.388_731_6e-3, 2.443_315_7e-5], square);
    let quarter = simd.transmute_u32s_f32s(shifted);
    let two = simd.splat_u32s(2);
    let odd = simd.equal_u32s(simd.and_u32s(quarter, simd.splat_u32s(1)), simd.splat_u32s(1));
    let turned = |value: S::f32s, quarter: S::u32s| {
        let sign = simd.wrapping_dyn_shl_u32s(simd.and_u32s(quarter, two), simd.splat_u32s(30));
        simd.transmute_f32s_u32s(simd.xor_u32s(simd.transmute_u32s_f32s(value), sign))
    };
    (
        turned(simd.select_f32s(odd, cosine, sine), quarter),
        turned(simd.select_f32s(odd, sine, cosine), simd.add_u32s(quarter, simd.splat_u32s(1))),
    )
}

/// ln x: −∞ at 0, not a number below.
#[inline(always)]
fn logarithm<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    let otherwise =
        simd.select_f32s(simd.equal_f32s(x, zero), simd.splat_f32s(f32::NEG_INFINITY), simd.splat_f32s(f32::NAN));
    simd.select_f32s(simd.greater_than_f32s(x, zero), ln(simd, x), otherwise)
}

/// The value of a function at x.
#[inline(always)]
pub(super) fn unary<S: Simd>(simd: S, function: Unary, x: S::f32s) -> S::f32s {
    let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
    let above = |x: S::f32s| simd.greater_than_f32s(x, zero);
    let small = |x: S::f32s| simd.less_than_f32s(simd.abs_f32s(x), simd.splat_f32s(SMALL));
    match function {
        // What is not a number stays so.
        Unary::Relu => simd.select_f32s(simd.less_than_or_equal_f32s(x, zero), zero, x),
        Unary::Exp => exp(simd, x),
        Unary::Log => logarithm(simd, x),
        Unary::Sqrt => simd.sqrt_f32s(x),
        Unary::Abs => simd.abs_f32s(x),
        Unary::Square => simd.mul_f32s(x, x),
        Unary::Sigmoid => softplus_and_logistic(simd, x).1,
        Unary::Softplus => softplus_and_logistic(simd, x).0,
        Unary::Tanh => {
            let logistic = softplus_and_logistic(simd, simd.add_f32s(x, x)).1;
            let large = simd.sub_f32s(simd.add_f32s(logistic, logistic), one);
            let series = [1.0, -1.0 / 3.0, 2.0 / 15.0, -17.0 / 315.0, 62.0 / 2835.0];
            let near = simd.mul_f32s(x, polynomial(simd, series, simd.mul_f32s(x, x)));
            simd.select_f32s(small(x), near, large)
        }
        Unary::Elu => {
            let below = simd.sub_f32s(exp(simd, x), one);
            let below = simd.select_f32s(small(x), small_exponential(simd, x), below);
            simd.select_f32s(above(x), x, below)
        }
        Unary::Gelu => simd.mul_f32s(x, normal(simd, x).0),
        Unary::Silu => simd.mul_f32s(x, softplus_and_logistic(simd, x).1),
        Unary::Sin => sine_and_cosine(simd, x).0,
        Unary::Cos => sine_and_cosine(simd, x).1,
    }
}

/// Whether the derivative is best computed along with the value, since they share most of the work.
pub(super) const fn has_dear_slope(function: Unary) -> bool {
    matches!(function, Unary::Softplus | Unary::Gelu | Unary::Silu | Unary::Sin | Unary::Cos)
}

/// Value and derivative of a function at x.
#[inline(always)]
pub(super) fn unary_and_slope<S: Simd>(simd: S, function: Unary, x: S::f32s) -> (S::f32s, S::f32s) {
    match function {
        Unary::Softplus => softplus_and_logistic(simd, x),
        Unary::Gelu => {
            let (cumulative, density) = normal(simd, x);
            (simd.mul_f32s(x, cumulative), multiply_add(simd, x, density, cumulative))
        }
        Unary::Silu => {
            let one = simd.splat_f32s(1.0);
            let logistic = softplus_and_logistic(simd, x).1;
            let slope = simd.mul_f32s(logistic, multiply_add(simd, x, simd.sub_f32s(one, logistic), one));
            (simd.mul_f32s(x, logistic), slope)
        }
        Unary::Sin => sine_and_cosine(simd, x),
        Unary::Cos => {
            let (sine, cosine) = sine_and_cosine(simd, x);
            (cosine, simd.neg_f32s(sine))
        }
        _ => {
            let y = unary(simd, function, x);
            (y, slope(simd, function, x, y))
        }
    }
}

/// The derivative of a function at x, whose value there is y.
#[inline(always)]
pub(super) fn slope<S: Simd>(simd: S, function: Unary, x: S::f32s, y: S::f32s) -> S::f32s {
    let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
    let above = |x: S::f32s| simd.greater_than_f32s(x, zero);
    let half = simd.splat_f32s(0.5);
    match function {
        Unary::Relu => simd.select_f32s(above(x), one, zero),
        Unary::Exp => y,
        Unary::Log => simd.div_f32s(one, x),
        Unary::Sqrt => simd.select_f32s(above(y), simd.div_f32s(half, y), zero),
        Unary::Abs => {
            let below = simd.select_f32s(simd.less_than_f32s(x, zero), simd.splat_f32s(-1.0), zero);
            simd.select_f32s(above(x), one, below)
        }
        Unary::Square => simd.add_f32s(x, x),
        Unary::Sigmoid => simd.mul_f32s(y, simd.sub_f32s(one, y)),
        Unary::Tanh => simd.sub_f32s(one, simd.mul_f32s(y, y)),
        Unary::Elu => simd.select_f32s(above(x), one, simd.add_f32s(y, one)),
        Unary::Softplus | Unary::Gelu | Unary::Silu | Unary::Sin | Unary::Cos => unary_and_slope(simd, function, x).1,
    }
}

/// Where a is the smaller or larger of a and b, or both are equal, or a is not a number.
#[inline(always)]
pub(super) fn is_first<S: Simd>(simd: S, function: Pair, a: S::f32s, b: S::f32s) -> S::m32s {
    let first = match function {
        Pair::Min => simd.less_than_or_equal_f32s(a, b),
        Pair::Max => simd.greater_than_or_equal_f32s(a, b),
    };
    simd.or_m32s(first, simd.not_m32s(simd.equal_f32s(a, a)))
}

/// a to the power of b, for a ≥ 0.
#[inline(always)]
pub(super) fn power<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
    let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
    let positive = exp(simd, simd.mul_f32s(b, ln(simd, a)));
    let infinite = simd.select_f32s(simd.less_than_f32s(b, zero), simd.splat_f32s(f32::INFINITY), zero);
    let at_zero = simd.select_f32s(simd.equal_f32s(b, zero), one, infinite);
    let otherwise = simd.select_f32s(simd.equal_f32s(a, zero), at_zero, simd.splat_f32s(f32::NAN));
    simd.select_f32s(simd.greater_than_f32s(a, zero), positive, otherwise)
}

/// The derivatives of y = a^b by a and by b; 0 at a = 0.
#[inline(always)]
pub(super) fn power_slopes<S: Simd>(simd: S, a: S::f32s, b: S::f32s, y: S::f32s) -> (S::f32s, S::f32s) {
    let zero = simd.splat_f32s(0.0);
    let positive = simd.greater_than_f32s(a, zero);
    let by_base = simd.div_f32s(simd.mul_f32s(b, y), a);
    let by_exponent = simd.mul_f32s(y, ln(simd, a));
    (simd.select_f32s(positive, by_base, zero), simd.select_f32s(positive, by_exponent, zero))
}

/// A whole power, by squaring.
#[inline(always)]
pub(super) fn integer_power<S: Simd>(simd: S, a: S::f32s, exponent: i32) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    let (mut result, mut square, mut left) = (one, a, exponent.unsigned_abs());
    while left > 0 {
        if left & 1 == 1 {
            result = simd.mul_f32s(result, square);
        }
        square = simd.mul_f32s(square, square);
        left >>= 1;
    }
    if exponent < 0 { simd.div_f32s(one, result) } else { result }
}
