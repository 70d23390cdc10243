//! The operations on single numbers, in double precision: what every other form of them is measured against.

use super::words::{BinaryOperator, Pair, Unary};
use statrs::function::erf::erfc;

/// The function of one number.
pub(super) fn unary(function: Unary, u: f64) -> f64 {
    match function {
        Unary::Relu => positive_part(u),
        Unary::Exp => u.exp(),
        Unary::Log => u.ln(),
        Unary::Sqrt => u.sqrt(),
        Unary::Abs => u.abs(),
        Unary::Square => u * u,
        Unary::Sigmoid => sigmoid(u),
        Unary::Softplus => positive_part(u) + (-u.abs()).exp().ln_1p(),
        Unary::Tanh => u.tanh(),
        Unary::Elu => {
            if u > 0.0 {
                u
            } else {
                u.exp_m1()
            }
        }
        Unary::Gelu => 0.5 * u * erfc(-u * std::f64::consts::FRAC_1_SQRT_2),
        Unary::Silu => u * sigmoid(u),
        Unary::Sin => u.sin(),
        Unary::Cos => u.cos(),
    }
}

/// max(u, 0) that keeps what is not a number.
fn positive_part(u: f64) -> f64 {
    if u <= 0.0 { 0.0 } else { u }
}

fn sigmoid(u: f64) -> f64 {
    1.0 / (1.0 + (-u).exp())
}

/// The operator between two numbers. A power with a whole exponent takes any base.
pub(super) fn binary(operator: BinaryOperator, a: f64, b: f64) -> f64 {
    match operator {
        BinaryOperator::Add => a + b,
        BinaryOperator::Subtract => a - b,
        BinaryOperator::Multiply => a * b,
        BinaryOperator::Divide => a / b,
        BinaryOperator::Power => a.powf(b),
    }
}

/// The function of two numbers; what is not a number stays so.
pub(super) fn pair(function: Pair, a: f64, b: f64) -> f64 {
    let first = match function {
        Pair::Min => a <= b,
        Pair::Max => a >= b,
    };
    if a.is_nan() || first { a } else { b }
}
