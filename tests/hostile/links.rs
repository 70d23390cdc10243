//! Symbolic links in a folder of runs that lead out of it.

use super::Desk;
use super::runs::{PLAIN, TRAINING, put, read_all};
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn links_in_place_of_files_lead_nowhere() {
    for file in
        ["lock", "events.jsonl", "log.txt", "summary.json", "marks.json", "checkpoint.json", "checkpoint.safetensors"]
    {
        let desk = Desk::new();
        put(&desk, TRAINING, "bad");
        if file != "summary.json" {
            fs::remove_file(desk.path("logs/bad/summary.json")).unwrap();
        }
        let path = desk.path("logs/bad").join(file);
        fs::remove_file(&path).ok();
        symlink(desk.outside("precious"), &path).unwrap();
        read_all(&desk, &format!("{file} is a link"));
    }
}

#[test]
fn links_to_what_is_not_there_make_nothing() {
    for file in ["lock", "log.txt", "events.jsonl", "request"] {
        let desk = Desk::new();
        put(&desk, PLAIN, "bad");
        let path = desk.path("logs/bad").join(file);
        fs::remove_file(&path).ok();
        symlink(desk.outside("new"), &path).unwrap();
        read_all(&desk, &format!("{file} is a link to nothing"));
    }
}

#[test]
fn the_trash_is_a_folder_of_its_own() {
    let desk = Desk::new();
    put(&desk, PLAIN, "bad");
    symlink(desk.outside("folder"), desk.path("logs/.trash")).unwrap();
    desk.refused("the trash is a link", &["delete", "bad"], ".trash");
    assert!(desk.path("logs/bad/run.toml").is_file(), "the run stays");
}

#[test]
fn links_where_temporary_files_go_are_not_followed() {
    let desk = Desk::new();
    put(&desk, PLAIN, "bad");
    // Every name that a program which counts its files could take next.
    for pid in std::process::id()..std::process::id() + 2000 {
        symlink(desk.outside("new"), desk.path(&format!("logs/.writable-{pid}"))).unwrap();
    }
    read_all(&desk, "links beside");
}
