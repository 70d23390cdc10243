//! The value of a function in double precision, over a block of rows.

use super::arithmetic::{binary, pair, unary};
use super::tape::{Operation, Slot, StepShape, Tape};
use super::words::{Reduction, Variable};

/// What a function is evaluated on: rows x with their projections.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rows<'a> {
    /// How many there are.
    pub count: usize,
    /// The coordinates of x, `[count, …]`; empty for a function without u.
    pub coordinates: &'a [f64],
    /// The coordinates of the projection, `[count, …]`; empty for a function without p.
    pub projected: &'a [f64],
    /// |x|² of each row; empty for a function without n.
    pub squared_norms: &'a [f64],
}

impl Rows<'_> {
    /// How many coordinates `variable` has in each row.
    fn width(&self, numbers: &[f64]) -> usize {
        numbers.len() / self.count.max(1)
    }

    /// How many coordinates the features of a row have for each component. A function with both u and p needs as many of
    /// either.
    #[must_use]
    pub fn features(&self) -> usize {
        self.width(self.coordinates).max(self.width(self.projected))
    }
}

/// The numbers of every step.
pub(super) struct Numbers<'a> {
    tape: &'a Tape,
    rows: usize,
    width: usize,
    steps: Vec<Vec<f64>>,
}

impl<'a> Numbers<'a> {
    /// Evaluates every step of `tape` with these values of the learned scalars.
    pub fn new(tape: &'a Tape, scalars: &[f64], rows: &Rows<'_>) -> Self {
        let mut numbers = Self { tape, rows: rows.count, width: rows.features(), steps: Vec::new() };
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
                Operation::Binary(operator, a, b) => numbers.both(step.shape, a, b, |a, b| binary(operator, a, b)),
                Operation::Pair(function, a, b) => numbers.both(step.shape, a, b, |a, b| pair(function, a, b)),
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

    /// What row `row` has at coordinate `column` of a step.
    pub fn at(&self, slot: Slot, row: usize, column: usize) -> f64 {
        self.steps[slot][self.place(self.tape.steps[slot].shape, row, column)]
    }

    fn place(&self, shape: StepShape, row: usize, column: usize) -> usize {
        match shape {
            StepShape::Head => 0,
            StepShape::Row => row,
            StepShape::Wide => row * self.width + column,
        }
    }

    fn both(&self, shape: StepShape, a: Slot, b: Slot, value: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let (left, right) = (&self.steps[a], &self.steps[b]);
        if left.len() == right.len() {
            return left.iter().zip(right).map(|(a, b)| value(*a, *b)).collect();
        }
        let (rows, columns) = match shape {
            StepShape::Head => (1, 1),
            StepShape::Row => (self.rows, 1),
            StepShape::Wide => (self.rows, self.width),
        };
        let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        cells.map(|(row, column)| value(self.at(a, row, column), self.at(b, row, column))).collect()
    }

    fn reduce(&self, reduction: Reduction, a: Slot) -> Vec<f64> {
        let of_row = |row: &[f64]| match reduction {
            Reduction::Sum => row.iter().sum::<f64>(),
            Reduction::Mean => row.iter().sum::<f64>() / row.len() as f64,
            Reduction::MaxOver => row.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Reduction::Norm => row.iter().map(|a| a * a).sum::<f64>().sqrt(),
        };
        self.steps[a].chunks_exact(self.width.max(1)).map(of_row).collect()
    }
}

impl Tape {
    /// The components of every row, `[count, components·features]`: the first component's features, then the next one's.
    /// `scalars` are the values of the learned scalars.
    #[must_use]
    pub fn evaluate(&self, scalars: &[f64], rows: &Rows<'_>) -> Vec<f64> {
        let numbers = Numbers::new(self, scalars, rows);
        let features = rows.features();
        let mut values = Vec::with_capacity(rows.count * self.outputs.len() * features);
        for row in 0..rows.count {
            for &slot in &self.outputs {
                if self.steps[slot].shape == StepShape::Wide {
                    values.extend_from_slice(&numbers.step(slot)[row * features..(row + 1) * features]);
                } else {
                    values.extend(std::iter::repeat_n(numbers.at(slot, row, 0), features));
                }
            }
        }
        values
    }
}
