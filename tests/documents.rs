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

use attnlab::lab::{Kind, Param, Places, Problem, preset};
use attnlab::problems;
use folders::copy;
use program::program;
use std::collections::{BTreeMap, BTreeSet};
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
    let settings = problem.quick().iter().flat_map(|(key, text)| ["--set".to_owned(), format!("{key}={text}")]);
    // Inputs from a file do not read what cuts drawn ones down.
    settings.chain(["--allow-unread".to_owned()]).collect()
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
            let target = line.strip_prefix("attnlab run ").or_else(|| line.strip_prefix("attnlab sweep "));
            let below = ["status", "results", "cancel", "resume", "throttle"];
            let is_one = target.is_some_and(|target| !below.iter().any(|word| target.starts_with(word)));
            if !is_one || ["…", "NAME", "--help"].iter().any(|word| line.contains(word)) {
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
/// column; where the second is headed `what it stands for`, it has the line of help. Each parameter that is chosen by
/// name has such a table; one that several problems have with the same choices has it once.
#[test]
fn tables_of_choices_are_those_of_the_program() {
    let mut tables = BTreeMap::new();
    for document in documents() {
        let text = fs::read_to_string(root().join(&document)).unwrap();
        for part in text.split("\n<!-- choices ").skip(1) {
            let (words, rest) = part.split_once("-->").unwrap();
            let lines: Vec<String> =
                rest.trim_start().lines().take_while(|line| line.starts_with('|')).map(str::to_owned).collect();
            tables.insert(words.trim().to_owned(), (document.clone(), lines));
        }
    }
    let mut wrong = String::new();
    let there: Vec<String> = tables.keys().cloned().collect();
    for problem in problems::ALL {
        for param in problem.schema().iter() {
            let Kind::Choice(choices) = param.kind else { continue };
            let name = format!("{} {}", problem.name(), param.key);
            let stands_elsewhere = problems::ALL.iter().any(|other| {
                let same = |other: &Param| matches!(other.kind, Kind::Choice(others) if others == choices);
                other.schema().get(param.key).is_some_and(same)
                    && there.contains(&format!("{} {}", other.name(), param.key))
            });
            if stands_elsewhere && !there.contains(&name) {
                continue;
            }
            let (document, lines) = tables.remove(&name).unwrap_or_default();
            let told = lines.first().is_none_or(|heading| heading.contains("| what it stands for |"));
            let expected: Vec<String> = choices
                .iter()
                .map(|choice| {
                    let name = format!("| `{}` |", choice.name);
                    if told { format!("{name} {} |", choice.help.replace('|', "\\|")) } else { name }
                })
                .collect();
            let found = lines.iter().skip(2);
            let same = found.len() == expected.len()
                && found.zip(&expected).all(|(line, wanted)| line.starts_with(wanted.as_str()));
            if !same {
                let document = document.display();
                wrong += &format!("<!-- choices {name} --> (`{document}`)\n{}\n\n", expected.join("\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "tables that should be\n{wrong}");
    assert!(tables.is_empty(), "tables of no parameter that is chosen by name: {:?}", tables.keys());
}

/// The page of help of a command, and of every command below it.
fn pages(desk: &Desk, command: &[String], all: &mut Vec<(String, String)>) {
    let output = desk.call(&[command, &["--help".to_owned()]].concat());
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "attnlab {} --help: {}",
        command.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    let below = page.split("\nCommands:\n").nth(1).unwrap_or_default();
    for line in below.lines().take_while(|line| line.starts_with("  ")) {
        if let Some(word) = line.strip_prefix("  ").and_then(|line| line.split(' ').next()).filter(|w| !w.is_empty()) {
            pages(desk, &[command, &[word.to_owned()]].concat(), all);
        }
    }
    all.push((command.join(" "), page));
}

#[test]
fn every_option_of_every_command_is_documented() {
    let text = fs::read_to_string(root().join("docs/commands.md")).unwrap();
    let mut told: BTreeMap<String, BTreeSet<String>> = text
        .split("\n## `attnlab ")
        .skip(1)
        .map(|section| {
            let cells = section.lines().filter_map(|line| line.strip_prefix("| `"));
            let options = cells.filter_map(|cell| cell.split([' ', '`', '=']).find(|word| word.starts_with("--")));
            (section.split('`').next().unwrap().to_owned(), options.map(str::to_owned).collect())
        })
        .collect();
    let mut all = Vec::new();
    pages(&Desk::new(), &[], &mut all);
    for (command, page) in all.iter().filter(|(command, _)| !command.is_empty()) {
        // Those of places and the log stand in the README.
        let own =
            page.split("\nPlaces:").next().unwrap().lines().chain(page.split("\nSlurm:").skip(1).flat_map(str::lines));
        let options = own.filter_map(|line| {
            let line = line.strip_prefix("  ")?.trim_start();
            let line = line.split_once(", ").filter(|(short, _)| short.len() == 2).map_or(line, |(_, long)| long);
            line.split([' ', '=', '[']).next().filter(|word| word.starts_with("--"))
        });
        let common = ["--help", "--logs", "--data-dir", "--presets", "--log-level"];
        let options: BTreeSet<String> = options.filter(|word| !common.contains(word)).map(str::to_owned).collect();
        assert_eq!(told.remove(command).as_ref(), Some(&options), "docs/commands.md: `attnlab {command}`");
    }
    assert!(told.is_empty(), "docs/commands.md: no such commands: {:?}", told.keys());
}

/// The source of a test by its name: one file, or all those of a folder.
fn source_of_test(name: &str) -> String {
    let folder = root().join("tests").join(name);
    let mut files = vec![folder.with_extension("rs")];
    files.extend(fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()));
    let files = files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let text = |path: &PathBuf| fs::read_to_string(path).map(|text| format!("mod {}\n{text}", path.display()));
    files.filter_map(|path| text(path).ok()).collect()
}

#[test]
fn tests_that_documents_name_are_there() {
    let mut named = 0;
    for document in documents() {
        let text = fs::read_to_string(root().join(&document)).unwrap();
        let (blocks, prose) = split(&text);
        let lines = blocks
            .iter()
            .flat_map(|block| block.text.lines())
            .chain(prose.lines().filter(|line| line.starts_with("    ")));
        let spans = prose.split('`').skip(1).step_by(2);
        let all: Vec<String> =
            lines.chain(spans).map(|span| span.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        for command in all.iter().filter_map(|span| span.split_once("cargo test ")?.1.split('#').next()) {
            let mut sources = String::new();
            let mut words = command.split(' ').filter(|word| !word.is_empty());
            while let Some(word) = words.next() {
                match word {
                    "--test" => {
                        let name = words.next().unwrap();
                        let source = source_of_test(name);
                        assert!(!source.is_empty(), "{}: no test `{name}`", document.display());
                        sources += &source;
                    }
                    _ if word.starts_with('-') || sources.is_empty() => {}
                    filter => {
                        let is_there = sources.lines().any(|line| {
                            let is_name = line.trim_start().starts_with("fn ") || line.starts_with("mod ");
                            is_name && line.contains(filter)
                        });
                        assert!(is_there, "{}: `cargo test {command}`: no test `{filter}`", document.display());
                        named += 1;
                    }
                }
            }
        }
    }
    assert!(named > 10, "{named} tests are named");
}

#[test]
fn every_test_and_every_room_stands_in_its_table() {
    for (folder, table, begin) in [
        ("tests", "CONTRIBUTING.md", "`tests/"),
        ("src", "ARCHITECTURE.md", "`"),
        ("src/core", "ARCHITECTURE.md", "core/"),
    ] {
        let text = fs::read_to_string(root().join(table)).unwrap();
        for entry in fs::read_dir(root().join(folder)).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            let word = format!("{begin}{}", name.trim_end_matches(".rs"));
            let is_told = ["Cargo.toml", "lib.rs", "main.rs"].contains(&name.as_str()) || text.contains(&word);
            assert!(is_told, "{table} does not say what {folder}/{name} is");
        }
    }
}

#[test]
fn inputs_are_as_many_as_documents_say() {
    let text = fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    let count = |folder: &str| fs::read_dir(root().join(folder)).unwrap().count().to_string();
    let mut counted = 0;
    for line in text.lines().filter(|line| line.starts_with("| `tests/hostile/")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        assert_eq!(cells[2], count(cells[1].trim_matches('`')), "{line}");
        counted += 1;
    }
    assert_eq!(counted, 5);
    assert!(text.contains(&format!("({} of them, in `fuzz/fuzz_targets`", count("fuzz/fuzz_targets"))));
}
