//! One run: every combination of the grid, curve by curve.

use super::curve::{CurveSampler, CurveTrials, PointStatistics};
use super::memory;
use super::methods::FeatureEstimator;
use super::pictures;
use super::rows::{CurveResults, CurveSubject};
use super::schema::{estimators, projections, sizes};
use super::sources::{NamedInputs, source};
use crate::attention::frobenius::{FrobeniusEngine, Precision};
use crate::attention::spikiness::Exact;
use crate::attention::theory::Expectation;
use crate::attention::{Inputs, Projection};
use crate::lab::{Axis, Event, Params, Plot, Point, RunContext, RunError, Series, Style};
use crate::problems::limits::failure;
use crate::problems::toolkit::{Burst, FinishedPoints, Meter, pool};
use rayon::ThreadPool;

pub(super) fn run(params: &Params, context: &mut RunContext) -> Result<(), RunError> {
    let pool = pool(params, context, memory::pieces(params))?;
    declare(params, context);
    let names = params.texts("inputs");
    let own_shape = |name: &str| matches!(name, "file" | "checkpoint");
    let mut grid = Vec::new();
    for name in names {
        let (lengths, dims) = (params.sizes("length"), params.sizes("dim"));
        // A file has its shape, whatever the list of lengths.
        let (lengths, dims) = if own_shape(name) { (&lengths[..1], &dims[..1]) } else { (&lengths[..], &dims[..]) };
        for &length in lengths {
            grid.extend(dims.iter().map(|&dim| (name, length, dim)));
        }
    }
    let curves = grid.len() * estimators(params).len() * projections(params).len();
    let passes = if params.flag("nested") { 1 } else { sizes(params).len() };
    let mut session = FeaturesSession {
        params,
        pool: &pool,
        meter: Meter::new(curves * passes * params.size("trials"), "trials"),
        points: FinishedPoints::new::<CurveSubject>(context),
    };
    if params.flag("nested") && sizes(params).len() > 1 {
        context.note("nested draws: the points of a curve share their draws, so they are correlated along m");
    }
    for (name, length, dim) in grid {
        context.check_cancelled()?;
        let source = source(name, length, dim, params, context)?;
        session.matrix(source, context)?;
    }
    Ok(())
}

fn declare(params: &Params, context: &mut RunContext) {
    let axis = match params.text("axis") {
        "features" => "features (columns of Φ)",
        "length" => "sequence length L",
        _ => "projections m",
    };
    for (id, title, y) in [
        ("error", "Relative Frobenius error", "‖Â−A‖/‖A‖ (median, quartiles)"),
        ("normalized", "Relative Frobenius error, rows normalised", "‖D̂⁻¹Â−D⁻¹A‖/‖D⁻¹A‖ (median)"),
    ] {
        context.emit(Event::Plot(Plot {
            id: id.to_owned(),
            title: title.to_owned(),
            x: Axis::log(axis),
            y: Axis::log(y),
        }));
    }
    context.emit(Event::Plot(Plot {
        id: "bias".to_owned(),
        title: "⟨Â,A⟩/‖A‖², mean ± 2 s.e.: 1 without bias".to_owned(),
        x: Axis::log(axis),
        y: Axis::linear("⟨Â,A⟩/‖A‖²"),
    }));
}

/// What the curves of a run have in common.
pub(super) struct FeaturesSession<'a> {
    pub(super) params: &'a Params,
    pub(super) pool: &'a ThreadPool,
    meter: Meter,
    points: FinishedPoints,
}

/// One matrix of the grid with its survey.
pub(super) struct Surveyed<'a> {
    pub(super) name: &'a str,
    pub(super) inputs: &'a Inputs,
    pub(super) exact: &'a Exact,
    engine: FrobeniusEngine<'a>,
    precision: Precision,
}

impl FeaturesSession<'_> {
    fn matrix(&mut self, source: NamedInputs, context: &mut RunContext) -> Result<(), RunError> {
        let control = context.control();
        let stop = move || control.is_stopping();
        let survey = |inputs: &Inputs| self.pool.install(|| Exact::survey(inputs, &stop)).map_err(failure);
        let NamedInputs { name, mut inputs } = source;
        let mut exact = survey(&inputs)?;
        let shift = match self.params.text("recentre") {
            "mean" => Some(inputs.mean_shift()),
            "weighted" => Some(exact.centre.clone()),
            _ => None,
        };
        if let Some(shift) = shift {
            inputs = inputs.recentred(shift.view());
            exact = survey(&inputs)?;
        }
        let of = exact.spikiness;
        context.note(format!(
            "{name}, L = {}, d = {}: N90 {:.4}, participation ratio {:.4}, max/median {:.4}, A²-weighted mean of |x+y|² {:.2}",
            inputs.queries.nrows(),
            inputs.dim(),
            of.n90,
            of.participation_ratio,
            of.max_over_median,
            exact.sums.mean(),
        ));
        let precision = self.params.choice("precision");
        let engine = self.pool.install(|| FrobeniusEngine::new(&inputs, &exact, precision)?.keep_exact());
        let engine = engine.map_err(failure)?;
        let surveyed = Surveyed { name: &name, inputs: &inputs, exact: &exact, engine, precision };
        for estimator in estimators(self.params) {
            for projection in projections(self.params) {
                self.curve(&surveyed, estimator, projection, context)?;
            }
        }
        Ok(())
    }

    fn curve(
        &mut self,
        matrix: &Surveyed<'_>,
        estimator: FeatureEstimator,
        projection: Projection,
        context: &mut RunContext,
    ) -> Result<(), RunError> {
        let (params, ms) = (self.params, sizes(self.params));
        let method = estimator.fit(matrix.inputs, params).map_err(failure)?.on(projection);
        let theory = self.theory(matrix, &method, projection, &ms, context)?;
        self.remarks(matrix, estimator, &method, projection, theory.as_deref(), context);
        let sampler = CurveSampler {
            inputs: matrix.inputs,
            engine: &matrix.engine,
            method,
            projection,
            trials: params.size("trials"),
            pool: self.pool,
        };
        let series = self.declare(matrix, estimator, projection, &ms, theory.as_deref(), context);
        let what = format!("{} {}", estimator.name(), projection.name());
        let largest = ms.last().copied().unwrap_or(1);
        let draw = sampler.sketch(context.seed(), largest, 0).map_err(failure)?;
        let title = format!("{what}, m = {largest}");
        pictures::tell(matrix.inputs, draw.as_ref(), &matrix.exact.spikiness, &title, context)?;
        drop(draw);
        let groups: Vec<&[usize]> = if params.flag("nested") { vec![&ms[..]] } else { ms.chunks(1).collect() };
        let mut place = 0;
        for group in groups {
            let expected = theory.as_deref().map(|theory| &theory[place..place + group.len()]);
            let series = &series[place..place + group.len()];
            place += group.len();
            let subjects: Vec<CurveSubject> =
                group.iter().map(|&m| self.subject(matrix, estimator, projection, m)).collect();
            if self.points.find(&subjects.iter().collect::<Vec<_>>(), context).is_some() {
                self.meter.skip(sampler.trials);
                continue;
            }
            let stage = format!("{} {what} m = {}", matrix.name, group.last().copied().unwrap_or(0));
            let trials = sampler.trials(group, &stage, &mut self.meter, context)?;
            let mut burst = Burst::new();
            if trials.precision == Precision::Double && matrix.precision == Precision::Auto {
                burst.note(format!("{stage}: exponents lie too far apart for f32, so f64 is used"));
            }
            for (place, (subject, series)) in subjects.iter().zip(series).enumerate() {
                let statistics = PointStatistics::of(&trials.measures[place]);
                self.tell(series, subject, &statistics, &mut burst);
                let expected = expected.map(|expected| expected[place]);
                burst.row(subject, &results(matrix, &statistics, expected, &trials));
            }
            self.points.tell(burst, context);
        }
        Ok(())
    }

    /// What a row is about.
    fn subject(
        &self,
        matrix: &Surveyed<'_>,
        estimator: FeatureEstimator,
        projection: Projection,
        m: usize,
    ) -> CurveSubject {
        CurveSubject {
            inputs: matrix.name.to_owned(),
            length: matrix.inputs.queries.nrows(),
            dim: matrix.inputs.dim(),
            estimator: estimator.name(),
            projection: projection.name(),
            m,
            features: estimator.features(m, self.params),
            trials: self.params.size("trials"),
        }
    }

    /// Where a point of the curve lies on the horizontal axis.
    fn place(&self, m: usize, features: usize, length: usize) -> f64 {
        match self.params.text("axis") {
            "features" => features as f64,
            "length" => length as f64,
            _ => m as f64,
        }
    }

    /// Declares the series of a curve and draws its theory at once; the names of the measured series, one for each m.
    fn declare(
        &self,
        matrix: &Surveyed<'_>,
        estimator: FeatureEstimator,
        projection: Projection,
        ms: &[usize],
        theory: Option<&[Expectation]>,
        context: &mut RunContext,
    ) -> Vec<String> {
        let length = matrix.inputs.queries.nrows();
        let mut words = vec![estimator.name().to_owned(), projection.name().to_owned()];
        if self.params.texts("inputs").len() > 1 {
            words.insert(0, matrix.name.to_owned());
        }
        if self.params.sizes("dim").len() > 1 {
            words.push(format!("d={}", matrix.inputs.dim()));
        }
        let over_length = self.params.text("axis") == "length";
        if !over_length && self.params.sizes("length").len() > 1 {
            words.push(format!("L={length}"));
        }
        let base = words.join(" ");
        let mut names = Vec::new();
        for (place, &m) in ms.iter().enumerate() {
            let name = if over_length && ms.len() > 1 { format!("{base} m={m}") } else { base.clone() };
            if place == 0 || over_length {
                for (plot, suffix) in [("error", ""), ("normalized", "/normalized"), ("bias", "/bias")] {
                    context.emit(Event::Series(Series::new(format!("{name}{suffix}"), plot, &name)));
                }
                if theory.is_some() {
                    let series = Series::new(format!("{name}/theory"), "error", format!("{name}, theory"));
                    context.emit(Event::Series(series.drawn(Style::Dashed).beside(&name)));
                }
            }
            if let Some(theory) = theory {
                let features = estimator.features(m, self.params);
                let x = self.place(m, features, length);
                let point = Point::new(format!("{name}/theory"), x, theory[place].relative_mse.sqrt());
                context.emit(Event::Point(point));
            }
            names.push(name);
        }
        names
    }

    /// The points of a row.
    fn tell(&self, series: &str, subject: &CurveSubject, found: &PointStatistics, burst: &mut Burst) {
        let x = self.place(subject.m, subject.features, subject.length);
        burst.point(Point::new(series, x, found.median).within(found.q25, found.q75));
        burst.point(Point::new(format!("{series}/normalized"), x, found.normalized));
        let point = Point::new(format!("{series}/bias"), x, found.ratio);
        burst.point(match found.ratio_sem {
            Some(sem) => point.within(found.ratio - 2.0 * sem, found.ratio + 2.0 * sem),
            None => point,
        });
    }
}

/// What came out at one m.
fn results(
    matrix: &Surveyed<'_>,
    found: &PointStatistics,
    expected: Option<Expectation>,
    trials: &CurveTrials,
) -> CurveResults {
    let spikiness = matrix.exact.spikiness;
    CurveResults {
        rel_frobenius_median: found.median,
        rel_frobenius_q25: found.q25,
        rel_frobenius_q75: found.q75,
        rel_frobenius_mean: found.mean,
        rel_mse_mean: found.mse,
        rel_mse_sem: found.mse_sem,
        rel_mse_theory: expected.map(|expected| expected.relative_mse),
        squared_bias_theory: expected.map(|expected| expected.squared_bias),
        variance_theory: expected.map(|expected| expected.variance),
        observable: expected.filter(|expected| !expected.visible.is_nan()).map(|expected| expected.is_observable()),
        mean_ratio: found.ratio,
        mean_ratio_sem: found.ratio_sem,
        mean_ratio_theory: expected.map(|expected| expected.mean_ratio),
        normalized_rel_frobenius_median: found.normalized,
        nonpositive_entries: found.nonpositive_entries,
        nonpositive_rows: found.nonpositive_rows,
        n90: spikiness.n90,
        participation_ratio: spikiness.participation_ratio,
        max_over_median: spikiness.max_over_median,
        precision: if trials.precision == Precision::Double { "f64" } else { "f32" },
        seconds_per_trial: trials.seconds,
    }
}
