//! Ranges: `16..1024 x2`, `0..1 +0.1`, `log(1e-4..1e-2, 5)`, `random(8, log 1e-4..1e-1)`.

use super::decimal::Decimal;
use crate::lab::param::declaration::{Kind, Param, ParamError};
use crate::random::generator;
use rand::Rng;
use std::cmp::Ordering;

/// The most values that one text may stand for.
pub const LIMIT: usize = 10_000;

/// The texts of the values that `piece`, one part of a list, stands for; none if it is not a range.
pub(super) fn expand(param: &Param, piece: &str, seed: u64) -> Result<Option<Vec<String>>, ParamError> {
    if !matches!(param.kind, Kind::Int { .. } | Kind::Float { .. }) {
        return Ok(None);
    }
    let range = Range { param, piece };
    if let Some(inner) = call(piece, "log") {
        return range.log(inner).map(Some);
    }
    if let Some(inner) = call(piece, "random") {
        return range.random(inner, seed).map(Some);
    }
    match piece.split_once("..") {
        Some((from, rest)) => Ok(Some(range.steps(from, rest)?.texts())),
        None => Ok(None),
    }
}

/// The number of texts that [`expand`] gives. Steps are counted from the ends and the step. The values of `log` are
/// made, because whole numbers that lie close to each other become one.
pub(super) fn count(param: &Param, piece: &str) -> Result<Option<usize>, ParamError> {
    if !matches!(param.kind, Kind::Int { .. } | Kind::Float { .. }) {
        return Ok(None);
    }
    let range = Range { param, piece };
    if let Some(inner) = call(piece, "log") {
        return Ok(Some(range.log(inner)?.len()));
    }
    if let Some(inner) = call(piece, "random") {
        return Ok(Some(range.draws(inner)?.count));
    }
    match piece.split_once("..") {
        Some((from, rest)) => Ok(Some(range.steps(from, rest)?.count())),
        None => Ok(None),
    }
}

/// What stands in the brackets of `name(…)`.
fn call<'a>(piece: &'a str, name: &str) -> Option<&'a str> {
    piece.strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')')
}

/// A range being read, for its messages.
struct Range<'a> {
    param: &'a Param,
    piece: &'a str,
}

impl Range<'_> {
    fn refuse(&self, allowed: &str) -> ParamError {
        ParamError::new(self.param.key, self.piece, allowed)
    }

    fn number(&self, text: &str) -> Result<Decimal, ParamError> {
        Decimal::parse(text).ok_or_else(|| {
            ParamError::new(self.param.key, text.trim(), format!("a number, as an end or step of `{}`", self.piece))
        })
    }

    fn count(&self, text: &str) -> Result<usize, ParamError> {
        match text.trim().parse::<usize>() {
            Ok(count) if (1..=LIMIT).contains(&count) => Ok(count),
            _ => Err(ParamError::new(
                self.param.key,
                text.trim(),
                format!("a number of points from 1 to {LIMIT} in `{}`", self.piece),
            )),
        }
    }

    /// `A..B +S` and `A..B xF`.
    fn steps(&self, from: &str, rest: &str) -> Result<Steps, ParamError> {
        let rest = rest.trim();
        let end = rest
            .char_indices()
            .find(|(at, c)| match c {
                'x' | ' ' => true,
                '+' | '-' => *at > 0 && !rest[..*at].ends_with(['e', 'E']),
                _ => false,
            })
            .map(|(at, _)| at)
            .ok_or_else(|| self.refuse("a range with a step, as in `16..1024 x2` or `0..1 +0.1`"))?;
        let (to, step) = (&rest[..end], rest[end..].trim());
        let (first, last) = (self.number(from)?, self.number(to)?);
        let (multiply, step) = match step.strip_prefix('x') {
            Some(factor) => (true, self.number(factor)?),
            None if step.starts_with(['+', '-']) => (false, self.number(step)?),
            None => return Err(self.refuse("a step that begins with `+`, `-` or `x`")),
        };
        let rising = if multiply {
            if first.sign() <= 0 || last.sign() <= 0 {
                return Err(self.refuse("ends above 0 where the step is a factor"));
            }
            let one = Decimal::parse("1").and_then(|one| step.compare(one));
            match one {
                Some(Ordering::Greater) => true,
                Some(Ordering::Less) if step.sign() > 0 => false,
                _ => return Err(self.refuse("a factor above 0 that is not 1")),
            }
        } else {
            match step.sign() {
                0 => return Err(self.refuse("a step that is not 0")),
                sign => sign > 0,
            }
        };
        let (a, b, s) = (first.float(), last.float(), step.float());
        if (rising && a > b) || (!rising && a < b) {
            return Err(self.refuse("a range that is not empty: the step leads away from its end"));
        }
        let estimate = if multiply { (b / a).ln() / s.ln() } else { (b - a) / s };
        if !estimate.is_finite() || estimate >= LIMIT as f64 {
            return Err(self.refuse(&format!("a range of at most {LIMIT} points")));
        }
        let beyond = if rising { Ordering::Greater } else { Ordering::Less };
        // A little room, so that an end which the rounded steps just miss is among the values.
        let total = (estimate + 1e-9).floor() as usize + 1;
        Ok(Steps { first, last, step, multiply, beyond, total })
    }

    /// `log(A..B, N)`: N points in equal ratios, both ends among them.
    fn log(&self, inner: &str) -> Result<Vec<String>, ParamError> {
        let form = "the form `log(1e-4..1e-2, 5)`";
        let (ends, count) = inner.rsplit_once(',').ok_or_else(|| self.refuse(form))?;
        let (from, to) = ends.split_once("..").ok_or_else(|| self.refuse(form))?;
        let (first, last) = (self.number(from)?, self.number(to)?);
        if first.sign() <= 0 || last.sign() <= 0 {
            return Err(self.refuse("ends above 0 on a logarithmic range"));
        }
        let count = self.count(count)?;
        if count < 2 {
            return Err(self.refuse("at least 2 points: both ends are among them"));
        }
        let (a, b) = (first.float().ln(), last.float().ln());
        let mut values: Vec<String> = (0..count)
            .map(|index| match index {
                0 => first.to_string(),
                _ if index == count - 1 => last.to_string(),
                _ => self.round((a + (b - a) * index as f64 / (count - 1) as f64).exp(), 12),
            })
            .collect();
        // Whole numbers close to each other fall together.
        values.dedup_by_key(|text| text.parse::<f64>().map(f64::to_bits));
        Ok(values)
    }

    /// `random(N, A..B)` and `random(N, log A..B)`: N draws determined by the seed and the parameter's key.
    fn random(&self, inner: &str, seed: u64) -> Result<Vec<String>, ParamError> {
        let RandomRange { count, log, a, b } = self.draws(inner)?;
        let whole = self.is_whole();
        let mut random = generator(seed, &format!("sweep of {}", self.param.key), 0);
        let draws = (0..count).map(|_| match (log, whole) {
            (true, _) => random.random_range(a.ln()..=b.ln()).exp().clamp(a, b),
            (false, false) => random.random_range(a..=b),
            (false, true) => random.random_range(a.ceil() as i64..=b.floor() as i64) as f64,
        });
        Ok(draws.map(|draw| self.round(draw, 6)).collect())
    }

    fn draws(&self, inner: &str) -> Result<RandomRange, ParamError> {
        let form = "the form `random(8, 0..1)` or `random(8, log 1e-4..1e-1)`";
        let (count, ends) = inner.split_once(',').ok_or_else(|| self.refuse(form))?;
        let ends = ends.trim();
        let (log, ends) = ends.strip_prefix("log ").map_or((false, ends), |ends| (true, ends));
        let (from, to) = ends.split_once("..").ok_or_else(|| self.refuse(form))?;
        let (a, b) = (self.number(from)?.float(), self.number(to)?.float());
        if !(b - a).is_finite() || a >= b || (self.is_whole() && a.ceil() > b.floor()) {
            return Err(self.refuse("a range that is not empty: its end above its beginning"));
        }
        if log && a <= 0.0 {
            return Err(self.refuse("ends above 0 on a logarithmic range"));
        }
        Ok(RandomRange { count: self.count(count)?, log, a, b })
    }

    const fn is_whole(&self) -> bool {
        matches!(self.param.kind, Kind::Int { .. })
    }

    /// A value that was computed, with the digits worth writing; whole where the parameter is.
    fn round(&self, value: f64, digits: usize) -> String {
        match self.param.kind {
            Kind::Int { .. } => format!("{:.0}", value.round()),
            _ => rounded(value, digits),
        }
    }
}

/// `random(…)`, read.
struct RandomRange {
    count: usize,
    log: bool,
    a: f64,
    b: f64,
}

/// Steps from one end to the other, read and checked.
struct Steps {
    first: Decimal,
    last: Decimal,
    step: Decimal,
    multiply: bool,
    /// How a value compares with the last one when it lies beyond it.
    beyond: Ordering,
    /// The number of values in floating-point arithmetic.
    total: usize,
}

impl Steps {
    /// The values that are exact decimals, and whether the exact arithmetic reached the end: a product with more digits
    /// than a [`Decimal`] holds (as 1.1^40 has) ends it early.
    fn exact(&self, mut visit: impl FnMut(Decimal)) -> bool {
        let mut exact = Some(self.first);
        while let Some(value) = exact {
            match value.compare(self.last) {
                Some(order) if order == self.beyond => return true,
                Some(_) => visit(value),
                None => return false,
            }
            exact = if self.multiply { value.times(self.step) } else { value.plus(self.step) };
        }
        false
    }

    fn count(&self) -> usize {
        if !self.multiply
            && let Some(steps) = self.first.steps_to(self.last, self.step)
        {
            return steps.saturating_add(1);
        }
        // Few: the digits of a product grow with every factor, and those of a power of ten end with its exponent.
        let mut count = 0;
        let whole = self.exact(|_| count += 1);
        if whole { count } else { count.max(self.total) }
    }

    /// Every value; those past the exact ones are computed in floats and rounded to 12 digits.
    fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        if !self.exact(|value| texts.push(value.to_string())) {
            let (a, s) = (self.first.float(), self.step.float());
            for index in texts.len()..self.total {
                let value = if self.multiply { a * s.powf(index as f64) } else { a + s * index as f64 };
                texts.push(rounded(value, 12));
            }
        }
        texts
    }
}

fn rounded(value: f64, digits: usize) -> String {
    format!("{value:.*e}", digits - 1)
}
