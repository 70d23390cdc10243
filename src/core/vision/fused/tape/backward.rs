//! The derivative of a tape by everything it is made of, in reverse, block by block.

use super::elementary::{has_dear_slope, integer_power, is_first, power_slopes, slope};
use super::forward::{block_values, head_values, operand};
use super::layout::{RowGradients, TapeBlock, TapeCall, TapeLayout, TapeNumbers};
use super::loops::{Operand, lopsided};
use super::outputs::seed;
use crate::function::{BinaryOperator, Operation, Reduction, StepShape, Tape, Unary, Variable};
use crate::vision::fused::register::{keep_first, load, multiply_add, store, vectorize};
use pulp::Simd;

/// Turns the gradient of the components, `[count, out_width]` as [`evaluate`](super::evaluate) writes them, into that of the
/// rows, and adds that of the learned scalars.
pub(in crate::vision) fn differentiate<S: Simd>(simd: S, call: TapeCall<'_>, gradient: &[f32], into: RowGradients<'_>) {
    let TapeCall { tape, scalars, rows, out_width } = call;
    let layout = TapeLayout::new(tape, rows.count, rows.width);
    let (mut numbers, mut gradients) = (TapeNumbers::new(&layout, true), vec![0.0; layout.len]);
    head_values(simd, tape, &layout, scalars, &mut numbers);
    let mut of_scalars = vec![0.0; scalars.len()];
    for (index, gradient) in gradient.chunks(layout.rows * out_width).enumerate() {
        let first = index * layout.rows;
        let block = TapeBlock::new(&rows, first, gradient.len() / out_width);
        block_values(simd, tape, &layout, &block, &mut numbers);
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
                    let len = TapeLayout::step_len(step.shape, block.count, layout.width);
                    let step = BackwardStep { tape, layout: &layout, slot, block: &block, numbers: &numbers };
                    step.backward(simd, &of_step[..len], before);
                }
            },
        );
        for (slot, step) in tape.steps.iter().enumerate() {
            let numbers = &gradients[layout.start(slot)..];
            let wide = first * rows.width..(first + block.count) * rows.width;
            match step.operation {
                Operation::Scalar(index) => {
                    of_scalars[index] += numbers[..TapeLayout::step_len(StepShape::Head, 0, 0)].iter().sum::<f32>();
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

/// A step of a block whose values are known.
#[derive(Clone, Copy)]
struct BackwardStep<'a> {
    tape: &'a Tape,
    layout: &'a TapeLayout,
    slot: usize,
    block: &'a TapeBlock<'a>,
    numbers: &'a TapeNumbers,
}

impl<'a> BackwardStep<'a> {
    #[inline(always)]
    fn operand(self, slot: usize) -> Operand<'a> {
        operand(self.tape, self.layout, slot, self.tape.steps[self.slot].shape, self.block.count, &self.numbers.values)
    }

    /// The values of a step that is as wide as this one, or of this one.
    #[inline(always)]
    fn numbers(self, slot: usize) -> &'a [f32] {
        let shape = self.tape.steps[slot].shape;
        &self.numbers.values[self.layout.start(slot)..]
            [..TapeLayout::step_len(shape, self.block.count, self.layout.width)]
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
        if let Some(slopes) = self.numbers.slopes.as_ref().filter(|_| has_dear_slope(function)) {
            let slopes = &slopes[self.layout.start(self.slot)..][..g.len()];
            let into = &mut before[self.layout.start(a)..][..g.len()];
            let factors = g.chunks_exact(S::F32_LANES).zip(slopes.chunks_exact(S::F32_LANES));
            for ((g, slope), into) in factors.zip(into.chunks_exact_mut(S::F32_LANES)) {
                store(simd, into, multiply_add(simd, load(simd, g), load(simd, slope), load(simd, into)));
            }
            return;
        }
        macro_rules! loops {
            ($($Function:ident)+) => {
                match function {
                    $(Unary::$Function => {
                        self.unary(simd, a, g, before, #[inline(always)] |x, y| slope(simd, Unary::$Function, x, y));
                    })+
                    _ => {}
                }
            };
        }
        loops!(Relu Exp Log Sqrt Abs Square Sigmoid Tanh Elu);
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
        let (start_a, start_b) = (self.layout.start(a), self.layout.start(b));
        match (self.operand(a), self.operand(b)) {
            (Operand::Each(values_a), Operand::Each(values_b)) => {
                for at in (0..g.len()).step_by(lanes) {
                    let (g, y) = (load(simd, &g[at..]), load(simd, &y[at..]));
                    let (by_a, by_b) = slopes(load(simd, &values_a[at..]), load(simd, &values_b[at..]), y);
                    // One after the other, as both may be one step.
                    for (start, slope) in [(start_a, by_a), (start_b, by_b)] {
                        let into = &mut before[start + at..];
                        store(simd, into, multiply_add(simd, g, slope, load(simd, into)));
                    }
                }
            }
            (Operand::Each(values), Operand::Same(fixed)) => {
                self.beside_one(simd, (a, values), (b, fixed), (y, g), before, slopes);
            }
            (Operand::Same(fixed), Operand::Each(values)) => {
                self.beside_one(
                    simd,
                    (b, values),
                    (a, fixed),
                    (y, g),
                    before,
                    #[inline(always)]
                    |b, a, y| {
                        let (by_a, by_b) = slopes(a, b, y);
                        (by_b, by_a)
                    },
                );
            }
            (Operand::Each(values), Operand::Rows(fixed)) => {
                self.beside_rows(simd, (start_a, values), (start_b, fixed), (y, g), before, slopes);
            }
            (Operand::Rows(fixed), Operand::Each(values)) => {
                self.beside_rows(
                    simd,
                    (start_b, values),
                    (start_a, fixed),
                    (y, g),
                    before,
                    #[inline(always)]
                    |b, a, y| {
                        let (by_a, by_b) = slopes(a, b, y);
                        (by_b, by_a)
                    },
                );
            }
            // A step is as wide as its widest operand.
            (Operand::Rows(_) | Operand::Same(_), Operand::Rows(_) | Operand::Same(_)) => {}
        }
    }

    /// As [`Self::pair`], where the second operand is the same everywhere. A number of the text has no gradient.
    #[inline(always)]
    fn beside_one<S: Simd>(
        self,
        simd: S,
        (each, values): (usize, &[f32]),
        (one, fixed): (usize, f32),
        (y, g): (&[f32], &[f32]),
        before: &mut [f32],
        slopes: impl Fn(S::f32s, S::f32s, S::f32s) -> (S::f32s, S::f32s),
    ) {
        let into = &mut before[self.layout.start(each)..][..g.len()];
        let fixed = simd.splat_f32s(fixed);
        if matches!(self.tape.steps[one].operation, Operation::Number(_)) {
            let zero = simd.splat_f32s(0.0);
            lopsided(
                simd,
                values,
                fixed,
                (y, g),
                into,
                #[inline(always)]
                |a, b, y| (slopes(a, b, y).0, zero),
            );
            return;
        }
        let sum = lopsided(simd, values, fixed, (y, g), into, slopes);
        let into = &mut before[self.layout.start(one)..];
        store(simd, into, simd.add_f32s(load(simd, into), sum));
    }

    /// As [`Self::pair`], where the second operand has a number for each row.
    #[inline(always)]
    fn beside_rows<S: Simd>(
        self,
        simd: S,
        (start, values): (usize, &[f32]),
        (start_rows, fixed): (usize, &[f32]),
        (y, g): (&[f32], &[f32]),
        before: &mut [f32],
        slopes: impl Fn(S::f32s, S::f32s, S::f32s) -> (S::f32s, S::f32s),
    ) {
        let width = self.layout.width;
        let rows = values.chunks_exact(width).zip(y.chunks_exact(width)).zip(g.chunks_exact(width));
        for (index, ((values, y), g)) in rows.enumerate() {
            let into = &mut before[start + index * width..][..width];
            let sum = lopsided(simd, values, simd.splat_f32s(fixed[index]), (y, g), into, &slopes);
            before[start_rows + index] += simd.reduce_sum_f32s(sum);
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
