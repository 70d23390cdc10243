//! The points of a run: those that an earlier part of it has told are found, the others are computed and told as a whole.

use super::columns::Columns;
use crate::lab::{Column, Event, Point, Row, RunContext};
use serde_json::Value;
use std::collections::{HashMap, HashSet, VecDeque};

/// The rows that an earlier part of the run has told, known by the columns that say what was measured, as opposed to what
/// came out. An earlier version of the program may have told them without columns that there are now: these rows are known
/// by the columns that they have, and the rest of the run keeps to these columns.
pub(in crate::problems) struct FinishedPoints {
    told: HashMap<String, VecDeque<Row>>,
    /// The columns of the rows told so far; none where there are no such rows.
    keys: Option<HashSet<String>>,
}

/// Everything that is told about one finished piece of work. It is in the journal as a whole or not at all.
pub(in crate::problems) struct Burst {
    events: Vec<Event>,
    /// The columns that identify each of its rows.
    identifying: Vec<&'static [Column]>,
}

impl FinishedPoints {
    /// The rows told so far by the run of `context`; the columns of `S` tell them apart.
    pub fn new<S: Columns>(context: &RunContext) -> Self {
        Self::of::<S>(context.finished_rows())
    }

    fn of<S: Columns>(rows: &[Row]) -> Self {
        let keys = (!rows.is_empty()).then(|| rows.iter().flat_map(|row| row.keys().cloned()).collect());
        let mut points = Self { told: HashMap::new(), keys };
        for row in rows {
            points.told.entry(points.identity(S::COLUMNS, row)).or_default().push_back(row.clone());
        }
        points
    }

    /// Whether the rows of this run have the column `key`: always, but for the rest of a run that an earlier version began.
    pub fn has(&self, key: &str) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.contains(key))
    }

    /// The values of `columns` in `row` as text, of those columns that rows of this run have; one that is not there counts as
    /// null.
    fn identity(&self, columns: &[Column], row: &Row) -> String {
        let known = columns.iter().filter(|column| self.has(column.key));
        let values: Vec<&Value> = known.map(|column| row.get(column.key).unwrap_or(&Value::Null)).collect();
        serde_json::to_string(&values).unwrap_or_else(|_| unreachable!("plain values can be written"))
    }

    /// The rows about `subjects`, in that order, if the earlier part has told all of them. Each row is found once: two
    /// equal subjects need a row each.
    pub fn find<S: Columns>(&mut self, subjects: &[&S], context: &mut RunContext) -> Option<Vec<Row>> {
        let identities: Vec<String> =
            subjects.iter().map(|subject| self.identity(S::COLUMNS, &subject.values())).collect();
        let mut wanted: HashMap<&str, usize> = HashMap::new();
        identities.iter().for_each(|identity| *wanted.entry(identity).or_default() += 1);
        let is_there =
            |(identity, count): (&&str, &usize)| self.told.get(*identity).is_some_and(|rows| rows.len() >= *count);
        if !wanted.iter().all(is_there) {
            return None;
        }
        let rows: Option<Vec<Row>> =
            identities.iter().map(|identity| self.told.get_mut(identity)?.pop_front()).collect();
        // The engine holds each row back once for every time it was told before: this is that time.
        rows.iter().flatten().for_each(|row| context.emit(Event::Row { row: row.clone() }));
        rows
    }

    /// Tells a piece of work and returns its rows. A row that the earlier part has told stands as it was.
    pub fn tell(&mut self, mut burst: Burst, context: &mut RunContext) -> Vec<Row> {
        let mut rows = Vec::new();
        let new = burst.events.iter_mut().filter_map(|event| match event {
            Event::Row { row } => Some(row),
            _ => None,
        });
        for (row, columns) in new.zip(burst.identifying) {
            row.retain(|key, _| self.has(key));
            let identity = self.identity(columns, row);
            let old = self.told.get_mut(&identity).and_then(VecDeque::pop_front);
            rows.push(old.unwrap_or_else(|| row.clone()));
        }
        context.emit_burst(burst.events);
        rows
    }
}

impl Burst {
    /// Nothing to tell yet.
    pub const fn new() -> Self {
        Self { events: Vec::new(), identifying: Vec::new() }
    }

    /// Adds a point of a series.
    pub fn point(&mut self, point: Point) {
        self.events.push(Event::Point(point));
    }

    /// Adds a remark.
    pub fn note(&mut self, text: impl Into<String>) {
        self.events.push(Event::Note { text: text.into() });
    }

    /// Adds a row: what was measured, and what came out.
    pub fn row<S: Columns>(&mut self, subject: &S, results: &impl Columns) {
        let mut row = subject.values();
        self.identifying.push(S::COLUMNS);
        row.extend(results.values());
        self.events.push(Event::Row { row });
    }

    /// The same with more columns behind.
    pub fn row_with<S: Columns>(&mut self, subject: &S, results: &impl Columns, more: &impl Columns) {
        self.row(subject, results);
        if let Some(Event::Row { row }) = self.events.last_mut() {
            row.extend(more.values());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::columns;
    use super::*;
    use std::sync::Arc;

    columns! {
        struct Place {
            angle: f64 = label("angle"),
            name: Option<usize> = label("name"),
        }
    }

    columns! {
        struct Height {
            metres: f64 = label("height").unit("m").digits(2).brief(),
        }
    }

    fn place(angle: f64) -> Place {
        Place { angle, name: None }
    }

    fn burst(angles: &[f64], metres: f64) -> Burst {
        let mut burst = Burst::new();
        angles.iter().for_each(|angle| burst.row(&place(*angle), &Height { metres }));
        burst
    }

    #[test]
    fn rows_are_found_by_what_they_are_about() {
        let context = &mut RunContext::new(0, "folder", Arc::default(), Vec::new());
        let told = FinishedPoints::of::<Place>(&[]).tell(burst(&[0.1, 0.2, 0.2], 1.5), context);
        assert_eq!(serde_json::to_string(&told[0]).unwrap(), r#"{"angle":0.1,"name":null,"metres":1.5}"#);

        let mut points = FinishedPoints::of::<Place>(&told);
        assert_eq!(points.find(&[&place(0.1), &place(0.3)], context), None, "one is missing");
        assert_eq!(points.find(&[&place(0.2), &place(0.1)], context), Some(vec![told[1].clone(), told[0].clone()]));
        assert_eq!(points.find(&[&place(0.1)], context), None, "each row is found once");
        assert_eq!(points.find(&[&place(0.2), &place(0.2)], context), None, "equal subjects need a row each");
        // What was told before stands, the rest is new.
        let rows = points.tell(burst(&[0.2, 0.2], 9.0), context);
        assert_eq!(rows.iter().map(|row| row["metres"].as_f64()).collect::<Vec<_>>(), [Some(1.5), Some(9.0)]);
    }

    #[test]
    fn rows_without_a_newer_column_are_found_and_the_rest_goes_without_it_too() {
        let context = &mut RunContext::new(0, "folder", Arc::default(), Vec::new());
        let mut old = FinishedPoints::of::<Place>(&[]).tell(burst(&[0.1], 1.5), context);
        old[0].remove("name");
        let mut points = FinishedPoints::of::<Place>(&old);
        let named = |angle| Place { angle, name: Some(3) };
        assert_eq!(points.find(&[&named(0.1)], context), Some(old));
        let mut burst = Burst::new();
        burst.row(&named(0.2), &Height { metres: 2.5 });
        let rows = points.tell(burst, context);
        assert_eq!(serde_json::to_string(&rows[0]).unwrap(), r#"{"angle":0.2,"metres":2.5}"#);
    }
}
