//! Many runs on one screen: names by difference, variants over seeds, order, filter, what is hidden, the best.

use super::{Desk, ascii_snapshots, snapshots};
use attnlab::console::app::Pane;
use attnlab::lab::CurveSource;
use attnlab::lab::{RunState, RunView};

/// Sixteen depths of two kinds with three seeds each: 32 variants. The accuracy is the larger the deeper, and larger for
/// softmax.
fn many(desk: &mut Desk, depths: u32) {
    for (kind, best) in [("softmax", 0.6), ("relu", 0.55)] {
        for depth in 1..=depths {
            for seed in 0..3 {
                let edit = |view: &mut RunView| {
                    let accuracy = best + 0.02 * f64::from(depth) + 0.001 * f64::from(seed);
                    view.rows.iter_mut().for_each(|row| drop(row.insert("accuracy".into(), accuracy.into())));
                };
                let changes = [("depth", &*depth.to_string()), ("seed", &*seed.to_string()), ("steps", "30")];
                desk.put_with(&format!("{kind}-{depth:02}-{seed}"), kind, 40, RunState::Finished, &changes, edit);
            }
        }
    }
}

#[test]
fn runs_are_called_by_what_differs_and_the_rest_is_said_once() {
    let mut desk = Desk::new();
    many(&mut desk, 2);
    let tab = &desk.app.tabs()[0];
    assert_eq!(tab.labels()[0], "softmax depth=1 seed=0");
    assert_eq!(tab.labels()[11], "relu depth=2 seed=2");
    assert_eq!(tab.common(), "steps=30");
    let screen = desk.screen((200, 60));
    assert!(screen.contains("Results: steps=30"), "{screen}");
}

#[test]
fn a_variant_is_one_line_and_one_curve_with_the_seeds_on_demand() {
    let mut desk = Desk::new();
    many(&mut desk, 2);
    assert_eq!(desk.app.tabs()[0].lines().len(), 12);
    desk.press("i");
    let tab = &desk.app.tabs()[0];
    assert_eq!(tab.lines().len(), 4);
    let curves = tab.curves("accuracy");
    assert!(curves.iter().all(|curve| matches!(curve.source, CurveSource::Mean(_))) && curves.len() == 4);
    let (series, points) = tab.curve(&curves[0]);
    assert!(series.label == "validation" && points.len() == 5, "one point for each of the runs' points");
    assert!(points.iter().all(|point| point.lo.is_some() && point.hi.is_some()), "three seeds have an interval");
    // Alone, a variant is drawn with its runs.
    desk.press("c");
    let curves = desk.app.tabs()[0].curves("accuracy");
    assert_eq!(curves.iter().filter(|curve| matches!(curve.source, CurveSource::Run { .. })).count(), 3);
    assert_eq!(curves.len(), 4);
}

#[test]
fn a_run_at_work_is_drawn_beside_the_mean_of_its_variant() {
    let mut desk = Desk::new();
    many(&mut desk, 2);
    let changes = [("depth", "2"), ("seed", "3"), ("steps", "30")];
    desk.put_with("relu-02-3", "relu", 20, RunState::Running, &changes, |_| {});
    desk.press("i");
    let tab = &desk.app.tabs()[0];
    let curves = tab.curves("accuracy");
    let at_work: Vec<_> = curves.iter().filter(|curve| matches!(curve.source, CurveSource::Run { .. })).collect();
    assert_eq!((curves.len(), at_work.len()), (5, 1));
    assert_eq!(tab.curve_label(at_work[0], &curves), "", "the legend names the variant once");
}

#[test]
fn the_best_variant_wears_a_star_and_is_named_above() {
    let mut desk = Desk::new();
    many(&mut desk, 2);
    desk.press("i");
    assert_eq!(desk.app.tabs()[0].study.best, Some(1));
    let screen = desk.screen((120, 36));
    assert!(screen.contains("★ softmax depth=2: accuracy 0.641 ±0.002, 3 seeds"), "{screen}");
    assert!(screen.lines().any(|line| line.contains("★ softmax depth=2 ×3")), "{screen}");
}

#[test]
fn lines_are_sorted_by_any_column_and_the_chosen_run_stays_chosen() {
    let mut desk = Desk::new();
    many(&mut desk, 3);
    desk.press("i tab tab down");
    let first = |desk: &Desk| desk.app.tabs()[0].lines()[0].run;
    let chosen = desk.app.tabs()[0].target();
    desk.press("s");
    assert_eq!(desk.app.tabs()[0].line_name(first(&desk)), "softmax depth=3");
    assert_eq!(desk.app.tabs()[0].target(), chosen);
    assert!(desk.screen((120, 36)).contains("accuracy ↓"));
    desk.press("s");
    assert_eq!(desk.app.tabs()[0].line_name(first(&desk)), "relu depth=1");
    desk.press("s");
    assert_eq!(desk.app.tabs()[0].line_name(first(&desk)), "softmax depth=1");
    // Every column is reached, and the last one is the time.
    desk.press("right right right right right right right s");
    let tab = &desk.app.tabs()[0];
    assert_eq!(tab.results.sorted.map(|(key, _)| key), Some("time"));
}

/// Rows of two runs, sorted so that they take turns: each run is drawn once all the same.
#[test]
fn a_run_whose_rows_stand_apart_is_drawn_once() {
    let mut desk = Desk::new();
    for (id, accuracies) in [("1", [0.1, 0.5]), ("2", [0.3, 0.7])] {
        let edit = |view: &mut RunView| {
            let row = view.rows[0].clone();
            view.rows = accuracies
                .map(|accuracy| {
                    let mut row = row.clone();
                    row.insert("accuracy".into(), accuracy.into());
                    row
                })
                .to_vec();
        };
        desk.put_with(id, "softmax", 40, RunState::Finished, &[("seed", id)], edit);
    }
    desk.press("tab tab s");
    let tab = &desk.app.tabs()[0];
    assert_eq!(tab.lines().iter().map(|line| line.run).collect::<Vec<_>>(), [1, 0, 1, 0]);
    assert_eq!((tab.curves("accuracy").len(), tab.drawn_of_all()), (2, (2, 2)));
}

#[test]
fn columns_in_which_nothing_differs_are_left_out() {
    let mut desk = Desk::new();
    many(&mut desk, 2);
    let keys: Vec<&str> = desk.app.tabs()[0].result_columns().iter().map(|column| column.key()).collect();
    assert_eq!(keys[0], "accuracy", "the headline number comes first");
    assert!(keys.contains(&"kind") && !keys.contains(&"train"), "{keys:?}");
}

#[test]
fn a_filter_and_hiding_take_lines_out_of_the_figures() {
    let mut desk = Desk::new();
    many(&mut desk, 2);
    desk.press("i tab tab /");
    desk.type_text("relu");
    let drawn = |desk: &Desk| {
        let curves = desk.app.tabs()[0].curves("accuracy");
        curves.iter().filter(|curve| matches!(curve.source, CurveSource::Mean(_))).count()
    };
    assert_eq!((desk.app.tabs()[0].lines().len(), drawn(&desk)), (2, 2), "while one types");
    desk.press("enter");
    assert!(desk.screen((120, 36)).contains("with `relu`"));
    desk.press("t");
    assert_eq!((desk.app.tabs()[0].lines().len(), drawn(&desk)), (2, 1));
    desk.press("t esc");
    assert_eq!((desk.app.tabs()[0].lines().len(), drawn(&desk)), (4, 4));
    assert_eq!(desk.app.tabs()[0].pane, Pane::Results);
}

#[test]
fn the_legend_is_walked() {
    let mut desk = Desk::new();
    many(&mut desk, 16);
    desk.press("i home");
    let name = |desk: &Desk| {
        let tab = &desk.app.tabs()[0];
        tab.line_name(tab.target().unwrap()).to_owned()
    };
    desk.press("tab tab home");
    assert_eq!(name(&desk), "softmax depth=1");
    desk.press("tab tab tab");
    (0..20).for_each(|_| desk.press("pagedown"));
    assert_eq!(name(&desk), "relu depth=5");
    desk.press("pageup");
    assert_eq!(name(&desk), "relu depth=4");
    // The chosen one is in view in the legend, whatever their number.
    desk.press("n z");
    let screen = desk.screen((120, 24));
    assert!(screen.contains("relu depth=4") && screen.contains("  +"), "{screen}");
}

#[test]
fn many_variants_are_drawn() {
    snapshots("variants", |desk| {
        many(desk, 16);
        desk.press("i");
    });
    ascii_snapshots("variants", |desk| {
        many(desk, 16);
        desk.press("i");
    });
    snapshots("variants_sorted", |desk| {
        many(desk, 16);
        desk.press("i tab tab s home down z");
    });
}
