//! Whether a function is defined everywhere, and what is to be said of it, found by intervals and then by trying.

use super::error::{FunctionError, excerpt};
use super::evaluate::{Numbers, Rows};
use super::scalar::LearnedScalar;
use super::tape::{Operation, Slot, StepShape, Tape};
use super::words::{BinaryOperator, Unary};

/// The points where a function is tried with one setting of its learned scalars, and what every step is there.
struct Trials<'a> {
    points: &'a [f64],
    settings: Vec<f64>,
    numbers: Numbers,
}

impl<'a> Trials<'a> {
    /// Every setting of the learned scalars: their starts, and each of them away from it. Rows have one coordinate, whose
    /// projection it is too.
    fn all(tape: &Tape, scalars: &[LearnedScalar], points: &'a [f64]) -> Vec<Self> {
        let starts: Vec<f64> = scalars.iter().map(|scalar| scalar.start).collect();
        let mut settings = vec![starts.clone()];
        for (index, scalar) in scalars.iter().enumerate() {
            let moved: &[f64] = if scalar.positive { &[0.1, 3.0] } else { &[-1.0, 0.0, 1.0] };
            settings.extend(moved.iter().map(|value| {
                let mut values = starts.clone();
                values[index] = *value;
                values
            }));
        }
        let squares: Vec<f64> = points.iter().map(|u| u * u).collect();
        let rows = Rows { count: points.len(), coordinates: points, projected: points, squared_norms: &squares };
        let tried = |settings: Vec<f64>| Self { points, numbers: Numbers::new(tape, &settings, &rows), settings };
        settings.into_iter().map(tried).collect()
    }

    /// Every point with the value of a step.
    fn values(&self, slot: Slot) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.points.iter().enumerate().map(move |(row, u)| (*u, self.numbers.first_at(slot, row)))
    }

    /// `u = −1`, with the learned scalars that are not at their start.
    fn words(&self, u: f64, scalars: &[LearnedScalar]) -> String {
        let mut words = format!("u = {u}");
        for (scalar, value) in scalars.iter().zip(&self.settings) {
            if *value != scalar.start {
                words += &format!(", {} = {value}", scalar.name);
            }
        }
        words
    }
}

/// Where u is tried: from −8 to 8, and farther out.
fn points() -> Vec<f64> {
    let quarters = (0..=32).flat_map(|step| [f64::from(step) * 0.25, f64::from(step) * -0.25]);
    quarters.chain([0.1, -0.1, 20.0, -20.0]).collect()
}

/// What was found of a function that is defined everywhere it was tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Findings {
    /// A point where a feature is negative.
    pub negative: Option<String>,
    /// Parts that are not certain to be defined everywhere, as sentences.
    pub doubts: Vec<String>,
}

/// Looks for points where a part of `tape`, that of `text`, is not defined.
pub(super) fn check(text: &str, tape: &Tape, scalars: &[LearnedScalar]) -> Result<Findings, FunctionError> {
    let points = points();
    let trials = Trials::all(tape, scalars, &points);
    let mut findings = Findings::default();
    for (slot, step) in tape.steps.iter().enumerate() {
        let Some(Condition { operand, reason, allowed, holds }) = condition(tape, slot) else { continue };
        let part = excerpt(text, &step.place);
        // A denominator that has both signs is 0 somewhere between.
        let divides = matches!(step.operation, Operation::Binary(BinaryOperator::Divide, ..));
        for trial in &trials {
            let mut signs: [Option<f64>; 2] = [None, None];
            for (u, value) in trial.values(operand).filter(|(_, value)| value.is_finite()) {
                if !holds(value) {
                    let reason = format!("`{part}` is not defined at {}: {reason}", trial.words(u, scalars));
                    return Err(FunctionError::new(step.place.clone(), reason, allowed));
                }
                if divides {
                    signs[usize::from(value < 0.0)] = Some(u);
                }
                if let [Some(above), Some(below)] = signs {
                    let reason = format!("`{part}` divides by 0 between u = {above} and u = {below}");
                    return Err(FunctionError::new(step.place.clone(), reason, allowed));
                }
            }
        }
        findings.doubts.push(format!(
            "`{part}` is not certain to be defined everywhere: {reason} was not found, but cannot be excluded"
        ));
    }
    let mut any = false;
    for trial in &trials {
        for (row, u) in points.iter().enumerate() {
            for &slot in &tape.outputs {
                let value = trial.numbers.first_at(slot, row);
                any |= value != 0.0;
                if value < 0.0 && findings.negative.is_none() {
                    findings.negative = Some(trial.words(*u, scalars));
                }
            }
        }
    }
    if !any {
        let whole = 0..text.chars().count();
        return Err(FunctionError::new(
            whole,
            "the function is 0 everywhere",
            "a function that is not, as relu(u) + 0.001",
        ));
    }
    Ok(findings)
}

/// What must hold of an operand for a step to be defined.
struct Condition {
    operand: Slot,
    reason: &'static str,
    allowed: &'static str,
    holds: fn(f64) -> bool,
}

/// The condition of a step that is not certain to hold.
fn condition(tape: &Tape, slot: Slot) -> Option<Condition> {
    let values = |slot: Slot| tape.steps[slot].values;
    let positive =
        "an argument that is always positive: add a positive number, or keep a learned scalar positive with > 0";
    let found = match tape.steps[slot].operation {
        Operation::Unary(Unary::Log, operand) if !values(operand).is_positive() => Condition {
            operand,
            reason: "a logarithm of what is not positive",
            allowed: positive,
            holds: |value| value > 0.0,
        },
        Operation::Unary(Unary::Sqrt, operand) if !values(operand).is_not_negative() => Condition {
            operand,
            reason: "a square root of what is negative",
            allowed: "an argument that is never negative: abs(…), square(…), or a sum with a large enough number",
            holds: |value| value >= 0.0,
        },
        Operation::Binary(BinaryOperator::Divide, _, operand) if !values(operand).nonzero => Condition {
            operand,
            reason: "a division by 0",
            allowed: "a denominator that is never 0: add a positive number, or keep a learned scalar positive with > 0",
            holds: |value| value != 0.0,
        },
        Operation::Integer(operand, exponent) if exponent < 0 && !values(operand).nonzero => Condition {
            operand,
            reason: "a division by 0",
            allowed: "a base that is never 0: add a positive number",
            holds: |value| value != 0.0,
        },
        Operation::Binary(BinaryOperator::Power, operand, exponent)
            if !(values(operand).is_positive()
                || values(operand).is_not_negative() && values(exponent).is_not_negative()) =>
        {
            let negative = values(operand).is_not_negative();
            Condition {
                operand,
                reason: if negative { "0 to a power that may be negative" } else { "a negative base" },
                allowed: positive,
                holds: if negative { |value| value > 0.0 } else { |value| value >= 0.0 },
            }
        }
        _ => return None,
    };
    Some(found)
}

/// Where a run of this function goes wrong: the first step with a value that single precision does not hold.
pub(super) fn first_fault(tape: &Tape, scalars: &[f64], rows: &Rows<'_>) -> Option<(Slot, [usize; 2], f64)> {
    let numbers = Numbers::new(tape, scalars, rows);
    tape.steps.iter().enumerate().find_map(|(slot, step)| {
        let at = numbers.step(slot).iter().position(|value| value.is_nan() || value.abs() > f64::from(f32::MAX))?;
        let place = match step.shape {
            StepShape::Head => [0, 0],
            StepShape::Row => [at, 0],
            StepShape::Wide => [at / numbers.width(slot), at % numbers.width(slot)],
        };
        Some((slot, place, numbers.step(slot)[at]))
    })
}
