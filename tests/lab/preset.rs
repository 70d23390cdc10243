//! Presets from text and files.

use crate::slope::{SLOPE, places};
use attnlab::lab::{Draft, Preset, Problem, Queue, Sweep, SweepMode, preset};
use std::path::Path;

const PROBLEMS: &[&dyn Problem] = &[&SLOPE];

fn parse(text: &str) -> Result<Preset, String> {
    Preset::parse(text, Path::new("steep.toml"), PROBLEMS).map_err(|error| error.to_string())
}

const WHOLE: &str = r#"
schema = 1
problem = "slope"
title = "Steep"
about = "Down we go"
repeats = 2

[params]
mode = "walk"
steps = 3
angle = "40..60 +10"
sizes = [1, 2, 3]
pause = 0.0

[sweep]
mode = "grid"
interleave = true
halve = ["mode"]
"#;

#[test]
fn a_preset_is_read_whole_and_written_back() {
    let preset = parse(WHOLE).unwrap();
    assert_eq!((preset.name.as_str(), preset.title.as_str(), preset.about.as_str()), ("steep", "Steep", "Down we go"));
    assert_eq!((preset.sweep.mode, preset.sweep.repeats), (SweepMode::Grid, 2));
    let specs = preset.sweep.specs().unwrap();
    assert_eq!(specs.len(), 6);
    assert_eq!(specs[2].params.ints("sizes"), [1, 2, 3]);
    assert_eq!(specs[0].title.as_deref(), Some("Steep"));

    let root = tempfile::tempdir().unwrap();
    let path = preset.save(&places(root.path())).unwrap();
    let again = Preset::read(&path, PROBLEMS).unwrap();
    let points = |preset: &Preset| preset.sweep.specs().unwrap().iter().map(|spec| spec.point()).collect::<Vec<_>>();
    assert_eq!(points(&preset), points(&again));
    assert_eq!(again.about, "Down we go");
    assert!(again.sweep.interleaved);
    assert_eq!(again.sweep.halved_within, Some(vec!["mode".to_owned()]));
    assert!(Preset { name: "../up".into(), ..preset }.save(&places(root.path())).is_err());
}

#[test]
fn what_is_wrong_is_said_with_file_line_key_and_what_is_allowed() {
    let head = "schema = 1\nproblem = \"slope\"\n";
    for (text, start, words) in [
        ("", "steep.toml: `schema` is missing", "schema = 1"),
        ("schema = 2\nproblem = 7\nnew = 1", "steep.toml:1: written in form 2", "up to form 1"),
        ("schema = \"1\"", "steep.toml:1: schema: found `\"1\"`", "allowed: 1"),
        ("schema = 1", "steep.toml: `problem` is missing", "slope"),
        ("schema = 1\nproblem = \"slop\"", "steep.toml:2: problem: found `\"slop\"`", "allowed: slope"),
        ("schema = 1\n\nproblem = ", "steep.toml:3: ", ""),
        ("schema = 1\nschema = 1", "steep.toml:2: ", "duplicate"),
        (&format!("{head}tilte = \"x\""), "steep.toml:3: unknown key `tilte` (did you mean `title`?)", "repeats"),
        (&format!("{head}repeats = 0"), "steep.toml:3: repeats: found `0`", "from 1 to 1000"),
        (&format!("{head}title = 3"), "steep.toml:3: title: found `3`", "text"),
        (&format!("{head}params = 3"), "steep.toml:3: params: found `3`", "[params]"),
        (&format!("{head}[params]\nstep = 3"), "steep.toml:4: unknown key `step` (did you mean `steps`?)", "angle"),
        (&format!("{head}[params]\nsteps = 0"), "steep.toml:4: steps: found `0`", "from 1 to 10000000"),
        (&format!("{head}[params]\nsteps = [1, true]"), "steep.toml:4: steps: found `yes`", "whole number"),
        (&format!("{head}[params]\nsteps = {{}}"), "steep.toml:4: steps: found `{}`", "range"),
        (&format!("{head}[params]\nsteps = [[1]]"), "steep.toml:4: steps: found `[1]`", "a value"),
        (&format!("{head}[params]\nmode = \"run\""), "steep.toml:4: mode: found `run`", "walk, panic"),
        (&format!("{head}[params]\nangle = \"0..1 +0\""), "steep.toml:4: angle: found `0..1 +0`", "not 0"),
        (&format!("{head}[sweep]\nmode = \"mesh\""), "steep.toml:4: sweep.mode: found `\"mesh\"`", "grid"),
        (&format!("{head}[sweep]\nkind = \"grid\""), "steep.toml:4: unknown key `sweep.kind`", "sweep.mode"),
        (&format!("{head}[sweep]\ninterleave = 1"), "steep.toml:4: sweep.interleave: found `1`", "true or false"),
        (&format!("{head}[sweep]\nhalve = true"), "steep.toml:4: sweep.halve: found `true`", "an array"),
        (&format!("{head}[sweep]\nhalve = [1]"), "steep.toml:4: sweep.halve: found `[1]`", "an array"),
    ] {
        let line = parse(text).expect_err(text);
        assert!(line.starts_with(start) && line.contains(words), "`{text}` says: {line}");
        assert!(!line.contains('\n'), "{line}");
    }
}

#[test]
fn presets_are_found_by_name_and_by_path() {
    let root = tempfile::tempdir().unwrap();
    let places = places(root.path());
    std::fs::create_dir(&places.presets).unwrap();
    std::fs::write(places.presets.join("steep.toml"), WHOLE).unwrap();
    std::fs::write(places.presets.join("broken.toml"), "schema = 1").unwrap();
    let all = preset::all(&places, PROBLEMS);
    assert!(all.iter().any(|(name, preset)| name == "broken" && preset.is_err()));
    assert!(all.iter().any(|(name, preset)| name == "steep" && preset.is_ok()));
    assert_eq!(preset::find("steep", &places, PROBLEMS).unwrap().title, "Steep");
    let path = places.presets.join("steep.toml");
    assert_eq!(preset::find(path.to_str().unwrap(), &places, PROBLEMS).unwrap().file, Some(path));
    let large = places.presets.join("large.toml");
    std::fs::write(&large, format!("{WHOLE}{}", "#".repeat(1 << 20))).unwrap();
    let error = preset::find(large.to_str().unwrap(), &places, PROBLEMS).unwrap_err().to_string();
    assert!(error.contains("large.toml: a preset has at most 1048576 bytes"), "{error}");
    let error = preset::find("steap", &places, PROBLEMS).unwrap_err().to_string();
    assert!(error.contains("did you mean `steep`?"), "{error}");
}

#[test]
fn the_record_of_a_run_is_a_preset_that_does_it_again() {
    let root = tempfile::tempdir().unwrap();
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let run = queue.submit(crate::slope::spec(&[("angle", "12.5"), ("sizes", "7"), ("seed", "3")])).unwrap();
    let again = Preset::read(&run.folder().join("run.toml"), PROBLEMS).unwrap().sweep.specs().unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].params, run.spec().params);
}

#[test]
fn every_shipped_preset_reads_and_expands() {
    let nowhere = tempfile::tempdir().unwrap();
    for (name, preset) in preset::all(&places(nowhere.path()), attnlab::problems::ALL) {
        let preset = preset.unwrap_or_else(|error| panic!("{error}"));
        let specs = preset.sweep.specs().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!specs.is_empty() && !preset.title.is_empty() && !preset.about.is_empty(), "{name}");
    }
}

#[test]
fn what_is_not_read_is_refused_but_not_where_it_was_run_before() {
    let features = attnlab::problems::find("random-features").unwrap();
    let schema = features.schema();
    let mut draft = Draft::new(&schema);
    for (key, text) in [("length", "8"), ("dim", "2"), ("m", "2"), ("trials", "1"), ("projection", "gaussian")] {
        draft.set(&schema, key, text).unwrap();
    }
    draft.set(&schema, "hub", "3").unwrap();
    let sweep = Sweep::new(features, draft);
    let found = sweep.specs().unwrap_err();
    assert_eq!(found.to_string(), sweep.unread()[0].to_string());
    assert_eq!((found.key.as_str(), found.found.as_str()), ("hub", "3"));

    // A form holds every field; its preset holds what is read.
    let sweep = sweep.allowing_unread();
    let root = tempfile::tempdir().unwrap();
    let preset =
        Preset { name: "form".into(), title: "Form".into(), about: String::new(), sweep: sweep.clone(), file: None };
    let saved = Preset::read(&preset.save(&places(root.path())).unwrap(), attnlab::problems::ALL).unwrap();
    assert_eq!(saved.sweep.draft.text("hub"), "2.4");
    assert_eq!(saved.sweep.specs().unwrap().len(), 1);

    // A run of it is read again, whoever asks.
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let run = queue.submit(sweep.first().unwrap()).unwrap();
    queue.shutdown(false);
    let again = Preset::read(&run.folder().join("run.toml"), attnlab::problems::ALL).unwrap().sweep.specs().unwrap();
    assert_eq!(again[0].params, run.spec().params);
    let queue = Queue::new(places(root.path()), 1).unwrap();
    let finished = queue.resume(run.folder(), attnlab::problems::ALL).err().unwrap();
    assert!(matches!(finished, attnlab::lab::LabError::Finished { .. }), "{finished}");
}
