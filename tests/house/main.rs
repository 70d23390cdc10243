//! The structure of the source: imports go down the floors only, no files import each other in a circle, a type name
//! stands once, files stay small. Read from the syntax tree of every file in `src/`, paths by `super` included. And what is compiled:
//! no dependency twice.

mod dependencies;
mod imports;
mod tree;

use imports::imports;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use tree::Crates;

/// The floors of the house: a room may import from rooms of a lower floor and from itself. Everything else directly in
/// `src/core` lies below them all.
const FLOORS: &[(&str, u8)] = &[
    ("core/attention", 1),
    ("core/vision", 2),
    ("core/lib.rs", 2),
    ("lab", 1),
    ("problems", 3),
    ("console", 4),
    ("cli", 4),
    ("fuzzing.rs", 5),
    ("main.rs", 5),
    ("lib.rs", 5),
];

/// The most lines of a file.
const LINES: usize = 400;

fn source() -> Crates {
    Crates::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

/// The room that a file (a path below `src/`) lies in, with its floor.
fn room(file: &str) -> (&str, u8) {
    let names = if file.starts_with("core/") { 2 } else { 1 };
    let room = file.match_indices('/').nth(names - 1).map_or(file, |(end, _)| &file[..end]);
    let floor = FLOORS.iter().find(|(name, _)| *name == room).map_or(0, |(_, floor)| *floor);
    (room, floor)
}

#[test]
fn imports_go_down_the_floors() {
    let mut wrong = BTreeSet::new();
    for (from, to) in imports(&source()) {
        let ((room_from, floor_from), (room_to, floor_to)) = (room(&from), room(&to));
        if room_from != room_to && floor_to >= floor_from && !(floor_from == 0 && floor_to == 0) {
            wrong.insert(format!("{from} imports {to}"));
        }
    }
    assert!(wrong.is_empty(), "imports that do not go down:\n{}", listed(&wrong));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let circles: BTreeSet<String> = circles(&imports(&source())).iter().map(|circle| circle.join(" ↔ ")).collect();
    assert!(circles.is_empty(), "files that import each other:\n{}", listed(&circles));
}

#[test]
fn a_type_name_stands_once() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, file) in source().types() {
        places.entry(name).or_default().push(file);
    }
    places.retain(|_, files| files.len() > 1);
    let twice = places.iter().map(|(name, files)| format!("{name}: {}", files.join(", "))).collect();
    assert!(places.is_empty(), "type names that are defined more than once:\n{}", listed(&twice));
}

#[test]
fn files_stay_small() {
    let mut large = BTreeSet::new();
    for file in source().files() {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&file)).unwrap();
        let lines = text.lines().count();
        if lines > LINES {
            large.insert(format!("{file}: {lines} lines"));
        }
    }
    assert!(large.is_empty(), "files of more than {LINES} lines:\n{}", listed(&large));
}

fn listed(lines: &BTreeSet<String>) -> String {
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

/// The groups of files that reach each other by imports (strongly connected components of more than one file).
fn circles(imports: &BTreeSet<(String, String)>) -> Vec<Vec<String>> {
    let mut forward: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut backward: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in imports {
        forward.entry(from).or_default().push(to);
        backward.entry(to).or_default().push(from);
    }
    let reach = |start: &'_ str, next: &BTreeMap<&str, Vec<&str>>| {
        let mut seen = BTreeSet::from([start.to_owned()]);
        let mut open = vec![start.to_owned()];
        while let Some(file) = open.pop() {
            for other in next.get(file.as_str()).into_iter().flatten() {
                if seen.insert((*other).to_owned()) {
                    open.push((*other).to_owned());
                }
            }
        }
        seen
    };
    let mut placed: BTreeSet<String> = BTreeSet::new();
    let mut circles = Vec::new();
    for file in forward.keys() {
        if placed.contains(*file) {
            continue;
        }
        let circle: Vec<String> = reach(file, &forward).intersection(&reach(file, &backward)).cloned().collect();
        placed.extend(circle.iter().cloned());
        if circle.len() > 1 {
            circles.push(circle);
        }
    }
    circles
}
