//! A run that goes on tells what was lost and nothing twice, wherever its journal was cut or damaged.

use crate::grid::{GRID, grid};
use crate::slope::{SLOPE, places, spec};
use attnlab::lab::{Journal, LabError, Problem, Queue, Resumption, RunState, RunView, Stamped};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const PROBLEMS: &[&dyn Problem] = &[&GRID, &SLOPE];

/// Every event in a journal but states and progress, those of bursts one by one, with how often it stands there.
fn events(folder: &Path) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in fs::read_to_string(folder.join("events.jsonl")).unwrap().lines() {
        let Ok(stamped) = serde_json::from_str::<Stamped>(line) else { continue };
        for part in stamped.into_parts() {
            let mut event = serde_json::to_value(&part.event).unwrap();
            if event["e"] == "state" || event["e"] == "progress" {
                continue;
            }
            if let Some(Value::Object(row)) = event.get_mut("row") {
                row.retain(|key, _| !key.contains("second") || key == "second");
            }
            *counts.entry(event.to_string()).or_default() += 1;
        }
    }
    counts
}

/// The journal of a run that was left alone.
fn whole(root: &Path, spec: attnlab::lab::RunSpec) -> (PathBuf, Vec<String>) {
    let run = Queue::new(places(root), 1).unwrap().submit(spec).unwrap();
    assert_eq!(run.wait(), RunState::Finished, "{}", run.message());
    let text = fs::read_to_string(run.folder().join("events.jsonl")).unwrap();
    (run.folder().to_owned(), text.lines().map(str::to_owned).collect())
}

/// A copy of the run in `folder` with this journal, gone on with; its folder.
fn gone_on(folder: &Path, logs: &Path, name: &str, journal: &str, queue: &Queue) -> PathBuf {
    let copy = logs.join(name);
    fs::create_dir_all(&copy).unwrap();
    fs::copy(folder.join("run.toml"), copy.join("run.toml")).unwrap();
    fs::write(copy.join("events.jsonl"), journal).unwrap();
    let run = queue.resume(&copy, PROBLEMS).unwrap();
    assert_eq!(run.wait(), RunState::Finished, "{name}: {}", run.message());
    copy
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_journal_cut_at_any_line_is_completed_and_nothing_stands_there_twice() {
    for bursts in ["yes", "no"] {
        let root = tempfile::tempdir().unwrap();
        let (folder, lines) = whole(root.path(), grid(&[("bursts", bursts)]));
        let want = (events(&folder), RunView::read(&folder).unwrap());
        assert!(want.0.values().all(|count| *count == 1));
        assert_eq!(want.1.rows.len(), 12);
        let queue = Queue::new(places(root.path()), 1).unwrap();
        for cut in 1..lines.len() {
            let name = format!("cut-{cut}");
            let copy = gone_on(&folder, &queue.places().logs, &name, &joined(&lines[..cut]), &queue);
            assert_eq!(events(&copy), want.0, "{bursts}, cut at line {cut}");
            let view = RunView::read(&copy).unwrap();
            assert_eq!((&view.rows, &view.notes), (&want.1.rows, &want.1.notes), "cut at line {cut}");
            assert!(view.series == want.1.series && format!("{:?}", view.matrices) == format!("{:?}", want.1.matrices));
        }
    }
}

#[test]
fn a_damaged_line_is_told_again_and_the_newest_pictures_stay_the_newest() {
    let root = tempfile::tempdir().unwrap();
    let (folder, lines) = whole(root.path(), grid(&[("bursts", "no")]));
    let (want, seen) = (events(&folder), RunView::read(&folder).unwrap());
    let queue = Queue::new(places(root.path()), 1).unwrap();
    for damaged in 2..lines.len() - 1 {
        let mut journal = lines[..lines.len() - 1].to_vec();
        let lost: Stamped = serde_json::from_str(&journal[damaged]).unwrap();
        journal[damaged] = "\u{0}\u{1}{".to_owned();
        let name = format!("damaged-{damaged}");
        let copy = gone_on(&folder, &queue.places().logs, &name, &joined(&journal), &queue);
        let mut got = events(&copy);
        // The newest picture is told again where another was told after it.
        for (event, count) in &mut got {
            let is_picture = event.contains("\"e\":\"curve\"") || event.contains("\"e\":\"matrix\"");
            *count = if is_picture { (*count).min(1) } else { *count };
        }
        assert_eq!(got, want, "line {damaged}: {lost:?}");
        let view = RunView::read(&copy).unwrap();
        assert_eq!(format!("{:?}", view.matrices), format!("{:?}", seen.matrices), "line {damaged}");
        assert_eq!(view.rows.len(), seen.rows.len());
        assert!(view.notes.contains(seen.notes.last().unwrap()), "{:?}", view.notes);
    }
}

#[test]
fn a_line_cut_short_in_the_middle_of_a_burst_leaves_nothing_of_it() {
    let root = tempfile::tempdir().unwrap();
    let (folder, lines) = whole(root.path(), grid(&[]));
    let want = events(&folder);
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let burst = lines.iter().position(|line| line.contains("\"e\":\"burst\"")).unwrap();
    for length in [1, lines[burst].len() / 2, lines[burst].len() - 1, lines[burst].len()] {
        let journal = joined(&lines[..burst]) + &lines[burst][..length];
        let copy = gone_on(&folder, &queue.places().logs, &format!("part-{length}"), &journal, &queue);
        assert_eq!(events(&copy), want, "{length} bytes of the burst");
    }
}

/// A run with checkpoints, stopped on its way.
fn stopped(root: &Path, seed: &str) -> PathBuf {
    let queue = Queue::new(places(root), 1).unwrap();
    let changes = [("steps", "300"), ("pause", "0.001"), ("save", "yes"), ("seed", seed)];
    let run = queue.submit(spec(&changes)).unwrap();
    crate::slope::until("it has a checkpoint", || {
        run.folder().join("checkpoint.json").is_file()
            && run.with_view(|view| view.progress.as_ref().is_some_and(|p| p.done > 40))
    });
    run.control().stop();
    run.wait();
    run.folder().to_owned()
}

#[test]
fn what_was_told_before_a_checkpoint_and_is_lost_is_told_again() {
    let root = tempfile::tempdir().unwrap();
    let whole = Queue::new(places(&root.path().join("whole")), 1).unwrap();
    let whole = whole.submit(spec(&[("steps", "300"), ("pause", "0.001"), ("save", "yes"), ("seed", "3")])).unwrap();
    whole.wait();
    let want = events(whole.folder());
    let path = |folder: &Path| folder.join("events.jsonl");
    for damage in ["cut", "line", "gone"] {
        let place = root.path().join(damage);
        let folder = stopped(&place, "3");
        let text = fs::read_to_string(path(&folder)).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        match damage {
            "cut" => lines.truncate(9),
            "line" => lines[9] = "{\"t\":".to_owned(),
            _ => lines.clear(),
        }
        fs::write(path(&folder), joined(&lines)).unwrap();
        let queue = Queue::new(places(&place), 1).unwrap();
        let run = queue.resume(&folder, PROBLEMS).unwrap();
        assert_eq!(run.wait(), RunState::Finished, "{damage}: {}", run.message());
        assert!(fs::read_to_string(path(&folder)).unwrap().contains("lines of its journal are lost"), "{damage}");
        assert_eq!(events(&folder), want, "{damage}");
    }
}

#[test]
fn a_checkpoint_or_parameters_of_another_run_are_refused_and_a_restart_begins_anew() {
    let root = tempfile::tempdir().unwrap();
    let (mine, other) = (stopped(&root.path().join("mine"), "1"), stopped(&root.path().join("other"), "2"));
    let queue = Queue::new(places(&root.path().join("mine")), 1).unwrap();
    let refused = || queue.resume(&mine, PROBLEMS).err().unwrap();
    let keep = |name: &str| fs::read(mine.join(name)).unwrap();
    let (state, file) = (keep("checkpoint.json"), keep("checkpoint.safetensors"));
    for name in ["checkpoint.json", "checkpoint.safetensors"] {
        fs::copy(other.join(name), mine.join(name)).unwrap();
    }
    let error = refused();
    assert!(matches!(error, LabError::Checkpoint { .. }), "{error}");
    let said = error.to_string();
    assert!(said.contains("belongs to another run") && said.contains("attnlab resume --restart"), "{said}");

    fs::write(mine.join("checkpoint.json"), &state[..state.len() / 2]).unwrap();
    fs::write(mine.join("checkpoint.safetensors"), &file).unwrap();
    let said = refused().to_string();
    assert!(said.contains("checkpoint.json") && said.contains("--restart"), "{said}");
    assert!(!mine.join("lock").exists());

    let record = fs::read_to_string(mine.join("run.toml")).unwrap();
    fs::write(mine.join("run.toml"), record.replacen("seed = 1", "seed = 2", 1)).unwrap();
    let said = refused().to_string();
    assert!(said.contains("run.toml: its parameters were changed since the run began"), "{said}");
    fs::write(mine.join("run.toml"), record).unwrap();

    let run = queue.go_on(&mine, PROBLEMS, &Resumption { restart: true, ..Resumption::default() }).unwrap();
    assert_eq!(run.wait(), RunState::Finished, "{}", run.message());
    let whole = Queue::new(places(&root.path().join("whole")), 1).unwrap();
    let whole = whole.submit(spec(&[("steps", "300"), ("pause", "0.001"), ("save", "yes"), ("seed", "1")])).unwrap();
    whole.wait();
    assert_eq!(events(&mine), events(whole.folder()));
}

#[test]
fn a_run_goes_on_with_changes_that_results_do_not_depend_on() {
    let root = tempfile::tempdir().unwrap();
    let (folder, lines) = whole(root.path(), grid(&[("pieces", "4")]));
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let cut = |name: &str| {
        let copy = root.path().join(name);
        fs::create_dir_all(&copy).unwrap();
        fs::copy(folder.join("run.toml"), copy.join("run.toml")).unwrap();
        fs::write(copy.join("events.jsonl"), format!("{}\n", lines[..4].join("\n"))).unwrap();
        copy
    };
    let how = |key: &str, text: &str| Resumption {
        changes: vec![(key.to_owned(), text.to_owned())],
        ..Resumption::default()
    };
    let copy = cut("refused");
    let refused = |key, text| queue.go_on(&copy, PROBLEMS, &how(key, text)).err().unwrap().to_string();
    let said = refused("pieces", "5");
    assert!(said.contains("pieces: found `5`, allowed: only what results do not depend on"), "{said}");
    assert!(said.ends_with(": threads"), "{said}");
    assert!(refused("thread", "2").contains("did you mean `threads`"), "{}", refused("thread", "2"));
    assert!(refused("threads", "-1").contains("threads: found `-1`"));
    assert_eq!(
        fs::read_to_string(copy.join("run.toml")).unwrap(),
        fs::read_to_string(folder.join("run.toml")).unwrap()
    );

    // Nor is a run that is over changed.
    let over = queue.go_on(&folder, PROBLEMS, &how("threads", "2")).err().unwrap().to_string();
    assert!(over.contains("is finished"), "{over}");
    assert_eq!(
        fs::read_to_string(folder.join("run.toml")).unwrap(),
        fs::read_to_string(copy.join("run.toml")).unwrap()
    );

    let copy = cut("changed");
    let run = queue.go_on(&copy, PROBLEMS, &how("threads", "2")).unwrap();
    assert_eq!(run.wait(), RunState::Finished, "{}", run.message());
    let record = fs::read_to_string(copy.join("run.toml")).unwrap();
    assert!(record.contains("threads = 2\n") && record.contains("--set threads=2"), "{record}");
    assert_eq!(events(&copy), events(&folder));
}

#[test]
fn a_burst_is_one_line_and_folds_like_its_events() {
    let root = tempfile::tempdir().unwrap();
    let (folder, lines) = whole(root.path(), grid(&[("pieces", "3")]));
    assert_eq!(lines.iter().filter(|line| line.contains("\"e\":\"burst\"")).count(), 3);
    let apart = root.path().join("apart");
    fs::create_dir(&apart).unwrap();
    let mut journal = Journal::open(&apart).unwrap();
    for line in &lines {
        let stamped: Stamped = serde_json::from_str(line).unwrap();
        stamped.into_parts().iter().for_each(|part| journal.append(part).unwrap());
    }
    let (burst, apart) = (RunView::read(&folder).unwrap(), RunView::read(&apart).unwrap());
    assert_eq!(format!("{burst:?}"), format!("{apart:?}"));
}
