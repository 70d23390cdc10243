//! The value of a function in double precision, over a block of rows.

use super::arithmetic::{binary, pair, unary};
use super::tape::{Operation, Slot, StepShape, Tape};
use super::words::{BinaryOperator, Reduction, Variable};

/// What a function is evaluated on: rows x with their projections.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rows<'a> {
    /// How many there are.
    pub count: usize,
    /// The coordinates of x, `[count, …]`; may be empty for a function without u.
    pub coordinates: &'a [f64],
    /// The coordinates of the projection, `[count, …]`; may be empty for a function without p.
    pub projected: &'a [f64],
    /// |x|² of each row; may be empty for a function without n.
    pub squared_norms: &'a [f64],
}

impl Rows<'_> {
    /// How many features of a row there are for each component: as many as the projection has coordinates, without one as x
    /// has. A function in which u and p meet outside of a reduction needs as many of either.
    #[must_use]
    pub fn features(&self) -> usize {
        let numbers = if self.projected.is_empty() { self.coordinates } else { self.projected };
        numbers.len() / self.count.max(1)
    }
}

/// The numbers of every step.
pub(super) struct Numbers {
    rows: usize,
    steps: Vec<Vec<f64>>,
}

impl Numbers {
    /// Evaluates every step of `tape` with these values of the learned scalars.
    pub fn new(tape: &Tape, scalars: &[f64], rows: &Rows<'_>) -> Self {
        let mut numbers = Self { rows: rows.count, steps: Vec::with_capacity(tape.steps.len()) };
        for step in &tape.steps {
            let values = match step.operation {
                Operation::Number(bits) => vec![f64::from_bits(bits)],
                Operation::Scalar(index) => vec![scalars[index]],
                Operation::Variable(Variable::Coordinate) => rows.coordinates.to_vec(),
                Operation::Variable(Variable::Projected) => rows.projected.to_vec(),
                Operation::Variable(Variable::SquaredNorm) => rows.squared_norms.to_vec(),
                Operation::Negate(a) => numbers.steps[a].iter().map(|a| -a).collect(),
                Operation::Unary(function, a) => numbers.steps[a].iter().map(|a| unary(function, *a)).collect(),
                Operation::Integer(a, exponent) => numbers.steps[a].iter().map(|a| a.powi(exponent)).collect(),
                Operation::Binary(operator, a, b) => match operator {
                    BinaryOperator::Add => numbers.both(a, b, |a, b| a + b),
                    BinaryOperator::Subtract => numbers.both(a, b, |a, b| a - b),
                    BinaryOperator::Multiply => numbers.both(a, b, |a, b| a * b),
                    BinaryOperator::Divide | BinaryOperator::Power => numbers.both(a, b, |a, b| binary(operator, a, b)),
                },
                Operation::Pair(function, a, b) => numbers.both(a, b, |a, b| pair(function, a, b)),
                Operation::Reduce(reduction, a) => numbers.reduce(reduction, a),
            };
            numbers.steps.push(values);
        }
        numbers
    }

    /// The numbers of one step: as many as its shape says.
    pub fn step(&self, slot: Slot) -> &[f64] {
        &self.steps[slot]
    }

    /// The first number of a step for row `row`.
    pub fn first_at(&self, slot: Slot, row: usize) -> f64 {
        let step = &self.steps[slot];
        if step.len() == 1 { step[0] } else { step[row * self.width(slot)] }
    }

    /// How many numbers of a row a step has; 1 for one with a number for the head.
    pub fn width(&self, slot: Slot) -> usize {
        (self.steps[slot].len() / self.rows.max(1)).max(1)
    }

    /// An operation on two steps. A number for the head goes with everything, one for a row with each of its coordinates.
    fn both(&self, a: Slot, b: Slot, value: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let (left, right) = (self.steps[a].as_slice(), self.steps[b].as_slice());
        match (left, right) {
            _ if left.len() == right.len() => left.iter().zip(right).map(|(a, b)| value(*a, *b)).collect(),
            (_, [b]) => left.iter().map(|a| value(*a, *b)).collect(),
            ([a], _) => right.iter().map(|b| value(*a, *b)).collect(),
            _ => {
                let mut values = Vec::with_capacity(left.len().max(right.len()));
                if left.len() > right.len() {
                    for (row, b) in left.chunks_exact(self.width(a)).zip(right) {
                        values.extend(row.iter().map(|a| value(*a, *b)));
                    }
                } else {
                    for (a, row) in left.iter().zip(right.chunks_exact(self.width(b))) {
                        values.extend(row.iter().map(|b| value(*a, *b)));
                    }
                }
                values
            }
        }
    }

    fn reduce(&self, reduction: Reduction, a: Slot) -> Vec<f64> {
        let of_row = |row: &[f64]| match reduction {
            Reduction::Sum => row.iter().sum::<f64>(),
            Reduction::Mean => row.iter().sum::<f64>() / row.len() as f64,
            Reduction::MaxOver => row.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Reduction::Norm => row.iter().map(|a| a * a).sum::<f64>().sqrt(),
        };
        self.steps[a].chunks_exact(self.width(a)).map(of_row).collect()
    }
}

impl Tape {
    /// The components of every row, `[count, components·features]`: the first component's features, then the next one's.
    /// `scalars` are the values of the learned scalars.
    #[must_use]
    pub fn evaluate(&self, scalars: &[f64], rows: &Rows<'_>) -> Vec<f64> {
        let mut numbers = Numbers::new(self, scalars, rows);
        let wide = |slot: &Slot| self.steps[*slot].shape == StepShape::Wide;
        if let [slot] = self.outputs[..]
            && wide(&slot)
        {
            return numbers.steps.swap_remove(slot);
        }
        let features =
            self.outputs.iter().find(|slot| wide(slot)).map_or_else(|| rows.features(), |slot| numbers.width(*slot));
        let mut values = Vec::with_capacity(rows.count * self.outputs.len() * features);
        for row in 0..rows.count {
            for &slot in &self.outputs {
                let step = numbers.step(slot);
                match self.steps[slot].shape {
                    StepShape::Wide => values.extend_from_slice(&step[row * features..(row + 1) * features]),
                    StepShape::Row => values.extend(std::iter::repeat_n(step[row], features)),
                    StepShape::Head => values.extend(std::iter::repeat_n(step[0], features)),
                }
            }
        }
        values
    }
}
