//! `attnlab data` as a user meets it.

use crate::http::{Served, Server};
use crate::make::{put, real, small_folder, small_mnist};
use attnlab::vision::dataset::DataSource;
use attnlab::vision::dataset::fetch::files;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs `attnlab data …` on the data directory `data`.
fn run(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attnlab"));
    command.current_dir(data).env_remove("ATTNLAB_DATA").args(["--data-dir", ".", "data"]).args(arguments);
    command.output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn list_says_what_is_there() {
    let data = crate::make::place();
    small_mnist(&data.path().join("mnist"));
    let listed = run(data.path(), &["list", "--json"]);
    assert!(listed.status.success(), "{}", text(&listed.stderr));
    let document: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("one JSON document");
    let sets = document["sets"].as_array().unwrap();
    assert_eq!(sets.len(), DataSource::ALL.len());
    let of = |name: &str| sets.iter().find(|set| set["name"] == name).unwrap();
    assert_eq!((&of("mnist")["train"], &of("mnist")["there"]), (&12.into(), &true.into()));
    assert_eq!((&of("digits")["test"], &of("cifar-10")["there"]), (&360.into(), &false.into()));
    let table = text(&run(data.path(), &["list"]).stdout);
    assert!(table.contains("built in") && table.contains("not there, can be fetched"), "{table}");
}

#[test]
fn check_fails_where_a_file_is_wrong_and_names_it() {
    let data = crate::make::place();
    small_folder(&data.path().join("image-folder"));
    let good = run(data.path(), &["check"]);
    assert_eq!(good.status.code(), Some(0), "{}", text(&good.stderr));
    put(&data.path().join("image-folder/train/ant/text.JPEG"), b"text");
    let bad = run(data.path(), &["check", "folder"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(text(&bad.stderr).contains("text.JPEG: is neither JPEG nor PNG"), "{}", text(&bad.stderr));
    put(&data.path().join("mnist/train-images-idx3-ubyte"), b"damaged");
    let damaged = run(data.path(), &["check", "--json"]);
    assert_eq!(damaged.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_slice(&damaged.stdout).expect("one JSON document");
    assert!(document["sets"].as_array().unwrap().iter().any(|set| set["name"] == "mnist" && set["right"] == false));
}

#[test]
fn what_cannot_be_fetched_is_bad_input() {
    let data = crate::make::place();
    for (name, said) in
        [("mnits", "no data set is called `mnits`"), ("imagenet", "train/CLASS/*"), ("digits", "built in")]
    {
        let refused = run(data.path(), &["fetch", name]);
        assert_eq!(refused.status.code(), Some(2), "{name}");
        assert!(text(&refused.stderr).contains(said), "{}", text(&refused.stderr));
        assert_eq!(text(&refused.stderr).lines().count(), 1);
    }
}

#[test]
fn fetch_takes_a_mirror_first() {
    let Some(real) = real() else { return };
    let serve = |name: &str| {
        let bytes = fs::read(real.join("fashion-mnist").join(name)).unwrap();
        (format!("/sets/{name}"), Served { bytes, ranges: true, cut: None })
    };
    let server = Server::start(files(DataSource::FashionMnist).iter().map(|file| serve(file.name)).collect());
    let data = crate::make::place();
    let mirror = format!("{}sets", server.home);
    let fetched = run(data.path(), &["fetch", "fashion-mnist", "--mirror", &mirror]);
    assert!(fetched.status.success(), "{}", text(&fetched.stderr));
    assert_eq!(text(&fetched.stdout).lines().count(), 4);
    let checked = run(data.path(), &["check", "fashion-mnist"]);
    assert!(text(&checked.stdout).contains("4 files with the published MD5"), "{}", text(&checked.stdout));
}
