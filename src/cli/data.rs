//! `attnlab data`: which data sets are there, fetching and checking them.

use super::args::{Data, DataAction, Fetch, WhichData};
use super::failure::Failure;
use super::signals::Listener;
use super::{output, table};
use crate::lab::{Choice, Places};
use crate::problems::data::{self, Checked, Contents, DataError, ListedSet, Loading, PassedOver};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::io::{IsTerminal, stderr};
use std::time::Duration;

/// Does what `attnlab data …` asks for.
pub fn data(arguments: &Data, places: &Places) -> Result<(), Failure> {
    match &arguments.action {
        DataAction::List(which) => list(which, places),
        DataAction::Fetch(which) => fetch(which, places),
        DataAction::Check(which) => check(which, places),
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Name { .. } | DataError::Option(_) => Self::bad_input(error.to_string()),
            DataError::Stopped => {
                Self::stopped("stopped; what was fetched is kept, the same command goes on from there")
            }
            _ => Self::failed(error.to_string()),
        }
    }
}

/// Every data set, or those named.
fn list(which: &WhichData, places: &Places) -> Result<(), Failure> {
    let names = data::names(&which.names)?.into_iter();
    let found = names.map(|name| data::list(name, &places.data, which.folder.as_deref()));
    let found = found.collect::<Result<Vec<_>, _>>()?;
    if which.json {
        let sets: Vec<Value> = found.iter().map(described).collect();
        return output::print_json(&json!({ "schema": 1, "data": places.data, "sets": sets }));
    }
    let headings =
        [("data set", false), ("train", true), ("test", true), ("classes", true), ("size", false), ("where", false)];
    output::print(&table::render(headings, found.iter().map(row)))?;
    for listed in &found {
        let told = listed.found.iter().flat_map(|there| there.notes.iter().cloned().chain(there.passed_over.told()));
        told.for_each(|line| output::complain(&format!("{}: {line}", listed.set.name)));
    }
    Ok(())
}

fn row(listed: &ListedSet) -> Vec<String> {
    let name = listed.set.name.to_owned();
    let unknown = |name, reason| vec![name, String::new(), String::new(), String::new(), String::new(), reason];
    match &listed.found {
        Ok(there) => vec![
            name,
            there.train.to_string(),
            there.test.to_string(),
            there.classes.len().to_string(),
            match there.size {
                Some(size) => format!("{size}×{size}×{}", there.channels),
                None => format!("any×{}", there.channels),
            },
            there.folder.as_ref().map_or_else(|| "built in".to_owned(), |folder| folder.display().to_string()),
        ],
        Err(DataError::Missing { .. }) if listed.can_be_fetched => {
            unknown(name, "not there, can be fetched".to_owned())
        }
        Err(DataError::Missing { .. }) => unknown(name, "not there".to_owned()),
        Err(error) => unknown(name, error.to_string()),
    }
}

fn described(listed: &ListedSet) -> Value {
    let Choice { name, help } = listed.set;
    match &listed.found {
        Ok(there) => json!({
            "name": name, "about": help, "there": true, "folder": there.folder, "train": there.train,
            "test": there.test, "classes": there.classes, "size": there.size, "channels": there.channels,
            "passed_over": passed_over(&there.passed_over), "notes": there.notes,
        }),
        Err(error) => json!({ "name": name, "about": help, "there": false, "problem": error.to_string() }),
    }
}

/// What was passed over, for machines: files by suffix, pictures beside the classes, folders.
fn passed_over(passed: &PassedOver) -> Value {
    json!({ "files": passed.files, "outside": passed.outside, "folders": passed.folders })
}

fn fetch(which: &Fetch, places: &Places) -> Result<(), Failure> {
    let listener = Listener::start()?;
    let mirrors = which.mirrors.iter().map(|mirror| with_slash(mirror)).collect::<Vec<_>>();
    for name in data::names(&which.names)? {
        let mut bar = Bar::new(name, true);
        let done = data::fetch(name, &places.data, &mirrors, &mut |loading| {
            bar.update(loading);
            !listener.wait(Duration::ZERO)
        });
        bar.clear();
        for file in done? {
            output::print(&format!("{name}: {}\n", file.display()))?;
        }
    }
    Ok(())
}

/// A file's name is put right behind its home.
fn with_slash(mirror: &str) -> String {
    if mirror.ends_with('/') { mirror.to_owned() } else { format!("{mirror}/") }
}

/// Reads every file of the sets that are there, or of those named, which must be.
fn check(which: &WhichData, places: &Places) -> Result<(), Failure> {
    let listener = Listener::start()?;
    let mut wrong = Vec::new();
    let mut reports = Vec::new();
    for name in data::names(&which.names)? {
        let mut bar = Bar::new(name, false);
        let done = data::check(name, &places.data, which.folder.as_deref(), &mut |loading| {
            bar.update(loading);
            !listener.wait(Duration::ZERO)
        });
        bar.clear();
        match done {
            Ok(checked) => {
                if !checked.skipped.is_empty() {
                    wrong.push(name);
                }
                tell(name, &checked, which.json)?;
                reports.push(json!({
                    "name": name, "right": checked.skipped.is_empty(), "published": checked.published,
                    "others": checked.others, "passed_over": passed_over(&checked.contents.passed_over),
                    "notes": checked.contents.notes,
                    "unreadable": checked.skipped.iter().map(|(file, why)| json!({"file": file, "why": why}))
                        .collect::<Vec<_>>(),
                }));
            }
            Err(DataError::Stopped) => return Err(Failure::stopped("stopped")),
            Err(DataError::Missing { .. }) if which.names.is_empty() => {}
            Err(error) => {
                if !which.json {
                    output::complain(&error.to_string());
                }
                wrong.push(name);
                reports.push(json!({ "name": name, "right": false, "problem": error.to_string() }));
            }
        }
    }
    if which.json {
        output::print_json(&json!({ "schema": 1, "data": places.data, "sets": reports }))?;
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failure::failed(format!("files are damaged or missing in: {}", wrong.join(", "))))
    }
}

fn tell(name: &str, checked: &Checked, json: bool) -> Result<(), Failure> {
    if json {
        return Ok(());
    }
    for (file, why) in &checked.skipped {
        output::complain(&format!("{name}: {}: {why}", file.display()));
    }
    let Contents { train, test, classes, passed_over, notes, .. } = &checked.contents;
    for line in notes.iter().cloned().chain(passed_over.told()) {
        output::complain(&format!("{name}: {line}"));
    }
    let mut line = format!("{name}: {train} training and {test} test images, {} classes", classes.len());
    if !checked.published.is_empty() {
        line += &format!("; {} files with the published MD5", checked.published.len());
    }
    if !checked.others.is_empty() {
        line += &format!("; {} readable files without a published MD5", checked.others.len());
    }
    if !checked.skipped.is_empty() {
        line += &format!("; {} unreadable files", checked.skipped.len());
    }
    output::print(&(line + "\n"))
}

/// A bar on standard error when it is a terminal, otherwise a line at the beginning of each stage.
struct Bar {
    set: &'static str,
    bytes: bool,
    stage: &'static str,
    shown: Option<(MultiProgress, ProgressBar)>,
}

impl Bar {
    fn new(set: &'static str, bytes: bool) -> Self {
        let shown = stderr().is_terminal().then(|| {
            let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            let count = if bytes { "{bytes}/{total_bytes} {bytes_per_sec}" } else { "{pos}/{len} {per_sec}" };
            let template = format!("{{prefix}} {{bar:24}} {count} {{eta}} left");
            let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = bars.add(ProgressBar::new(0)).with_style(style.progress_chars("━╸─"));
            output::share_with(&bars);
            (bars, bar)
        });
        Self { set, bytes, stage: "", shown }
    }

    fn update(&mut self, loading: &Loading) {
        let begins = self.stage != loading.stage;
        self.stage = loading.stage;
        match &self.shown {
            Some((_, bar)) => {
                if begins {
                    bar.reset();
                    bar.set_prefix(format!("{} {}", self.set, self.stage));
                }
                bar.set_length(loading.total as u64);
                bar.set_position(loading.done as u64);
            }
            None if begins => {
                let unit = if self.bytes { "bytes" } else { "pictures" };
                output::complain(&format!("{}: {} ({} {unit})", self.set, self.stage, loading.total));
            }
            None => {}
        }
    }

    fn clear(&self) {
        if let Some((bars, bar)) = &self.shown {
            bar.finish_and_clear();
            let _ = bars.clear();
            output::share_with_nobody();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_mirror_ends_with_a_slash() {
        assert_eq!(with_slash("http://host/a"), "http://host/a/");
        assert_eq!(with_slash("http://host/a/"), "http://host/a/");
    }

    #[test]
    fn the_row_of_a_set_says_what_is_there_or_why_not() {
        let listed = |name| row(&data::list(name, Path::new("nowhere"), None).unwrap());
        assert_eq!(listed("digits"), ["digits", "1437", "360", "10", "8×8×1", "built in"]);
        assert_eq!(listed("mnist")[5], "not there, can be fetched");
        assert_eq!(listed("folder")[5], "not there");
    }
}
