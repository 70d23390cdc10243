//! What a run has told, without what a clock says: two runs with the same parameters must have told the same.

use attnlab::lab::{Event, Matrix, Plot, Problem, Row, RunState, RunView, Sample, Series, journal};
use attnlab::problems;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The files that a finished run may leave in its folder.
const FILES: [&str; 6] =
    ["run.toml", "events.jsonl", "summary.json", "log.txt", "checkpoint.json", "checkpoint.safetensors"];

/// In remarks that follow from what else the machine does.
const BUSY: &str = "the machine was busy";

/// A finished run as its folder tells it.
#[derive(Debug, PartialEq)]
pub struct Told {
    pub rows: Vec<Row>,
    plots: Vec<Plot>,
    series: Vec<(Series, Vec<Sample>)>,
    matrices: Vec<Matrix>,
    notes: Vec<String>,
    /// How many events of each kind the journal has.
    counts: BTreeMap<&'static str, usize>,
}

impl Told {
    /// What the run of `problem` in `folder` has told. It is finished and has left nothing behind that should not be there.
    pub fn read(folder: &Path, problem: &dyn Problem) -> Self {
        let mut view = RunView::read(folder).unwrap();
        assert_eq!(view.state, RunState::Finished, "{}: {}", folder.display(), view.message);
        for entry in fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(FILES.contains(&name.as_str()), "{}: {name} is left behind", folder.display());
        }
        let known = |plot: &str| view.plots.iter().find(|known| known.id == plot);
        let timed = |plot: &str| known(plot).is_some_and(|known| known.y.title.contains("second"));
        // Where time is the width, points stand in another order each time.
        let over_time = |plot: &str| known(plot).is_some_and(|known| known.x.title.contains("second"));
        let series = view.series.iter().map(|known| {
            let plot = &known.series.plot;
            let sample = |sample: &Sample| match sample {
                _ if over_time(plot) => Sample { x: 0.0, y: 0.0, lo: None, hi: None },
                sample if timed(plot) => Sample { x: sample.x, y: 0.0, lo: None, hi: None },
                sample => *sample,
            };
            (known.series.clone(), known.points.iter().map(sample).collect())
        });
        view.notes.retain(|note| !note.contains(BUSY));
        Self {
            rows: view.rows.iter().map(|row| timeless(row, problem)).collect(),
            series: series.collect(),
            // The exponent of a fitted time is a time.
            notes: view.notes.iter().map(|note| note.split(" as L^").next().unwrap_or_default().to_owned()).collect(),
            counts: counts(folder),
            plots: view.plots,
            matrices: view.matrices,
        }
    }

    /// The same where the order in which things were told does not count, and remarks about damaged lines neither.
    pub fn sorted(mut self) -> Self {
        self.rows.sort_by_key(|row| serde_json::to_string(row).unwrap());
        self.plots.sort_by(|a, b| a.id.cmp(&b.id));
        self.series.iter_mut().for_each(|(_, points)| points.sort_by(|a, b| a.x.total_cmp(&b.x)));
        self.series.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        self.matrices.sort_by(|a, b| a.id.cmp(&b.id));
        self.notes.retain(|note| !note.contains("not an event"));
        self.notes.sort();
        // A time that was lost is measured again, and what follows from it is then told with another exponent.
        self.notes.dedup();
        self
    }

    /// The remarks that follow from all rows.
    pub fn conclusions(&self) -> Vec<&String> {
        let concludes = |note: &&String| note.contains("which estimator") || note.contains("time grows");
        self.notes.iter().filter(concludes).collect()
    }

    /// Without how often each kind of event was told.
    pub fn uncounted(mut self) -> Self {
        self.counts.clear();
        self
    }
}

/// A row without times and speeds.
fn timeless(row: &Row, problem: &dyn Problem) -> Row {
    let timed = |key: &str| problem.column(key).is_some_and(|column| column.is_measured());
    row.iter().filter(|(key, _)| !timed(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Events by kind, but for states and progress, of which a run that was ended has told more.
fn counts(folder: &Path) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for stamped in journal::Tail::new(folder).events().unwrap() {
        let kind = match stamped.event {
            Event::Plot(_) => "plots",
            Event::Series(_) => "series",
            Event::Point(_) => "points",
            Event::Curve(_) => "curves",
            Event::Matrix(_) => "matrices",
            Event::Row { .. } => "rows",
            Event::Note { text } if text.contains(BUSY) => continue,
            Event::Note { .. } => "notes",
            _ => continue,
        };
        *counts.entry(kind).or_default() += 1;
    }
    counts
}

/// The problem of the run in `folder`.
pub fn problem_of(folder: &Path) -> &'static dyn Problem {
    let record = fs::read_to_string(folder.join("run.toml")).unwrap();
    let named = |problem: &&&dyn Problem| record.contains(&format!("problem = \"{}\"", problem.name()));
    *problems::ALL.iter().find(named).unwrap()
}
