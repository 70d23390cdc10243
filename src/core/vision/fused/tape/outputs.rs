//! The components of a function beside the steps that they are.

use super::layout::{TapeBlock, TapeLayout};
use crate::function::{StepShape, Tape};

/// Writes the components of a block's rows, `[count, out_width]`, from the values of their steps; zeros at the end of a row.
pub(super) fn gather(
    tape: &Tape,
    layout: &TapeLayout,
    coordinates: usize,
    values: &[f32],
    out: &mut [f32],
    out_width: usize,
) {
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

/// Adds the gradient of the components to that of their steps.
pub(super) fn seed(
    tape: &Tape,
    layout: &TapeLayout,
    block: &TapeBlock<'_>,
    gradient: &[f32],
    out_width: usize,
    gradients: &mut [f32],
) {
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
