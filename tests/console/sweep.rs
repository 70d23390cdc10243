//! Sweeps: the dialog before them, their figures, and results over seeds.

use super::demo::Demo;
use super::{Desk, SIZES, snapshots};
use attnlab::console::app::{App, Overlay, PointState};
use attnlab::lab::slurm::{JobArray, SlurmOptions};
use attnlab::lab::{Draft, Problem, RunState, RunView, Sweep};

/// A form that stands for 2 × 4 points with 2 seeds each, in a dialog that has looked them up.
fn ask(desk: &mut Desk) {
    desk.press("enter ctrl-u");
    desk.type_text("softmax,relu");
    desk.press("enter down s ctrl-u");
    desk.type_text("2..16 x2");
    desk.press("enter +");
    desk.press("down down enter ctrl-u");
    desk.type_text("100");
    desk.press("enter up up up r");
    known(desk);
}

fn known(desk: &mut Desk) {
    desk.app.set_has_cluster(true);
    desk.wait("the points", |app| matches!(app.overlay(), Some(Overlay::Sweep(dialog)) if dialog.planned().is_some()));
}

fn points(app: &App, state: PointState) -> usize {
    let Some(Overlay::Sweep(dialog)) = app.overlay() else { panic!("no dialog") };
    dialog.planned().unwrap().count(state)
}

fn all_finished(app: &App, count: usize) -> bool {
    let runs = &app.tabs()[0].runs;
    runs.len() == count && runs.iter().all(|run| run.view.state == RunState::Finished)
}

/// Eight variants of a depth and a kind with two seeds each, the last of them under way.
fn study(desk: &mut Desk) {
    let mut id = 0;
    for (kind, best) in [("softmax", 0.9), ("relu", 0.86)] {
        for depth in ["2", "4", "8", "16"] {
            for seed in ["0", "1"] {
                id += 1;
                let last = id == 16;
                let state = if last { RunState::Running } else { RunState::Finished };
                let more = depth.parse::<f64>().unwrap().log2() * 0.02 + if seed == "0" { 0.004 } else { -0.003 };
                let spent = depth.parse::<f64>().unwrap() * if kind == "relu" { 1.1 } else { 2.3 };
                let edit = |view: &mut RunView| {
                    for row in &mut view.rows {
                        row.insert("accuracy".into(), (best + more).into());
                        row.insert("seconds".into(), (spent + more).into());
                    }
                };
                let changes = [("depth", depth), ("seed", seed)];
                desk.put_with(&format!("run-{id:02}"), kind, if last { 20 } else { 40 }, state, &changes, edit);
            }
        }
    }
}

#[test]
fn the_dialog_says_what_a_sweep_stands_for() {
    snapshots("sweep_dialog", ask);
}

#[test]
fn the_dialog_lists_every_point() {
    snapshots("sweep_points", |desk| {
        ask(desk);
        desk.press("l down down");
    });
}

#[test]
fn the_dialog_asks_what_a_cluster_is_asked_for() {
    snapshots("sweep_cluster", |desk| {
        ask(desk);
        desk.press("t e");
        desk.type_text("8");
        desk.press("enter down e");
        desk.type_text("1:00:00");
    });
}

#[test]
fn without_a_cluster_the_dialog_names_the_way_out() {
    snapshots("sweep_no_cluster", |desk| {
        ask(desk);
        desk.app.set_has_cluster(false);
        desk.press("t");
    });
}

#[test]
fn a_sweep_starts_from_the_dialog_and_does_nothing_twice() {
    let mut desk = Desk::new();
    ask(&mut desk);
    assert_eq!(points(&desk.app, PointState::New), 16);
    assert!(desk.app.tabs()[0].runs.is_empty(), "nothing starts before it is asked for");
    desk.press("esc");
    assert!(desk.app.overlay().is_none() && desk.app.tabs()[0].runs.is_empty());
    // A finished run that has nothing to do with it leaves the screen.
    desk.put("other", "exp", 40, RunState::Finished);
    desk.press("r");
    known(&mut desk);
    desk.press("enter");
    desk.wait("every point", |app| all_finished(app, 16));
    let screen = desk.screen((120, 36));
    assert!(screen.contains("Accuracy by depth") && screen.contains("16 runs queued"), "{screen}");
    desk.wait("the study of every point", |app| {
        let sweep = app.tabs()[0].study.sweep.as_ref();
        sweep.is_some_and(|sweep| sweep.curves.len() == 2 && sweep.curves.iter().all(|curve| curve.points.len() == 4))
    });
    // Again: there is nothing to do, and their runs come on screen.
    desk.press("r");
    known(&mut desk);
    assert_eq!(points(&desk.app, PointState::Finished), 16);
    desk.press("enter");
    desk.wait("the end", |app| !app.at_work());
    assert_eq!(desk.app.tabs()[0].runs.len(), 16);
    assert!(desk.screen((120, 36)).contains("every point is finished"));
    desk.press("r");
    known(&mut desk);
    desk.press("a enter");
    desk.wait("every point again", |app| all_finished(app, 32));
    // One line a variant; the key turns to one for every run, and back.
    assert_eq!(desk.app.tabs()[0].lines().len(), 8);
    desk.press("i");
    assert_eq!(desk.app.tabs()[0].lines().len(), 32);
}

#[test]
fn a_sweep_is_stopped_as_a_whole_and_goes_on_with_what_is_missing() {
    let mut desk = Desk::new();
    desk.press("down s ctrl-u");
    desk.type_text("1..12 +1");
    desk.press("enter down down down down right r");
    known(&mut desk);
    desk.press("enter");
    let running = |app: &App| app.tabs()[0].runs.iter().any(|run| run.view.state == RunState::Running);
    desk.wait("the sweep", |app| app.tabs()[0].runs.len() == 12 && running(app));
    desk.press("X");
    desk.wait("the end", |app| app.tabs()[0].runs.iter().all(|run| run.view.state == RunState::Stopped));
    assert!(!desk.app.at_work());
    desk.press("r");
    known(&mut desk);
    assert_eq!(points(&desk.app, PointState::Unfinished), 12);
}

#[test]
fn more_than_ten_thousand_points_are_asked_about_twice() {
    let mut desk = Desk::new();
    desk.press("down s ctrl-u");
    desk.type_text("1..64 +1");
    desk.press("enter down s ctrl-u");
    desk.type_text("0..0.2 +0.001");
    desk.press("enter");
    assert!(desk.screen((80, 24)).contains("12864 runs"));
    desk.press("r");
    // Depth 13 is refused by the problem itself.
    let refused = |app: &App| match app.overlay() {
        Some(Overlay::Sweep(dialog)) => {
            matches!(&dialog.planning, attnlab::console::app::Planning::Refused(reason) if reason.contains("13"))
        }
        _ => false,
    };
    desk.wait("the refusal", refused);
    desk.press("l");
    let points = desk.screen((80, 24));
    assert!(points.contains("✘") && !points.contains("looking up"), "{points}");
    desk.press("l enter esc");
    assert!(!desk.app.at_work());
    desk.press("up enter ctrl-u");
    desk.type_text("14..64 +1");
    desk.press("enter r");
    known(&mut desk);
    desk.press("enter");
    assert!(desk.screen((80, 24)).contains("10251 runs are many"), "{}", desk.screen((80, 24)));
    desk.press("esc");
    assert!(!desk.app.at_work());
}

#[test]
fn swept_parameters_that_do_not_fit_side_by_side_are_refused_in_the_dialog() {
    let mut desk = Desk::new();
    ask(&mut desk);
    desk.press("g");
    assert!(desk.screen((80, 24)).contains("4 values"), "{}", desk.screen((80, 24)));
    assert!(desk.screen((80, 24)).contains("✘ depth"), "{}", desk.screen((80, 24)));
    assert!(!desk.screen((80, 24)).contains("16 points"), "no number of points that there are not");
    desk.press("g");
    known(&mut desk);
    assert_eq!(points(&desk.app, PointState::New), 16);
}

#[test]
fn what_a_cluster_is_asked_for_is_checked_where_it_is_typed() {
    let mut desk = Desk::new();
    ask(&mut desk);
    desk.press("t e");
    desk.type_text("many");
    desk.press("enter");
    assert!(desk.screen((80, 24)).contains("found `many`"), "{}", desk.screen((80, 24)));
    desk.press("ctrl-u enter");
    assert_eq!(desk.app.slurm_options().max_parallel(), None);
    desk.press("e");
    desk.type_text("7");
    desk.press("enter esc");
    assert_eq!(desk.app.slurm_options().max_parallel(), Some(7));
}

#[test]
fn the_headline_is_drawn_against_what_was_swept() {
    snapshots("sweep_figure", |desk| {
        study(desk);
        desk.press("n n n");
    });
}

#[test]
fn runs_are_weighed_against_each_other() {
    snapshots("sweep_costs", |desk| {
        study(desk);
        desk.press("n n n n i");
    });
}

#[test]
fn two_swept_numbers_make_a_map() {
    for size in SIZES {
        let mut desk = Desk::new();
        for depth in ["2", "4", "8"] {
            for rate in ["0.001", "0.01", "0.1"] {
                let more = depth.parse::<f64>().unwrap() / 100.0 - rate.parse::<f64>().unwrap();
                let edit = |view: &mut RunView| {
                    view.rows.iter_mut().for_each(|row| drop(row.insert("accuracy".into(), (0.8 + more).into())));
                };
                let id = format!("{depth}-{rate}");
                desk.put_with(&id, "relu", 40, RunState::Finished, &[("depth", depth), ("rate", rate)], edit);
            }
        }
        desk.press("n n n n z");
        insta::assert_snapshot!(format!("sweep_map_{}x{}", size.0, size.1), desk.screen(size));
    }
}

/// A sweep of four points on a cluster that nobody has heard of: one finished, one failed, two not begun.
fn on_a_cluster(desk: &mut Desk) {
    let places = desk.app.places().clone();
    let schema = Demo.schema();
    let mut draft = Draft::new(&schema);
    draft.set(&schema, "depth", "2..16 x2").unwrap();
    let specs = Sweep::new(&Demo, draft.clone()).specs().unwrap();
    let sweep = JobArray::plan(&places, &specs, "demo by depth", SlurmOptions::default(), 1001).unwrap();
    let plan = sweep.folder().join("sweep.toml");
    let text = std::fs::read_to_string(&plan).unwrap();
    let created = text.lines().find(|line| line.starts_with("created")).unwrap();
    std::fs::write(&plan, text.replace(created, "created = \"2026-01-02T03:04:05Z\"")).unwrap();
    draft.set(&schema, "end", "fail").unwrap();
    draft.set(&schema, "depth", "2").unwrap();
    let failing = Sweep::new(&Demo, draft).specs().unwrap();
    for (index, spec) in [specs[0].clone(), failing[0].clone()].into_iter().enumerate() {
        let run = desk.app.queue().submit(spec).unwrap();
        run.wait();
        std::fs::write(sweep.folder().join("points").join(index.to_string()), run.id()).unwrap();
    }
    std::fs::create_dir_all(desk.home.path().join("logs/sweep-damaged")).unwrap();
    std::fs::write(desk.home.path().join("logs/sweep-damaged/sweep.toml"), "schema = 99\n").unwrap();
}

#[test]
fn sweeps_on_a_cluster_are_listed_with_their_points() {
    let mut desk = Desk::new();
    on_a_cluster(&mut desk);
    desk.press("2 s");
    desk.wait("the sweeps", |app| app.sweeps().entries.len() == 2);
    desk.press("down");
    for size in SIZES {
        insta::assert_snapshot!(format!("sweeps_{}x{}", size.0, size.1), desk.screen(size));
    }
    // Without a job there is nothing to cancel, and Slurm is not asked.
    desk.press("x x");
    desk.wait("the answer", |app| app.message().is_some_and(|(text, _)| text.contains("no job")));
    desk.press("up");
    assert!(desk.screen((120, 36)).contains("sweep.toml"), "{}", desk.screen((120, 36)));
}

#[test]
fn opening_a_sweep_brings_its_runs_on_screen_as_they_come() {
    let mut desk = Desk::new();
    on_a_cluster(&mut desk);
    desk.press("2 s");
    desk.wait("the sweeps", |app| app.sweeps().entries.len() == 2);
    let at = desk.app.sweeps().entries.iter().position(|entry| entry.status.is_ok()).unwrap();
    if at == 1 {
        desk.press("down");
    }
    desk.press("enter");
    desk.wait("two runs", |app| app.tabs()[0].runs.len() == 2);
    // One more begins, somewhere else.
    let schema = Demo.schema();
    let mut draft = Draft::new(&schema);
    draft.set(&schema, "depth", "8").unwrap();
    let run = desk.app.queue().submit(Sweep::new(&Demo, draft).specs().unwrap().remove(0)).unwrap();
    let folder = desk.app.sweeps().entries[at].folder.clone();
    std::fs::write(folder.join("points/2"), run.id()).unwrap();
    desk.wait("the third run", |app| app.tabs()[0].runs.len() == 3);
    desk.wait("its end", |app| app.tabs()[0].runs[2].view.state == RunState::Finished);
}
