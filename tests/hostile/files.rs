//! Presets, matrices and trained models.

use super::{Desk, inputs, name};
use std::fs;

#[test]
fn presets_with_one_fault() {
    for input in inputs("presets") {
        let desk = Desk::new();
        fs::create_dir(desk.path("presets")).unwrap();
        fs::copy(&input, desk.path("presets").join(name(&input))).unwrap();
        let fault = name(&input);
        desk.call(&fault, &["run", &format!("presets/{fault}"), "--dry-run"]);
        desk.call(&fault, &["sweep", &format!("presets/{fault}"), "--dry-run"]);
        desk.call(&fault, &["presets"]);
        desk.call(&fault, &["presets", "--json"]);
        desk.call(&fault, &["run", "nothing"]);
    }
}

#[test]
fn matrices_with_one_fault() {
    for input in inputs("matrices") {
        let desk = Desk::new();
        let fault = name(&input);
        fs::copy(&input, desk.path(&fault)).unwrap();
        let [queries, keys] = ["queries", "keys"].map(|key| format!("{key}={fault}"));
        let ended = desk.call(
            &fault,
            &["run", "random-features", "--quiet", "--set", "inputs=file", "--set", &queries, "--set", &keys],
        );
        assert_eq!(ended.code, Some(2), "{fault}: {}", ended.err);
        let [x, y] = ["x", "y"].map(|key| format!("{key}={fault}"));
        let ended = desk.call(&fault, &["run", "hybrid", "--quiet", "--set", "inputs=file", "--set", &x, "--set", &y]);
        assert_eq!(ended.code, Some(2), "{fault}: {}", ended.err);
    }
}

#[test]
fn models_with_one_fault() {
    for input in inputs("models") {
        let desk = Desk::new();
        let fault = name(&input);
        fs::copy(&input, desk.path(&fault)).unwrap();
        let ended = desk.call(&fault, &["predict", "--checkpoint", &fault]);
        assert_eq!(ended.code, Some(2), "{fault}: {}", ended.err);
        let checkpoint = format!("checkpoint={fault}");
        let ended = desk
            .call(&fault, &["run", "random-features", "--quiet", "--set", "inputs=checkpoint", "--set", &checkpoint]);
        assert_eq!(ended.code, Some(2), "{fault}: {}", ended.err);
    }
}

#[test]
fn words_of_the_command_line_are_not_obeyed_either() {
    let desk = Desk::new();
    let escape = "\u{1b}]52;c;eA==\u{7}\u{202e}\nx";
    for arguments in [
        &["run", escape][..],
        &["run", "vit", "--set", &format!("{escape}=1")],
        &["run", "vit", "--set", &format!("epochs={escape}")],
        &["show", escape],
        &["list", escape],
        &["list", &format!("{escape}=1")],
        &["export", escape],
        &["predict", "--checkpoint", escape],
        &["data", "check", "folder", "--folder", escape],
        &["sweep", "status", escape],
        &["run", "vit", "--dry-run", "--set", "dataset=folder", "--set", &format!("folder={escape}")],
    ] {
        desk.call("an escape on the command line", arguments);
    }
}
