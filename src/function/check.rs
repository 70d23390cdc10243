//! Whether a function is defined everywhere, and what is to be said of it, found by intervals and then by trying.

use super::error::FunctionError;
use super::evaluate::{Numbers, Rows};
use super::tape::{LearnedScalar, Operation, Slot, StepShape, Tape};
use super::words::{BinaryOperator, Unary};

/// A point where a function was tried: a row of one coordinate, and the learned scalars.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trial {
    u: f64,
    scalars: Vec<f64>,
}

impl Trial {
    /// `u = −1`, with the learned scalars that are not at their start.
    fn words(&self, scalars: &[LearnedScalar]) -> String {
        let mut words = format!("u = {}", self.u);
        for (scalar, value) in scalars.iter().zip(&self.scalars) {
            if *value != scalar.start {
                words += &format!(", {} = {value}", scalar.name);
            }
        }
        words
    }

    /// Every step of `tape` here: with one coordinate, whose projection it is too.
    fn numbers(&self, tape: &Tape) -> Numbers {
        let (x, square) = ([self.u], [self.u * self.u]);
        let rows = Rows { count: 1, coordinates: &x, projected: &x, squared_norms: &square };
        Numbers::new(tape, &self.scalars, &rows)
    }
}

/// Every point that is tried: u from −8 to 8, farther out, and the learned scalars at their starts and away from them.
fn trials(scalars: &[LearnedScalar]) -> Vec<Trial> {
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
    let quarters = (0..=32).flat_map(|step| [f64::from(step) * 0.25, f64::from(step) * -0.25]);
    let points: Vec<f64> = quarters.chain([0.1, -0.1, 20.0, -20.0]).collect();
    settings
        .into_iter()
        .flat_map(|scalars| points.iter().map(move |&u| Trial { u, scalars: scalars.clone() }))
        .collect()
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
    let trials = trials(scalars);
    let mut findings = Findings::default();
    for (slot, step) in tape.steps.iter().enumerate() {
        let Some(Condition { operand, reason, allowed, holds }) = condition(tape, slot) else { continue };
        let part: String = text.chars().skip(step.place.start).take(step.place.len()).collect();
        // A denominator that has both signs is 0 somewhere between.
        let divides = matches!(step.operation, Operation::Binary(BinaryOperator::Divide, ..));
        let mut signs: [Option<&Trial>; 2] = [None, None];
        for trial in &trials {
            let numbers = trial.numbers(tape);
            let values = numbers.step(operand);
            if values.iter().any(|value| !value.is_finite()) {
                continue;
            }
            if !values.iter().all(|value| holds(*value)) {
                let reason = format!("`{part}` is not defined at {}: {reason}", trial.words(scalars));
                return Err(FunctionError::new(step.place.clone(), reason, allowed));
            }
            if signs.iter().flatten().any(|seen| seen.scalars != trial.scalars) {
                signs = [None, None];
            }
            values.iter().filter(|_| divides).for_each(|value| signs[usize::from(*value < 0.0)] = Some(trial));
            if let [Some(above), Some(below)] = signs {
                let reason = format!("`{part}` divides by 0 between u = {} and u = {}", above.u, below.u);
                return Err(FunctionError::new(step.place.clone(), reason, allowed));
            }
        }
        findings.doubts.push(format!(
            "`{part}` is not certain to be defined everywhere: {reason} was not found, but cannot be excluded"
        ));
    }
    let mut any = false;
    for trial in &trials {
        let numbers = trial.numbers(tape);
        for &slot in &tape.outputs {
            for value in numbers.step(slot) {
                any |= *value != 0.0;
                if *value < 0.0 && findings.negative.is_none() {
                    findings.negative = Some(trial.words(scalars));
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

/// Where a run of this function goes wrong: the first step whose value is not finite although those of its operands are.
pub(super) fn first_fault(tape: &Tape, scalars: &[f64], rows: &Rows<'_>) -> Option<(Slot, usize, f64)> {
    let numbers = Numbers::new(tape, scalars, rows);
    tape.steps.iter().enumerate().find_map(|(slot, step)| {
        let at = numbers.step(slot).iter().position(|value| !value.is_finite())?;
        let row = match step.extent {
            StepShape::Head => 0,
            StepShape::Row => at,
            StepShape::Wide => at / numbers.width(slot),
        };
        Some((slot, row, numbers.step(slot)[at]))
    })
}
