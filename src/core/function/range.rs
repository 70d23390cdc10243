//! Which values a part of a function can have at all, from the ranges of what it is made of.

use super::words::{BinaryOperator, Pair, Reduction, Unary};

/// An interval that contains every value; whether 0 itself is reached is known where 0 is an end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ValueRange {
    pub low: f64,
    pub high: f64,
    /// Whether the value is never 0.
    pub nonzero: bool,
}

impl ValueRange {
    pub const ALL: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY, nonzero: false };
    pub const NOT_NEGATIVE: Self = Self { low: 0.0, ..Self::ALL };
    pub const POSITIVE: Self = Self { nonzero: true, ..Self::NOT_NEGATIVE };

    pub fn point(value: f64) -> Self {
        Self::new(value, value)
    }

    fn new(low: f64, high: f64) -> Self {
        // Sums and products of infinite ends may be undefined: the widest range then.
        let low = if low.is_nan() { f64::NEG_INFINITY } else { low };
        let high = if high.is_nan() { f64::INFINITY } else { high };
        Self { low, high, nonzero: low > 0.0 || high < 0.0 }
    }

    /// Every value is above 0.
    pub fn is_positive(self) -> bool {
        self.low >= 0.0 && self.nonzero
    }

    /// No value is below 0.
    pub fn is_not_negative(self) -> bool {
        self.low >= 0.0
    }

    fn without_zero(self, nonzero: bool) -> Self {
        Self { nonzero: self.nonzero || nonzero, ..self }
    }

    pub fn negate(self) -> Self {
        Self { low: -self.high, high: -self.low, nonzero: self.nonzero }
    }

    /// 1/u of a positive u.
    fn inverse(self) -> Self {
        Self { low: 1.0 / self.high, high: 1.0 / self.low.abs(), nonzero: true }
    }

    /// The range of an increasing function.
    fn increasing(self, value: impl Fn(f64) -> f64) -> Self {
        Self::new(value(self.low), value(self.high))
    }

    pub fn unary(self, function: Unary) -> Self {
        let value = |u: f64| super::arithmetic::unary(function, u);
        match function {
            Unary::Exp | Unary::Sigmoid | Unary::Softplus => self.increasing(value).without_zero(true),
            Unary::Relu => self.increasing(value).without_zero(self.is_positive()),
            Unary::Tanh | Unary::Elu => self.increasing(value).without_zero(self.nonzero),
            Unary::Log if self.is_not_negative() => self.increasing(value),
            Unary::Sqrt if self.is_not_negative() => self.increasing(value).without_zero(self.nonzero),
            Unary::Abs | Unary::Square => {
                let ends = [value(self.low), value(self.high)];
                let low = if self.low <= 0.0 && self.high >= 0.0 { 0.0 } else { ends[0].min(ends[1]) };
                Self::new(low, ends[0].max(ends[1])).without_zero(self.nonzero)
            }
            // The least values are -0.17 and -0.28.
            Unary::Gelu | Unary::Silu if self.is_not_negative() => Self::NOT_NEGATIVE.without_zero(self.nonzero),
            Unary::Gelu => Self::new(-0.17, self.high.max(0.0)),
            Unary::Silu => Self::new(-0.28, self.high.max(0.0)),
            Unary::Sin | Unary::Cos => Self::new(-1.0, 1.0),
            Unary::Log | Unary::Sqrt => Self::ALL,
        }
    }

    pub fn binary(self, operator: BinaryOperator, other: Self) -> Self {
        match operator {
            BinaryOperator::Add => {
                let positive =
                    self.is_positive() && other.is_not_negative() || self.is_not_negative() && other.is_positive();
                Self::new(self.low + other.low, self.high + other.high).without_zero(positive)
            }
            BinaryOperator::Subtract => self.binary(BinaryOperator::Add, other.negate()),
            BinaryOperator::Multiply => {
                // 0·∞ is 0 here: the infinite end is never reached.
                let product = |a: f64, b: f64| if a == 0.0 || b == 0.0 { 0.0 } else { a * b };
                let ends =
                    [(self.low, other.low), (self.low, other.high), (self.high, other.low), (self.high, other.high)]
                        .map(|(a, b)| product(a, b));
                let low = ends.into_iter().fold(f64::INFINITY, f64::min);
                let high = ends.into_iter().fold(f64::NEG_INFINITY, f64::max);
                Self::new(low, high).without_zero(self.nonzero && other.nonzero)
            }
            BinaryOperator::Divide if other.is_positive() => self.binary(BinaryOperator::Multiply, other.inverse()),
            BinaryOperator::Divide if other.negate().is_positive() => {
                self.binary(BinaryOperator::Multiply, other.negate().inverse().negate())
            }
            BinaryOperator::Divide => Self::ALL,
            BinaryOperator::Power if self.is_positive() => Self::POSITIVE,
            BinaryOperator::Power if self.is_not_negative() => Self::NOT_NEGATIVE,
            BinaryOperator::Power => Self::ALL,
        }
    }

    /// A whole power.
    pub fn integer(self, exponent: i32) -> Self {
        let defined = exponent >= 0 || self.nonzero;
        match exponent.rem_euclid(2) {
            _ if !defined => Self::ALL,
            0 => Self::NOT_NEGATIVE.without_zero(self.nonzero),
            _ if self.is_not_negative() => Self::NOT_NEGATIVE.without_zero(self.nonzero),
            _ => Self::ALL.without_zero(self.nonzero),
        }
    }

    pub fn pair(self, function: Pair, other: Self) -> Self {
        match function {
            Pair::Min => Self::new(self.low.min(other.low), self.high.min(other.high))
                .without_zero(self.is_positive() && other.is_positive()),
            Pair::Max => Self::new(self.low.max(other.low), self.high.max(other.high))
                .without_zero(self.is_positive() || other.is_positive()),
        }
    }

    /// A reduction over any number of coordinates.
    pub fn reduce(self, reduction: Reduction) -> Self {
        match reduction {
            Reduction::Mean | Reduction::MaxOver => self,
            Reduction::Norm => Self::NOT_NEGATIVE.without_zero(self.nonzero),
            Reduction::Sum if self.is_not_negative() => Self::NOT_NEGATIVE.without_zero(self.nonzero),
            Reduction::Sum if self.high <= 0.0 => Self::NOT_NEGATIVE.negate().without_zero(self.nonzero),
            Reduction::Sum => Self::ALL,
        }
    }
}
