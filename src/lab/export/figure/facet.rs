//! Small multiples: several plots with the same axes and one legend.

use super::curves::NamedCurves;

/// Puts plots of the same name side by side, a panel for each problem.
pub fn by_problem(all: Vec<(String, NamedCurves)>) -> Vec<NamedCurves> {
    let mut merged: Vec<NamedCurves> = Vec::new();
    for (problem, mut plot) in all {
        plot.drawn.panels.iter_mut().for_each(|panel| panel.title.clone_from(&problem));
        match merged.iter_mut().find(|known| known.id == plot.id) {
            Some(known) => known.drawn.panels.append(&mut plot.drawn.panels),
            None => merged.push(plot),
        }
    }
    merged.iter_mut().filter(|plot| plot.drawn.panels.len() > 1).for_each(|plot| plot.drawn.recolour());
    merged
}
