//! Decimal numbers as typed, so that `0..1 +0.1` ends at 1 and never at 0.9999999999999999.
//!
//! The decimal crates do not cover what may be typed here: the numbers of `rust_decimal` lie between 1e-28 and 7.9e28,
//! and a learning rate or a bound may be 1e-300.

use std::cmp::Ordering;

/// `mantissa · 10^exponent`, exact.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal {
    mantissa: i128,
    exponent: i32,
}

impl Decimal {
    /// Reads `12`, `-0.5`, `1e-4`, `20_000`; none for anything else and for more digits than fit.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replace('_', "");
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (text.as_str(), 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = whole.strip_prefix(['+', '-']).unwrap_or(whole);
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(digits) || !all_digits(fraction) || digits.len() + fraction.len() == 0 {
            return None;
        }
        let mantissa: i128 = format!("{digits}{fraction}").parse().ok()?;
        let mantissa = if whole.starts_with('-') { -mantissa } else { mantissa };
        let exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        Some(Self { mantissa, exponent }.plain())
    }

    /// The sign: -1, 0 or 1.
    pub const fn sign(self) -> i128 {
        self.mantissa.signum()
    }

    /// The nearest float.
    pub fn float(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    pub fn plus(self, other: Self) -> Option<Self> {
        let (a, b, exponent) = self.aligned(other)?;
        Some(Self { mantissa: a.checked_add(b)?, exponent }.plain())
    }

    pub fn times(self, other: Self) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        Some(Self { mantissa, exponent: self.exponent.checked_add(other.exponent)? }.plain())
    }

    /// How many whole steps of size `step` fit between `self` and `last`; none where their digits do not fit together.
    pub fn steps_to(self, last: Self, step: Self) -> Option<usize> {
        let exponent = self.exponent.min(last.exponent).min(step.exponent);
        let (first, last, step) = (self.lifted(exponent)?, last.lifted(exponent)?, step.lifted(exponent)?);
        usize::try_from(last.checked_sub(first)?.checked_div(step)?).ok()
    }

    pub fn compare(self, other: Self) -> Option<Ordering> {
        let (a, b, _) = self.aligned(other)?;
        Some(a.cmp(&b))
    }

    /// Both mantissas under one exponent.
    fn aligned(self, other: Self) -> Option<(i128, i128, i32)> {
        let exponent = self.exponent.min(other.exponent);
        Some((self.lifted(exponent)?, other.lifted(exponent)?, exponent))
    }

    /// The mantissa under a smaller exponent.
    fn lifted(self, exponent: i32) -> Option<i128> {
        let power = u32::try_from(self.exponent.checked_sub(exponent)?).ok()?;
        self.mantissa.checked_mul(10_i128.checked_pow(power)?)
    }

    /// Without zeros at the end of the mantissa.
    fn plain(mut self) -> Self {
        if self.mantissa == 0 {
            return Self { mantissa: 0, exponent: 0 };
        }
        while self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.exponent = self.exponent.saturating_add(1);
        }
        self
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}e{}", self.mantissa, self.exponent)
    }
}
