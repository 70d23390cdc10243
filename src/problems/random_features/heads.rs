//! What a run over many heads says of all of them: medians over heads, a map of layers × heads, and conclusions.

use super::schema::{projections, sizes};
use super::series::{SINGLE_HEADS, place};
use crate::lab::{Curve, Event, Matrix, Params, Row, RunContext, Series, Style, decimal};
use crate::named::named;
use crate::problems::estimators::{FeatureEstimator, estimators};
use crate::problems::inputs::HeadPlace;
use crate::statistics::quantile;

named! {
    /// What the map of layers × heads shows.
    pub(super) enum HeadMap {
        Output = "output", "smallest error of the output, with the letter of the estimator that has it";
        Normalized = "normalized", "smallest row-normalised error, with the letter of the estimator";
        Frobenius = "frobenius", "smallest un-normalised error, with the letter of the estimator";
        Window = "window", "error of the output from the window that costs as much as the largest m";
        Uniform = "uniform", "error of the output from the plain average of the values";
        Entropy = "entropy", "mean entropy of the rows, in nats";
        EffectiveKeys = "effective-keys", "mean effective number of keys";
        Nonpositive = "nonpositive-rows", "share of rows whose denominator is not positive, at the smallest error";
    }
}

impl HeadMap {
    /// The column of the table, and whether an estimator is chosen by it.
    const fn column(self) -> (&'static str, bool) {
        match self {
            Self::Output => ("output_rel_error_median", true),
            Self::Normalized => ("normalized_rel_frobenius_median", true),
            Self::Frobenius => ("rel_frobenius_median", true),
            Self::Window => ("window_output_rel_error", false),
            Self::Uniform => ("uniform_output_rel_error", false),
            Self::Entropy => ("entropy", false),
            Self::EffectiveKeys => ("effective_keys", false),
            Self::Nonpositive => ("nonpositive_rows", true),
        }
    }
}

/// Rows by head.
pub(super) struct HeadSummary<'a> {
    params: &'a Params,
    stored: usize,
    heads: Vec<(HeadPlace, Vec<Row>)>,
    declared: bool,
}

impl<'a> HeadSummary<'a> {
    pub fn new(params: &'a Params, places: &[HeadPlace]) -> Self {
        let stored = places.iter().filter(|place| place.layer.is_some() || place.head.is_some()).count();
        Self { params, stored, heads: Vec::new(), declared: false }
    }

    /// Adds the rows of one matrix.
    pub fn add(&mut self, place: &HeadPlace, rows: Vec<Row>) {
        self.heads.push((*place, rows));
    }

    fn of_heads(&self) -> impl Iterator<Item = &(HeadPlace, Vec<Row>)> {
        self.heads.iter().filter(|(place, _)| place.layer.is_some() || place.head.is_some())
    }

    /// Draws the medians over the heads so far, where there are too many for a curve each.
    pub fn tell(&mut self, context: &mut RunContext) {
        if self.stored <= SINGLE_HEADS || self.of_heads().next().is_none() {
            return;
        }
        let with_output = self.of_heads().any(|(place, _)| place.value_dim > 0);
        let plots = [
            ("error", "", "rel_frobenius_median"),
            ("normalized", "/normalized", "normalized_rel_frobenius_median"),
            ("output", "/output", "output_rel_error_median"),
        ];
        let window = "window of equal cost";
        for estimator in estimators(self.params) {
            for projection in projections(self.params) {
                let name = format!("{} {}", estimator.label(), projection.name());
                for (plot, suffix, column) in plots {
                    if plot == "output" && !with_output {
                        continue;
                    }
                    if !self.declared {
                        let label = format!("{name}, median over heads");
                        context.emit(Event::Series(Series::new(format!("{name}{suffix}"), plot, label)));
                    }
                    let of = |row: &&Row| is_of(row, estimator) && is(row, "projection", projection.name());
                    self.curve(&format!("{name}{suffix}"), column, of, context);
                }
            }
        }
        if with_output {
            if !self.declared {
                let label = format!("{window}, median over heads");
                context.emit(Event::Series(Series::new(window, "output", label).drawn(Style::Dashed)));
            }
            let first = (estimators(self.params)[0], projections(self.params)[0].name());
            let of = |row: &&Row| is_of(row, first.0) && is(row, "projection", first.1);
            self.curve(window, "window_output_rel_error", of, context);
        }
        self.declared = true;
    }

    /// The medians of `column` over the rows that `of` picks, m by m.
    fn curve(&self, series: &str, column: &str, of: impl Fn(&&Row) -> bool, context: &mut RunContext) {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for m in sizes(self.params) {
            let rows: Vec<&Row> = self.of_heads().flat_map(|(_, rows)| rows).filter(|row| of(row)).collect();
            let rows = rows.into_iter().filter(|row| count(row, "m") == Some(m));
            let mut values = Vec::new();
            let mut at = f64::NAN;
            for row in rows {
                if let Some(value) = number(row, column) {
                    values.push(value);
                    let (features, length) = (count(row, "features").unwrap_or(0), count(row, "length").unwrap_or(0));
                    at = place(self.params, m, features, length);
                }
            }
            values.sort_unstable_by(f64::total_cmp);
            if !values.is_empty() {
                x.push(at);
                y.push(quantile(&values, 0.5));
            }
        }
        if !x.is_empty() {
            context.emit(Event::Curve(Curve { series: series.to_owned(), x, y }));
        }
    }

    /// The map of layers × heads, and what follows from all rows.
    pub fn conclude(&self, context: &mut RunContext) {
        if self.of_heads().count() > 1 {
            self.map(context);
        }
        let rows = || self.heads.iter().flat_map(|(_, rows)| rows);
        for (column, what) in [
            ("output_rel_error_median", "error of the output"),
            ("normalized_rel_frobenius_median", "row-normalised error"),
            ("rel_frobenius_median", "un-normalised error"),
        ] {
            let measured: Vec<f64> = rows().filter_map(|row| number(row, column)).collect();
            if !measured.is_empty() && measured.iter().all(|error| *error >= 1.0) {
                context.note(format!(
                    "{what}: no estimator is below 1 at any m, so none is better than an estimate of 0 everywhere"
                ));
            }
        }
        let heads = self.of_heads().count();
        if heads > 1 && rows().any(|row| number(row, "window_output_rel_error").is_some()) {
            let better = self.of_heads().filter(|(_, rows)| {
                let beats = |row: &&Row| {
                    let window = number(row, "window_output_rel_error");
                    number(row, "output_rel_error_median").zip(window).is_some_and(|(error, window)| error < window)
                };
                rows.iter().any(|row| beats(&row))
            });
            context.note(format!(
                "output: on {} of {heads} heads some estimator does better than the window of equal cost at some m",
                better.count()
            ));
        }
    }

    fn map(&self, context: &mut RunContext) {
        let shows = self.params.choice::<HeadMap>("map");
        let (column, by_estimator) = shows.column();
        let mut layers: Vec<usize> = self.of_heads().map(|(place, _)| place.layer.unwrap_or(0)).collect();
        let mut heads: Vec<usize> = self.of_heads().map(|(place, _)| place.head.unwrap_or(0)).collect();
        for entries in [&mut layers, &mut heads] {
            entries.sort_unstable();
            entries.dedup();
        }
        let chosen_by = if shows == HeadMap::Nonpositive { "rel_frobenius_median" } else { column };
        let all = estimators(self.params);
        let (mut values, mut letters) = (Vec::new(), Vec::new());
        for &layer in &layers {
            for &head in &heads {
                let rows = self
                    .of_heads()
                    .find(|(place, _)| place.layer.unwrap_or(0) == layer && place.head.unwrap_or(0) == head);
                let rows = rows.map_or(&[][..], |(_, rows)| rows.as_slice());
                let best = if by_estimator {
                    rows.iter()
                        .filter_map(|row| Some((number(row, chosen_by)?, row)))
                        .min_by(|a, b| a.0.total_cmp(&b.0))
                        .map(|(_, row)| row)
                } else {
                    rows.last()
                };
                values.push(best.and_then(|row| number(row, column)).map_or(f32::NAN, |value| value as f32));
                let place = best.and_then(|row| all.iter().position(|estimator| is_of(row, *estimator)));
                letters.push(match place.filter(|_| by_estimator) {
                    Some(place) => letter(place).to_string(),
                    None => String::new(),
                });
            }
        }
        let texts = |numbers: &[usize]| numbers.iter().map(ToString::to_string).collect();
        let finite = || values.iter().copied().filter(|value| value.is_finite()).map(f64::from);
        let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
        let legend: Vec<String> =
            all.iter().enumerate().map(|(i, estimator)| format!("{} {}", letter(i), estimator.label())).collect();
        let legend = if by_estimator { format!("; {}", legend.join(", ")) } else { String::new() };
        context.emit(Event::Matrix(Matrix {
            id: "heads".to_owned(),
            group: "heads".to_owned(),
            title: format!("layers × heads: {}", shows.choice().help),
            rows: layers.len(),
            cols: heads.len(),
            values,
            // A number that is no estimator's has no letters.
            letters: if by_estimator { letters } else { Vec::new() },
            row_names: texts(&layers),
            col_names: texts(&heads),
            row_word: "layer".to_owned(),
            col_word: "head".to_owned(),
            caption: format!("{} to {}{legend}", decimal(low, 3), decimal(high, 3)),
            ..Matrix::default()
        }));
    }
}

/// The letter of the estimator at this place of the list: A, B, …
fn letter(place: usize) -> char {
    char::from_u32('A' as u32 + place as u32 % 26).unwrap_or('?')
}

fn is(row: &Row, key: &str, text: &str) -> bool {
    row.get(key).and_then(serde_json::Value::as_str) == Some(text)
}

/// Whether a row is about `estimator`.
fn is_of(row: &Row, estimator: FeatureEstimator) -> bool {
    is(row, "estimator", estimator.name()) && estimator.function().is_none_or(|text| is(row, "f", text))
}

fn number(row: &Row, key: &str) -> Option<f64> {
    row.get(key)?.as_f64()
}

fn count(row: &Row, key: &str) -> Option<usize> {
    usize::try_from(row.get(key)?.as_u64()?).ok()
}
