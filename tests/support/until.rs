//! A training that ends after a number of steps.

use attnlab::vision::{Evaluation, StepReport, TrainObserver, Trainer};
use std::ops::ControlFlow;

/// Stops after a number of steps.
pub struct Until(pub u64);

impl TrainObserver for Until {
    fn step(&mut self, _: &Trainer, report: &StepReport) -> ControlFlow<()> {
        if report.step == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn validated(&mut self, _: &Trainer, _: f64, _: &Evaluation) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
