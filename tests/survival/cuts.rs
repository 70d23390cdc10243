//! Runs whose journal ends at any byte, or has a line that cannot be read: they go on and have told what an undisturbed
//! run tells.

use crate::told::Told;
use attnlab::lab::{Params, Places, Problem, Queue, RunSpec};
use attnlab::problems;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// A small run of every problem and task, with several points, curves, pictures and conclusions.
const RUNS: &[(&str, &[(&str, &str)])] = &[
    (
        "random-features",
        &[
            ("inputs", "gauss,hub"),
            ("length", "24"),
            ("dim", "4"),
            ("m", "4,8,16"),
            ("trials", "3"),
            ("estimator", "positive,trigonometric"),
            ("threads", "1"),
        ],
    ),
    (
        "random-features",
        &[("length", "24"), ("dim", "4"), ("m", "4,8,16"), ("trials", "3"), ("nested", "yes"), ("threads", "1")],
    ),
    (
        "masked",
        &[
            ("method", "tensor-sketch,tensor,coordinate"),
            ("length", "24"),
            ("dim", "4"),
            ("mask_dim", "4"),
            ("features", "8,16"),
            ("mask", "relu-normal,flat"),
            ("trials", "6"),
            ("threads", "1"),
        ],
    ),
    (
        "masked",
        &[
            ("task", "attention"),
            ("method", "tensor,projection-gaussian"),
            ("length", "64,1024,1030,1040"),
            ("exact_limit", "64"),
            ("dim", "4"),
            ("mask_dim", "4"),
            ("features", "8"),
            ("value_dim", "2"),
            ("threads", "1"),
        ],
    ),
    (
        "hybrid",
        &[
            ("base", "hyperbolic,trigonometric,hybrid-hyperbolic"),
            ("radius", "0.5,1"),
            ("angles", "5"),
            ("dim", "4"),
            ("m1", "4"),
            ("m2", "4"),
            ("trials", "20"),
            ("threads", "1"),
        ],
    ),
    (
        "vit",
        &[
            ("dataset", "digits"),
            ("train_images", "96"),
            ("test_images", "32"),
            ("epochs", "2"),
            ("dim", "8"),
            ("depth", "1"),
            ("heads", "2"),
            ("attention", "relu"),
            ("threads", "1"),
        ],
    ),
];

/// A run left alone, and what goes on from its journal when that is cut or damaged.
struct Experiment {
    root: tempfile::TempDir,
    folder: PathBuf,
    problem: &'static dyn Problem,
    queue: Queue,
    tries: usize,
}

impl Experiment {
    fn new(problem: &str, settings: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let places = Places { logs: root.path().join("logs"), ..Places::default() };
        let queue = Queue::new(places, 1).unwrap();
        let problem = problems::find(problem).unwrap();
        let params = Params::with(&problem.schema(), settings).unwrap();
        let run = queue.submit(RunSpec::new(problem, params).unwrap()).unwrap();
        run.wait();
        let folder = run.folder().to_owned();
        Self { root, folder, problem, queue, tries: 0 }
    }

    fn journal(&self) -> Vec<u8> {
        fs::read(self.folder.join("events.jsonl")).unwrap()
    }

    fn told(&self) -> Told {
        Told::read(&self.folder, self.problem)
    }

    /// What is told in the end when the run goes on with this journal, as if its process had been killed.
    fn go_on(&mut self, journal: &[u8]) -> Told {
        self.go_on_to_journal(journal).0
    }

    /// The same with the journal that there is in the end.
    fn go_on_to_journal(&mut self, journal: &[u8]) -> (Told, Vec<u8>) {
        self.tries += 1;
        let folder = self.root.path().join("logs").join(format!("try-{}", self.tries));
        fs::create_dir(&folder).unwrap();
        for name in ["run.toml", "log.txt", "checkpoint.json", "checkpoint.safetensors"] {
            if self.folder.join(name).is_file() {
                fs::copy(self.folder.join(name), folder.join(name)).unwrap();
            }
        }
        fs::write(folder.join("events.jsonl"), journal).unwrap();
        let run = self.queue.resume(&folder, problems::ALL).unwrap_or_else(|error| panic!("{error}"));
        run.wait();
        let told = Told::read(&folder, self.problem);
        assert_eq!(told.rows.len(), run.rows().len(), "the live run has the rows of its folder");
        let journal = fs::read(folder.join("events.jsonl")).unwrap();
        fs::remove_dir_all(folder).unwrap();
        (told, journal)
    }
}

/// Where the lines of a journal end.
fn ends(journal: &[u8]) -> Vec<usize> {
    journal.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(place, _)| place + 1).collect()
}

/// The journal as earlier versions wrote it: the events of a burst on lines of their own.
fn without_bursts(journal: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    for line in std::str::from_utf8(journal).unwrap().lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        match event["events"].as_array() {
            None => lines.push(line.to_owned()),
            Some(parts) => lines.extend(parts.iter().map(|part| {
                let mut whole = serde_json::Map::from_iter([("t".to_owned(), event["t"].clone())]);
                whole.extend(part.as_object().unwrap().clone());
                Value::Object(whole).to_string()
            })),
        }
    }
    (lines.join("\n") + "\n").into_bytes()
}

/// Of many places as many as there is time for, evenly spread.
fn some<T: Copy>(places: &[T]) -> Vec<T> {
    let count = if crate::kills() > 100 { places.len() } else { places.len().min(24) };
    (0..count).map(|i| places[i * places.len() / count]).collect()
}

fn each_run(mut check: impl FnMut(&mut Experiment, &str)) {
    for (problem, settings) in RUNS {
        let mut experiment = Experiment::new(problem, settings);
        check(&mut experiment, &format!("{problem} {settings:?}"));
    }
}

#[test]
fn a_journal_cut_anywhere_completes_itself() {
    let mut random = StdRng::seed_from_u64(3);
    each_run(|experiment, what| {
        let (journal, want) = (experiment.journal(), experiment.told());
        let ends = ends(&journal);
        // The state of a run that has its last line is final: there is nothing to go on with.
        let bytes: Vec<usize> = (0..8).map(|_| random.random_range(0..ends[ends.len() - 2])).collect();
        for end in some(&ends[..ends.len() - 1]).into_iter().chain(bytes) {
            assert_eq!(experiment.go_on(&journal[..end]), want, "{what}, cut at byte {end}");
        }
    });
}

#[test]
fn a_journal_of_an_earlier_version_cut_within_a_piece_of_work_completes_itself() {
    each_run(|experiment, what| {
        let (journal, want) = (without_bursts(&experiment.journal()), experiment.told());
        let ends = ends(&journal);
        for end in some(&ends[..ends.len() - 1]) {
            let told = experiment.go_on(&journal[..end]);
            // What an earlier version told after a row and lost is not known to be missing.
            assert_eq!(told.rows, want.rows, "{what}, cut at byte {end}");
            assert_eq!(told.conclusions(), want.conclusions(), "{what}, cut at byte {end}");
        }
    });
}

#[test]
fn what_a_damaged_line_said_is_told_again() {
    each_run(|experiment, what| {
        let (journal, want) = (experiment.journal(), experiment.told().sorted().uncounted());
        let ends = ends(&journal);
        // The end of the run is lost, so that it goes on.
        let kept = ends[ends.len() - 2];
        let lines: Vec<(usize, usize)> = ends[..ends.len() - 1].windows(2).map(|pair| (pair[0], pair[1])).collect();
        for (start, end) in some(&lines) {
            let mut damaged = journal[..kept].to_vec();
            damaged[start + 2..end - 2].fill(b'#');
            assert_eq!(experiment.go_on(&damaged).sorted().uncounted(), want, "{what}, line at byte {start}");
        }
    });
}

#[test]
fn a_run_ended_again_and_again_tells_everything_once() {
    let mut random = StdRng::seed_from_u64(4);
    each_run(|experiment, what| {
        let (whole, want) = (experiment.journal(), experiment.told());
        let mut journal = whole[..ends(&whole)[2]].to_vec();
        for end in 0..4 {
            let (told, continued) = experiment.go_on_to_journal(&journal);
            assert_eq!(told, want, "{what}, after {end} ends");
            // The next part of the run ends somewhere in what this part has told.
            let later: Vec<usize> = ends(&continued).into_iter().filter(|place| *place > journal.len()).collect();
            let Some(choices) = later.len().checked_sub(1).filter(|choices| *choices > 0) else { break };
            journal = continued[..later[random.random_range(0..choices)]].to_vec();
        }
    });
}
