//! The lines of a tab's results: which there are, in which order, and which one is chosen.

use super::results::{ResultColumn, ResultLine};
use super::tab::ProblemTab;
use crate::lab::{Column, Row, RunState, StudyVariant, common, decimal};
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::HashSet;

/// What a line is sorted by: a number or words. What is not there yet comes last.
enum SortKey {
    Number(f64),
    Words(String),
    Nothing,
}

impl SortKey {
    fn compare(&self, other: &Self, largest_first: bool) -> Ordering {
        let order = match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Words(one), Self::Words(other)) => one.cmp(other),
            (Self::Number(_), Self::Words(_)) => Ordering::Less,
            (Self::Words(_), Self::Number(_)) => Ordering::Greater,
            (Self::Nothing, Self::Nothing) => Ordering::Equal,
            (Self::Nothing, _) => return Ordering::Greater,
            (_, Self::Nothing) => return Ordering::Less,
        };
        if largest_first { order.reverse() } else { order }
    }
}

impl ProblemTab {
    /// Every line of the results that the filter admits, in order.
    #[must_use]
    pub fn lines(&self) -> &[ResultLine] {
        &self.results.lines
    }

    /// The columns of the results: the headline number first, then those in which the lines differ, brief ones before the
    /// others, and the time.
    #[must_use]
    pub fn result_columns(&self) -> &[ResultColumn] {
        &self.results.columns
    }

    /// Works out the lines and columns anew. The chosen line stays that of the same run.
    pub(super) fn renew_lines(&mut self) {
        let chosen = self.target();
        self.results.columns = self.columns_now();
        let mut lines = Vec::new();
        let mut add = |run: usize, rows: usize| {
            lines.extend((0..rows).map(|row| ResultLine { run, row: Some(row) }));
            if rows == 0 {
                lines.push(ResultLine { run, row: None });
            }
        };
        let rows = |run: usize| self.runs[run].view.rows.len();
        if self.grouped {
            for variant in &self.study.variants {
                add(variant.runs[0], variant.runs.iter().map(|run| rows(*run)).max().unwrap_or(0));
            }
        } else {
            (0..self.runs.len()).for_each(|run| add(run, rows(run)));
        }
        let words: Vec<String> = self.results.filter.split_whitespace().map(str::to_lowercase).collect();
        if !words.is_empty() {
            lines.retain(|line| {
                let name = self.line_name(line.run).to_lowercase();
                words.iter().all(|word| name.contains(word.as_str()))
            });
        }
        if let Some((key, largest_first)) = self.results.sorted {
            let mut keyed: Vec<(SortKey, ResultLine)> =
                lines.into_iter().map(|line| (self.sort_key(&line, key), line)).collect();
            keyed.sort_by(|(one, _), (other, _)| one.compare(other, largest_first));
            lines = keyed.into_iter().map(|(_, line)| line).collect();
        }
        let mut seen = HashSet::new();
        self.results.runs = lines.iter().map(|line| line.run).filter(|run| seen.insert(*run)).collect();
        self.results.lines = lines;
        let last = self.results.lines.len().saturating_sub(1);
        self.results.line = self.results.line.min(last);
        if let Some(run) = chosen.filter(|run| Some(*run) != self.target() && *run < self.runs.len()) {
            self.choose_run(run);
        }
    }

    /// The rows that a line stands for: one, or those of the runs of its variant.
    #[must_use]
    pub fn rows_of(&self, line: &ResultLine) -> Vec<&Row> {
        let Some(row) = line.row else { return Vec::new() };
        self.together(line.run).into_iter().filter_map(|run| self.runs[run].view.rows.get(row)).collect()
    }

    fn sort_key(&self, line: &ResultLine, key: &str) -> SortKey {
        if key == ResultColumn::Time.key() {
            return SortKey::Number(self.seconds_of(line));
        }
        let rows = self.rows_of(line);
        let numbers: Vec<f64> = rows.iter().filter_map(|row| row.get(key)?.as_f64()).collect();
        match (numbers.len(), rows.iter().find_map(|row| row.get(key)?.as_str())) {
            (0, None) => SortKey::Nothing,
            (0, Some(words)) => SortKey::Words(words.to_owned()),
            (count, _) => SortKey::Number(numbers.iter().sum::<f64>() / count as f64),
        }
    }

    /// Seconds of work of a line's run, or of all the runs of its variant.
    #[must_use]
    pub fn seconds_of(&self, line: &ResultLine) -> f64 {
        self.together(line.run).into_iter().map(|run| self.runs[run].view.seconds).sum()
    }

    fn columns_now(&self) -> Vec<ResultColumn> {
        let rows = || self.runs.iter().flat_map(|run| &run.view.rows);
        let last = self.runs.iter().rev().find_map(|run| run.view.rows.last());
        let headline = last.map_or(self.problem.headline(), |row| self.problem.headline_of(row));
        let several = rows().nth(1).is_some();
        let differs = |column: &Column| {
            let mut values = rows().map(|row| row.get(column.key).unwrap_or(&Value::Null));
            let first = values.next();
            values.any(|value| Some(value) != first)
        };
        // A parameter that all runs share will not differ either in the rows that are still to come.
        let is_shared = |column: &Column| {
            let is_parameter = self.problem.schema().get(column.key).is_some();
            is_parameter && self.runs.len() > 1 && !self.study.keys.iter().any(|key| key == column.key)
        };
        let is_shown = |column: &&Column| {
            column.key == headline
                || (column.is_shown(rows())
                    && (differs(column) || !(several || is_shared(column)))
                    && !(self.grouped && column.key == common::SEED.key))
        };
        let mut columns: Vec<&'static Column> = self.problem.columns().iter().filter(is_shown).collect();
        columns.sort_by_key(|column| (column.key != headline, !column.brief));
        columns.into_iter().map(ResultColumn::Declared).chain([ResultColumn::Time]).collect()
    }

    /// Index of the variant that the run belongs to.
    #[must_use]
    pub fn variant_index(&self, run: usize) -> Option<usize> {
        self.study.variant_of.get(run).copied()
    }

    /// The variant that the line of a run stands for; none where it stands for the run alone.
    #[must_use]
    pub fn line_variant(&self, run: usize) -> Option<&StudyVariant> {
        self.study.variants.get(self.variant_index(run)?).filter(|_| self.grouped)
    }

    /// The runs of the line of a run: those of its variant where lines stand for variants.
    pub(super) fn together(&self, run: usize) -> Vec<usize> {
        self.line_variant(run).map_or_else(|| vec![run], |variant| variant.runs.clone())
    }

    /// The run by which the line of a run is known.
    fn first_together(&self, run: usize) -> usize {
        self.line_variant(run).map_or(run, |variant| variant.runs[0])
    }

    /// What stands before the name of a variant: a star before that of the best.
    #[must_use]
    pub fn star(&self, variant: Option<usize>) -> &'static str {
        if variant.is_some() && variant == self.study.best { "★ " } else { "" }
    }

    /// The name of the line of a run: that of its variant where lines stand for variants.
    #[must_use]
    pub fn line_name(&self, run: usize) -> &str {
        let of_variant = self.line_variant(run).filter(|variant| !variant.label.is_empty());
        of_variant.map_or_else(|| self.labels().get(run).map_or("", String::as_str), |variant| variant.label.as_str())
    }

    /// Index of the chosen run, which is the run of the chosen line of the results.
    #[must_use]
    pub fn target(&self) -> Option<usize> {
        let lines = self.lines();
        let line = lines.get(self.results.line.min(lines.len().saturating_sub(1)));
        line.map(|line| line.run).filter(|run| *run < self.runs.len())
    }

    /// Chooses the run called `id` in the results.
    pub fn choose(&mut self, id: &str) {
        if let Some(run) = self.position(id) {
            self.choose_run(run);
        }
    }

    fn choose_run(&mut self, run: usize) {
        let chosen = self.first_together(run);
        self.results.line = self.lines().iter().position(|line| line.run == chosen).unwrap_or(0);
    }

    /// Chooses the line of the next run or variant, or with `back` of the one before.
    pub(super) fn choose_next(&mut self, back: bool) {
        let lines = self.lines();
        let at = self.results.line.min(lines.len().saturating_sub(1));
        let Some(run) = lines.get(at).map(|line| line.run) else { return };
        let other = |(_, line): &(usize, &ResultLine)| line.run != run;
        let lines = lines.iter().enumerate();
        let found = if back { lines.take(at).rfind(other) } else { lines.skip(at).find(other) };
        if let Some((line, _)) = found {
            self.results.line = line;
            self.remarks.to_start();
        }
    }

    /// Sorts the lines by the chosen column, numbers with the largest first; again: the other way; again: as they came.
    /// Returns words about it.
    pub(super) fn sort_lines(&mut self) -> Option<String> {
        let column = *self.result_columns().get(self.results.column)?;
        let key = column.key();
        self.results.sorted = match self.results.sorted {
            Some((now, true)) if now == key => Some((key, false)),
            Some((now, false)) if now == key => None,
            _ => Some((key, true)),
        };
        let words = match self.results.sorted {
            Some((_, true)) => format!("sorted by {}, the largest first", column.heading()),
            Some((_, false)) => format!("sorted by {}, the smallest first", column.heading()),
            None => "in the order in which the runs came".to_owned(),
        };
        self.renew_lines();
        Some(words)
    }

    /// Sets the words that the names of lines have to hold.
    pub fn filter_lines(&mut self, words: &str) {
        words.trim().clone_into(&mut self.results.filter);
        self.renew_lines();
    }

    /// Whether figures leave out the run, because the user has hidden it.
    #[must_use]
    pub fn is_hidden(&self, run: usize) -> bool {
        self.runs.get(self.first_together(run)).is_some_and(|run| self.results.hidden.contains(&run.id))
    }

    /// Whether figures draw a variant: a line of the results stands for it or one of its runs, and it is not hidden.
    #[must_use]
    pub fn draws_variant(&self, variant: usize) -> bool {
        let Some(variant) = self.study.variants.get(variant) else { return false };
        self.lines().iter().any(|line| variant.runs.contains(&line.run)) && !self.is_hidden(variant.runs[0])
    }

    /// Has figures leave out the chosen line's run or variant, or draw it again. Returns words about it.
    pub(super) fn hide(&mut self) -> Option<String> {
        let run = self.target()?;
        let hide = !self.is_hidden(run);
        for run in self.together(run) {
            let id = self.runs[run].id.clone();
            if hide {
                self.results.hidden.insert(id)
            } else {
                self.results.hidden.remove(&id)
            };
        }
        let name = self.line_name(run);
        Some(if hide { format!("{name} is not drawn") } else { format!("{name} is drawn again") })
    }

    /// Words about the best variant: its name, its headline number with the interval, and of how many runs; none where fewer
    /// than two variants have a number.
    #[must_use]
    pub fn best_words(&self) -> Option<String> {
        let best = self.study.best?;
        let sample = self.study.headlines.get(best)?.as_ref()?;
        let variant = self.study.variants.get(best)?;
        let Some(ResultColumn::Declared(column)) = self.result_columns().first() else { return None };
        let number = decimal(sample.y, column.digits);
        let half = sample.hi.map_or_else(String::new, |hi| format!(" ±{}", decimal(hi - sample.y, column.digits)));
        let finished = |run: &&usize| self.runs.get(**run).is_some_and(|run| run.view.state == RunState::Finished);
        let seeds = match variant.runs.iter().filter(finished).count() {
            0 | 1 => String::new(),
            count => format!(", {count} seeds"),
        };
        Some(format!("{}: {} {number}{half}{seeds}", variant.label, column.label))
    }
}
