//! The values of every step of a tape, block by block.

use super::elementary::{has_dear_slope, integer_power, is_first, power};
use super::layout::{TapeBlock, TapeCall, TapeLayout, TapeNumbers};
use super::loops::{Operand, each, each_unary, each_unary_and_slope, pairs, reduce};
use super::outputs::gather;
use crate::function::{BinaryOperator, Operation, StepShape, Tape, Variable};
use crate::vision::fused::register::vectorize;
use pulp::Simd;

/// Writes the components of every row into `out` `[count, out_width]`: those of the first component at the beginning of a row,
/// the next ones after them, zeros at its end.
pub(in crate::vision) fn evaluate<S: Simd>(simd: S, call: TapeCall<'_>, out: &mut [f32]) {
    let TapeCall { tape, scalars, rows, out_width } = call;
    let layout = TapeLayout::new(tape, rows.count, rows.width);
    let mut numbers = TapeNumbers::new(&layout, false);
    head_values(simd, tape, &layout, scalars, &mut numbers);
    for (index, out) in out.chunks_mut(layout.rows * out_width).enumerate() {
        let block = TapeBlock::new(&rows, index * layout.rows, out.len() / out_width);
        block_values(simd, tape, &layout, &block, &mut numbers);
        gather(tape, &layout, rows.coordinates, &numbers.values, out, out_width);
    }
}

/// Computes the steps that are the same for every row.
pub(super) fn head_values<S: Simd>(
    simd: S,
    tape: &Tape,
    layout: &TapeLayout,
    scalars: &[f32],
    numbers: &mut TapeNumbers,
) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            for (slot, step) in tape.steps.iter().enumerate().filter(|(_, step)| step.shape == StepShape::Head) {
                let len = TapeLayout::step_len(StepShape::Head, 0, 0);
                let (before, into, slopes) = numbers.split(layout.start(slot), len);
                match step.operation {
                    Operation::Number(bits) => into.fill(f64::from_bits(bits) as f32),
                    Operation::Scalar(index) => into.fill(scalars[index]),
                    _ => {
                        compute(simd, StepPlace { tape, layout, slot, count: 1, coordinates: 0 }, before, into, slopes)
                    }
                }
            }
        },
    );
}

/// Computes every other step for a block.
pub(super) fn block_values<S: Simd>(
    simd: S,
    tape: &Tape,
    layout: &TapeLayout,
    block: &TapeBlock<'_>,
    numbers: &mut TapeNumbers,
) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            for (slot, step) in tape.steps.iter().enumerate().filter(|(_, step)| step.shape != StepShape::Head) {
                let len = TapeLayout::step_len(step.shape, block.count, layout.width);
                let (before, into, slopes) = numbers.split(layout.start(slot), len);
                match step.operation {
                    Operation::Variable(Variable::Coordinate) => copy_rows(block, layout.width, block.u, into),
                    Operation::Variable(Variable::Projected) => copy_rows(block, layout.width, block.p, into),
                    Operation::Variable(Variable::SquaredNorm) => {
                        into[..block.count].copy_from_slice(block.n);
                        repeat_last(into, block.count);
                    }
                    _ => {
                        let (count, coordinates) = (block.count, block.coordinates);
                        compute(simd, StepPlace { tape, layout, slot, count, coordinates }, before, into, slopes);
                    }
                }
            }
        },
    );
}

/// Copies rows; their padding becomes their first coordinate.
#[inline(always)]
fn copy_rows(block: &TapeBlock<'_>, width: usize, from: &[f32], into: &mut [f32]) {
    into.copy_from_slice(from);
    if block.coordinates < width {
        for row in into.chunks_exact_mut(width) {
            let first = row[0];
            row[block.coordinates..].fill(first);
        }
    }
}

/// Fills the padding of the values of rows with the last row's.
#[inline(always)]
fn repeat_last(values: &mut [f32], count: usize) {
    let last = values[count - 1];
    values[count..].fill(last);
}

/// The numbers of the step `slot` beside a result of shape `beside`.
#[inline(always)]
pub(super) fn operand<'a>(
    tape: &Tape,
    layout: &TapeLayout,
    slot: usize,
    beside: StepShape,
    count: usize,
    values: &'a [f32],
) -> Operand<'a> {
    let shape = tape.steps[slot].shape;
    let numbers = &values[layout.start(slot)..][..TapeLayout::step_len(shape, count, layout.width)];
    if shape == beside {
        Operand::Each(numbers)
    } else if shape == StepShape::Row {
        Operand::Rows(numbers)
    } else {
        Operand::Same(numbers[0])
    }
}

/// A step in a block of `count` rows with so many coordinates.
#[derive(Clone, Copy)]
struct StepPlace<'a> {
    tape: &'a Tape,
    layout: &'a TapeLayout,
    slot: usize,
    count: usize,
    coordinates: usize,
}

/// Computes one step, neither a number nor a variable, from the `values` of those before it.
#[inline(always)]
fn compute<S: Simd>(simd: S, place: StepPlace<'_>, values: &[f32], into: &mut [f32], slopes: Option<&mut [f32]>) {
    let StepPlace { tape, layout, slot, count, coordinates } = place;
    let step = &tape.steps[slot];
    let of = |slot: usize| operand(tape, layout, slot, step.shape, count, values);
    let numbers = |slot: usize| match of(slot) {
        Operand::Each(numbers) | Operand::Rows(numbers) => numbers,
        Operand::Same(_) => &[],
    };
    match step.operation {
        Operation::Number(_) | Operation::Scalar(_) | Operation::Variable(_) => {}
        Operation::Negate(a) => each(
            simd,
            numbers(a),
            into,
            #[inline(always)]
            |a| simd.neg_f32s(a),
        ),
        Operation::Unary(function, a) => match slopes {
            Some(slopes) if has_dear_slope(function) => each_unary_and_slope(simd, function, numbers(a), into, slopes),
            _ => each_unary(simd, function, numbers(a), into),
        },
        Operation::Integer(a, 2) => each(
            simd,
            numbers(a),
            into,
            #[inline(always)]
            |a| simd.mul_f32s(a, a),
        ),
        Operation::Integer(a, exponent) => {
            each(
                simd,
                numbers(a),
                into,
                #[inline(always)]
                |a| integer_power(simd, a, exponent),
            );
        }
        Operation::Binary(operator, a, b) => {
            let (a, b, width) = (of(a), of(b), layout.width);
            match operator {
                BinaryOperator::Add => pairs(
                    simd,
                    width,
                    a,
                    b,
                    into,
                    #[inline(always)]
                    |a, b| simd.add_f32s(a, b),
                ),
                BinaryOperator::Subtract => pairs(
                    simd,
                    width,
                    a,
                    b,
                    into,
                    #[inline(always)]
                    |a, b| simd.sub_f32s(a, b),
                ),
                BinaryOperator::Multiply => pairs(
                    simd,
                    width,
                    a,
                    b,
                    into,
                    #[inline(always)]
                    |a, b| simd.mul_f32s(a, b),
                ),
                BinaryOperator::Divide => pairs(
                    simd,
                    width,
                    a,
                    b,
                    into,
                    #[inline(always)]
                    |a, b| simd.div_f32s(a, b),
                ),
                BinaryOperator::Power => pairs(
                    simd,
                    width,
                    a,
                    b,
                    into,
                    #[inline(always)]
                    |a, b| power(simd, a, b),
                ),
            }
        }
        Operation::Pair(function, a, b) => {
            let (a, b, width) = (of(a), of(b), layout.width);
            pairs(
                simd,
                width,
                a,
                b,
                into,
                #[inline(always)]
                |a, b| simd.select_f32s(is_first(simd, function, a, b), a, b),
            );
        }
        Operation::Reduce(reduction, a) => {
            let wide = &values[layout.start(a)..][..count * layout.width];
            for (row, into) in wide.chunks_exact(layout.width).zip(into.iter_mut()) {
                *into = reduce(simd, reduction, row, coordinates);
            }
            repeat_last(into, count);
        }
    }
}
