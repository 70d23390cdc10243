//! Slices as numpy writes them: `[3, :, 0:64]`.

use super::error::ArrayError;
use super::view::{StridedAxis, StridedView};

/// What a slice says of one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AxisSlice {
    /// One entry, counted from the end where negative; the axis goes.
    At(i64),
    /// `start:stop:step`.
    Span { start: Option<i64>, stop: Option<i64>, step: i64 },
    /// `...`: every axis that the others do not name.
    Rest,
}

/// A slice of an array of any shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ArraySlice {
    /// As typed, with its brackets.
    text: String,
    axes: Vec<AxisSlice>,
}

impl ArraySlice {
    /// Parses `text` with its brackets.
    ///
    /// # Errors
    /// What is wrong with which part of it.
    pub(super) fn parse(text: &str) -> Result<Self, ArrayError> {
        const ALLOWED: &str = "whole numbers, a:b, a:b:step, : or ..., separated by commas, as in [3, :, 0:64]";
        let wrong = |part: &str| ArrayError::Refused(format!("slice {text}: found `{part}`, allowed: {ALLOWED}"));
        let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or_else(|| wrong(text))?;
        let axes = inside.split(',').map(|part| axis(part).ok_or_else(|| wrong(part.trim()))).collect::<Result<_, _>>();
        let axes: Vec<AxisSlice> = axes?;
        if axes.iter().filter(|axis| **axis == AxisSlice::Rest).count() > 1 {
            return Err(ArrayError::Refused(format!("slice {text}: `...` stands twice, allowed: once")));
        }
        if axes.iter().any(|axis| matches!(axis, AxisSlice::Span { step: 0, .. })) {
            return Err(ArrayError::Refused(format!(
                "slice {text}: found a step of 0, allowed: any other whole number"
            )));
        }
        Ok(Self { text: text.to_owned(), axes })
    }

    /// The part of `view` that this slice takes.
    ///
    /// # Errors
    /// It names more axes than there are, an entry that is not there, or no entry at all of an axis.
    pub(super) fn of(&self, view: &StridedView) -> Result<StridedView, ArrayError> {
        let refuse = |reason: String| ArrayError::Refused(format!("slice {}: {reason}", self.text));
        let shape = view.shape();
        let named = self.axes.iter().filter(|axis| **axis != AxisSlice::Rest).count();
        if named > shape.len() {
            return Err(refuse(format!("names {named} axes, the array has {}: {shape:?}", shape.len())));
        }
        let mut part = StridedView { offset: view.offset, axes: Vec::new() };
        let mut axes = view.axes.iter().copied().enumerate();
        for slice in &self.axes {
            match *slice {
                AxisSlice::Rest => part.axes.extend(axes.by_ref().take(shape.len() - named).map(|(_, axis)| axis)),
                AxisSlice::At(index) => {
                    let Some((place, axis)) = axes.next() else { break };
                    let length = axis.length as i64;
                    let entry = if index < 0 { index.saturating_add(length) } else { index };
                    if !(0..length).contains(&entry) {
                        let last = length - 1;
                        return Err(refuse(format!(
                            "found entry {index} of axis {place}, whose length is {length}, allowed: {} to {last}",
                            -length
                        )));
                    }
                    part.offset += entry * axis.stride;
                }
                AxisSlice::Span { start, stop, step } => {
                    let Some((place, axis)) = axes.next() else { break };
                    let (first, count) = span(axis.length as i64, start, stop, step);
                    if count == 0 {
                        return Err(refuse(format!(
                            "takes nothing of axis {place}, whose length is {}, allowed: at least one entry",
                            axis.length
                        )));
                    }
                    part.offset += first * axis.stride;
                    // A single entry leaves the stride without meaning, and a huge step must not overflow it.
                    let stride = if count == 1 { axis.stride } else { axis.stride * step };
                    part.axes.push(StridedAxis { length: count as usize, stride });
                }
            }
        }
        part.axes.extend(axes.map(|(_, axis)| axis));
        Ok(part)
    }
}

fn axis(part: &str) -> Option<AxisSlice> {
    let part = part.trim();
    if part == "..." {
        return Some(AxisSlice::Rest);
    }
    let number = |text: &str| text.trim().parse::<i64>().ok();
    let optional = |text: &str| if text.trim().is_empty() { Some(None) } else { number(text).map(Some) };
    match part.split(':').collect::<Vec<_>>().as_slice() {
        [index] => number(index).map(AxisSlice::At),
        [start, stop] => Some(AxisSlice::Span { start: optional(start)?, stop: optional(stop)?, step: 1 }),
        [start, stop, step] => {
            Some(AxisSlice::Span { start: optional(start)?, stop: optional(stop)?, step: optional(step)?.unwrap_or(1) })
        }
        _ => None,
    }
}

/// The first entry that Python's `start:stop:step` takes of `length` entries, and how many it takes.
fn span(length: i64, start: Option<i64>, stop: Option<i64>, step: i64) -> (i64, i64) {
    // Where entries are counted upwards the ends are 0 and the length, downwards the last entry and before the first.
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let place = |end: i64| if end < 0 { end.saturating_add(length) } else { end }.clamp(low, high);
    let start = start.map_or(if step > 0 { low } else { high }, place);
    let stop = stop.map_or(if step > 0 { high } else { low }, place);
    let (distance, pace) =
        if step > 0 { (stop - start, step.unsigned_abs()) } else { (start - stop, step.unsigned_abs()) };
    if distance <= 0 { (0, 0) } else { (start, (distance as u64).div_ceil(pace) as i64) }
}
