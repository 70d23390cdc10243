//! Runs that are killed and go on.

use crate::slope::{SLOPE, places, spec, until};
use attnlab::lab::{Event, Journal, Owner, Problem, Queue, Request, RunState, RunView, Stamped};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

const PROBLEMS: &[&dyn Problem] = &[&SLOPE];
const CHANGES: &[(&str, &str)] = &[("steps", "300"), ("pause", "0.001"), ("save", "yes"), ("seed", "5")];

/// What another process does in the tests below.
#[test]
#[ignore = "is run by other tests as a process of its own"]
fn other_process() {
    let Some(root) = std::env::var_os("ATTNLAB_TEST_ROOT") else { return };
    let queue = Queue::new(places(Path::new(&root)), 1).unwrap();
    let steps = std::env::var("ATTNLAB_TEST_STEPS").unwrap();
    let mut changes = CHANGES.to_vec();
    changes[0].1 = &steps;
    let begun = std::fs::read_dir(&queue.places().logs).unwrap().flatten().next();
    let run = match begun {
        Some(folder) => queue.resume(&folder.path(), PROBLEMS).unwrap(),
        None => queue.submit(spec(&changes)).unwrap(),
    };
    if run.wait() == RunState::Lost {
        eprintln!("{}", run.message());
        std::process::exit(LOST);
    }
}

/// How the other process ends when its run was taken over.
const LOST: i32 = 7;

fn start(root: &Path, steps: &str) -> (Child, PathBuf) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["resume::other_process", "--exact", "--ignored"])
        .env("ATTNLAB_TEST_ROOT", root)
        .env("ATTNLAB_TEST_STEPS", steps)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let logs = root.join("logs");
    let folders = || std::fs::read_dir(&logs).into_iter().flatten().flatten().map(|entry| entry.path());
    let begun = |folder: &PathBuf| RunView::read(folder).is_ok_and(|view| view.state == RunState::Running);
    until("the other process runs", || folders().any(|folder| begun(&folder)));
    // By now it may have ended.
    (child, folders().next().unwrap())
}

#[test]
fn a_killed_run_goes_on_as_if_nothing_had_been() {
    let root = tempfile::tempdir().unwrap();
    let whole = Queue::new(places(&root.path().join("whole")), 1).unwrap().submit(spec(CHANGES)).unwrap();
    whole.wait();
    let want = RunView::read(whole.folder()).unwrap();
    assert_eq!((want.state, want.series[0].points.len()), (RunState::Finished, 300));

    for (attempt, wait) in [3, 40, 111, 200].into_iter().enumerate() {
        let place = root.path().join(attempt.to_string());
        let (mut child, folder) = start(&place, "300");
        assert_eq!(Owner::of(&folder).unwrap().pid, child.id());
        let queue = Queue::new(places(&place), 1).unwrap();
        let refused = queue.resume(&folder, PROBLEMS).err().unwrap().to_string();
        assert!(refused.contains(&format!("process {}", child.id())), "{refused}");
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(Owner::of(&folder).is_none());
        let before = RunView::read(&folder).unwrap();
        assert_eq!(before.state, RunState::Lost);

        let run = queue.resume(&folder, PROBLEMS).unwrap();
        assert_eq!(run.wait(), RunState::Finished, "{}", run.message());
        let after = RunView::read(&folder).unwrap();
        assert_eq!(after.rows, want.rows);
        assert!(after.series == want.series, "attempt {attempt}");
        assert_eq!(after.notes, want.notes);
        let known = before.series.first().map_or(0, |series| series.points.len());
        assert!(known == 0 || after.series[0].points[..known] == before.series[0].points);
        let live = run.drain().iter().fold(RunView::default(), |mut view, event| {
            view.fold(event);
            view
        });
        assert!(live.series == after.series && live.state == RunState::Finished, "attempt {attempt}");
        assert!(queue.resume(&folder, PROBLEMS).err().unwrap().to_string().contains("is finished"));
    }
}

#[test]
fn the_first_checkpoint_cut_short_is_none() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let run = queue.submit(spec(CHANGES)).unwrap();
    until("it has told something", || run.folder().join("checkpoint.json").is_file());
    run.control().stop();
    run.wait();
    let at = |name: &str| run.folder().join(name);
    std::fs::rename(at("checkpoint.json"), at("checkpoint.json.new")).unwrap();
    std::fs::rename(at("checkpoint.safetensors"), at("checkpoint.safetensors.1.new")).unwrap();
    let run = queue.resume(run.folder(), PROBLEMS).unwrap();
    assert_eq!(run.wait(), RunState::Finished, "{}", run.message());
    assert_eq!(RunView::read(run.folder()).unwrap().series[0].points.len(), 300);
}

#[test]
fn a_run_killed_again_and_again_tells_everything_once() {
    let root = tempfile::tempdir().unwrap();
    let whole = Queue::new(places(&root.path().join("whole")), 1).unwrap().submit(spec(CHANGES)).unwrap();
    whole.wait();
    let place = root.path().join("killed");
    let mut kills = 0;
    let folder = loop {
        let (mut child, folder) = start(&place, "300");
        // Sooner than it gets to where it was: the checkpoint then lies behind what was told.
        std::thread::sleep(Duration::from_millis(if kills == 0 { 150 } else { 10 * kills }));
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        if RunView::read(&folder).unwrap().state == RunState::Finished || kills == 8 {
            break folder;
        }
    };
    if let Ok(run) = Queue::new(places(&place), 1).unwrap().resume(&folder, PROBLEMS) {
        run.wait();
    }
    let (want, got) = (RunView::read(whole.folder()).unwrap(), RunView::read(&folder).unwrap());
    assert_eq!((got.state, &got.rows), (RunState::Finished, &want.rows));
    assert!(got.series == want.series, "{} points", got.series[0].points.len());
}

/// Makes the run in `folder` look as if a process of another machine had shown no sign of life for two days: so long that it
/// need not be watched.
fn cut_off(folder: &Path) {
    let path = folder.join("lock");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lock: serde_json::Value = serde_json::from_str(&text).unwrap();
    lock["host"] = "elsewhere".into();
    std::fs::write(&path, lock.to_string()).unwrap();
    let before = SystemTime::now() - Duration::from_secs(2 * 86_400);
    File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
}

/// Every file in `folder`.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn a_process_whose_run_was_taken_over_leaves_it_alone() {
    let root = tempfile::tempdir().unwrap();
    let mut changes = CHANGES.to_vec();
    changes[0].1 = "1000";
    let whole = Queue::new(places(&root.path().join("whole")), 1).unwrap().submit(spec(&changes)).unwrap();
    whole.wait();
    let want = RunView::read(whole.folder()).unwrap();
    // It comes back while the other works on the run, or when that has finished.
    for finished in [false, true] {
        let place = root.path().join(finished.to_string());
        let (mut child, folder) = start(&place, "1000");
        let signal = |signal| kill_process(Pid::from_child(&child), signal).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        signal(Signal::STOP);
        cut_off(&folder);
        assert_eq!(RunView::read(&folder).unwrap().state, RunState::Lost);
        // A request to it is not meant for the next.
        std::fs::write(folder.join("request"), "stop").unwrap();
        let run = Queue::new(places(&place), 1).unwrap().resume(&folder, PROBLEMS).unwrap();
        if finished {
            run.wait();
            // A look at the lock counts for a second.
            std::thread::sleep(Duration::from_millis(1000));
        } else {
            until("it goes on", || run.state() == RunState::Running);
        }
        let before = finished.then(|| files(&folder));
        signal(Signal::CONT);
        assert_eq!(child.wait().unwrap().code(), Some(LOST));
        if let Some(before) = before {
            assert!(files(&folder) == before);
        }
        assert_eq!(run.wait(), RunState::Finished, "{}", run.message());
        let got = RunView::read(&folder).unwrap();
        assert_eq!((got.state, &got.rows, &got.notes), (RunState::Finished, &want.rows, &want.notes));
        assert!(got.series == want.series, "{} points", got.series[0].points.len());
        let names = files(&folder).into_keys();
        let left: Vec<_> =
            names.filter(|path| path.ends_with("lock") || path.to_string_lossy().contains(".new")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn another_process_is_followed_and_obeys() {
    let root = tempfile::tempdir().unwrap();
    let (mut child, folder) = start(root.path(), "3000");
    let state = || RunView::read(&folder).unwrap().state;
    Request::Pause.send(&folder).unwrap();
    until("it pauses", || state() == RunState::Paused);
    Request::Proceed.send(&folder).unwrap();
    until("it goes on", || state() == RunState::Running);
    Request::Stop.send(&folder).unwrap();
    until("it stops", || state() == RunState::Stopped);
    child.wait().unwrap();
    assert!(Request::Stop.send(&folder).unwrap_err().to_string().contains("no process"));
    let run = Queue::new(places(root.path()), 1).unwrap().resume(&folder, PROBLEMS).unwrap();
    assert_eq!(run.wait(), RunState::Finished);
    assert_eq!(run.rows()[0]["steps"], 3000);
}

#[test]
fn a_line_cut_short_is_taken_back() {
    let root = tempfile::tempdir().unwrap();
    let note = |text: &str| Stamped { t: 1.0, event: Event::Note { text: text.into() } };
    Journal::open(root.path()).unwrap().append(&note("whole")).unwrap();
    let path = root.path().join("events.jsonl");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend(b"{\"t\":2,\"e\":\"no");
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(RunView::read(root.path()).unwrap().notes, ["whole"]);
    Journal::open(root.path()).unwrap().append(&note("next")).unwrap();
    assert_eq!(RunView::read(root.path()).unwrap().notes, ["whole", "next"]);
    bytes.extend(b"\xff\n{}\n");
    std::fs::write(&path, &bytes).unwrap();
    let notes = RunView::read(root.path()).unwrap().notes;
    assert!(notes.len() == 3 && notes[1].starts_with("events.jsonl, line 2: not an event"), "{notes:?}");
}
