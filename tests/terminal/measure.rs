//! What the console costs: `cargo test --release --test terminal -- --ignored --nocapture measure`.

use super::home::{Home, wait_for_progress};
use super::pty::Session;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long a training is watched.
const WATCHED: Duration = Duration::from_secs(20);

/// Processor seconds of each thread of a process, by its number and name.
fn threads(pid: u32) -> BTreeMap<(u32, String), f64> {
    let read = |folder: &Path| {
        let number = folder.file_name()?.to_str()?.parse().ok()?;
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        let name = fs::read_to_string(folder.join("comm")).ok()?.trim().to_owned();
        let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
        Some(((number, name), (ticks(11)? + ticks(12)?) / 100.0))
    };
    let folders = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    folders.filter_map(|folder| read(&folder.path())).collect()
}

#[test]
#[ignore = "measures"]
fn measure_the_console_beside_training() {
    let home = Home::new();
    let mut session = home.ready(100_000);
    session.press("r");
    wait_for_progress(&session);
    thread::sleep(Duration::from_secs(5));
    let (before, written, since) = (threads(session.pid()), session.written().len(), Instant::now());
    thread::sleep(WATCHED);
    let (after, written, time) = (threads(session.pid()), session.written().len() - written, since.elapsed());
    let (mut training, mut beside) = (0.0, 0.0);
    for (thread, seconds) in after {
        let seconds = seconds - before.get(&thread).copied().unwrap_or_default();
        // The thread of the run, and those that it began to share its work.
        let works = thread.1.starts_with("run ") || seconds > time.as_secs_f64() / 4.0;
        *(if works { &mut training } else { &mut beside }) += seconds;
    }
    let share = 100.0 * beside / (training + beside);
    println!("beside {training:.2} s of training the console took {beside:.2} s: {share:.2} %");
    println!("{:.0} bytes a second to the terminal at 120x36", written as f64 / time.as_secs_f64());
    assert!(share < 2.0 && (written as f64) < 2000.0 * time.as_secs_f64());
    session.press("x");
    session.wait_until("its end", |_| home.states() == ["stopped"]);
}

/// Puts a million points in front of those that the only run in `logs` has told.
fn lengthen(logs: &Path) {
    let runs = fs::read_dir(logs).unwrap().flatten().map(|entry| entry.path().join("events.jsonl"));
    let journal = runs.into_iter().find(|path| path.is_file()).unwrap();
    let text = fs::read_to_string(&journal).unwrap();
    let at = text.find(",\"e\":\"p\"").unwrap();
    let (head, tail) = text.split_at(text[..at].rfind('\n').unwrap() + 1);
    let point = |index: u32| {
        let (x, y) = (f64::from(index) / 1e6, 3.0 / f64::from(1 + index % 977));
        format!("{{\"t\":0.1,\"e\":\"p\",\"s\":\"train_loss\",\"x\":{x},\"y\":{y}}}\n")
    };
    let points: String = (0..1_000_000).map(point).collect();
    fs::write(&journal, head.to_owned() + &points + tail).unwrap();
}

/// How long after `keys` the screen shows `words`.
fn answer(session: &mut Session, keys: &str, words: &str) -> f64 {
    let since = Instant::now();
    session.press(keys);
    session.wait_for(words);
    since.elapsed().as_secs_f64()
}

#[test]
#[ignore = "measures"]
fn measure_a_run_of_a_million_points() {
    let home = Home::new();
    let mut session = home.ready(1);
    session.press("r");
    session.wait_until("its end", |_| home.states() == ["finished"]);
    session.press("q");
    session.wait_for_end();
    lengthen(&home.path().join("logs"));
    let mut session = home.console((120, 36));
    session.press("[[");
    session.wait_for("Runs: 1 of 1");
    let opened = answer(&mut session, "\r", "─● train loss");
    let zoomed = answer(&mut session, "z", "← cursor");
    let status = fs::read_to_string(format!("/proc/{}/status", session.pid())).unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    println!("a million points are open after {opened:.2} s, zoomed {zoomed:.2} s later; {peak}");
    assert!(opened < 1.0);
}
