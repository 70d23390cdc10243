//! One matrix of the grid, with everything about it that its curves share.

use super::rows::CurveSubject;
use super::sample::{RowSample, sampled};
use crate::attention::frobenius::{FrobeniusEngine, Precision};
use crate::attention::rowwise::{BaselineErrors, ExactHead, window_width};
use crate::attention::spikiness::Exact;
use crate::attention::{Inputs, Projection};
use crate::device::OpenDevice;
use crate::lab::{Params, RunError, decimal};
use crate::named::named;
use crate::problems::estimators::FeatureEstimator;
use crate::problems::inputs::{HeadInputs, HeadPlace};
use crate::problems::limits::failure;
use ndarray::Array2;
use rayon::ThreadPool;
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

named! {
    /// Which exact shift of the keys takes variance away.
    pub(super) enum Recentring {
        None = "none", "features of queries and keys as they are";
        Mean = "mean", "keys shifted by mean query + mean key, exactly undone by a factor for each row";
        Weighted = "weighted", "keys shifted by the mean of query + key weighted with A²";
    }
}

/// Rows, entropies and windows of drawn inputs are computed up to this many entries; of stored inputs always.
const SMALL: usize = 1 << 22;

/// What surveys of all matrices of a run have in common.
pub(super) struct MatrixFacts<'a> {
    pub params: &'a Params,
    pub pool: &'a ThreadPool,
    pub stop: &'a (dyn Fn() -> bool + Sync),
    pub device: &'a OpenDevice,
}

/// One matrix with its survey, which the engines borrow.
pub(super) struct MatrixSurvey {
    place: HeadPlace,
    source: Option<String>,
    inputs: Inputs,
    values: Option<Array2<f64>>,
    exact: Exact,
    title: String,
    causal: bool,
}

impl MatrixFacts<'_> {
    pub fn survey(&self, read: HeadInputs) -> Result<MatrixSurvey, RunError> {
        let survey = |inputs: &Inputs| self.pool.install(|| Exact::survey(inputs, self.stop)).map_err(failure);
        let HeadInputs { place, source, mut inputs, values } = read;
        inputs = sampled(inputs, self.params);
        let mut exact = survey(&inputs)?;
        let shift = match self.params.choice("recentre") {
            Recentring::None => None,
            Recentring::Mean => Some(inputs.mean_shift()),
            Recentring::Weighted => Some(exact.centre.clone()),
        };
        if let Some(shift) = shift {
            inputs = inputs.recentred(shift.view());
            exact = survey(&inputs)?;
        }
        let mut title = place.source.name().to_owned();
        for (name, entry) in [("layer", place.layer), ("head", place.head)] {
            if let Some(entry) = entry {
                title += &format!(" {name} {entry}");
            }
        }
        Ok(MatrixSurvey { place, source, inputs, values, exact, title, causal: self.params.flag("causal") })
    }

    pub fn matrix<'a>(&'a self, survey: &'a MatrixSurvey) -> Result<SurveyedMatrix<'a>, RunError> {
        let MatrixSurvey { place, source, inputs, values, exact, title, causal } = survey;
        let precision = self.params.choice("precision");
        let rowwise = *causal || values.is_some() || precision == Precision::Log;
        let engine = if rowwise {
            None
        } else {
            let device = &self.device.device;
            let engine = self.pool.install(|| {
                let engine = FrobeniusEngine::new(inputs, exact, precision)?;
                if device.is_cpu() { engine.keep_exact() } else { Ok(engine.on(device)) }
            });
            Some(engine.map_err(failure)?)
        };
        let is_sampled = inputs.queries.nrows() < place.queries;
        let sample = engine.as_ref().filter(|_| is_sampled).map(|engine| {
            let shares = self.pool.install(|| engine.row_shares());
            RowSample { of: place.queries, shares }
        });
        let matrix = SurveyedMatrix {
            place: *place,
            source: source.as_deref(),
            inputs,
            values: values.as_ref(),
            exact,
            title,
            causal: *causal,
            precision,
            engine,
            sample,
            head: OnceLock::new(),
            facts: self,
            windows: Mutex::default(),
        };
        if rowwise || source.is_some() || inputs.queries.nrows() * inputs.keys.nrows() <= SMALL {
            matrix.rowwise()?;
        }
        Ok(matrix)
    }
}

/// One matrix with its engines.
pub(super) struct SurveyedMatrix<'a> {
    place: HeadPlace,
    source: Option<&'a str>,
    pub inputs: &'a Inputs,
    values: Option<&'a Array2<f64>>,
    pub exact: &'a Exact,
    /// `gauss`, or `file layer 3 head 0`.
    pub title: &'a str,
    pub causal: bool,
    pub precision: Precision,
    /// The engine for whole matrices; none where only rows one by one give what is asked for.
    pub engine: Option<FrobeniusEngine<'a>>,
    /// Which part of the rows is looked at; none for all.
    pub sample: Option<RowSample>,
    head: OnceLock<ExactHead<'a>>,
    facts: &'a MatrixFacts<'a>,
    windows: Mutex<HashMap<usize, BaselineErrors>>,
}

impl<'a> SurveyedMatrix<'a> {
    /// The engine for rows one by one, made when it is first needed.
    pub fn rowwise(&self) -> Result<&ExactHead<'a>, RunError> {
        if let Some(head) = self.head.get() {
            return Ok(head);
        }
        let facts = self.facts;
        let head = facts.pool.install(|| ExactHead::new(self.inputs, self.values, self.causal, facts.stop));
        let head = head.map_err(failure)?;
        Ok(self.head.get_or_init(|| head))
    }

    /// The same where it is there.
    pub fn head(&self) -> Option<&ExactHead<'a>> {
        self.head.get()
    }

    /// What compares estimates with the matrix where it is looked at whole, as records say it.
    pub fn device(&self) -> &str {
        &self.facts.device.label
    }

    /// Whether numbers are computed row by row from the start.
    pub const fn is_rowwise(&self) -> bool {
        self.engine.is_none()
    }

    /// Layer and head, where there are any.
    pub const fn layer_and_head(&self) -> (Option<usize>, Option<usize>) {
        (self.place.layer, self.place.head)
    }

    /// Queries of the whole matrix, also where only some are looked at.
    pub const fn length(&self) -> usize {
        self.place.queries
    }

    /// Whether the inputs are drawn.
    pub const fn is_drawn(&self) -> bool {
        self.place.source.is_drawn()
    }

    /// The name of the inputs.
    pub const fn name(&self) -> &'static str {
        self.place.source.name()
    }

    /// What a row is about.
    pub fn subject(
        &self,
        estimator: FeatureEstimator,
        projection: Projection,
        m: usize,
        params: &Params,
    ) -> CurveSubject {
        CurveSubject {
            f: estimator.function(),
            projection: projection.name(),
            features: estimator.features(m, params),
            ..self.subject_of_baseline(estimator.name(), m, params.size("trials"))
        }
    }

    /// What a row of a baseline is about.
    pub fn subject_of_baseline(&self, name: &'static str, rank: usize, trials: usize) -> CurveSubject {
        CurveSubject {
            inputs: self.name().to_owned(),
            source: self.source.map(str::to_owned),
            layer: self.place.layer,
            head: self.place.head,
            length: self.length(),
            dim: self.inputs.dim(),
            estimator: name,
            f: None,
            projection: "none",
            m: rank,
            features: rank,
            trials,
        }
    }

    /// The window that costs as much as `features` features of `m` projections, with its errors.
    pub fn window(&self, m: usize, features: usize) -> Option<(usize, BaselineErrors)> {
        let head = self.head.get()?;
        let width = window_width(m, features, self.inputs.dim(), self.values.map_or(self.inputs.dim(), Array2::ncols));
        let width = width.min(self.inputs.keys.nrows());
        let mut windows = self.windows.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let errors = *windows.entry(width).or_insert_with(|| self.facts.pool.install(|| head.window(width)));
        Some((width, errors))
    }

    /// The errors of the plain average of the values.
    pub fn uniform(&self) -> Option<BaselineErrors> {
        // No window is 0 wide: that place holds the plain average.
        let head = self.head.get()?;
        let mut windows = self.windows.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Some(*windows.entry(0).or_insert_with(|| self.facts.pool.install(|| head.uniform())))
    }
}

impl MatrixSurvey {
    /// What is to be known of the matrix itself.
    pub fn notes(&self) -> Vec<String> {
        let of = self.exact.spikiness;
        vec![format!(
            "{}, L = {}, d = {}: N90 {}, participation ratio {}, max/median {}, A²-weighted mean of |x+y|² {}",
            self.title,
            self.place.queries,
            self.inputs.dim(),
            decimal(of.n90, 4),
            decimal(of.participation_ratio, 4),
            decimal(of.max_over_median, 4),
            decimal(self.exact.sums.mean(), 2),
        )]
    }
}
