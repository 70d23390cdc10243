//! The values of every step of a tape, block by block.

use super::elementary::{integer_power, is_first, power, unary};
use super::layout::{Layout, TapeCall, TapeRows};
use crate::function::{BinaryOperator, Operation, Reduction, StepShape, Tape, Unary, Variable};
use crate::vision::fused::register::{keep_first, load, multiply_add, store, vectorize};
use pulp::Simd;

/// Writes the components of every row into `out` `[count, out_width]`: those of the first component at the beginning of a row,
/// the next ones after them, zeros at its end.
pub(in crate::vision) fn evaluate<S: Simd>(simd: S, call: TapeCall<'_>, out: &mut [f32]) {
    let TapeCall { tape, scalars, rows, out_width } = call;
    let layout = Layout::new(tape, rows.count, rows.width);
    let mut values = vec![0.0; layout.len];
    head_values(simd, tape, &layout, scalars, &mut values);
    for (index, out) in out.chunks_mut(layout.rows * out_width).enumerate() {
        let block = Block::new(&rows, index * layout.rows, out.len() / out_width);
        block_values(simd, tape, &layout, &block, &mut values);
        let coordinates = rows.coordinates;
        for (row, out) in out.chunks_exact_mut(out_width).enumerate() {
            for (component, &slot) in tape.outputs.iter().enumerate() {
                let into = &mut out[component * coordinates..(component + 1) * coordinates];
                let from = &values[layout.start(slot)..];
                match tape.steps[slot].shape {
                    StepShape::Head => into.fill(from[0]),
                    StepShape::Row => into.fill(from[row]),
                    StepShape::Wide => into.copy_from_slice(&from[row * layout.width..][..coordinates]),
                }
            }
            out[tape.outputs.len() * coordinates..].fill(0.0);
        }
    }
}

/// A few rows.
pub(super) struct Block<'a> {
    pub count: usize,
    pub coordinates: usize,
    u: &'a [f32],
    p: &'a [f32],
    n: &'a [f32],
}

impl<'a> Block<'a> {
    pub fn new(rows: &TapeRows<'a>, first: usize, count: usize) -> Self {
        let wide = |all: &'a [f32]| if all.is_empty() { all } else { &all[first * rows.width..][..count * rows.width] };
        let n = if rows.n.is_empty() { rows.n } else { &rows.n[first..first + count] };
        Self { count, coordinates: rows.coordinates, u: wide(rows.u), p: wide(rows.p), n }
    }
}

/// Computes the steps that are the same for every row.
pub(super) fn head_values<S: Simd>(simd: S, tape: &Tape, layout: &Layout, scalars: &[f32], values: &mut [f32]) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            for (slot, step) in tape.steps.iter().enumerate().filter(|(_, step)| step.shape == StepShape::Head) {
                let (before, into) = values.split_at_mut(layout.start(slot));
                let into = &mut into[..Layout::step_len(StepShape::Head, 0, 0)];
                match step.operation {
                    Operation::Number(bits) => into.fill(f64::from_bits(bits) as f32),
                    Operation::Scalar(index) => into.fill(scalars[index]),
                    _ => compute(simd, StepPlace { tape, layout, slot, count: 1, coordinates: 0 }, before, into),
                }
            }
        },
    );
}

/// Computes every other step for a block.
pub(super) fn block_values<S: Simd>(simd: S, tape: &Tape, layout: &Layout, block: &Block<'_>, values: &mut [f32]) {
    vectorize(
        simd,
        #[inline(always)]
        || {
            for (slot, step) in tape.steps.iter().enumerate().filter(|(_, step)| step.shape != StepShape::Head) {
                let (before, into) = values.split_at_mut(layout.start(slot));
                let into = &mut into[..Layout::step_len(step.shape, block.count, layout.width)];
                match step.operation {
                    Operation::Variable(Variable::Coordinate) => copy_rows(block, layout.width, block.u, into),
                    Operation::Variable(Variable::Projected) => copy_rows(block, layout.width, block.p, into),
                    Operation::Variable(Variable::SquaredNorm) => {
                        into[..block.count].copy_from_slice(block.n);
                        repeat_last(into, block.count);
                    }
                    _ => {
                        let (count, coordinates) = (block.count, block.coordinates);
                        compute(simd, StepPlace { tape, layout, slot, count, coordinates }, before, into);
                    }
                }
            }
        },
    );
}

/// Copies rows; their padding becomes their first coordinate.
#[inline(always)]
fn copy_rows(block: &Block<'_>, width: usize, from: &[f32], into: &mut [f32]) {
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

/// The numbers of an operand beside a result of another shape.
#[derive(Clone, Copy)]
pub(super) enum Operand<'a> {
    /// As many as the result has.
    Each(&'a [f32]),
    /// One for each row of a wide result.
    Rows(&'a [f32]),
    /// The same everywhere.
    Same(f32),
}

/// The numbers of the step `slot` beside a result of shape `beside`.
#[inline(always)]
pub(super) fn operand<'a>(
    tape: &Tape,
    layout: &Layout,
    slot: usize,
    beside: StepShape,
    count: usize,
    values: &'a [f32],
) -> Operand<'a> {
    let shape = tape.steps[slot].shape;
    let numbers = &values[layout.start(slot)..][..Layout::step_len(shape, count, layout.width)];
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
    layout: &'a Layout,
    slot: usize,
    count: usize,
    coordinates: usize,
}

/// Computes one step, neither a number nor a variable, from the `values` of those before it.
#[inline(always)]
fn compute<S: Simd>(simd: S, place: StepPlace<'_>, values: &[f32], into: &mut [f32]) {
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
        Operation::Unary(function, a) => each_unary(simd, function, numbers(a), into),
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

/// `value` of each register of `from`.
#[inline(always)]
fn each<S: Simd>(simd: S, from: &[f32], into: &mut [f32], value: impl Fn(S::f32s) -> S::f32s) {
    for (a, into) in from.chunks_exact(S::F32_LANES).zip(into.chunks_exact_mut(S::F32_LANES)) {
        store(simd, into, value(load(simd, a)));
    }
}

/// A function of one number at each of `from`. The function is told apart outside the loop.
#[inline(always)]
fn each_unary<S: Simd>(simd: S, function: Unary, from: &[f32], into: &mut [f32]) {
    macro_rules! loops {
        ($($Function:ident)+) => {
            match function {
                $(Unary::$Function => {
                    each(simd, from, into, #[inline(always)] |a| unary(simd, Unary::$Function, a));
                })+
            }
        };
    }
    loops!(Relu Exp Log Sqrt Abs Square Sigmoid Softplus Tanh Elu Gelu Silu Sin Cos);
}

/// `value` of each pair of registers of two operands.
#[inline(always)]
fn pairs<S: Simd>(
    simd: S,
    width: usize,
    a: Operand<'_>,
    b: Operand<'_>,
    into: &mut [f32],
    value: impl Fn(S::f32s, S::f32s) -> S::f32s,
) {
    let lanes = S::F32_LANES;
    match (a, b) {
        (Operand::Each(a), Operand::Each(b)) => {
            let operands = a.chunks_exact(lanes).zip(b.chunks_exact(lanes));
            for ((a, b), into) in operands.zip(into.chunks_exact_mut(lanes)) {
                store(simd, into, value(load(simd, a), load(simd, b)));
            }
        }
        (Operand::Each(a), Operand::Same(b)) => {
            let b = simd.splat_f32s(b);
            each(
                simd,
                a,
                into,
                #[inline(always)]
                |a| value(a, b),
            );
        }
        (Operand::Same(a), Operand::Each(b)) => {
            let a = simd.splat_f32s(a);
            each(
                simd,
                b,
                into,
                #[inline(always)]
                |b| value(a, b),
            );
        }
        (Operand::Each(a), Operand::Rows(b)) => {
            for ((a, b), into) in a.chunks_exact(width).zip(b).zip(into.chunks_exact_mut(width)) {
                let b = simd.splat_f32s(*b);
                each(
                    simd,
                    a,
                    into,
                    #[inline(always)]
                    |a| value(a, b),
                );
            }
        }
        (Operand::Rows(a), Operand::Each(b)) => {
            for ((a, b), into) in a.iter().zip(b.chunks_exact(width)).zip(into.chunks_exact_mut(width)) {
                let a = simd.splat_f32s(*a);
                each(
                    simd,
                    b,
                    into,
                    #[inline(always)]
                    |b| value(a, b),
                );
            }
        }
        // A result is as wide as its widest operand.
        (Operand::Rows(_) | Operand::Same(_), Operand::Rows(_) | Operand::Same(_)) => {}
    }
}

/// A number from the first `coordinates` of a padded row.
#[inline(always)]
fn reduce<S: Simd>(simd: S, reduction: Reduction, row: &[f32], coordinates: usize) -> f32 {
    let lanes = S::F32_LANES;
    let zero = simd.splat_f32s(0.0);
    if reduction == Reduction::MaxOver {
        let mut top = load(simd, row);
        for part in row.chunks_exact(lanes) {
            top = simd.max_f32s(top, load(simd, part));
        }
        return simd.reduce_max_f32s(top);
    }
    let mut sum = zero;
    for (index, part) in row.chunks_exact(lanes).enumerate() {
        let valid = coordinates.saturating_sub(index * lanes).min(lanes);
        let part = keep_first(simd, valid, load(simd, part), zero);
        sum = match reduction {
            Reduction::Norm => multiply_add(simd, part, part, sum),
            _ => simd.add_f32s(sum, part),
        };
    }
    let sum = simd.reduce_sum_f32s(sum);
    match reduction {
        Reduction::Mean => sum / coordinates as f32,
        Reduction::Norm => sum.sqrt(),
        _ => sum,
    }
}
