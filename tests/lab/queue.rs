//! The queue and the folders it leaves.

use crate::slope::{places, spec, until};
use attnlab::lab::{Document, Event, Queue, Row, RunLog, RunRecord, RunState, RunView};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::Duration;

#[test]
fn a_run_leaves_a_folder_that_says_everything() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 2).unwrap();
    let run = queue.submit(spec(&[("steps", "5"), ("seed", "7")])).unwrap();
    assert_eq!(run.wait(), RunState::Finished);
    let live = run.drain().iter().fold(RunView::default(), |mut view, event| {
        view.fold(event);
        view
    });
    let read = RunView::read(run.folder()).unwrap();
    assert_eq!(live, read);
    assert_eq!(read.state, RunState::Finished);
    assert_eq!(read.series[0].points.len(), 5);
    assert_eq!(read.rows[0]["steps"], 5);
    assert_eq!(read.progress.unwrap().done, 5);

    let record: RunRecord = toml::from_str(&std::fs::read_to_string(run.folder().join("run.toml")).unwrap()).unwrap();
    assert_eq!((record.problem.as_str(), record.run.seed), ("slope", 7));
    assert_eq!(record.run.command, "attnlab run slope --set seed=7 --set steps=5");
    assert_eq!(record.params.text("sizes"), "1,2");

    let text = std::fs::read_to_string(run.folder().join("summary.json")).unwrap();
    let summary: Document = serde_json::from_str(&text).unwrap();
    assert_eq!((summary.schema, summary.seed, summary.state), (1, 7, RunState::Finished));
    assert_eq!(summary.headline, read.rows[0]["depth"].as_f64());
    assert_eq!(summary.params.text("steps"), "5");
    let keys: Vec<_> = serde_json::from_str::<Row>(&text).unwrap().keys().take(7).cloned().collect();
    assert_eq!(keys, ["schema", "problem", "params", "seed", "version", "machine", "rows"]);
}

#[test]
fn a_run_that_fails_says_why_and_the_queue_lives_on() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let panicked = queue.submit(spec(&[("mode", "panic")])).unwrap();
    let diverged = queue.submit(spec(&[("mode", "diverge")])).unwrap();
    let fine = queue.submit(spec(&[])).unwrap();
    assert_eq!(panicked.wait(), RunState::Failed);
    assert_eq!(panicked.message(), "panicked: slipped at 0");
    assert_eq!(diverged.wait(), RunState::Diverged);
    assert_eq!(RunView::read(diverged.folder()).unwrap().message, "depth is infinite");
    assert_eq!(fine.wait(), RunState::Finished);
}

#[test]
fn a_run_is_paused_and_stopped_within_a_step_and_gives_its_turn_away() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let long = queue.submit(spec(&[("steps", "1000000"), ("pause", "0.001")])).unwrap();
    let waiting = queue.submit(spec(&[("steps", "1000000"), ("pause", "0.001")])).unwrap();
    let next = queue.submit(spec(&[])).unwrap();
    until("the first runs", || long.state() == RunState::Running);
    assert_eq!(waiting.state(), RunState::Queued);

    waiting.control().stop();
    assert_eq!(waiting.wait(), RunState::Stopped);
    assert_eq!(RunView::read(waiting.folder()).unwrap().series.len(), 0);

    assert_eq!(next.state(), RunState::Queued);
    long.control().pause();
    assert_eq!(next.wait(), RunState::Finished);
    assert_eq!(long.state(), RunState::Paused);
    let before = RunView::read(long.folder()).unwrap();
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(RunView::read(long.folder()).unwrap(), before);

    long.control().proceed();
    until("it goes on", || long.state() == RunState::Running);
    queue.shutdown(true);
    let after = RunView::read(long.folder()).unwrap();
    assert_eq!(after.state, RunState::Stopped);
    assert!(after.series[0].points.len() > before.series[0].points.len());
    assert!(queue.submit(spec(&[])).is_err());
}

#[test]
fn a_handle_nobody_drains_forgets_nothing() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let run = queue.submit(spec(&[("steps", "100000")])).unwrap();
    run.wait();
    let points = run.drain().iter().filter(|stamped| matches!(stamped.event, Event::Point(_))).count();
    assert_eq!(points, 100_000);
    assert!(run.drain().is_empty());
}

#[test]
fn logs_that_cannot_be_written_are_refused_before_anything_starts() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("logs");
    std::fs::write(&file, "not a directory").unwrap();
    let error = Queue::new(places(root.path()), 1).err().unwrap().to_string();
    assert!(error.contains(file.to_str().unwrap()), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn what_is_logged_during_a_run_is_kept_beside_it() {
    log::set_boxed_logger(Box::new(RunLog(log::logger()))).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 2).unwrap();
    let runs = [("walk", "finished"), ("panic", "failed: panicked: slipped at 0")];
    for (mode, end) in runs {
        let run = queue.submit(spec(&[("mode", mode)])).unwrap();
        run.wait();
        let text = std::fs::read_to_string(run.folder().join("log.txt")).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].contains("INFO  run: ") && lines[0].contains("attnlab run slope"), "{text}");
        assert!(lines[1].ends_with(end) && lines[1].contains(run.id()), "{text}");
    }
}

/// What the test below has another process do: the limit on file sizes is a full disk for one process.
#[test]
#[ignore = "is run by another test as a process of its own"]
fn without_room() {
    if std::env::var_os("ATTNLAB_TEST_ROOM").is_none() {
        return;
    }
    let full = std::sync::Arc::default();
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, full).unwrap();
    let limit = getrlimit(Resource::Fsize);
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let changes = [("steps", "400"), ("pause", "0.0005"), ("save", "yes")];
    let run = queue.submit(spec(&changes)).unwrap();
    setrlimit(Resource::Fsize, Rlimit { current: Some(5000), maximum: limit.maximum }).unwrap();
    until("it waits", || run.state() == RunState::Paused);
    let message = run.message();
    assert!(message.contains("events.jsonl: cannot write: ") && message.contains("goes on by itself"), "{message}");
    let kept = RunView::read(run.folder()).unwrap();
    assert!(!kept.series[0].points.is_empty() && kept.notes.is_empty());
    setrlimit(Resource::Fsize, limit).unwrap();
    assert_eq!(run.wait(), RunState::Finished);
    let view = RunView::read(run.folder()).unwrap();
    assert_eq!((view.series[0].points.len(), view.notes.len(), view.rows.len()), (400, 0, 1));
    let shown = run.drain().into_iter().filter(|event| matches!(event.event, Event::Point(_))).count();
    assert_eq!(shown, 400);

    setrlimit(Resource::Fsize, Rlimit { current: Some(5000), maximum: limit.maximum }).unwrap();
    let stopped = queue.submit(spec(&changes)).unwrap();
    until("it waits", || stopped.state() == RunState::Paused);
    stopped.control().stop();
    assert_eq!(stopped.wait(), RunState::Stopped);
    assert!(stopped.message().contains("not everything is kept"), "{}", stopped.message());
}

#[test]
fn a_run_without_room_waits_for_it_and_loses_nothing() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["queue::without_room", "--exact", "--ignored"])
        .env("ATTNLAB_TEST_ROOM", "none")
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
}

#[test]
fn small_runs_go_side_by_side_and_a_large_one_alone() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 3).unwrap();
    let small = [("steps", "40"), ("pause", "0.002")];
    let large = [("steps", "20"), ("pause", "0.3")];
    let first: Vec<_> = (0..4).map(|_| queue.submit(spec(&small)).unwrap()).collect();
    let alone = queue.submit(spec(&large)).unwrap();
    let last = queue.submit(spec(&small)).unwrap();
    until("three run", || first[..3].iter().all(|run| run.state() == RunState::Running));
    assert_eq!(first[3].state(), RunState::Queued);
    until("the large one runs", || alone.state() == RunState::Running);
    assert!(first.iter().all(|run| run.state().is_final()));
    assert_eq!(last.state(), RunState::Queued);
    alone.control().stop();
    assert_eq!(last.wait(), RunState::Finished);
}

#[test]
fn large_runs_that_ask_for_few_threads_go_side_by_side() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 3).unwrap();
    let large = |threads| queue.submit(spec(&[("steps", "20"), ("pause", "0.3"), ("threads", threads)])).unwrap();
    let first: Vec<_> = ["1", "2", "1"].map(large).into();
    let whole = large("0");
    until("three threads work", || first[..2].iter().all(|run| run.state() == RunState::Running));
    assert_eq!((first[2].state(), whole.state()), (RunState::Queued, RunState::Queued), "no core is left");
    first[0].control().stop();
    until("the next has the free core", || first[2].state() == RunState::Running);
    assert_eq!(whole.state(), RunState::Queued, "it waits for every core");
    first[1..].iter().for_each(|run| run.control().stop());
    until("it has the machine to itself", || whole.state() == RunState::Running);
    whole.control().stop();
    whole.wait();
}
