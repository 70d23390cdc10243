//! Several runs as one study: runs that differ in nothing but the seed are repeats of one *variant*; curves of the
//! headline number against what was swept, and what a variant's quality costs, with mean and interval over repeats.

use super::seeds::{MeanCurve, mean_curves};
use super::variant::{StudyRun, StudyVariant};
use crate::lab::{
    Axis, CurveSummary, Differences, Kind, Matrix, Plot, Problem, Row, RunState, RunView, Sample, Scale, StoredParams,
    Style, common,
    mean::{Mean, best},
};
use std::collections::{BTreeMap, HashMap};

/// Up to so many variants each has a marker of its own where they are weighed against each other.
const MARKED: usize = 64;

/// A curve with what it is drawn with.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyCurve {
    /// Its name.
    pub label: String,
    /// How it is drawn.
    pub style: Style,
    /// Its points, with intervals over repeats.
    pub points: Vec<Sample>,
    /// Index of the variant that it stands for, where it stands for one alone.
    pub variant: Option<usize>,
    /// Number of its colour; none where it belongs to no variant. A curve of numbers so far has the colour of the curve that
    /// these will belong to.
    pub ink: Option<usize>,
}

/// A plot over all runs of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyPlot {
    /// Its declaration.
    pub plot: Plot,
    /// Its curves.
    pub curves: Vec<StudyCurve>,
    /// The number that stands for a curve in a legend.
    pub summary: CurveSummary,
}

/// Several runs of one problem together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Study {
    /// The parameters in which runs differ, but for the seed and those that change no result.
    pub keys: Vec<String>,
    /// The variants, in the order of their first runs.
    pub variants: Vec<StudyVariant>,
    /// Index of the variant of each run.
    pub variant_of: Vec<usize>,
    /// Index of the variant with the best headline number, by the mean over its finished runs; none where fewer than two
    /// variants have one.
    pub best: Option<usize>,
    /// The mean of each variant's headline number over its finished runs, with its interval, as y; none where it has none.
    pub headlines: Vec<Option<Sample>>,
    /// What the runs of variants have drawn, over their seeds.
    pub means: Vec<MeanCurve>,
    /// The headline number against what was swept, where that has numbers.
    pub sweep: Option<StudyPlot>,
    /// The same over two swept numbers, as colours.
    pub map: Option<Matrix>,
    /// The headline number against each of its costs.
    pub costs: Vec<StudyPlot>,
}

impl Study {
    /// Puts runs of `problem` together; `scales` are the parameters that are known to be swept, with their scales.
    #[must_use]
    pub fn new(problem: &'static dyn Problem, runs: &[StudyRun<'_>], scales: &BTreeMap<String, Option<Scale>>) -> Self {
        let schema = problem.schema();
        let counts =
            |key: &str| key != common::SEED.key && schema.get(key).is_some_and(|param| param.determines_result);
        let params: Vec<&StoredParams> = runs.iter().map(|run| run.params).collect();
        let differences = Differences::between(&params, Some(schema), counts);
        let ((variants, variant_of), keys) = (variants(&differences, runs.len()), differences.keys().to_vec());
        let mut study = Self { variants, variant_of, keys, ..Self::default() };
        let ended = |run: usize| Some(runs[run].view).filter(|view| view.state == RunState::Finished);
        let number = |run: usize| problem.headline_number(&ended(run)?.rows);
        let row = runs.iter().find_map(|run| run.view.rows.last());
        let headline = row.map_or(problem.headline(), |row| problem.headline_of(row));
        let column = problem.column(headline);
        let range = column.and_then(|column| column.range);
        let numbers: Vec<Option<Sample>> = study.variants.iter().map(|variant| over(variant, range, number)).collect();
        let means: Vec<Option<f64>> = numbers.iter().map(|number| Some(number.as_ref()?.y)).collect();
        (study.best, study.headlines) = (best(&means, problem.prefers_large()), numbers.clone());
        study.means = mean_curves(&study.variants, runs);
        let axes: Vec<Numeric> = study.numeric(problem, scales);
        let heading = column.map_or_else(|| headline.to_owned(), |column| column.heading());
        if let Some(x) = axes.first() {
            let mut sweep = study.curves(x, &heading, &numbers, &differences);
            study.add_so_far(&mut sweep, problem, x, &heading, runs, &differences);
            sweep.summary = if problem.prefers_large() { CurveSummary::Highest } else { CurveSummary::Lowest };
            study.sweep = Some(sweep);
            if let ([x, y], 2) = (axes.as_slice(), study.keys.len()) {
                study.map = map(&study.variants, (x, y), &heading, &numbers);
            }
        }
        if study.variants.len() > 1 {
            study.costs = problem.costs().iter().map(|cost| study.weigh(problem, cost, &heading, runs)).collect();
        }
        study
    }

    /// The swept numbers: those known to be swept first, then those with the most values.
    fn numeric(&self, problem: &dyn Problem, scales: &BTreeMap<String, Option<Scale>>) -> Vec<Numeric> {
        let schema = problem.schema();
        let mut all: Vec<Numeric> = Vec::new();
        for (place, key) in self.keys.iter().enumerate() {
            let Some(param) = schema.get(key) else { continue };
            let values: Option<Vec<f64>> = self.variants.iter().map(|variant| variant.at[place].parse().ok()).collect();
            let (Kind::Int { .. } | Kind::Float { .. }, Some(values)) = (param.kind, values) else { continue };
            let mut steps = values.clone();
            steps.sort_by(f64::total_cmp);
            steps.dedup();
            let scale = scales.get(key).copied().flatten().unwrap_or_else(|| scale_of(&steps));
            all.push(Numeric { key: param.key, label: param.label, place, scale, values, steps });
        }
        all.sort_by_key(|axis| (!scales.contains_key(axis.key), std::cmp::Reverse(axis.steps.len())));
        all
    }

    /// The headline number against `x`, a curve for each combination of the other parameters.
    fn curves(&self, x: &Numeric, heading: &str, numbers: &[Option<Sample>], differences: &Differences) -> StudyPlot {
        let mut curves: Vec<StudyCurve> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (index, variant) in self.variants.iter().enumerate() {
            let label = differences.words_without(variant.runs[0], x.key);
            let place = *places.entry(label.clone()).or_insert_with(|| {
                let label = if label.is_empty() { heading.to_owned() } else { label };
                let ink = Some(curves.len());
                curves.push(StudyCurve { label, style: Style::Line, points: Vec::new(), variant: None, ink });
                curves.len() - 1
            });
            curves[place].points.extend(numbers[index].map(|sample| Sample { x: x.values[index], ..sample }));
        }
        curves.iter_mut().for_each(|curve| curve.points.sort_by(|a, b| a.x.total_cmp(&b.x)));
        let title = format!("{} by {}", capital(heading), x.label);
        let (from, to) = (x.steps[0], x.steps[x.steps.len() - 1]);
        let axis = Axis { title: x.label.to_owned(), scale: x.scale, range: Some((from, to)), steps: None };
        let id = "sweep".to_owned();
        let plot = Plot { id, title, x: axis, y: Axis::linear(self.interval(heading)) };
        StudyPlot { plot, curves, summary: CurveSummary::default() }
    }

    /// Adds what runs that are not finished have reached so far, each as a point of its own: such a number is another one
    /// than that of a finished run, and never part of a mean.
    fn add_so_far(
        &self,
        plot: &mut StudyPlot,
        problem: &dyn Problem,
        x: &Numeric,
        heading: &str,
        runs: &[StudyRun<'_>],
        differences: &Differences,
    ) {
        let mut found: BTreeMap<usize, StudyCurve> = BTreeMap::new();
        for (index, variant) in self.variants.iter().enumerate() {
            let label = differences.words_without(variant.runs[0], x.key);
            let named = |curve: &StudyCurve| curve.label == label || (label.is_empty() && curve.label == heading);
            let Some(place) = plot.curves.iter().position(named) else { continue };
            for view in variant.runs.iter().map(|run| runs[*run].view) {
                let Some((series, y)) = so_far(problem, view) else { continue };
                let curve = found.entry(place).or_insert_with(|| {
                    let words = format!("so far ({})", without_common_end(series, heading));
                    let label = if label.is_empty() { words } else { format!("{label} {words}") };
                    StudyCurve { label, style: Style::Points, points: Vec::new(), variant: None, ink: Some(place) }
                });
                curve.points.push(Sample { x: x.values[index], y, lo: None, hi: None });
            }
        }
        plot.curves.extend(found.into_values());
    }

    /// The headline number against what it costs; the Pareto-optimal variants are joined by a staircase.
    fn weigh(&self, problem: &dyn Problem, cost: &str, heading: &str, runs: &[StudyRun<'_>]) -> StudyPlot {
        let column = problem.column(cost);
        let title = column.map_or_else(|| cost.to_owned(), |column| column.heading());
        let words = match column {
            Some(column) if column.unit == "s" => format!("{} time", column.label),
            _ => title.clone(),
        };
        let of = |(variant, number): (&StudyVariant, &Option<Sample>)| {
            let finished = |run: usize| Some(runs[run].view).filter(|view| view.state == RunState::Finished);
            let x = over(variant, None, |run| last(finished(run)?, cost))?.y;
            number.map(|number| Sample { x, ..number })
        };
        let places: Vec<Option<Sample>> = self.variants.iter().zip(&self.headlines).map(of).collect();
        let mut curves: Vec<StudyCurve> = if self.variants.len() <= MARKED {
            let curve = |(ink, (variant, place)): (usize, (&StudyVariant, &Option<Sample>))| StudyCurve {
                label: variant.label.clone(),
                style: Style::Points,
                points: place.iter().copied().collect(),
                variant: Some(ink),
                ink: Some(ink),
            };
            self.variants.iter().zip(&places).enumerate().map(curve).collect()
        } else {
            let points = places.iter().flatten().copied().collect();
            let label = "variants".to_owned();
            vec![StudyCurve { label, style: Style::Points, points, variant: None, ink: Some(0) }]
        };
        let frontier = frontier(places.into_iter().flatten().collect());
        let label = "frontier".to_owned();
        curves.push(StudyCurve { label, style: Style::Dashed, points: frontier, variant: None, ink: None });
        let plot = Plot {
            id: format!("against-{cost}"),
            title: format!("{} against {words}", capital(heading)),
            x: Axis::linear(title),
            y: Axis::linear(self.interval(heading)),
        };
        StudyPlot { plot, curves, summary: CurveSummary::Last }
    }

    /// The title of an axis of means.
    fn interval(&self, heading: &str) -> String {
        let repeated = self.variants.iter().any(|variant| variant.runs.len() > 1);
        if repeated { format!("{heading} ± 95 %") } else { heading.to_owned() }
    }
}

/// A swept number.
struct Numeric {
    key: &'static str,
    label: &'static str,
    /// Where its text stands in a variant.
    place: usize,
    scale: Scale,
    /// Its value in each variant.
    values: Vec<f64>,
    /// Every value once, the smallest first.
    steps: Vec<f64>,
}

/// The variants, and the index of that of each run.
fn variants(differences: &Differences, runs: usize) -> (Vec<StudyVariant>, Vec<usize>) {
    let (mut variants, mut places): (Vec<StudyVariant>, HashMap<&[String], usize>) = Default::default();
    let mut variant_of = Vec::with_capacity(runs);
    for run in 0..runs {
        let at = differences.exact(run);
        let place = *places.entry(at).or_insert_with(|| {
            variants.push(StudyVariant { at: at.to_vec(), label: differences.words(run), runs: Vec::new() });
            variants.len() - 1
        });
        variants[place].runs.push(run);
        variant_of.push(place);
    }
    (variants, variant_of)
}

/// Mean and interval of a number, which lies in `range`, over a variant's runs that have it, as a sample at x = 0.
fn over(variant: &StudyVariant, range: Option<(f64, f64)>, number: impl Fn(usize) -> Option<f64>) -> Option<Sample> {
    let numbers: Vec<f64> = variant.runs.iter().filter_map(|run| number(*run)).filter(|n| n.is_finite()).collect();
    let Mean { mean: y, interval } = Mean::within(&numbers, range)?;
    Some(Sample { x: 0.0, y, lo: interval.map(|ends| ends[0]), hi: interval.map(|ends| ends[1]) })
}

/// A number of the last row that has it.
fn last(view: &RunView, key: &str) -> Option<f64> {
    view.rows.iter().rev().find_map(|row: &Row| row.get(key)?.as_f64())
}

/// What a run that is not finished has reached: the newest point of the series that stands for its headline number
/// ([`Problem::live`]), and the name of that series.
fn so_far<'a>(problem: &dyn Problem, view: &'a RunView) -> Option<(&'a str, f64)> {
    if view.state == RunState::Finished {
        return None;
    }
    let live = problem.live()?;
    let series = view.series.iter().find(|series| series.series.id == live)?;
    let y = series.points.last().map(|point| point.y).filter(|y| y.is_finite())?;
    Some((&series.series.label, y))
}

/// `text` without the words at its end that `other` ends with too; all of it where nothing else would be left.
fn without_common_end(text: &str, other: &str) -> String {
    let (words, others): (Vec<&str>, Vec<&str>) = (text.split(' ').collect(), other.split(' ').collect());
    let common = words.iter().rev().zip(others.iter().rev()).take_while(|(a, b)| a == b).count();
    let kept = if common == words.len() { words.len() } else { words.len() - common };
    words[..kept].join(" ")
}

/// Logarithmic where values stand closer to equal ratios than to equal steps, and reach far.
fn scale_of(steps: &[f64]) -> Scale {
    let [first, .., last] = steps else { return Scale::Linear };
    if *first <= 0.0 || last / first < 4.0 || steps.len() < 3 {
        return Scale::Linear;
    }
    let middle = steps[steps.len() / 2];
    let along = (steps.len() / 2) as f64 / (steps.len() - 1) as f64;
    let (even, ratio) = (first + (last - first) * along, first * (last / first).powf(along));
    if (middle / ratio).ln().abs() < (middle / even).ln().abs() { Scale::Log } else { Scale::Linear }
}

/// The staircase along the Pareto-optimal points: no other point has both less x and more y.
fn frontier(mut points: Vec<Sample>) -> Vec<Sample> {
    points.sort_by(|a, b| a.x.total_cmp(&b.x).then(b.y.total_cmp(&a.y)));
    let mut stairs: Vec<Sample> = Vec::new();
    let bare = |x: f64, y: f64| Sample { x, y, lo: None, hi: None };
    for point in points {
        match stairs.last().copied() {
            Some(before) if point.y <= before.y => {}
            Some(before) => stairs.extend([bare(point.x, before.y), bare(point.x, point.y)]),
            None => stairs.push(bare(point.x, point.y)),
        }
    }
    stairs
}

/// The headline number over two swept numbers, the second upwards.
fn map(
    variants: &[StudyVariant],
    (x, y): (&Numeric, &Numeric),
    heading: &str,
    numbers: &[Option<Sample>],
) -> Option<Matrix> {
    let (rows, cols) = (y.steps.len(), x.steps.len());
    if rows < 2 || cols < 2 {
        return None;
    }
    let mut values = vec![f32::NAN; rows * cols];
    let place = |axis: &Numeric, variant: usize| axis.steps.iter().position(|step| *step == axis.values[variant]);
    for (variant, number) in (0..variants.len()).zip(numbers) {
        let (column, row) = (place(x, variant)?, place(y, variant)?);
        values[(rows - 1 - row) * cols + column] = number.map_or(f32::NAN, |sample| sample.y as f32);
    }
    let text = |axis: &Numeric, wanted: f64| {
        let variant = axis.values.iter().position(|value| *value == wanted).unwrap_or(0);
        variants[variant].at[axis.place].clone()
    };
    let texts = |axis: &Numeric| axis.steps.iter().map(|step| text(axis, *step)).collect::<Vec<_>>();
    let (row_names, col_names) = (texts(y).into_iter().rev().collect(), texts(x));
    let ends = |axis: &Numeric| {
        format!("{} {} to {}", axis.label, text(axis, axis.steps[0]), text(axis, axis.steps[axis.steps.len() - 1]))
    };
    let caption = format!("→ {}   ↑ {}", ends(x), ends(y));
    let [id, group, title, row_word, col_word] = ["sweep", "sweep", heading, y.label, x.label].map(str::to_owned);
    let names = Matrix { row_names, col_names, row_word, col_word, ..Matrix::default() };
    Some(Matrix { id, group, title, rows, cols, values, caption, ..names })
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
