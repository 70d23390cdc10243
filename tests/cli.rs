//! The program itself on the command line: results, exit status, files, signals, bad input.

#[path = "support/program.rs"]
mod program;
#[path = "support/results.rs"]
mod results;

use attnlab::console::keymap;
use attnlab::lab::{Places, preset};
use attnlab::problems;
use program::program;
use results::{run_folders, timeless};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A training that takes a moment.
const QUICK: &[&str] = &["dim=8", "depth=1", "heads=2", "epochs=1", "train_images=96", "test_images=48", "threads=1"];

/// A directory of one's own to call the program from: it works anywhere.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        program(self.0.path(), arguments)
    }

    fn call(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Calls and expects success; what stood on standard output.
    fn say(&self, arguments: &[&str]) -> String {
        let output = self.call(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.say(arguments)).unwrap()
    }

    /// Calls and expects one line about bad input.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.call(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(said.starts_with("attnlab: ") && said.lines().count() == 1, "{arguments:?}: {said}");
        said
    }

    fn runs(&self) -> Vec<PathBuf> {
        run_folders(self.0.path())
    }

    /// A training with signals sent to it once it trains.
    fn training(&self, epochs: &str) -> (Child, PathBuf) {
        let settings = vit(&["dim=16", "depth=1", "heads=2", epochs]);
        let mut command = self.command(&settings.iter().map(String::as_str).collect::<Vec<_>>());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until("it trains", || {
            self.runs().first().is_some_and(|run| {
                let journal = fs::read_to_string(run.join("events.jsonl")).unwrap_or_default();
                journal.matches("\"e\":\"p\"").count() > 3
            })
        });
        let run = self.runs().remove(0);
        (child, run)
    }
}

/// `run vit --set …`.
fn vit(settings: &[&str]) -> Vec<String> {
    let mut arguments = vec!["run".to_owned(), "vit".to_owned()];
    settings.iter().for_each(|setting| arguments.extend(["--set".to_owned(), (*setting).to_owned()]));
    arguments
}

fn quick(more: &[&str]) -> Vec<String> {
    let mut arguments = vit(QUICK);
    arguments.extend(more.iter().map(|text| (*text).to_owned()));
    arguments
}

fn borrowed(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < Duration::from_secs(60), "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_run_prints_one_document_and_leaves_its_folder() {
    let desk = Desk::new();
    let document = desk.json(&borrowed(&quick(&["--json"])));
    assert_eq!(keys(&document)[..7], ["schema", "problem", "params", "seed", "version", "machine", "rows"]);
    assert_eq!(document["schema"], 1);
    assert_eq!(document["params"]["dim"], 8);
    let row = &document["rows"][0];
    for key in [
        "attention",
        "dataset",
        "seed",
        "epochs",
        "train_images",
        "test_images",
        "parameters",
        "train_seconds",
        "train_images_per_second",
        "inference_seconds",
        "inference_images_per_second",
        "test_accuracy",
        "test_loss",
        "final_train_loss",
    ] {
        assert!(row.get(key).is_some_and(|value| !value.is_null()), "row without `{key}`: {row}");
    }
    assert_eq!((row["train_images"].as_u64(), row["test_images"].as_u64()), (Some(96), Some(48)));
    let run = &desk.runs()[0];
    let summary: Value = serde_json::from_str(&fs::read_to_string(run.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary, document, "the document on standard output is the run's own");
    for file in ["run.toml", "events.jsonl", "log.txt"] {
        assert!(run.join(file).is_file(), "no {file}");
    }
}

#[test]
fn the_same_run_gives_the_same_rows() {
    let desk = Desk::new();
    let first = desk.json(&borrowed(&quick(&["--json", "--set", "attention=relu"])));
    let again = desk.json(&borrowed(&quick(&["--json", "--set", "attention=relu"])));
    assert_eq!(timeless(&first), timeless(&again));
    let file = desk.runs()[0].join("run.toml");
    let third = desk.json(&["run", file.to_str().unwrap(), "--json"]);
    assert_eq!(timeless(&first), timeless(&third), "run.toml does the same run again");
    let other = desk.json(&borrowed(&quick(&["--json", "--set", "attention=relu", "--set", "seed=1"])));
    assert_ne!(timeless(&first), timeless(&other));
}

#[test]
fn people_get_a_table_and_progress_apart_from_each_other() {
    let desk = Desk::new();
    let output = desk.call(&borrowed(&quick(&[])));
    let (table, progress) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success() && table.contains("softmax") && table.contains("───"), "{table}");
    assert!(progress.lines().all(|line| line.starts_with("vit ")), "{progress}");
    assert!(progress.contains("images") && progress.contains("finished"), "{progress}");
    let quiet = desk.call(&borrowed(&quick(&["--quiet"])));
    assert!(quiet.status.success() && quiet.stderr.is_empty() && !quiet.stdout.is_empty());
}

#[test]
fn a_list_makes_runs_and_finished_points_are_not_done_again() {
    let desk = Desk::new();
    let more = ["--set", "attention=softmax,exp", "--repeats", "2", "--json", "--resume"];
    let document = desk.json(&borrowed(&quick(&more)));
    assert_eq!(document["params"]["attention"], serde_json::json!(["softmax", "exp"]));
    assert_eq!(document["params"]["seed"], serde_json::json!([0, 1]));
    assert_eq!(document["rows"].as_array().unwrap().len(), 4);
    assert_eq!(document["runs"].as_array().unwrap().len(), 4);
    assert_eq!(desk.runs().len(), 4);
    let again = desk.json(&borrowed(&quick(&more)));
    assert_eq!(again["rows"].as_array().unwrap().len(), 4);
    assert_eq!(desk.runs().len(), 4, "every point was there");
    let plan = desk.say(&borrowed(&quick(&["--set", "attention=softmax,exp", "--dry-run"])));
    assert!(plan.contains("attnlab run vit --set attention=exp") && plan.contains("# 2 runs"), "{plan}");
    assert_eq!(desk.runs().len(), 4, "a dry run runs nothing");
}

#[test]
fn runs_are_listed_shown_tagged_exported_and_put_away() {
    let desk = Desk::new();
    assert!(desk.say(&["list"]).starts_with("run "));
    desk.say(&borrowed(&quick(&["--quiet", "--title", "my first"])));
    let list = desk.json(&["list", "problem=vit", "test_accuracy>=0", "--json"]);
    let id = list["runs"][0]["id"].as_str().unwrap().to_owned();
    assert!(desk.say(&["list", "first"]).contains("my first"));
    assert!(!desk.say(&["list", "state=failed"]).contains(&id));
    for name in ["last", &id, &id[..id.len() - 1], desk.runs()[0].to_str().unwrap()] {
        assert!(desk.say(&["show", name]).contains("dim"), "show {name}");
    }
    assert_eq!(desk.json(&["show", "last", "--json"])["id"], id.as_str());
    desk.say(&["tag", "last", "baseline"]);
    assert!(desk.say(&["list", "tag=baseline"]).contains("#baseline"));
    let files = desk.say(&["export", "last", "--csv", "--svg", "--png", "--markdown", "--tensorboard", "-o", "out"]);
    for ending in ["-rows.csv", "-series.csv", ".svg", ".png", ".md", ".attnlab"] {
        assert!(files.lines().any(|file| file.ends_with(ending) && desk.path(file).is_file()), "{ending}: {files}");
    }
    assert!(desk.path(desk.say(&["report", "last"]).trim()).is_file());
    desk.say(&["delete", "last"]);
    assert!(desk.runs().is_empty());
}

#[test]
fn runs_that_differ_are_told_apart_in_lists() {
    let desk = Desk::new();
    let sweep = ["run", "hybrid", "--quiet", "--title", "study", "--set", "trials=20", "--set", "angles=3"];
    desk.say(&[&sweep[..], &["--set", "dim=8,16"]].concat());
    desk.say(&[&sweep[..], &["--set", "dim=8"]].concat());
    let list = desk.say(&["list"]);
    assert!(list.starts_with("all: hybrid angles=3 trials=20\n\nrun "), "what is equal in all: {list}");
    assert!(list.lines().any(|line| line.starts_with("run ") && line.contains(" dim ")), "what varies: {list}");
    let dims: Vec<&str> =
        list.lines().filter_map(|line| line.split(" study ").nth(1)?.split_whitespace().next()).collect();
    assert_eq!(dims, ["8", "16", "8"], "{list}");
    let document = desk.json(&["list", "--json"]);
    let runs = document["runs"].as_array().unwrap();
    let same = |run: &Value, other: &Value, key: &str| run[key] == other[key];
    for (run, other) in runs.iter().flat_map(|run| runs.iter().map(move |other| (run, other))) {
        assert_eq!(same(run, other, "label"), same(run, other, "params"), "{run} {other}");
    }
}

#[test]
fn conclusions_are_about_the_largest_budget_wherever_it_stands() {
    let desk = Desk::new();
    let run = ["run", "masked", "--quiet", "--set", "length=32", "--set", "trials=2", "--set", "method=coordinate"];
    for features in ["features=64,16", "features=16,64"] {
        desk.say(&[&run[..], &["--set", features]].concat());
        let shown = desk.say(&["show", "last"]);
        let conclusion = shown.lines().find(|line| line.contains("which estimator")).unwrap();
        assert!(conclusion.contains("at M = 64)"), "{features}: {conclusion}");
    }
}

#[test]
fn a_trained_model_gives_its_logits_away() {
    let desk = Desk::new();
    desk.say(&borrowed(&quick(&["--quiet"])));
    let checkpoint = desk.runs()[0].join("checkpoint.safetensors");
    let arguments = ["predict", "--checkpoint", checkpoint.to_str().unwrap(), "--dataset", "digits"];
    let more = ["--split", "test", "--limit", "10", "--logits", "logits.npy"];
    let said = desk.say(&[&arguments[..], &more[..]].concat());
    assert!(said.contains("10 images"), "{said}");
    let file = fs::read(desk.path("logits.npy")).unwrap();
    assert!(file.starts_with(b"\x93NUMPY"));
    let header = String::from_utf8_lossy(&file[..128]).into_owned();
    assert!(header.contains("'<f4'") && header.contains("(10, 10)"), "{header}");
    assert_eq!(file.len(), 128 + 10 * 10 * 4);
}

#[test]
fn bad_input_is_one_line_that_says_what_is_allowed() {
    let desk = Desk::new();
    fs::write(desk.path("broken.toml"), "schema = 1\nproblem = \"vit\"\n[params]\ndepht = 3\n").unwrap();
    fs::write(desk.path("newer.toml"), "schema = 7\nproblem = \"vit\"\n").unwrap();
    for (arguments, words) in [
        (&["run", "vit", "--set", "attention=sofmax"][..], &["attention", "sofmax", "did you mean `softmax`"][..]),
        (&["run", "vit", "--set", "epoch=3"], &["epoch", "did you mean `epochs`"]),
        (&["run", "vit", "--set", "epochs=0"], &["epochs", "`0`", "a whole number from 1 to"]),
        (&["run", "vit", "--set", "epochs"], &["KEY=VALUE"]),
        (&["run", "vit", "--set", "dim=30", "--set", "heads=4"], &["heads", "divisor"]),
        (&["run", "vti"], &["vti", "did you mean `vit`", "preset"]),
        (&["run", "broken.toml"], &["broken.toml:4", "depht", "did you mean `depth`"]),
        (&["run", "newer.toml"], &["newer.toml:1", "form 7"]),
        (&["run", "missing.toml"], &["missing.toml"]),
        (&["run"], &["PROBLEM|PRESET"]),
        (&["rnu"], &["rnu", "attnlab --help"]),
        (&["run", "vit", "--repeats", "0"], &["repeats", "1..="]),
        (&["show", "nothing"], &["nothing", "attnlab list"]),
        (&["show", "last"], &["no run"]),
        (&["list", "test_accuracy>high"], &["character 15", "`high`", "a number"]),
        (&["list", "acuracy>1"], &["character 1", "acuracy"]),
        (&["params", "vitt"], &["did you mean `vit`"]),
        (&["completions", "tcsh"], &["tcsh", "bash"]),
        (&[], &["terminal", "attnlab run"]),
    ] {
        let said = desk.refused(arguments);
        for word in words {
            assert!(said.contains(word), "{arguments:?} should say `{word}`: {said}");
        }
    }
    assert!(desk.runs().is_empty(), "nothing was begun");
}

#[test]
fn a_file_of_tokens_has_its_own_length_everywhere() {
    let desk = Desk::new();
    ndarray_npy::write_npy(desk.path("q.npy"), &ndarray::Array2::<f32>::from_elem((64, 8), 0.1)).unwrap();
    ndarray_npy::write_npy(desk.path("long.npy"), &ndarray::Array2::<f32>::zeros((1_000_000, 1))).unwrap();
    let run = ["run", "masked", "--set", "inputs=file", "--set", "method=tensor", "--set", "features=32"];
    let files = ["--set", "queries=q.npy", "--set", "keys=q.npy"];
    let attention = [&run[..], &files, &["--set", "task=attention"]].concat();
    let line = desk.refused(&[&attention[..], &["--set", "length=1024..8192 x2"]].concat());
    assert!(line.contains("length: found `1024..8192 x2`, allowed: only with inputs=gauss"), "{line}");
    let line = desk.refused(&[&attention[..], &["--set", "mask_queries=q.npy"]].concat());
    assert!(line.contains("only with mask=file"), "{line}");
    let lengths = ["--allow-unread", "--quiet", "--json", "--set", "length=1024..8192 x2"];
    let document = desk.json(&[&attention[..], &lengths].concat());
    let rows = document["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["length"], &rows[0]["source"]), (1, &64.into(), &"q.npy".into()));
    assert!(!document["notes"].to_string().contains("grows as"), "{}", document["notes"]);
    assert!(desk.say(&["list"]).contains("file L=64 layer=0 head=0"));
    let line = desk.refused(&[&run[..], &["--set", "queries=long.npy", "--set", "keys=long.npy"]].concat());
    assert!(line.contains("queries: found `long.npy, with which the run needs"), "{line}");
}

#[test]
fn a_trained_model_gives_its_heads_to_masked_and_hybrid() {
    let desk = Desk::new();
    desk.say(&borrowed(&quick(&["--quiet"])));
    let model = desk.runs()[0].file_name().unwrap().to_str().unwrap().to_owned();
    let checkpoint = format!("checkpoint={model}");
    let from = ["--quiet", "--json", "--set", "inputs=checkpoint", "--set", &checkpoint];
    let masked = ["--set", "task=attention", "--set", "method=tensor", "--set", "features=32", "--set", "head=all"];
    let hybrid = ["--set", "head=1", "--set", "pairs=3", "--set", "trials=5", "--set", "base=positive"];
    for (problem, settings, heads) in [("masked", &masked[..], &[0, 1][..]), ("hybrid", &hybrid, &[1, 1, 1])] {
        let document = desk.json(&[&["run", problem][..], &from, settings].concat());
        let rows = document["rows"].as_array().unwrap();
        let found: Vec<_> = rows.iter().map(|row| row["head"].as_u64().unwrap()).collect();
        assert_eq!(found, heads, "{problem}");
        assert!(rows.iter().all(|row| row["source"] == *model && row["layer"] == 0 && row["dim"] == 4), "{rows:?}");
    }
}

#[test]
fn a_parameter_that_is_not_read_is_refused() {
    let desk = Desk::new();
    let refuses = |settings: &[&str], words: &str| {
        for command in [&["run"][..], &["sweep"], &["run", "--dry-run"], &["sweep", "--commands"]] {
            let settings = settings.iter().flat_map(|setting| ["--set", setting]);
            let arguments: Vec<&str> = command.iter().copied().chain(["random-features"]).chain(settings).collect();
            let line = desk.refused(&arguments);
            assert!(line.contains(words), "{arguments:?}: {line}");
        }
    };
    refuses(
        &["inputs=hub", "sigma=2"],
        "sigma: found `2`, allowed: only with inputs=gauss or inputs=outlier, here inputs=hub",
    );
    refuses(&["inputs=hub,cluster", "sigma=2"], "here inputs=hub,cluster");
    refuses(&["hub=3"], "hub: found `3`, allowed: only with inputs=hub, here inputs=gauss: set inputs=hub as well");
    refuses(&["queries=q.npy"], "only with inputs=file, here inputs=gauss: set inputs=file as well");
    refuses(&["estimator=positive,trigonometric", "hybrid_n=2"], "only with estimator=hybrid");
    let line = desk.refused(&["run", "vit", "--set", "folder=pictures"]);
    assert!(line.contains("folder: found `pictures`, allowed: only with dataset=folder or dataset=idx"), "{line}");
    assert!(desk.runs().is_empty());

    // One of several values that reads it is enough, and so is a value that is the default.
    for settings in [["inputs=hub,gauss", "sigma=2"], ["inputs=hub", "sigma=0.50"], ["inputs=hub", "hub=2"]] {
        let [first, second] = settings;
        desk.say(&["run", "random-features", "--set", first, "--set", second, "--dry-run"]);
    }
    let line = desk.refused(&["recommend", "--set", "inputs=hub", "--set", "sigma=2"]);
    assert!(line.contains("sigma: found `2`, allowed: only with inputs=gauss or inputs=outlier"), "{line}");
    let line = desk.refused(&["recommend", "--layer", "1"]);
    assert!(line.contains("layer: found `1`, allowed: only with inputs=file or inputs=checkpoint"), "{line}");

    let line = desk.refused(&["recommend", "--set", "m=64"]);
    assert!(line.contains("m: found `64`, allowed: nothing: a recommendation does not read it"), "{line}");

    let declared = desk.json(&["params", "random-features", "--json"]);
    let with = |key: &str| {
        let params = declared["params"].as_array().unwrap();
        params.iter().find(|param| param["key"] == key).unwrap()["read_with"].clone()
    };
    assert_eq!(with("sigma"), serde_json::json!({ "inputs": ["gauss", "outlier"] }));
    assert_eq!(with("inputs"), Value::Null);
    for page in [&["params", "random-features"][..], &["run", "random-features", "--help"]] {
        assert!(desk.say(page).contains("read only with inputs=gauss or inputs=outlier"));
    }
}

#[test]
fn a_run_with_a_parameter_that_is_not_read_is_repeated_with_a_warning() {
    let desk = Desk::new();
    let settings = ["--set", "length=16", "--set", "dim=4", "--set", "m=4", "--set", "trials=2", "--set", "hub=3"];
    let run = [&["run", "random-features", "--json", "--quiet"][..], &settings].concat();
    desk.refused(&run);
    let first = desk.json(&[&run[..], &["--allow-unread"]].concat());
    assert!(first["command"].as_str().unwrap().ends_with(" --allow-unread"), "{first}");
    let record = desk.runs()[0].join("run.toml");
    let again = desk.call(&["run", record.to_str().unwrap(), "--json", "--quiet"]);
    let told = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(again.status.success(), "{told}");
    assert!(told.contains("is not read: only with inputs=hub, here inputs=gauss"), "{told}");
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((&again["point"], &again["params"]), (&first["point"], &first["params"]));
    // What a queue of one's own runs is the same point.
    let settings = [&settings[..], &["--set", "seed=0,1", "--allow-unread"]].concat();
    let left = desk.say(&[&["sweep", "random-features", "--commands"][..], &settings].concat());
    assert_eq!(left.lines().count(), 1, "{left}");
    assert!(left.contains("seed=1") && left.contains(" --allow-unread"), "{left}");
}

#[test]
fn missing_data_is_bad_input_and_says_what_to_do() {
    let desk = Desk::new();
    let output = desk.call(&["run", "vit", "--set", "dataset=mnist", "--quiet", "--data-dir", "nowhere"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("nowhere") && said.contains("train-images") && said.lines().count() == 1, "{said}");
    assert!(desk.say(&["list", "state=failed"]).contains("vit"), "the run is kept with its reason");
    assert!(desk.refused(&["export", "last", "--svg"]).contains("no plot of these runs has a point"));
    assert!(!desk.path("export").exists(), "nothing is written");
}

#[test]
fn logs_that_cannot_be_written_are_named_before_any_work() {
    let desk = Desk::new();
    fs::write(desk.path("file"), "").unwrap();
    for place in ["file", "file/below"] {
        let said = desk.refused(&borrowed(&quick(&["--logs", place])));
        assert!(said.contains(place), "{said}");
    }
    let output = desk.command(&borrowed(&quick(&["--quiet"]))).env("ATTNLAB_LOGS", "elsewhere").output().unwrap();
    assert!(output.status.success() && desk.path("elsewhere").is_dir() && !desk.path("logs").exists());
}

#[test]
fn a_signal_stops_a_run_and_keeps_what_was_done() {
    for end in [Signal::INT, Signal::TERM] {
        let desk = Desk::new();
        let (mut child, run) = desk.training("epochs=100000");
        signal(&child, end);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let summary: Value = serde_json::from_str(&fs::read_to_string(run.join("summary.json")).unwrap()).unwrap();
        assert_eq!(summary["state"], "stopped");
        let journal = fs::read_to_string(run.join("events.jsonl")).unwrap();
        assert!(journal.ends_with('\n') && journal.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    }
}

#[test]
fn work_outlives_its_terminal() {
    let desk = Desk::new();
    let (mut child, run) = desk.training("epochs=3");
    signal(&child, Signal::HUP);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let summary: Value = serde_json::from_str(&fs::read_to_string(run.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["state"], "finished");
}

#[test]
fn help_completions_and_pipes() {
    let desk = Desk::new();
    assert_eq!(desk.say(&["--version"]).trim(), concat!("attnlab ", env!("CARGO_PKG_VERSION")));
    let version = desk.say(&["--version", "--verbose"]);
    for line in ["commit        ", "build         ", "instructions  ", "machine       "] {
        assert!(version.contains(line), "{version}");
    }
    assert!(desk.refused(&["--verbose"]).contains("--version"));
    let pages = desk.say(&["man", "pages"]);
    for name in ["attnlab.1", "attnlab-run.1", "attnlab-sweep-status.1"] {
        assert!(pages.contains(&format!("pages/{name}\n")), "{pages}");
        let page = fs::read_to_string(desk.path("pages").join(name)).unwrap();
        assert!(page.contains(".SH NAME") && page.contains(".SH OPTIONS"), "{page}");
    }
    assert!(desk.say(&["--help"]).contains("Examples:"));
    for command in ["run", "sweep"] {
        assert!(desk.say(&[command, "--help"]).contains("--set <KEY=VALUE>"), "{command}");
    }
    for problem in problems::ALL {
        let page = desk.say(&["run", problem.name(), "--help"]);
        for param in problem.schema().iter() {
            assert!(page.contains(&format!("  {}={}", param.key, param.default)), "{}: {page}", param.key);
        }
        for column in problem.columns() {
            assert!(page.contains(column.key), "{} lacks {}", problem.name(), column.key);
        }
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(desk.say(&["completions", shell]).contains("presets"), "{shell}");
    }
    // A reader that goes away is no failure and no panic.
    let mut child =
        desk.command(&["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn variants_are_compared_over_seeds() {
    let desk = Desk::new();
    let document = desk.json(&borrowed(&quick(&["--set", "attention=softmax,exp", "--repeats", "3", "--json"])));
    let of = |attention: &str| -> Vec<f64> {
        let rows = document["rows"].as_array().unwrap().iter().filter(|row| row["attention"] == attention);
        rows.map(|row| row["test_loss"].as_f64().unwrap()).collect()
    };
    let (softmax, exp) = (of("softmax"), of("exp"));
    let order = ["compare", "problem=vit", "--by", "attention", "--against", "softmax", "--number", "test_loss"];
    let found = desk.json(&[&order[..], &["--json"]].concat());
    let variants = found["comparisons"][0]["variants"].as_array().unwrap();
    assert_eq!(
        (variants.len(), &variants[0]["values"][0], &variants[1]["values"][0]),
        (2, &"softmax".into(), &"exp".into())
    );
    let mean = exp.iter().sum::<f64>() / 3.0;
    assert!((variants[1]["means"][0]["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
    let paired = &variants[1]["against"][0];
    let difference = exp.iter().zip(&softmax).map(|(a, b)| a - b).sum::<f64>() / 3.0;
    assert!((paired["difference"]["mean"].as_f64().unwrap() - difference).abs() < 1e-12);
    assert!(paired["pairs"] == 3 && (0.0..=1.0).contains(&paired["p"].as_f64().unwrap()), "{paired}");
    let said = desk.say(&order);
    assert!(said.contains("less softmax") && said.contains("Means over seeds with 95 % intervals"), "{said}");
    assert_eq!(paired["p"], paired["p_holm"], "one test alone needs no correction: {paired}");
    let markdown = desk.say(&["compare", "problem=vit", "--by", "attention", "--against", "softmax", "--markdown"]);
    assert!(
        markdown.starts_with("| attention | runs | test accuracy | less softmax | p | p (Holm) |\n|"),
        "{markdown}"
    );
    assert!(markdown.contains("| ---: |") && markdown.matches("**").count() >= 4, "{markdown}");
    let latex = desk.say(&[&order[..], &["--latex"]].concat());
    assert!(latex.contains("\\toprule\nattention & runs & test loss &") && latex.contains("$\\pm$"), "{latex}");
    assert!(desk.refused(&[&order[..], &["--latex", "--csv"]].concat()).contains("cannot be used with"));
    // Every line of comma-separated values has as many cells as there are headings.
    let csv = desk.say(&[&order[..], &["--csv"]].concat());
    let cells: Vec<usize> = csv.lines().map(|line| line.split(',').count()).collect();
    assert_eq!(cells, [cells[0]; 3], "{csv}");
    assert!(csv.contains("less_softmax_p,less_softmax_p_holm"), "{csv}");
    // Every seed is told with its run.
    let seeds = desk.say(&[&order[..], &["--seeds", "--csv"]].concat());
    assert!(seeds.starts_with("setting,attention,seed,run,test_loss\n") && seeds.lines().count() == 7, "{seeds}");
    // Two parameters make a variant; differences are taken within the second.
    let two = ["compare", "problem=vit", "--by", "attention,seed", "--against", "softmax", "--json"];
    let variants = &desk.json(&two)["comparisons"][0]["variants"];
    assert_eq!((variants.as_array().unwrap().len(), &variants[5]["values"][0]), (6, &"exp".into()));
    assert_eq!(variants[5]["against"][0]["pairs"], 1, "{variants}");
    assert!(desk.refused(&[&order[..4], &["--against", "soft"]].concat()).contains("has attention=soft"));
    assert!(desk.refused(&["compare", "--by", "attentoin"]).contains("did you mean `attention`"));
}

#[test]
fn variants_at_rates_of_their_own_are_paired() {
    let desk = Desk::new();
    for (attention, rate) in [("softmax", "lr=0.001"), ("exp", "lr=0.004")] {
        let attention = format!("attention={attention}");
        desk.json(&borrowed(&quick(&["--set", &attention, "--set", rate, "--repeats", "3", "--json"])));
    }
    let compared = |own: &[&str]| {
        let order = ["compare", "problem=vit", "--by", "attention", "--against", "exp", "--json"];
        desk.json(&[&order[..], own].concat())["comparisons"].clone()
    };
    assert_eq!(
        compared(&[])[1]["variants"][0]["against"],
        serde_json::json!([]),
        "two settings without a word on rates"
    );
    let found = compared(&["--own", "lr"]);
    let softmax = &found[0]["variants"][0];
    assert_eq!((&softmax["values"][0], &softmax["own"][0][0]), (&"softmax".into(), &"0.001".into()));
    assert_eq!(softmax["against"][0]["pairs"], 3, "{found}");
    let page = desk.say(&["compare", "problem=vit", "--by", "attention", "--own", "lr"]);
    assert!(page.starts_with("attention   lr      runs"), "{page}");

    desk.json(&borrowed(&quick(&["--set", "attention=exp", "--set", "lr=0.002", "--json"])));
    let refused = |own: &str| desk.refused(&["compare", "problem=vit", "--by", "attention", "--own", own]);
    assert!(refused("lr").contains("--own: found runs of attention=exp with lr=0.002 and 0.004, allowed: one value"));
    assert!(refused("seed").contains("--own: found `seed`, allowed: parameters but the seed"));
    assert!(refused("rate").contains("--own: "));
}

#[test]
fn typed_functions_are_paired_with_a_shipped_kernel() {
    let desk = Desk::new();
    let functions = ["--set", "attention=custom", "--set", "f=relu(u)+0.001|exp(u)", "--repeats", "3", "--json"];
    for order in [&["--set", "attention=relu", "--repeats", "3", "--json"][..], &functions] {
        desk.json(&borrowed(&quick(order)));
    }
    let order = ["compare", "problem=vit", "--by", "attention,f", "--against", "relu"];
    let found = desk.json(&[&order[..], &["--json"]].concat())["comparisons"].clone();
    assert_eq!(found.as_array().unwrap().len(), 1, "one setting: {found}");
    let variants = found[0]["variants"].as_array().unwrap();
    let named: Vec<&str> = variants.iter().filter_map(|variant| variant["values"][1].as_str()).collect();
    assert_eq!(named, ["–", "exp(u)", "relu(u)+0.001"], "relu has no function of its own");
    for variant in &variants[1..] {
        assert_eq!(variant["against"][0]["pairs"], 3, "{variant}");
    }
    assert_eq!(variants[2]["against"][0]["difference"]["mean"], 0.0, "the same kernel, typed");
    // Both functions might be the base: none is.
    let refused = desk.json(&[&order[..5], &["custom", "--json"]].concat())["comparisons"][0]["variants"][0].clone();
    assert_eq!(refused["against"][0]["pairs"], 0, "{refused}");
}

#[test]
fn every_shipped_preset_runs() {
    let desk = Desk::new();
    let presets = preset::all(&Places { presets: desk.path("presets"), ..Places::default() }, problems::ALL);
    assert!(!presets.is_empty());
    let listed = desk.say(&["presets"]);
    for (name, preset) in presets {
        let preset = preset.unwrap_or_else(|error| panic!("{error}"));
        assert!(listed.contains(&name) && !preset.about.is_empty(), "{name} is listed and says what it shows");
        let mut arguments = vec!["run", &name, "--json", "--quiet", "--repeats", "1"];
        let settings: Vec<String> =
            preset.sweep.problem.quick().iter().map(|(key, text)| format!("{key}={text}")).collect();
        settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
        // Inputs from a file do not read what cuts drawn ones down.
        arguments.push("--allow-unread");
        let schema = preset.sweep.problem.schema();
        let needs_data = schema.iter().any(|param| preset.sweep.draft.text(param.key).contains("$ATTNLAB_DATA"));
        let data = std::env::var_os("ATTNLAB_DATA");
        if needs_data && data.is_none() {
            let answer = desk.call(&arguments);
            let said = String::from_utf8_lossy(&answer.stderr);
            assert!(answer.status.code() == Some(2) && said.contains("ATTNLAB_DATA is not set"), "{name}: {said}");
            eprintln!("{name}: skipped: ATTNLAB_DATA names no directory of data");
            continue;
        }
        let mut command = desk.command(&arguments);
        if let (true, Some(data)) = (needs_data, data) {
            command.env("ATTNLAB_DATA", data);
        }
        let answer = command.output().unwrap();
        assert!(answer.status.success(), "{name}: {}", String::from_utf8_lossy(&answer.stderr));
        let document: Value = serde_json::from_slice(&answer.stdout).unwrap();
        let rows = document["rows"].as_array().unwrap();
        assert!(!rows.is_empty(), "{name} has no rows");
        let columns: Vec<&str> = preset.sweep.problem.columns().iter().map(|column| column.key).collect();
        for key in rows.iter().flat_map(keys) {
            assert!(columns.contains(&key), "{name}: the column `{key}` is not declared");
        }
    }
    let declared = desk.json(&["presets", "--json"]);
    assert!(declared["presets"][0]["params"].is_object());
}

#[test]
fn the_readme_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains(&keymap::markdown()), "put what `attnlab keys` prints into README.md");
    for (name, _) in preset::all(&Places { presets: root.join("none"), ..Places::default() }, problems::ALL) {
        assert!(readme.contains(&format!("`{name}`")), "README.md lacks the preset `{name}`");
    }
    for (file, text) in
        [("README.md", &readme), ("docs/README.md", &fs::read_to_string(root.join("docs/README.md")).unwrap())]
    {
        let folder = root.join(file).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let inside = !link.is_empty() && !link.contains("://");
            assert!(!inside || folder.join(link).exists(), "{file} points at {link}");
        }
    }
}
