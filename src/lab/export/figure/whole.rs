//! All figures of an export: which there are, what they are called.

use super::caption::caption;
use super::curves::{CurveFigure, NamedCurves, Subject};
use super::facet;
use super::layout;
use super::look::FigureLook;
use super::matrices::{self, MatrixFigure, NamedMatrices};
use crate::lab::export::drawing::Sheet;
use crate::lab::export::names;
use crate::lab::export::source::NamedRun;
use crate::lab::{LabError, Scale, Style, common, span_decades};
use std::collections::BTreeSet;

/// A figure with all that is drawn in it.
#[derive(Clone, Debug)]
pub struct ExportFigure {
    /// Its name: one component of a path that no other figure of the export has.
    pub id: String,
    /// The heading; empty for none.
    pub title: String,
    /// What it is of.
    pub drawn: FigureDrawn,
    /// Lines below it.
    pub remarks: Vec<String>,
}

/// What a figure is of.
#[derive(Clone, Debug)]
pub enum FigureDrawn {
    /// Curves.
    Curves(CurveFigure),
    /// Matrices side by side.
    Matrices(MatrixFigure),
}

impl ExportFigure {
    /// The figure on a sheet.
    pub fn sheet(&self, look: &FigureLook) -> Sheet {
        match &self.drawn {
            FigureDrawn::Curves(curves) => layout::sheet(curves, &self.title, &self.remarks, look),
            FigureDrawn::Matrices(group) => matrices::sheet(group, &self.title, &self.remarks, look),
        }
    }

    /// Whether it shows matrices of a run, and not what a sweep makes of its runs.
    pub fn shows_run(&self) -> bool {
        matches!(&self.drawn, FigureDrawn::Matrices(group) if group.matrices.iter().all(|matrix| matrix.group != "sweep"))
    }
}

/// What a figure is called before all names are known, by problem.
struct Found {
    problem: String,
    id: String,
    title: String,
    drawn: FigureDrawn,
    remarks: Vec<String>,
}

/// Every figure of `runs` that has points; plots of the same name and problem become one figure.
///
/// # Errors
/// No run has the parameter that `look` tells panels by, or there is no figure of a name that it asks for.
pub fn figures(runs: &[NamedRun<'_>], look: &FigureLook) -> Result<Vec<ExportFigure>, LabError> {
    look.check()?;
    let facet = look.facet.as_deref();
    check_facet(runs, facet)?;
    let mut problems: Vec<&str> = Vec::new();
    for run in runs {
        if !problems.contains(&run.record.problem.as_str()) {
            problems.push(&run.record.problem);
        }
    }
    let by_problem = facet == Some("problem");
    let mut found: Vec<Found> = Vec::new();
    let mut faceted: Vec<(String, NamedCurves)> = Vec::new();
    let mut pictures: Vec<Found> = Vec::new();
    for problem in &problems {
        let own: Vec<&NamedRun<'_>> = runs.iter().filter(|run| run.record.problem == *problem).collect();
        let subject = Subject::new(own.clone(), facet.filter(|_| !by_problem));
        let mut remarks = subject.remarks();
        if look.caption {
            remarks.push(caption(&own));
        }
        for plot in subject.plots() {
            if by_problem {
                let title = own[0].problem.map_or((*problem).to_owned(), |problem| problem.title().to_owned());
                faceted.push((title, plot));
            } else {
                let (problem, NamedCurves { id, title, drawn }) = ((*problem).to_owned(), plot);
                found.push(Found { problem, id, title, drawn: FigureDrawn::Curves(drawn), remarks: remarks.clone() });
            }
        }
        for NamedMatrices { id, title, drawn } in matrices::of(&subject, !look.figures.is_empty()) {
            let (problem, drawn) = ((*problem).to_owned(), FigureDrawn::Matrices(drawn));
            pictures.push(Found { problem, id, title, drawn, remarks: remarks.clone() });
        }
    }
    if by_problem {
        let all: Vec<&NamedRun<'_>> = runs.iter().collect();
        let remarks = if look.caption { vec![caption(&all)] } else { Vec::new() };
        found.extend(facet::by_problem(faceted).into_iter().map(|NamedCurves { id, title, drawn }| Found {
            problem: String::new(),
            id,
            title,
            drawn: FigureDrawn::Curves(drawn),
            remarks: remarks.clone(),
        }));
    }
    found.iter_mut().for_each(|figure| set_scales(&mut figure.drawn, look));
    found.extend(pictures);
    found.retain(|figure| match &figure.drawn {
        FigureDrawn::Curves(curves) => {
            curves.panels.iter().flat_map(|panel| &panel.curves).any(|curve| !curve.points.is_empty())
        }
        FigureDrawn::Matrices(_) => true,
    });
    let several = |id: &str| found.iter().filter(|figure| figure.id == id).count() > 1;
    let full = |Found { problem, id, .. }: &Found| {
        names::component(&if several(id) { format!("{problem}-{id}") } else { id.clone() })
    };
    let ids = names::distinct(found.iter().map(full));
    let named = found.into_iter().zip(ids).map(|(Found { title, drawn, remarks, .. }, id)| {
        let title = look.title.clone().unwrap_or(title);
        ExportFigure { id, title, drawn, remarks }
    });
    wanted(named.collect(), &look.figures)
}

/// The figures of these names, in the order of the names; all where there is none.
fn wanted(figures: Vec<ExportFigure>, names: &[String]) -> Result<Vec<ExportFigure>, LabError> {
    if names.is_empty() {
        return Ok(figures);
    }
    let find = |name: &String| {
        figures.iter().find(|figure| figure.id == *name).cloned().ok_or_else(|| {
            let all: Vec<&str> = figures.iter().map(|figure| figure.id.as_str()).collect();
            let all = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
            LabError::Refused(format!("figure: found `{name}`, these runs have: {all}"))
        })
    };
    names.iter().map(find).collect()
}

fn check_facet(runs: &[NamedRun<'_>], facet: Option<&str>) -> Result<(), LabError> {
    let Some(key) = facet.filter(|key| *key != "problem") else { return Ok(()) };
    if runs.iter().any(|run| run.record.params.get(key).is_some()) {
        return Ok(());
    }
    let differ = |key: &str| {
        let mut texts = runs.iter().map(|run| run.record.params.text(key));
        let first = texts.next();
        texts.any(|text| Some(text) != first)
    };
    let keys: BTreeSet<&str> = runs.iter().flat_map(|run| run.record.params.iter().map(|(key, _)| key)).collect();
    let keys: Vec<&str> = keys.into_iter().filter(|key| *key != common::SEED.key && differ(key)).collect();
    let there = if keys.is_empty() {
        "no other parameter differs".to_owned()
    } else {
        format!("these differ: {}", keys.join(", "))
    };
    Err(LabError::Refused(format!("facet: found `{key}`, allowed: `problem` or a parameter of the runs; {there}")))
}

/// Sets the scales that are asked for. Heights over two decades or more that are declared as linear, without a range, are
/// logarithmic, as on screen.
fn set_scales(drawn: &mut FigureDrawn, look: &FigureLook) {
    let FigureDrawn::Curves(figure) = drawn else { return };
    let measured =
        || figure.panels.iter().flat_map(|panel| &panel.curves).filter(|curve| curve.mark.style != Style::Dashed);
    let points: Vec<&[crate::lab::Sample]> = measured().map(|curve| curve.points.as_slice()).collect();
    let is_wide = figure.y.range.is_none() && figure.y.scale == Scale::Linear && span_decades(&points);
    figure.x.scale = look.x.unwrap_or(figure.x.scale);
    figure.y.scale = look.y.unwrap_or(if is_wide { Scale::Log } else { figure.y.scale });
}
