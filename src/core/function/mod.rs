//! Functions that a user types: a small language of expressions in a coordinate u, a projected coordinate p and the squared
//! norm n of a query or key, with scalars that are learned.
//!
//! A text becomes a [`Function`]: its canonical text, its learned scalars, and a [`Tape`] of steps. The tape is evaluated in
//! double precision [here](Tape::evaluate), on tensors by the composed transformer, and over registers by the fused one.
//! ARCHITECTURE.md says why this is no crate's expression: values have three shapes (a head, a row, a coordinate), the
//! derivative runs backwards over whole rows, and every error has its place in the text.

mod arithmetic;
mod canonical;
mod check;
mod error;
mod evaluate;
mod gallery;
mod range;
mod scalar;
mod syntax;
mod tape;
mod token;
mod words;

pub use error::FunctionError;
pub use evaluate::Rows;
pub use gallery::{GALLERY, Ready};
pub use scalar::LearnedScalar;
pub use syntax::{MOST_DEPTH, MOST_NODES};
pub use tape::{MOST_SCALARS, MOST_STEPS, Operation, Slot, Step, StepShape, Tape};
pub use words::{BinaryOperator, Pair, Reduction, Unary, Variable};

use check::Findings;
use error::excerpt;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

/// A function that was typed and found good. Two with one canonical text are one.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    text: String,
    scalars: Vec<LearnedScalar>,
    features: Tape,
    exponents: Option<Tape>,
    findings: Findings,
}

impl Function {
    /// Reads a function and checks that it is defined everywhere.
    ///
    /// # Errors
    /// Says what is wrong, where, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, FunctionError> {
        let statements = canonical::folded(syntax::statements(text)?)?;
        let (features, scalars) = tape::compile(&statements)?;
        let findings = check::check(text, &features, &scalars)?;
        let exponents = features.exponents();
        Ok(Self { text: canonical::text(&statements), scalars, features, exponents, findings })
    }

    /// The same for as long as the process lives, so that it can be handed around by copying a reference. Two texts with one
    /// canonical text give the same reference; the places of its steps are those in the canonical text. A text that was met before
    /// is not read again, as forms, checks, estimates and the run itself all ask for a parameter's function.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn shared(text: &str) -> Result<&'static Self, FunctionError> {
        static KNOWN: OnceLock<Mutex<HashMap<String, &'static Function>>> = OnceLock::new();
        let known = || KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(function) = known().get(text).copied() {
            return Ok(function);
        }
        let function = Self::parse(Self::parse(text)?.text())?;
        let mut known = known();
        let function = *known.entry(function.text.clone()).or_insert_with(|| Box::leak(Box::new(function)));
        known.insert(text.to_owned(), function);
        Ok(function)
    }

    /// The canonical text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The scalars that each head learns, in the order of the text.
    #[must_use]
    pub fn scalars(&self) -> &[LearnedScalar] {
        &self.scalars
    }

    /// The values that the learned scalars start at.
    #[must_use]
    pub fn starts(&self) -> Vec<f64> {
        self.scalars.iter().map(|scalar| scalar.start).collect()
    }

    /// The steps of the features.
    #[must_use]
    pub const fn features(&self) -> &Tape {
        &self.features
    }

    /// The steps of the features' logarithms, where the outermost operation of every component is exp.
    #[must_use]
    pub const fn exponents(&self) -> Option<&Tape> {
        self.exponents.as_ref()
    }

    /// How many features there are for each coordinate.
    #[must_use]
    pub fn components(&self) -> usize {
        self.features.outputs.len()
    }

    /// Whether `variable` is used.
    #[must_use]
    pub fn uses(&self, variable: Variable) -> bool {
        self.features.uses(variable)
    }

    /// A point where a feature is negative, as `u = −1`: denominators need not be positive then.
    #[must_use]
    pub fn negative(&self) -> Option<&str> {
        self.findings.negative.as_deref()
    }

    /// Parts that are not certain to be defined everywhere, as sentences.
    #[must_use]
    pub fn doubts(&self) -> &[String] {
        &self.findings.doubts
    }

    /// Whether a feature has one number for each coordinate of x, and not of the projection alone: `u` stands outside of a
    /// reduction, or meets p inside of one.
    #[must_use]
    pub fn is_wide_in_coordinates(&self) -> bool {
        let mut of_step: Vec<[bool; 2]> = Vec::with_capacity(self.features.steps.len());
        for step in &self.features.steps {
            let joined = |[u, p]: [bool; 2], slot: Slot| [u | of_step[slot][0], p | of_step[slot][1]];
            let wide = match step.operation {
                Operation::Variable(Variable::Coordinate) => [true, false],
                Operation::Variable(Variable::Projected) => [false, true],
                Operation::Reduce(..) => [false, false],
                other => other.operands().fold([false, false], joined),
            };
            of_step.push(wide);
        }
        of_step.contains(&[true, true]) || self.features.outputs.iter().any(|slot| of_step[*slot][0])
    }

    /// Whether some part of the function is a number for each row, made of the row's coordinates: sum, mean, max_over or norm.
    #[must_use]
    pub fn reduces(&self) -> bool {
        self.features.steps.iter().any(|step| matches!(step.operation, Operation::Reduce(..)))
    }

    /// The characters of the canonical text that a step of a [shared](Self::shared) function comes from.
    #[must_use]
    pub fn part(&self, step: &Step) -> String {
        excerpt(&self.text, &step.place)
    }

    /// What goes wrong on `rows` with these learned scalars; none where single precision holds every value. The place is one of the
    /// canonical text where the function was read from that.
    #[must_use]
    pub fn fault(&self, scalars: &[f64], rows: &Rows<'_>) -> Option<Fault> {
        let (slot, [row, column], value) = check::first_fault(&self.features, scalars, rows)?;
        Some(Fault { step: self.features.steps[slot].clone(), row, column, value })
    }
}

/// A step with a value that single precision does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The step, with its place in the text.
    pub step: Step,
    /// The row, counted from 0.
    pub row: usize,
    /// The coordinate, counted from 0; 0 for a step that has one value for a row or head.
    pub column: usize,
    /// The value: too large, infinite, or not a number.
    pub value: f64,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
