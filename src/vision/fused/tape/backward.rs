//! The derivative of a tape by everything it is made of, in reverse, block by block.

use super::elementary::{integer_power, is_first, power_slopes, slope};
use super::forward::{Block, Operand, block_values, head_values, operand};
use super::layout::{Layout, RowGradients, TapeCall};
use crate::function::{BinaryOperator, Operation, Reduction, StepShape, Tape, Unary, Variable};
use crate::vision::fused::register::{keep_first, load, multiply_add, store, vectorize};
use pulp::Simd;

/// Turns the gradient of the components, `[count, out_width]` as [`evaluate`](super::evaluate) writes them, into that of the
/// rows, and adds that of the learned scalars.
pub(in crate::vision) fn differentiate<S: Simd>(simd: S, call: TapeCall<'_>, gradient: &[f32], into: RowGradients<'_>) {
    let TapeCall { tape, scalars, rows, out_width } = call;
    let layout = Layout::new(tape, rows.count, rows.width);
    let (mut values, mut gradients) = (vec![0.0; layout.len], vec![0.0; layout.len]);
    head_values(simd, tape, &layout, scalars, &mut values);
    let mut of_scalars = vec![0.0; scalars.len()];
    for (index, gradient) in gradient.chunks(layout.rows * out_width).enumerate() {
        let first = index * layout.rows;
        let block = Block::new(&rows, first, gradient.len() / out_width);
        block_values(simd, tape, &layout, &block, &mut values);
        gradients.fill(0.0);
        seed(tape, &layout, &block, gradient, out_width, &mut gradients);
        vectorize(
            simd,
            #[inline(always)]
            || {
                for slot in (0..tape.steps.len()).rev() {
                    let start = layout.start(slot);
                    let (before, of_step) = gradients.split_at_mut(start);
                    let step = &tape.steps[slot];
                    let len = Layout::step_len(step.shape, block.count, layout.width);
                    let step = Step { tape, layout: &layout, slot, block: &block, values: &values };
                    step.backward(simd, &of_step[..len], before);
                }
            },
        );
        for (slot, step) in tape.steps.iter().enumerate() {
            let numbers = &gradients[layout.start(slot)..];
            let wide = first * rows.width..(first + block.count) * rows.width;
            match step.operation {
                Operation::Scalar(index) => {
                    of_scalars[index] += numbers[..Layout::step_len(StepShape::Head, 0, 0)].iter().sum::<f32>();
                }
                Operation::Variable(Variable::Coordinate) => {
                    into.u[wide].copy_from_slice(&numbers[..block.count * rows.width])
                }
                Operation::Variable(Variable::Projected) => {
                    into.p[wide].copy_from_slice(&numbers[..block.count * rows.width])
                }
                Operation::Variable(Variable::SquaredNorm) => {
                    into.n[first..first + block.count].copy_from_slice(&numbers[..block.count]);
                }
                _ => {}
            }
        }
    }
    into.scalars.iter_mut().zip(of_scalars).for_each(|(sum, value)| *sum += value);
}

/// Adds the gradient of the components to that of their steps.
fn seed(tape: &Tape, layout: &Layout, block: &Block<'_>, gradient: &[f32], out_width: usize, gradients: &mut [f32]) {
    let coordinates = block.coordinates;
    for (row, gradient) in gradient.chunks_exact(out_width).enumerate() {
        for (component, &slot) in tape.outputs.iter().enumerate() {
            let from = &gradient[component * coordinates..(component + 1) * coordinates];
            let into = &mut gradients[layout.start(slot)..];
            match tape.steps[slot].shape {
                StepShape::Head => into[0] += from.iter().sum::<f32>(),
                StepShape::Row => into[row] += from.iter().sum::<f32>(),
                StepShape::Wide => {
                    let into = &mut into[row * layout.width..][..coordinates];
                    into.iter_mut().zip(from).for_each(|(sum, value)| *sum += value);
                }
            }
        }
    }
}

/// A step of a block whose values are known.
#[derive(Clone, Copy)]
struct Step<'a> {
    tape: &'a Tape,
    layout: &'a Layout,
    slot: usize,
    block: &'a Block<'a>,
    values: &'a [f32],
}

impl<'a> Step<'a> {
    #[inline(always)]
    fn operand(self, slot: usize) -> Operand<'a> {
        operand(self.tape, self.layout, slot, self.tape.steps[self.slot].shape, self.block.count, self.values)
    }

    /// The values of a step that is as wide as this one, or of this one.
    #[inline(always)]
    fn numbers(self, slot: usize) -> &'a [f32] {
        let shape = self.tape.steps[slot].shape;
        &self.values[self.layout.start(slot)..][..Layout::step_len(shape, self.block.count, self.layout.width)]
    }

    /// Adds to `before`, the gradients of the steps before this one, what follows from `g`, the gradient of this one.
    #[inline(always)]
    fn backward<S: Simd>(self, simd: S, g: &[f32], before: &mut [f32]) {
        let y = self.numbers(self.slot);
        match self.tape.steps[self.slot].operation {
            Operation::Number(_) | Operation::Scalar(_) | Operation::Variable(_) => {}
            Operation::Negate(a) => {
                self.unary(
                    simd,
                    a,
                    g,
                    before,
                    #[inline(always)]
                    |_, _| simd.splat_f32s(-1.0),
                );
            }
            Operation::Unary(function, a) => self.unary_function(simd, function, a, g, before),
            Operation::Integer(a, exponent) => {
                let factor = simd.splat_f32s(exponent as f32);
                self.unary(
                    simd,
                    a,
                    g,
                    before,
                    #[inline(always)]
                    |x, _| simd.mul_f32s(factor, integer_power(simd, x, exponent - 1)),
                );
            }
            Operation::Reduce(reduction, a) => self.reduce(simd, reduction, a, g, before),
            Operation::Binary(operator, a, b) => {
                let one = simd.splat_f32s(1.0);
                match operator {
                    BinaryOperator::Add => {
                        self.pair(
                            simd,
                            (a, b),
                            y,
                            g,
                            before,
                            #[inline(always)]
                            |_, _, _| (one, one),
                        );
                    }
                    BinaryOperator::Subtract => {
                        self.pair(
                            simd,
                            (a, b),
                            y,
                            g,
                            before,
                            #[inline(always)]
                            |_, _, _| (one, simd.neg_f32s(one)),
                        );
                    }
                    BinaryOperator::Multiply => {
                        self.pair(
                            simd,
                            (a, b),
                            y,
                            g,
                            before,
                            #[inline(always)]
                            |a, b, _| (b, a),
                        );
                    }
                    BinaryOperator::Divide => {
                        self.pair(
                            simd,
                            (a, b),
                            y,
                            g,
                            before,
                            #[inline(always)]
                            |_, b, y| {
                                let inverse = simd.div_f32s(one, b);
                                (inverse, simd.neg_f32s(simd.mul_f32s(y, inverse)))
                            },
                        );
                    }
                    BinaryOperator::Power => {
                        self.pair(
                            simd,
                            (a, b),
                            y,
                            g,
                            before,
                            #[inline(always)]
                            |a, b, y| power_slopes(simd, a, b, y),
                        );
                    }
                }
            }
            Operation::Pair(function, a, b) => {
                let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
                self.pair(
                    simd,
                    (a, b),
                    y,
                    g,
                    before,
                    #[inline(always)]
                    |a, b, _| {
                        let first = is_first(simd, function, a, b);
                        (simd.select_f32s(first, one, zero), simd.select_f32s(first, zero, one))
                    },
                );
            }
        }
    }

    #[inline(always)]
    fn unary_function<S: Simd>(self, simd: S, function: Unary, a: usize, g: &[f32], before: &mut [f32]) {
        macro_rules! loops {
            ($($Function:ident)+) => {
                match function {
                    $(Unary::$Function => {
                        self.unary(simd, a, g, before, #[inline(always)] |x, y| slope(simd, Unary::$Function, x, y));
                    })+
                }
            };
        }
        loops!(Relu Exp Log Sqrt Abs Square Sigmoid Softplus Tanh Elu Gelu Silu Sin Cos);
    }

    /// Adds g·slope(x, y) to the gradient of the one operand, which is as wide as the step.
    #[inline(always)]
    fn unary<S: Simd>(
        self,
        simd: S,
        a: usize,
        g: &[f32],
        before: &mut [f32],
        slope: impl Fn(S::f32s, S::f32s) -> S::f32s,
    ) {
        let lanes = S::F32_LANES;
        let (x, y) = (self.numbers(a), self.numbers(self.slot));
        let into = &mut before[self.layout.start(a)..][..g.len()];
        let numbers = x.chunks_exact(lanes).zip(y.chunks_exact(lanes)).zip(g.chunks_exact(lanes));
        for (((x, y), g), into) in numbers.zip(into.chunks_exact_mut(lanes)) {
            let slope = slope(load(simd, x), load(simd, y));
            store(simd, into, multiply_add(simd, load(simd, g), slope, load(simd, into)));
        }
    }

    /// Adds g·(slope by a, slope by b) to the gradients of both operands.
    #[inline(always)]
    fn pair<S: Simd>(
        self,
        simd: S,
        (a, b): (usize, usize),
        y: &[f32],
        g: &[f32],
        before: &mut [f32],
        slopes: impl Fn(S::f32s, S::f32s, S::f32s) -> (S::f32s, S::f32s),
    ) {
        let lanes = S::F32_LANES;
        let zero = simd.splat_f32s(0.0);
        let wide = self.tape.steps[self.slot].shape == StepShape::Wide;
        let row = if wide { self.layout.width } else { g.len() };
        let (values_a, values_b) = (self.operand(a), self.operand(b));
        let (start_a, start_b) = (self.layout.start(a), self.layout.start(b));
        // Sums of an operand that is the same everywhere stay in a register until the end.
        let (mut same_a, mut same_b) = (zero, zero);
        for (index, (g, y)) in g.chunks_exact(row).zip(y.chunks_exact(row)).enumerate() {
            let (mut row_a, mut row_b) = (zero, zero);
            for at in (0..row).step_by(lanes) {
                let numbers = |operand: Operand<'_>| match operand {
                    Operand::Each(numbers) => load(simd, &numbers[index * row + at..]),
                    Operand::Rows(numbers) => simd.splat_f32s(numbers[index]),
                    Operand::Same(number) => simd.splat_f32s(number),
                };
                let g = load(simd, &g[at..]);
                let (by_a, by_b) = slopes(numbers(values_a), numbers(values_b), load(simd, &y[at..]));
                let mut add = |operand: Operand<'_>, start: usize, slope: S::f32s, row_sum: &mut S::f32s| match operand
                {
                    Operand::Each(_) => {
                        let into = &mut before[start + index * row + at..];
                        store(simd, into, multiply_add(simd, g, slope, load(simd, into)));
                    }
                    Operand::Rows(_) | Operand::Same(_) => *row_sum = multiply_add(simd, g, slope, *row_sum),
                };
                add(values_a, start_a, by_a, &mut row_a);
                add(values_b, start_b, by_b, &mut row_b);
            }
            for (operand, start, row_sum, same) in
                [(values_a, start_a, row_a, &mut same_a), (values_b, start_b, row_b, &mut same_b)]
            {
                match operand {
                    Operand::Each(_) => {}
                    Operand::Rows(_) => before[start + index] += simd.reduce_sum_f32s(row_sum),
                    Operand::Same(_) => *same = simd.add_f32s(*same, row_sum),
                }
            }
        }
        for (operand, start, same) in [(values_a, start_a, same_a), (values_b, start_b, same_b)] {
            if let Operand::Same(_) = operand {
                let into = &mut before[start..];
                store(simd, into, simd.add_f32s(load(simd, into), same));
            }
        }
    }

    #[inline(always)]
    fn reduce<S: Simd>(self, simd: S, reduction: Reduction, a: usize, g: &[f32], before: &mut [f32]) {
        let (lanes, width, coordinates) = (S::F32_LANES, self.layout.width, self.block.coordinates);
        let zero = simd.splat_f32s(0.0);
        let (x, y) = (self.numbers(a), self.numbers(self.slot));
        let start = self.layout.start(a);
        for (index, x) in x.chunks_exact(width).enumerate() {
            let (value, g) = (y[index], g[index]);
            let scaled = match reduction {
                Reduction::Sum => g,
                // Equal ones share the gradient.
                Reduction::MaxOver => g / x[..coordinates].iter().filter(|x| **x == value).count() as f32,
                Reduction::Mean => g / coordinates as f32,
                Reduction::Norm => {
                    if value > 0.0 {
                        g / value
                    } else {
                        0.0
                    }
                }
            };
            let (scaled, value) = (simd.splat_f32s(scaled), simd.splat_f32s(value));
            for at in (0..width).step_by(lanes) {
                let numbers = load(simd, &x[at..]);
                let change = match reduction {
                    Reduction::Sum | Reduction::Mean => scaled,
                    Reduction::MaxOver => simd.select_f32s(simd.equal_f32s(numbers, value), scaled, zero),
                    Reduction::Norm => simd.mul_f32s(scaled, numbers),
                };
                let valid = coordinates.saturating_sub(at).min(lanes);
                let into = &mut before[start + index * width + at..];
                store(simd, into, simd.add_f32s(load(simd, into), keep_first(simd, valid, change, zero)));
            }
        }
    }
}
