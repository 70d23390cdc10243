//! A run as a screen shows it: folded from its events, live or from a file.

use crate::lab::LabError;
use crate::lab::event::{Event, Matrix, Plot, Point, Progress, Row, RunState, Sample, Series, Stamped};
use crate::lab::record::Owner;
use crate::lab::record::journal::{self, JournalLine};
use std::path::Path;

/// A series with the points that have come.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesView {
    /// Its declaration.
    pub series: Series,
    /// Its points in the order they came.
    pub points: Vec<Sample>,
}

/// Everything a run has said so far.
#[derive(Clone, Debug, PartialEq)]
pub struct RunView {
    /// How far it is.
    pub state: RunState,
    /// Why it is in that state, where that needs saying.
    pub message: String,
    /// Seconds of work.
    pub seconds: f64,
    /// Its plots, as declared.
    pub plots: Vec<Plot>,
    /// Its series, as declared.
    pub series: Vec<SeriesView>,
    /// Rows of the result table.
    pub rows: Vec<Row>,
    /// The newest progress.
    pub progress: Option<Progress>,
    /// The newest matrix of every name.
    pub matrices: Vec<Matrix>,
    /// Remarks.
    pub notes: Vec<String>,
    /// The series of the last point: points of one series tend to follow each other.
    recent: Recent,
}

/// A place that says where to look first; it is no part of what a run has said.
#[derive(Clone, Copy, Debug, Default)]
struct Recent(usize);

impl PartialEq for Recent {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Default for RunView {
    fn default() -> Self {
        Self {
            state: RunState::Queued,
            message: String::new(),
            seconds: 0.0,
            plots: Vec::new(),
            series: Vec::new(),
            rows: Vec::new(),
            progress: None,
            matrices: Vec::new(),
            notes: Vec::new(),
            recent: Recent::default(),
        }
    }
}

impl RunView {
    /// Takes one event in.
    pub fn fold(&mut self, stamped: &Stamped) {
        self.seconds = self.seconds.max(stamped.t);
        self.fold_event(&stamped.event);
    }

    fn fold_event(&mut self, event: &Event) {
        match event {
            Event::State { state, message } => {
                self.state = *state;
                self.message.clone_from(message);
            }
            Event::Plot(plot) => put(&mut self.plots, plot, |known| known.id == plot.id),
            Event::Series(series) => {
                if let Some(known) = self.series.iter_mut().find(|known| known.series.id == series.id) {
                    known.series = series.clone();
                } else {
                    self.series.push(SeriesView { series: series.clone(), points: Vec::new() });
                }
            }
            Event::Point(point) => {
                let sample = Sample { x: point.x, y: point.y, lo: point.lo, hi: point.hi };
                self.point(&point.series, sample);
            }
            Event::Curve(curve) => {
                self.clear(&curve.series);
                for (x, y) in curve.x.iter().zip(&curve.y) {
                    let sample = Sample { x: *x, y: *y, lo: None, hi: None };
                    self.point(&curve.series, sample);
                }
            }
            Event::Progress(progress) => self.progress = Some(progress.clone()),
            Event::Row { row } => self.rows.push(row.clone()),
            Event::Matrix(matrix) => put(&mut self.matrices, matrix, |known| known.id == matrix.id),
            Event::Note { text } => self.notes.push(text.clone()),
            Event::Burst { events } => events.iter().for_each(|event| self.fold_event(event)),
        }
    }

    /// Takes one line of a journal in; one that is not an event becomes a note.
    pub(in crate::lab) fn fold_line(&mut self, line: &JournalLine<'_>) {
        match line {
            JournalLine::Point { t, series, sample } => {
                self.seconds = self.seconds.max(*t);
                self.point(series, *sample);
            }
            JournalLine::Event(event) => self.fold(event),
            JournalLine::Damaged { number, reason, .. } => {
                self.notes.push(format!("{}, line {number}: not an event: {reason}", journal::NAME));
            }
        }
    }

    fn clear(&mut self, series: &str) {
        if let Some(known) = self.series.iter_mut().find(|known| known.series.id == series) {
            known.points.clear();
        }
    }

    /// Takes one point in; a series that was not declared gets the point's name and no plot.
    fn point(&mut self, series: &str, sample: Sample) {
        let is = |view: &SeriesView| view.series.id == series;
        if !self.series.get(self.recent.0).is_some_and(is) {
            self.recent.0 = self.series.iter().position(is).unwrap_or_else(|| {
                self.series.push(SeriesView { series: Series::new(series, "", series), points: Vec::new() });
                self.series.len() - 1
            });
        }
        self.series[self.recent.0].points.push(sample);
    }

    /// Events that fold into this view.
    #[must_use]
    pub fn to_events(&self) -> Vec<Stamped> {
        let mut events: Vec<Event> = self.plots.iter().cloned().map(Event::Plot).collect();
        for SeriesView { series, points } in &self.series {
            events.push(Event::Series(series.clone()));
            events.extend(points.iter().map(|sample| {
                let Sample { x, y, lo, hi } = *sample;
                Event::Point(Point { series: series.id.clone(), x, y, lo, hi })
            }));
        }
        events.extend(self.rows.iter().map(|row| Event::Row { row: row.clone() }));
        events.extend(self.matrices.iter().cloned().map(Event::Matrix));
        events.extend(self.notes.iter().map(|text| Event::Note { text: text.clone() }));
        events.extend(self.progress.clone().map(Event::Progress));
        events.push(Event::state(self.state, &self.message));
        events.into_iter().map(|event| Stamped { t: self.seconds, event }).collect()
    }

    /// What the last `count` bytes of the journal in `folder` say: the newest state, time, rows and notes without
    /// reading a long journal whole.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn read_end(folder: &Path, count: u64) -> Result<Self, LabError> {
        let mut view = Self::default();
        journal::Tail::near_end(folder, count)?.each(|line| view.fold_line(&line))?;
        Ok(view)
    }

    /// Folds the journal of the run in `folder`. A last line that is not complete (a run killed while writing, or
    /// writing now) is left out; a broken line in the middle becomes a note. A run whose process is gone without a word
    /// is lost.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn read(folder: &Path) -> Result<Self, LabError> {
        let mut view = Self::default();
        view.follow(folder, &mut journal::Tail::new(folder))?;
        if !view.state.is_final() && Owner::of(folder).is_none() {
            view.lose();
        }
        Ok(view)
    }

    /// Takes in what the run in `folder` has said since `tail` was read last, in this process or another. Returns
    /// whether anything has changed.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn follow(&mut self, folder: &Path, tail: &mut journal::Tail) -> Result<bool, LabError> {
        let mut changed = tail.each(|line| self.fold_line(&line))?;
        if !self.state.is_final() && Owner::perhaps_of(folder).is_none() {
            // The owner writes its last event before it gives up the lock, so this second read misses nothing.
            changed |= tail.each(|line| self.fold_line(&line))?;
            if !self.state.is_final() {
                self.lose();
                changed = true;
            }
        }
        Ok(changed)
    }

    fn lose(&mut self) {
        self.state = RunState::Lost;
        "its process is gone".clone_into(&mut self.message);
    }
}

/// Replaces what `is` the same, or adds `new`.
fn put<T: Clone>(all: &mut Vec<T>, new: &T, is: impl Fn(&T) -> bool) {
    match all.iter_mut().find(|known| is(known)) {
        Some(known) => known.clone_from(new),
        None => all.push(new.clone()),
    }
}
