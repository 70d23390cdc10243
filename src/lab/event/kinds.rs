//! What a run says while it works. Everything a screen shows is folded from these events, live or from a file.

use crate::lab::event::matrix::Matrix;
use crate::lab::event::number::{self, ends, long_numbers};
use serde::{Deserialize, Serialize};

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Waits for a worker.
    Queued,
    /// Works.
    Running,
    /// Holds still on request.
    Paused,
    /// Ended with everything done.
    Finished,
    /// Ended by the user, with what was done kept.
    Stopped,
    /// Ended by an error.
    Failed,
    /// Ended by a loss that is not finite.
    Diverged,
    /// Its process is gone without a word.
    Lost,
}

impl RunState {
    /// The word shown and written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Diverged => "diverged",
            Self::Lost => "lost",
        }
    }

    /// Whether nothing more will come.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running | Self::Paused)
    }
}

/// How an axis maps values to places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Equal steps.
    #[default]
    Linear,
    /// Equal ratios (base 10).
    Log,
}

impl Scale {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Linear => Self::Log,
            Self::Log => Self::Linear,
        }
    }

    /// Whether a value has a place on such an axis.
    #[must_use]
    pub fn has_place(self, value: f64) -> bool {
        value.is_finite() && (self == Self::Linear || value > 0.0)
    }
}

/// One axis of a plot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// What it measures, with the unit in words.
    pub title: String,
    /// Its natural scale.
    pub scale: Scale,
    /// A range known in advance, so that the axis need not grow.
    pub range: Option<(f64, f64)>,
    /// How many steps of the work one unit of it is, where it measures how far the work is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<f64>,
}

impl Axis {
    /// A linear axis.
    #[must_use]
    pub fn linear(title: impl Into<String>) -> Self {
        Self { title: title.into(), scale: Scale::Linear, range: None, steps: None }
    }

    /// A logarithmic axis.
    #[must_use]
    pub fn log(title: impl Into<String>) -> Self {
        Self { title: title.into(), scale: Scale::Log, range: None, steps: None }
    }

    /// Sets the range known in advance.
    #[must_use]
    pub const fn over(mut self, from: f64, to: f64) -> Self {
        self.range = Some((from, to));
        self
    }

    /// Says how many steps of the work one unit is.
    #[must_use]
    pub const fn of_steps(mut self, steps: f64) -> Self {
        self.steps = Some(steps);
        self
    }
}

/// Declares a plot; runs of one problem that declare the same `id` are overlaid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plot {
    /// Its name within the problem.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// A line through the points.
    #[default]
    Line,
    /// A broken line: theory.
    Dashed,
    /// Points only.
    Points,
}

/// Declares a series of a plot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its name within the run.
    pub id: String,
    /// The plot it belongs to.
    pub plot: String,
    /// Its name in the legend.
    pub label: String,
    /// How it is drawn.
    pub style: Style,
    /// The series it belongs beside, whose colour it takes: a measurement beside its theory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
}

impl Series {
    /// A line.
    #[must_use]
    pub fn new(id: impl Into<String>, plot: impl Into<String>, label: impl Into<String>) -> Self {
        Self { id: id.into(), plot: plot.into(), label: label.into(), style: Style::Line, beside: None }
    }

    /// Drawn in another style.
    #[must_use]
    pub const fn drawn(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    /// In the colour of the series called `id`.
    #[must_use]
    pub fn beside(mut self, id: impl Into<String>) -> Self {
        self.beside = Some(id.into());
        self
    }
}

/// One point of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The series.
    #[serde(rename = "s")]
    pub series: String,
    /// Horizontal position.
    #[serde(with = "number")]
    pub x: f64,
    /// Vertical position; NaN is a gap.
    #[serde(with = "number")]
    pub y: f64,
    /// Lower end of the interval (quartile, confidence), if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "ends")]
    pub lo: Option<f64>,
    /// Upper end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "ends")]
    pub hi: Option<f64>,
}

impl Point {
    /// A point without an interval.
    #[must_use]
    pub fn new(series: impl Into<String>, x: f64, y: f64) -> Self {
        Self { series: series.into(), x, y, lo: None, hi: None }
    }

    /// Adds the interval.
    #[must_use]
    pub const fn within(mut self, lo: f64, hi: f64) -> Self {
        self.lo = Some(lo);
        self.hi = Some(hi);
        self
    }
}

/// One point of a series without the series' name, as it is kept once it has been read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Horizontal position.
    pub x: f64,
    /// Vertical position; NaN is a gap.
    pub y: f64,
    /// Lower end of the interval, if there is one.
    pub lo: Option<f64>,
    /// Upper end of the interval.
    pub hi: Option<f64>,
}

/// A whole series at once, for what changes as a whole: a function being learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// The series whose points are replaced.
    pub series: String,
    /// Horizontal positions.
    #[serde(with = "long_numbers")]
    pub x: Vec<f64>,
    /// Vertical positions, as many.
    #[serde(with = "long_numbers")]
    pub y: Vec<f64>,
}

/// How much of the work is done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all.
    pub total: u64,
    /// What a unit is, in the plural: `images`, `trials`.
    pub unit: String,
    /// Units a second lately.
    #[serde(with = "number")]
    pub rate: f64,
    /// What is being done: `epoch 2 of 5`, `evaluating`.
    pub stage: String,
}

impl Progress {
    /// Seconds left at the present rate; none before a rate is known.
    #[must_use]
    pub fn remaining_seconds(&self) -> Option<f64> {
        (self.rate > 0.0).then(|| self.total.saturating_sub(self.done) as f64 / self.rate)
    }
}

/// A row of the result table: column key → number, text or null.
pub type Row = serde_json::Map<String, serde_json::Value>;

/// One thing a run says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "e", rename_all = "kebab-case")]
pub enum Event {
    /// The state changed; the text says why where it needs saying.
    State {
        /// The new state.
        state: RunState,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
    /// A plot is declared.
    Plot(Plot),
    /// A series is declared.
    Series(Series),
    /// A point came.
    #[serde(rename = "p")]
    Point(Point),
    /// Every point of a series anew.
    Curve(Curve),
    /// The work moved on.
    Progress(Progress),
    /// A row of the result table is complete.
    Row {
        /// The row.
        row: Row,
    },
    /// A matrix to draw.
    Matrix(Matrix),
    /// A remark that belongs to the results: a caveat, a hint.
    Note {
        /// The remark.
        text: String,
    },
    /// What one finished piece of work says, as one line of the journal: a run that is killed while it is written has
    /// said all of it or nothing.
    Burst {
        /// The events, in order; none of them is a burst.
        events: Vec<Event>,
    },
}

impl Event {
    /// The state changed.
    #[must_use]
    pub fn state(state: RunState, message: impl Into<String>) -> Self {
        Self::State { state, message: message.into() }
    }

    /// The events of a burst; of any other event the event itself.
    #[must_use]
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::Burst { events } => events,
            single => std::slice::from_ref(single),
        }
    }

    /// As [`Event::parts`], however deep bursts lie in each other.
    #[must_use]
    pub fn into_parts(self) -> Vec<Self> {
        match self {
            Self::Burst { events } => events.into_iter().flat_map(Self::into_parts).collect(),
            single => vec![single],
        }
    }
}

/// An event with its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// Seconds of work since the run began.
    pub t: f64,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

impl Stamped {
    /// The events of a burst, each with its time; of any other event the event itself.
    #[must_use]
    pub fn into_parts(self) -> Vec<Self> {
        let t = self.t;
        self.event.into_parts().into_iter().map(|event| Self { t, event }).collect()
    }
}
