//! Where the time goes: a clock in each thread's buffers, read a few dozen times a slice.

use std::time::Instant;

/// A stage of the work on a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Patch embedding with positions, pooling, head and loss.
    Ends,
    /// Products of the linear layers.
    Linear,
    /// Attention between the projections.
    Attention,
    /// Layer norms with the residual stream.
    Norm,
    /// GELU.
    Gelu,
    /// Sums over rows: gradients of biases.
    Biases,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 6] = [Self::Ends, Self::Linear, Self::Attention, Self::Norm, Self::Gelu, Self::Biases];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ends => "ends",
            Self::Linear => "linear",
            Self::Attention => "attention",
            Self::Norm => "norm",
            Self::Gelu => "gelu",
            Self::Biases => "biases",
        }
    }
}

/// Seconds spent in each stage, in the order of [`Stage::ALL`].
#[derive(Clone, Debug)]
pub(super) struct StageClock {
    since: Instant,
    pub seconds: [f64; Stage::ALL.len()],
}

impl Default for StageClock {
    fn default() -> Self {
        Self { since: Instant::now(), seconds: [0.0; Stage::ALL.len()] }
    }
}

impl StageClock {
    /// Begins a slice.
    pub fn start(&mut self) {
        self.since = Instant::now();
    }

    /// Counts the time since the last call for `stage`.
    pub fn lap(&mut self, stage: Stage) {
        let now = Instant::now();
        self.seconds[stage as usize] += (now - self.since).as_secs_f64();
        self.since = now;
    }
}
