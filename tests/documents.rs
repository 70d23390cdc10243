//! What the documents say is tried: every command and preset in them that is marked as runnable, the names in their
//! tables, and their links.
//!
//! A fenced block whose language is followed by the word `runs` is run, a line a command, in order, in a directory
//! that has some small runs; `RUN`, `RUN1`, `RUN2` stand for them. Long work is cut down by settings put behind. A
//! command in a line of text (`attnlab run …` or `attnlab sweep …`, without `…` or `NAME` in it) is planned with `--dry-run`.

#[path = "support/folders.rs"]
mod folders;
#[path = "support/program.rs"]
mod program;

use attnlab::lab::{Kind, Places, Problem, preset};
use attnlab::problems;
use folders::copy;
use program::program;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every document, by its path from the root.
fn documents() -> Vec<PathBuf> {
    let mut all = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "presets/README.md"].map(PathBuf::from).to_vec();
    let below = fs::read_dir(root().join("docs")).unwrap().flatten().map(|entry| entry.file_name());
    all.extend(
        below.map(|name| Path::new("docs").join(name)).filter(|path| path.extension().is_some_and(|e| e == "md")),
    );
    all.sort();
    all
}

/// A fenced block.
struct Block {
    /// The line it begins at, counted from 1.
    line: usize,
    language: String,
    runs: bool,
    text: String,
}

/// The fenced blocks of a document, and its text without them.
fn split(text: &str) -> (Vec<Block>, String) {
    let (mut blocks, mut rest, mut open) = (Vec::new(), String::new(), None::<Block>);
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(words)) => {
                let mut words = words.split_whitespace();
                let language = words.next().unwrap_or_default().to_owned();
                open = Some(Block {
                    line: index + 1,
                    language,
                    runs: words.any(|word| word == "runs"),
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text += &format!("{line}\n"),
            (None, None) => rest += &format!("{line}\n"),
        }
    }
    assert!(open.is_none(), "a block is not closed");
    (blocks, rest)
}

/// A directory to call the program from, with what the documents talk about.
struct Desk(TempDir);

/// A run of the fixtures that was stopped, with a checkpoint.
const STOPPED: &str = "tests/fixtures/runs-0.1/stopped/20260101-000000-vit-stopped";

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With finished runs of three attention kernels and two seeds, one that was stopped, the presets and a data set.
    fn furnished() -> Self {
        let desk = Self::new();
        let mut arguments = ["run", "vit", "--set", "attention=softmax,relu,exp", "--repeats", "2", "--quiet"]
            .map(str::to_owned)
            .to_vec();
        arguments.extend(settings(problems::find("vit").unwrap()));
        desk.expect("before the first block", &arguments);
        copy(&root().join(STOPPED), &desk.path("logs/stopped"));
        copy(&root().join("presets"), &desk.path("presets"));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn call(&self, arguments: &[String]) -> Output {
        program(self.0.path(), arguments).output().unwrap()
    }

    fn expect(&self, place: &str, arguments: &[String]) {
        let output = self.call(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{place}: attnlab {}: {said}", arguments.join(" "));
    }

    /// The name of a finished run, the oldest first.
    fn finished(&self, index: usize) -> String {
        let mut names: Vec<_> =
            fs::read_dir(self.path("logs")).unwrap().flatten().map(|entry| entry.file_name()).collect();
        names.retain(|name| name.to_string_lossy().contains("-vit-"));
        names.sort();
        names[index].to_string_lossy().into_owned()
    }

    /// `word` of a command with a run's name in place of `RUN`.
    fn filled(&self, word: &str) -> String {
        match word {
            "RUN" => "stopped".to_owned(),
            "RUN1" => self.finished(0),
            "RUN2" => self.finished(1),
            "DIR" => "data".to_owned(),
            other => other.replace("logs/ID", &format!("logs/{}", self.finished(0))),
        }
    }
}

/// `--set` for everything that cuts a problem down.
fn settings(problem: &dyn Problem) -> Vec<String> {
    problem.quick().iter().flat_map(|(key, text)| ["--set".to_owned(), format!("{key}={text}")]).collect()
}

/// What is put behind a command so that it takes a moment.
fn cut_down(words: &[String], desk: &Desk) -> Vec<String> {
    let runs = matches!(words.first().map(String::as_str), Some("run" | "sweep"));
    let Some(target) = words.get(1).filter(|_| runs && !words.iter().any(|word| word == "--help")) else {
        return Vec::new();
    };
    if let Some(problem) = problems::find(target) {
        return settings(problem);
    }
    let places = Places { presets: desk.path("presets"), ..Places::default() };
    let path = desk.path(target);
    let target = if path.is_file() { path.to_string_lossy().into_owned() } else { target.clone() };
    preset::find(&target, &places, problems::ALL).map_or_else(|_| Vec::new(), |preset| settings(preset.sweep.problem))
}

/// The words behind `attnlab`, up to a pipe or a comment.
fn words(line: &str) -> Option<Vec<String>> {
    let line = line.split("  #").next().unwrap_or(line);
    let words = shell_words::split(line).ok()?;
    let (program, rest) = words.split_first()?;
    let end = rest.iter().position(|word| word == "|").unwrap_or(rest.len());
    (program == "attnlab").then(|| rest[..end].to_vec())
}

#[test]
fn every_block_marked_as_runnable_runs() {
    let mut ran = 0;
    for document in documents() {
        let text = fs::read_to_string(root().join(&document)).unwrap();
        let blocks: Vec<Block> = split(&text).0.into_iter().filter(|block| block.runs).collect();
        if blocks.is_empty() {
            continue;
        }
        let desk = Desk::furnished();
        for block in blocks {
            let place = format!("{}:{}", document.display(), block.line);
            match block.language.as_str() {
                "sh" => {
                    for line in block.text.lines().filter(|line| !line.trim().is_empty()) {
                        let words = words(line).unwrap_or_else(|| panic!("{place}: not a command of attnlab: {line}"));
                        let mut words: Vec<String> = words.iter().map(|word| desk.filled(word)).collect();
                        words.extend(cut_down(&words, &desk));
                        desk.expect(&place, &words);
                        ran += 1;
                    }
                }
                "toml" => {
                    fs::write(desk.path("block.toml"), &block.text).unwrap();
                    let mut words = ["run", "block.toml", "--quiet"].map(str::to_owned).to_vec();
                    words.extend(cut_down(&words, &desk));
                    desk.expect(&place, &words);
                    ran += 1;
                }
                other => panic!("{place}: blocks of `{other}` cannot be run; write `sh` or `toml`"),
            }
        }
    }
    assert!(ran > 20, "{ran} commands are marked");
}

#[test]
fn every_command_in_a_line_of_text_can_be_planned() {
    let desk = Desk::new();
    for name in ["X.npy", "Y.npy"] {
        ndarray_npy::write_npy(desk.path(name), &ndarray::Array2::<f64>::ones((3, 4))).unwrap();
    }
    let mut planned = 0;
    for document in documents() {
        let text = fs::read_to_string(root().join(&document)).unwrap();
        let (_, prose) = split(&text);
        for span in prose.split('`').skip(1).step_by(2) {
            let line = span.split_whitespace().collect::<Vec<_>>().join(" ");
            let planable = ["attnlab run ", "attnlab sweep "].iter().any(|begin| line.starts_with(begin));
            if !planable
                || line.contains('…')
                || line.contains("NAME")
                || line.contains("--help")
                || line.contains("sweep status")
            {
                continue;
            }
            let mut words = words(&line).unwrap_or_else(|| panic!("{}: `{line}` cannot be read", document.display()));
            words.push("--dry-run".to_owned());
            desk.expect(&document.display().to_string(), &words);
            planned += 1;
        }
    }
    assert!(planned > 10, "{planned} commands in lines of text");
}

#[test]
fn every_link_leads_somewhere() {
    for document in documents() {
        let text = fs::read_to_string(root().join(&document)).unwrap();
        let folder = root().join(&document).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let inside = !link.is_empty() && !link.contains("://");
            assert!(!inside || folder.join(link).exists(), "{} points at {link}", document.display());
        }
    }
}

/// A table below `<!-- choices PROBLEM PARAMETER -->` has a line for each choice, in order, its name in the first
/// column; where the second is headed `what it stands for`, it has the line of help.
#[test]
fn tables_of_choices_are_those_of_the_program() {
    let mut tables = 0;
    for document in documents() {
        let text = fs::read_to_string(root().join(&document)).unwrap();
        for part in text.split("\n<!-- choices ").skip(1) {
            let (words, rest) = part.split_once("-->").unwrap();
            let (problem, key) = words.trim().split_once(' ').unwrap();
            let schema = problems::find(problem).unwrap().schema();
            let Kind::Choice(choices) = schema.get(key).unwrap().kind else { panic!("{key} is no choice") };
            let lines: Vec<&str> = rest.trim_start().lines().take_while(|line| line.starts_with('|')).collect();
            let told = lines[0].contains("| what it stands for |");
            let expected: Vec<String> = choices
                .iter()
                .map(|choice| {
                    let name = format!("| `{}` |", choice.name);
                    if told { format!("{name} {} |", choice.help.replace('|', "\\|")) } else { name }
                })
                .collect();
            let found: Vec<&str> = lines.iter().skip(2).copied().collect();
            let same = found.len() == expected.len()
                && found.iter().zip(&expected).all(|(line, wanted)| line.starts_with(wanted.as_str()));
            let document = document.display();
            assert!(same, "{document}: the table of {problem} {key} should be\n{}", expected.join("\n"));
            tables += 1;
        }
    }
    assert!(tables >= 6, "{tables} tables");
}
