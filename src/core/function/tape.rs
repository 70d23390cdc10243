//! A function as a list of steps, each of which needs earlier ones only.

use super::error::FunctionError;
use super::range::ValueRange;
use super::scalar::LearnedScalar;
use super::syntax::{Definition, Node, NodeKind, Statements};
use super::words::{BinaryOperator, Pair, Reduction, Unary, Variable, reserved};
use crate::named::Named;
use crate::nearest::hint;
use std::collections::HashMap;
use std::ops::Range;

/// How many learned scalars a function may have.
pub const MOST_SCALARS: usize = 32;

/// How many steps a function may have.
pub const MOST_STEPS: usize = 256;

/// The number of a step.
pub type Slot = usize;

/// What a step computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A number, as the bits of a double.
    Number(u64),
    /// A learned scalar, by its place in [`Function::scalars`](super::Function::scalars).
    Scalar(usize),
    /// A variable.
    Variable(Variable),
    /// −a
    Negate(Slot),
    /// A function of one number.
    Unary(Unary, Slot),
    /// An operator; a power with a whole exponent between −64 and 64 is [`Operation::Integer`].
    Binary(BinaryOperator, Slot, Slot),
    /// A whole power.
    Integer(Slot, i32),
    /// The smaller or larger of two; of equal ones the first.
    Pair(Pair, Slot, Slot),
    /// A number for each row, from its coordinates.
    Reduce(Reduction, Slot),
}

impl Operation {
    /// The steps that it needs.
    pub fn operands(self) -> impl Iterator<Item = Slot> {
        let two = match self {
            Self::Number(_) | Self::Scalar(_) | Self::Variable(_) => [None, None],
            Self::Negate(a) | Self::Unary(_, a) | Self::Integer(a, _) | Self::Reduce(_, a) => [Some(a), None],
            Self::Binary(_, a, b) | Self::Pair(_, a, b) => [Some(a), Some(b)],
        };
        two.into_iter().flatten()
    }

    /// The same on steps that have other numbers.
    fn renumbered(self, new: impl Fn(Slot) -> Slot) -> Self {
        match self {
            Self::Number(_) | Self::Scalar(_) | Self::Variable(_) => self,
            Self::Negate(a) => Self::Negate(new(a)),
            Self::Unary(function, a) => Self::Unary(function, new(a)),
            Self::Integer(a, exponent) => Self::Integer(new(a), exponent),
            Self::Reduce(reduction, a) => Self::Reduce(reduction, new(a)),
            Self::Binary(operator, a, b) => Self::Binary(operator, new(a), new(b)),
            Self::Pair(function, a, b) => Self::Pair(function, new(a), new(b)),
        }
    }
}

/// How many numbers a step has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepShape {
    /// One for a head.
    Head,
    /// One for each row, a query or key.
    Row,
    /// One for each coordinate of a row: of x, of its projection, or of both where they are as many.
    Wide,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it computes.
    pub operation: Operation,
    /// How many numbers it has.
    pub shape: StepShape,
    /// The characters of the text that it comes from.
    pub place: Range<usize>,
    /// What values it can have.
    pub(super) values: ValueRange,
}

/// The steps of a function, or of the logarithm of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Tape {
    /// The steps, each after those it needs.
    pub steps: Vec<Step>,
    /// The step of each component.
    pub outputs: Vec<Slot>,
}

impl Tape {
    /// Whether a variable is used.
    #[must_use]
    pub fn uses(&self, variable: Variable) -> bool {
        self.steps.iter().any(|step| step.operation == Operation::Variable(variable))
    }

    /// The tape without the last operation of every component, where that is exp in each.
    pub(super) fn exponents(&self) -> Option<Self> {
        let exponent = |slot: &Slot| match self.steps[*slot].operation {
            Operation::Unary(Unary::Exp, exponent) => Some(exponent),
            _ => None,
        };
        let outputs = self.outputs.iter().map(exponent).collect::<Option<Vec<_>>>()?;
        Some(Self { steps: self.steps.clone(), outputs }.pruned())
    }

    /// The tape without steps that no component needs.
    fn pruned(self) -> Self {
        let mut needed = vec![false; self.steps.len()];
        self.outputs.iter().for_each(|slot| needed[*slot] = true);
        for slot in (0..self.steps.len()).rev() {
            if needed[slot] {
                self.steps[slot].operation.operands().for_each(|operand| needed[operand] = true);
            }
        }
        let mut new = vec![0; self.steps.len()];
        let mut steps = Vec::new();
        for (slot, step) in self.steps.into_iter().enumerate() {
            if needed[slot] {
                new[slot] = steps.len();
                steps.push(Step { operation: step.operation.renumbered(|old| new[old]), ..step });
            }
        }
        Self { steps, outputs: self.outputs.into_iter().map(|slot| new[slot]).collect() }
    }
}

/// The tape and the learned scalars of folded statements.
pub(super) fn compile(statements: &Statements) -> Result<(Tape, Vec<LearnedScalar>), FunctionError> {
    let mut compiler = Compiler {
        definitions: &statements.definitions,
        scalars: Vec::new(),
        bound: HashMap::new(),
        open: Vec::new(),
        steps: Vec::new(),
        known: HashMap::new(),
    };
    compiler.scalars()?;
    let outputs = compiler.components(&statements.body)?;
    if let Some(unused) = statements.definitions.iter().find(|definition| !compiler.used(&definition.name)) {
        let allowed = "definitions that the function uses";
        return Err(FunctionError::new(unused.place.clone(), format!("`{}` is never used", unused.name), allowed));
    }
    let Compiler { steps, scalars, .. } = compiler;
    Ok((Tape { steps, outputs }.pruned(), scalars))
}

struct Compiler<'a> {
    definitions: &'a [Definition],
    scalars: Vec<LearnedScalar>,
    /// Components of the names that were met, scalars too.
    bound: HashMap<&'a str, Vec<Slot>>,
    /// Names whose definition is being read.
    open: Vec<&'a str>,
    steps: Vec<Step>,
    known: HashMap<Operation, Slot>,
}

impl<'a> Compiler<'a> {
    /// Collects the definitions whose value is a number.
    fn scalars(&mut self) -> Result<(), FunctionError> {
        for Definition { name, value, positive, place } in self.definitions {
            let start = match value.kind {
                NodeKind::Number(start) => start,
                _ if *positive => {
                    let reason = format!("`{name}` is no learned scalar, so it cannot be kept positive");
                    return Err(FunctionError::new(value.place.clone(), reason, "`> 0` after a number"));
                }
                _ => continue,
            };
            if *positive && start <= 0.0 {
                let reason = format!("`{name}` is kept positive but starts at {start}");
                return Err(FunctionError::new(value.place.clone(), reason, "a start above 0"));
            }
            if self.scalars.len() == MOST_SCALARS {
                let allowed = format!("at most {MOST_SCALARS}");
                return Err(FunctionError::new(place.clone(), "there are too many learned scalars", allowed));
            }
            self.scalars.push(LearnedScalar { name: name.clone(), start, positive: *positive });
        }
        Ok(())
    }

    fn used(&self, name: &str) -> bool {
        self.bound.contains_key(name)
    }

    fn push(&mut self, operation: Operation, place: &Range<usize>) -> Result<Slot, FunctionError> {
        if let Some(slot) = self.known.get(&operation) {
            return Ok(*slot);
        }
        if self.steps.len() == MOST_STEPS {
            let allowed = format!("at most {MOST_STEPS} different operations");
            return Err(FunctionError::new(place.clone(), "the function has too many operations", allowed));
        }
        let shape = match operation {
            Operation::Number(_) | Operation::Scalar(_) => StepShape::Head,
            Operation::Variable(Variable::SquaredNorm) => StepShape::Row,
            Operation::Variable(_) => StepShape::Wide,
            Operation::Reduce(reduction, a) => {
                if self.steps[a].shape != StepShape::Wide {
                    let reason =
                        format!("{} is over coordinates, but this has one value for each row", reduction.name());
                    return Err(FunctionError::new(place.clone(), reason, "an argument with u or p in it"));
                }
                StepShape::Row
            }
            _ => {
                let shapes = || operation.operands().map(|slot| self.steps[slot].shape);
                let widest = |shape: StepShape| shapes().any(|other| other == shape);
                match () {
                    () if widest(StepShape::Wide) => StepShape::Wide,
                    () if widest(StepShape::Row) => StepShape::Row,
                    () => StepShape::Head,
                }
            }
        };
        let values = self.values(operation);
        let slot = self.steps.len();
        self.steps.push(Step { operation, shape, place: place.clone(), values });
        self.known.insert(operation, slot);
        Ok(slot)
    }

    fn values(&self, operation: Operation) -> ValueRange {
        let of = |slot: Slot| self.steps[slot].values;
        match operation {
            Operation::Number(bits) => ValueRange::point(f64::from_bits(bits)),
            Operation::Scalar(index) if self.scalars[index].positive => ValueRange::POSITIVE,
            Operation::Scalar(_) => ValueRange::ALL,
            Operation::Variable(Variable::SquaredNorm) => ValueRange::NOT_NEGATIVE,
            Operation::Variable(_) => ValueRange::ALL,
            Operation::Negate(a) => of(a).negate(),
            Operation::Unary(function, a) => of(a).unary(function),
            Operation::Binary(operator, a, b) => of(a).binary(operator, of(b)),
            Operation::Integer(a, exponent) => of(a).integer(exponent),
            Operation::Pair(function, a, b) => of(a).pair(function, of(b)),
            Operation::Reduce(reduction, a) => of(a).reduce(reduction),
        }
    }

    /// The components of an expression: one, or those of a list.
    fn components(&mut self, node: &'a Node) -> Result<Vec<Slot>, FunctionError> {
        let place = &node.place;
        match &node.kind {
            NodeKind::Number(number) => Ok(vec![self.push(Operation::Number(number.to_bits()), place)?]),
            NodeKind::Name(name) => self.name(name, place),
            NodeKind::List(entries) => {
                let mut components = Vec::new();
                for entry in entries {
                    let of_entry = self.components(entry)?;
                    if of_entry.len() != 1 {
                        let reason = "there is a list inside a list";
                        return Err(FunctionError::new(entry.place.clone(), reason, "one list of several features"));
                    }
                    components.extend(of_entry);
                }
                Ok(components)
            }
            NodeKind::Negate(inner) => self.each(inner, place, Operation::Negate),
            NodeKind::Unary(function, inner) => self.each(inner, place, |slot| Operation::Unary(*function, slot)),
            NodeKind::Pair(function, a, b) => self.both(a, b, place, |a, b| Operation::Pair(*function, a, b)),
            NodeKind::Binary(BinaryOperator::Power, base, exponent) => match exponent.kind {
                NodeKind::Number(number) if number.fract() == 0.0 && number.abs() <= 64.0 => {
                    self.each(base, place, |slot| Operation::Integer(slot, number as i32))
                }
                _ => self.both(base, exponent, place, |a, b| Operation::Binary(BinaryOperator::Power, a, b)),
            },
            NodeKind::Binary(operator, a, b) => self.both(a, b, place, |a, b| Operation::Binary(*operator, a, b)),
            NodeKind::Reduce(reduction, inner) => self.reduce(*reduction, inner, place),
        }
    }

    fn each(
        &mut self,
        inner: &'a Node,
        place: &Range<usize>,
        operation: impl Fn(Slot) -> Operation,
    ) -> Result<Vec<Slot>, FunctionError> {
        self.components(inner)?.into_iter().map(|slot| self.push(operation(slot), place)).collect()
    }

    /// An operation on two expressions, component by component; one that has a single component goes with each of the other.
    fn both(
        &mut self,
        a: &'a Node,
        b: &'a Node,
        place: &Range<usize>,
        operation: impl Fn(Slot, Slot) -> Operation,
    ) -> Result<Vec<Slot>, FunctionError> {
        let (a, b) = (self.components(a)?, self.components(b)?);
        let count = a.len().max(b.len());
        if [a.len(), b.len()].into_iter().any(|length| length != 1 && length != count) {
            let reason = format!("a list of {} meets a list of {}", a.len(), b.len());
            return Err(FunctionError::new(place.clone(), reason, "lists of one length, or a list and one expression"));
        }
        let of = |slots: &[Slot], index: usize| if slots.len() == 1 { slots[0] } else { slots[index] };
        (0..count).map(|index| self.push(operation(of(&a, index), of(&b, index)), place)).collect()
    }

    /// A reduction over the coordinates of every component.
    fn reduce(
        &mut self,
        reduction: Reduction,
        inner: &'a Node,
        place: &Range<usize>,
    ) -> Result<Vec<Slot>, FunctionError> {
        let components = self.components(inner)?;
        let (count, norm) = (components.len(), reduction == Reduction::Norm);
        let mut whole: Option<Slot> = None;
        for slot in components {
            let mut part = self.push(Operation::Reduce(reduction, slot), place)?;
            if norm && count > 1 {
                part = self.push(Operation::Unary(Unary::Square, part), place)?;
            }
            whole = Some(match whole {
                None => part,
                Some(whole) if reduction == Reduction::MaxOver => {
                    self.push(Operation::Pair(Pair::Max, whole, part), place)?
                }
                Some(whole) => self.push(Operation::Binary(BinaryOperator::Add, whole, part), place)?,
            });
        }
        let Some(mut whole) = whole else { return Ok(Vec::new()) };
        if count > 1 && norm {
            whole = self.push(Operation::Unary(Unary::Sqrt, whole), place)?;
        }
        if count > 1 && reduction == Reduction::Mean {
            let share = self.push(Operation::Number((1.0 / count as f64).to_bits()), place)?;
            whole = self.push(Operation::Binary(BinaryOperator::Multiply, whole, share), place)?;
        }
        Ok(vec![whole])
    }

    fn name(&mut self, name: &str, place: &Range<usize>) -> Result<Vec<Slot>, FunctionError> {
        if let Ok(variable) = Variable::parse(name) {
            return Ok(vec![self.push(Operation::Variable(variable), place)?]);
        }
        let definitions = self.definitions;
        let Some(Definition { name, value, .. }) = definitions.iter().find(|definition| definition.name == name) else {
            let names = || {
                reserved().map(|word: &str| word).chain(definitions.iter().map(|definition| definition.name.as_str()))
            };
            if reserved().any(|word| word == name) {
                let reason = format!("`{name}` is a function");
                return Err(FunctionError::new(place.clone(), reason, format!("{name}(…)")));
            }
            let allowed = format!("u, p, n, pi, or a definition as in a*u; {name} = 1{}", hint(name, names()));
            return Err(FunctionError::new(place.clone(), format!("`{name}` is unknown"), allowed));
        };
        if let Some(components) = self.bound.get(name.as_str()) {
            return Ok(components.clone());
        }
        if self.open.contains(&name.as_str()) {
            let reason = format!("`{name}` is defined by itself");
            return Err(FunctionError::new(place.clone(), reason, "definitions without a circle"));
        }
        let components = match self.scalars.iter().position(|scalar| scalar.name == *name) {
            Some(index) => vec![self.push(Operation::Scalar(index), place)?],
            None => {
                self.open.push(name);
                let components = self.components(value)?;
                self.open.pop();
                components
            }
        };
        self.bound.insert(name, components.clone());
        Ok(components)
    }
}
