//! Plots and series of a run. A run over many heads draws the median over heads instead of a curve for each.

use super::curve::PointStatistics;
use super::rows::CurveSubject;
use super::surveyed::SurveyedMatrix;
use crate::attention::Projection;
use crate::attention::theory::Expectation;
use crate::lab::{Axis, Event, Params, Plot, Point, RunContext, Series, Style};
use crate::named::named;
use crate::problems::estimators::FeatureEstimator;
use crate::problems::toolkit::Burst;

named! {
    /// What errors are drawn over.
    pub(super) enum ErrorAxis {
        Projections = "projections", "the number of projections m";
        Features = "features", "the number of features, columns of Φ";
        Length = "length", "the sequence length";
    }
}

/// More heads than this are drawn as their median.
pub(super) const SINGLE_HEADS: usize = 6;

/// Declares the plots; that of means where there are curves of theory, that of output errors where there are values.
fn declare(params: &Params, (with_means, with_values): (bool, bool), context: &mut RunContext) {
    let axis = match params.choice("axis") {
        ErrorAxis::Features => "features (columns of Φ)",
        ErrorAxis::Length => "sequence length L",
        ErrorAxis::Projections => "projections m",
    };
    let causal = if params.flag("causal") { ", causal" } else { "" };
    let mut plots = vec![
        ("error", "Relative Frobenius error".to_owned(), "‖Â−A‖/‖A‖ (median, quartiles)"),
        ("normalized", format!("Relative Frobenius error, rows normalised{causal}"), "‖D̂⁻¹Â−D⁻¹A‖/‖D⁻¹A‖ (median)"),
    ];
    if with_means {
        let mean = ("mean", "Root of the mean squared error, and theory".to_owned(), "√(mean ‖Â−A‖²)/‖A‖, ± 2 s.e.");
        plots.insert(1, mean);
    }
    if with_values {
        plots.push(("output", format!("Error of the attention output{causal}"), "‖D̂⁻¹ÂV−D⁻¹AV‖/‖D⁻¹AV‖ (median)"));
    }
    for (id, title, y) in plots {
        context.emit(Event::Plot(Plot { id: id.to_owned(), title, x: Axis::log(axis), y: Axis::log(y) }));
    }
    context.emit(Event::Plot(Plot {
        id: "bias".to_owned(),
        title: "⟨Â,A⟩/‖A‖², mean ± 2 s.e.: 1 without bias".to_owned(),
        x: Axis::log(axis),
        y: Axis::linear("⟨Â,A⟩/‖A‖²"),
    }));
}

/// Where a point lies on the horizontal axis.
pub(super) fn place(params: &Params, m: usize, features: usize, length: usize) -> f64 {
    match params.choice("axis") {
        ErrorAxis::Features => features as f64,
        ErrorAxis::Length => length as f64,
        ErrorAxis::Projections => m as f64,
    }
}

/// The curves of single matrices.
pub(super) struct Curves<'a> {
    params: &'a Params,
    /// Matrices of files and checkpoints.
    stored: usize,
    /// Whether means and theory have a plot of their own; runs of earlier versions have theory beside medians.
    with_means: bool,
}

impl<'a> Curves<'a> {
    pub const fn new(params: &'a Params, stored: usize, with_means: bool) -> Self {
        Self { params, stored, with_means }
    }

    /// Declares the plots; `with_drawn` says whether inputs are drawn, whose curves are never part of a median.
    pub fn declare_plots(&self, with_values: bool, with_drawn: bool, context: &mut RunContext) {
        let with_means = self.with_means && (with_drawn || !self.are_medians());
        declare(self.params, (with_means, with_values), context);
    }

    /// Whether there are so many heads that their medians are drawn and no single curves.
    pub const fn are_medians(&self) -> bool {
        self.stored > SINGLE_HEADS
    }

    /// Declares the series of a curve and draws its theory at once; the names of the measured series, one for each m, empty where
    /// the curve is part of a median only.
    pub fn declare(
        &self,
        matrix: &SurveyedMatrix<'_>,
        estimator: FeatureEstimator,
        projection: Projection,
        ms: &[usize],
        theory: Option<&[Expectation]>,
        context: &mut RunContext,
    ) -> Vec<String> {
        let params = self.params;
        let (layer, head) = matrix.layer_and_head();
        if self.are_medians() && (layer.is_some() || head.is_some()) {
            return vec![String::new(); ms.len()];
        }
        let length = matrix.length();
        let over_length = params.choice::<ErrorAxis>("axis") == ErrorAxis::Length;
        let base = self.title(matrix, vec![estimator.label().to_owned(), projection.name().to_owned()]);
        let with_output = matrix.head().is_some_and(|head| head.output().is_some());
        let mut names = Vec::new();
        for (index, &m) in ms.iter().enumerate() {
            let name = if over_length && ms.len() > 1 { format!("{base} m={m}") } else { base.clone() };
            if index == 0 || over_length {
                for (plot, suffix, is_there) in [
                    ("error", "", true),
                    ("mean", "/mean", self.with_means),
                    ("normalized", "/normalized", true),
                    ("bias", "/bias", true),
                    ("output", "/output", with_output),
                ] {
                    if is_there {
                        context.emit(Event::Series(Series::new(format!("{name}{suffix}"), plot, &name)));
                    }
                }
                if theory.is_some() {
                    let (plot, measured) =
                        if self.with_means { ("mean", format!("{name}/mean")) } else { ("error", name.clone()) };
                    let series = Series::new(format!("{name}/theory"), plot, format!("{name}, theory"));
                    context.emit(Event::Series(series.drawn(Style::Dashed).beside(measured)));
                }
            }
            if let Some(theory) = theory {
                let features = estimator.features(m, params);
                let x = place(params, m, features, length);
                // log₁₀ of the square holds more than its number does.
                let error = match theory[index].relative_mse {
                    mse if mse.is_finite() => mse.sqrt(),
                    _ => 10_f64.powf(theory[index].log10_relative_mse / 2.0),
                };
                context.emit(Event::Point(Point::new(format!("{name}/theory"), x, error)));
            }
            names.push(name);
        }
        names
    }

    /// These words, with those that tell the matrix from the others of the run.
    pub fn title(&self, matrix: &SurveyedMatrix<'_>, mut words: Vec<String>) -> String {
        let params = self.params;
        let (layer, head) = matrix.layer_and_head();
        if params.texts("inputs").len() > 1 {
            words.insert(0, matrix.name().to_owned());
        }
        if params.sizes("dim").len() > 1 && layer.is_none() && head.is_none() {
            words.push(format!("d={}", matrix.inputs.dim()));
        }
        if self.stored > 1 {
            words.extend(layer.map(|layer| format!("layer {layer}")));
            words.extend(head.map(|head| format!("head {head}")));
        }
        let over_length = params.choice::<ErrorAxis>("axis") == ErrorAxis::Length;
        if !over_length && params.sizes("length").len() > 1 {
            words.push(format!("L={}", matrix.length()));
        }
        words.join(" ")
    }

    /// The points of a row.
    pub fn tell(&self, series: &str, subject: &CurveSubject, found: &PointStatistics, burst: &mut Burst) {
        if series.is_empty() {
            return;
        }
        let x = place(self.params, subject.m, subject.features, subject.length);
        burst.point(Point::new(series, x, found.median).within(found.q25, found.q75));
        if self.with_means {
            let point = Point::new(format!("{series}/mean"), x, found.mse.sqrt());
            burst.point(match found.mse_sem {
                Some(sem) => {
                    let [low, high] = [-2.0, 2.0].map(|errors: f64| (found.mse + errors * sem).max(0.0).sqrt());
                    point.within(low, high)
                }
                None => point,
            });
        }
        burst.point(Point::new(format!("{series}/normalized"), x, found.normalized));
        let point = Point::new(format!("{series}/bias"), x, found.ratio);
        burst.point(match found.ratio_sem {
            Some(sem) => point.within(found.ratio - 2.0 * sem, found.ratio + 2.0 * sem),
            None => point,
        });
        if let Some([q25, median, q75]) = found.output {
            burst.point(Point::new(format!("{series}/output"), x, median).within(q25, q75));
        }
    }
}
