//! Folders that strangers, dead processes and accidents have left.

use crate::slope::{SLOPE, places, spec, until};
use attnlab::lab::journal::Tail;
use attnlab::lab::store::{delete, list};
use attnlab::lab::{Document, Owner, Problem, Queue, RunHandle, RunState, RunView};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const PROBLEMS: &[&dyn Problem] = &[&SLOPE];

fn finished(queue: &Queue) -> PathBuf {
    let run = queue.submit(spec(&[])).unwrap();
    assert_eq!(run.wait(), RunState::Finished, "{}", run.message());
    run.folder().to_owned()
}

fn underway(queue: &Queue) -> Arc<RunHandle> {
    let run = queue.submit(spec(&[("pause", "0.005"), ("steps", "100000")])).unwrap();
    until("it runs", || run.state() == RunState::Running);
    run
}

/// A copy of the files of the run in `folder`.
fn copy(folder: &Path, name: &str) -> PathBuf {
    let copy = folder.with_file_name(name);
    fs::create_dir(&copy).unwrap();
    for file in ["run.toml", "summary.json", "events.jsonl"] {
        fs::copy(folder.join(file), copy.join(file)).unwrap();
    }
    copy
}

fn pipe(path: &Path) {
    fs::remove_file(path).ok();
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn named_pipes_and_links_in_place_of_files_are_damage_and_nothing_waits_for_them() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let whole = finished(&queue);
    let logs = &queue.places().logs;
    let secret = root.path().join("secret");
    fs::write(&secret, "not yours").unwrap();
    for file in ["run.toml", "summary.json", "events.jsonl", "marks.json"] {
        pipe(&copy(&whole, &format!("pipe-{file}")).join(file));
        let link = copy(&whole, &format!("link-{file}")).join(file);
        fs::remove_file(&link).ok();
        symlink(&secret, link).unwrap();
    }
    let runs = list(logs).unwrap();
    assert_eq!(runs.len(), 9);
    for run in runs.iter().filter(|run| run.folder(logs) != whole && !run.id.ends_with("run.toml")) {
        let damage = run.damage.clone().unwrap_or_else(|| panic!("{} passes for whole", run.id));
        let what = if run.id.starts_with("pipe") { "not a regular file" } else { "a symbolic link" };
        assert!(damage.contains(what) && damage.contains(&run.id), "{damage}");
    }
    for file in ["lock", "events.jsonl", "checkpoint.json"] {
        for kind in ["pipe", "link"] {
            let folder = copy(&whole, &format!("{kind}-{file}-resumed"));
            fs::remove_file(folder.join("summary.json")).unwrap();
            fs::remove_file(folder.join(file)).ok();
            if kind == "pipe" {
                pipe(&folder.join(file))
            } else {
                symlink(&secret, folder.join(file)).unwrap()
            }
            let said = queue.resume(&folder, PROBLEMS).err().unwrap().to_string();
            assert!(said.contains(file), "{said}");
        }
    }
    let folder = copy(&whole, "log");
    fs::remove_file(folder.join("summary.json")).unwrap();
    fs::write(folder.join("events.jsonl"), "").unwrap();
    symlink(&secret, folder.join("log.txt")).unwrap();
    assert_eq!(queue.resume(&folder, PROBLEMS).unwrap().wait(), RunState::Finished);
    assert_eq!(fs::read_to_string(&secret).unwrap(), "not yours");

    fs::create_dir(root.path().join("elsewhere")).unwrap();
    symlink(root.path().join("elsewhere"), logs.join(".trash")).unwrap();
    assert!(delete(&whole).unwrap_err().to_string().contains(".trash: is a symbolic link"));
    assert_eq!(fs::read_dir(root.path().join("elsewhere")).unwrap().count(), 0);
}

#[test]
fn a_run_whose_results_can_never_be_written_fails_and_does_not_wait() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let run = queue.submit(spec(&[("pause", "0.01"), ("steps", "20")])).unwrap();
    fs::create_dir(run.folder().join("summary.json")).unwrap();
    assert_eq!(run.wait(), RunState::Failed);
    assert!(run.message().contains("summary.json: cannot write: "), "{}", run.message());
    assert_eq!(run.rows().len(), 1);
    assert!(!run.folder().join("lock").exists());
}

#[test]
fn a_run_whose_folder_is_removed_says_so() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let run = underway(&queue);
    fs::remove_dir_all(&queue.places().logs).unwrap();
    assert_eq!(run.wait(), RunState::Lost);
    assert_eq!(run.message(), "the run's folder was removed while it was worked on");
}

#[test]
fn a_lock_whose_time_lies_in_the_future_does_not_block() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let folder = finished(&queue);
    let lock = folder.join("lock");
    fs::write(&lock, r#"{"host":"elsewhere","pid":1,"began":5,"token":7}"#).unwrap();
    assert!(Owner::of(&folder).is_some());
    let later = SystemTime::now() + Duration::from_secs(2 * 86_400);
    File::options().write(true).open(&lock).unwrap().set_modified(later).unwrap();
    assert!(Owner::of(&folder).is_none());
    fs::remove_file(folder.join("summary.json")).unwrap();
    fs::write(folder.join("events.jsonl"), "").unwrap();
    assert_eq!(queue.resume(&folder, PROBLEMS).unwrap().wait(), RunState::Finished);
}

#[test]
fn the_name_of_the_folder_is_the_name_of_the_run() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let whole = finished(&queue);
    for id in ["/elsewhere/X", "../X", "a\\u0000b", ""] {
        let folder = copy(&whole, &format!("copy-{}", id.len()));
        let record = fs::read_to_string(folder.join("run.toml")).unwrap();
        let name = whole.file_name().unwrap().to_str().unwrap();
        fs::write(folder.join("run.toml"), record.replacen(&format!("id = \"{name}\""), &format!("id = \"{id}\""), 1))
            .unwrap();
        fs::write(folder.join("events.jsonl"), "").unwrap();
        let run = queue.resume(&folder, PROBLEMS).unwrap();
        assert_eq!(run.id(), format!("copy-{}", id.len()));
        assert_eq!(run.wait(), RunState::Finished);
        assert_eq!(Document::read(&folder).unwrap().id, run.id());
    }
}

#[test]
fn a_line_without_end_is_damage_and_is_not_taken_into_memory() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let folder = finished(&queue);
    let want = RunView::read(&folder).unwrap();
    let path = folder.join("events.jsonl");
    // Zeros that take no room on the disk, then a whole line.
    let mut file = File::options().append(true).open(&path).unwrap();
    let end = file.seek(SeekFrom::End(0)).unwrap();
    file.set_len(end + (200 << 20)).unwrap();
    let mut tail = Tail::new(&folder);
    assert_eq!(tail.events().unwrap().len(), fs::read(&path).unwrap().iter().filter(|byte| **byte == b'\n').count());
    assert!(tail.position() > end, "a line that is too long is not read again at every look");
    file.write_all(b"\n{\"t\":9,\"e\":\"note\",\"text\":\"after\"}\n").unwrap();
    assert_eq!(tail.events().unwrap().len(), 1);
    let view = RunView::read(&folder).unwrap();
    assert_eq!(view.rows, want.rows);
    assert!(view.notes[0].contains("longer than") && view.notes[1] == "after", "{:?}", view.notes);
}

#[test]
fn what_dead_processes_left_half_made_is_removed_and_what_living_ones_make_stays() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let logs = queue.places().logs.clone();
    let run = underway(&queue);
    assert!(run.folder().join("lock").is_file() && run.folder().join("run.toml").is_file());
    let old = SystemTime::now() - Duration::from_secs(3600);
    for name in [".writable-77", ".index.jsonl.9-1.part"] {
        fs::write(logs.join(name), "x").unwrap();
        File::options().write(true).open(logs.join(name)).unwrap().set_modified(old).unwrap();
    }
    fs::create_dir(logs.join(".new-0000abcd-1-1-00")).unwrap();
    fs::write(logs.join(".new-0000abcd-1-1-00/run.toml"), "x").unwrap();
    File::open(logs.join(".new-0000abcd-1-1-00")).unwrap().set_modified(old).unwrap();
    fs::create_dir(logs.join(".new-0000abcd-2-1-00")).unwrap();
    fs::write(logs.join(".index.jsonl.young.part"), "x").unwrap();
    Queue::new(places(root.path()), 1).unwrap();
    let mut names: Vec<_> =
        fs::read_dir(&logs).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.starts_with('.'));
    names.sort();
    assert_eq!(names, [".index.jsonl.young.part", ".new-0000abcd-2-1-00"]);
    assert_eq!(list(&logs).unwrap().len(), 1);
    queue.shutdown(true);
}

#[test]
fn no_mutation_of_the_index_gives_a_wrong_list() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let logs = &queue.places().logs;
    let old = SystemTime::now() - Duration::from_secs(100);
    for _ in 0..4 {
        let folder = finished(&queue);
        File::open(folder).unwrap().set_modified(old).unwrap();
    }
    let want = list(logs).unwrap();
    let path = logs.join(".index.jsonl");
    let index = fs::read(&path).unwrap();
    assert_eq!(index.iter().filter(|byte| **byte == b'\n').count(), 5);
    let mut random = StdRng::seed_from_u64(3);
    for attempt in 0..500 {
        let mut bytes = index.clone();
        let at = random.random_range(0..bytes.len());
        match attempt % 5 {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => bytes.truncate(at),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, random.random()),
            _ => {
                // A digit for another: still a list that can be read.
                let digits: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()).collect();
                let at = digits[random.random_range(0..digits.len())];
                bytes[at] = if bytes[at] == b'9' { b'0' } else { bytes[at] + 1 };
            }
        }
        fs::write(&path, &bytes).unwrap();
        assert_eq!(list(logs).unwrap(), want, "mutation {attempt}");
    }
}
