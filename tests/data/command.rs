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
    assert!(text(&bad.stderr).contains("text.JPEG: is none of JPEG, PNG, WebP"), "{}", text(&bad.stderr));
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

/// A folder of which one picture is cut and two files are of kinds that are not read.
fn mixed(folder: &Path) {
    small_folder(folder);
    put(&folder.join("train/cat/9.heic"), b"\0\0\0\x18ftypheic");
    put(&folder.join("val/cat/9.avif"), b"\0\0\0\x18ftypavif");
    let whole = fs::read(folder.join("train/cat/1.jpg")).unwrap();
    put(&folder.join("train/cat/3.jpg"), &whole[..whole.len() * 3 / 10]);
}

#[test]
fn list_check_and_run_say_what_is_passed_over_and_what_is_cut() {
    let data = crate::make::place();
    mixed(&data.path().join("image-folder"));
    let told = "passed over: 4 files (2 .txt, 1 .avif, 1 .heic); read are JPEG, PNG, WebP";
    let listed = run(data.path(), &["list", "folder"]);
    assert!(listed.status.success() && text(&listed.stderr).contains(told), "{}", text(&listed.stderr));
    let listed = run(data.path(), &["list", "folder", "--json"]);
    let document: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(document["sets"][0]["passed_over"]["files"]["heic"], 1);

    let checked = run(data.path(), &["check", "folder"]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(text(&checked.stderr).contains(told), "{}", text(&checked.stderr));
    assert!(text(&checked.stderr).contains("3.jpg: is cut short"), "{}", text(&checked.stderr));
    fs::remove_file(data.path().join("image-folder/train/cat/3.jpg")).unwrap();
    let checked = run(data.path(), &["check", "folder", "--json"]);
    assert_eq!(checked.status.code(), Some(0), "what is passed over is no damage");
    let document: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(
        (&document["sets"][0]["right"], &document["sets"][0]["passed_over"]["files"]["avif"]),
        (&true.into(), &1.into())
    );

    mixed(&data.path().join("image-folder"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_attnlab"));
    command.current_dir(data.path()).env_remove("ATTNLAB_DATA").env("ATTNLAB_CACHE", data.path().join("cache"));
    command.args([
        "--data-dir",
        ".",
        "run",
        "vit",
        "--set",
        "dataset=folder",
        "--set",
        "image_size=8",
        "--set",
        "epochs=1",
    ]);
    let ran = command.args(["--set", "dim=8", "--set", "depth=1", "--set", "validation=0"]).output().unwrap();
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let said = text(&ran.stderr) + &text(&ran.stdout);
    assert!(
        said.contains(told) && said.contains("1 files could not be read") && said.contains("is cut short"),
        "{said}"
    );
}

#[test]
fn a_home_directory_is_found_without_a_shell() {
    let data = crate::make::place();
    small_folder(&data.path().join("home/set #1"));
    let listed = |folder: &str, data_dir: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attnlab"));
        command.current_dir(data.path()).env_remove("ATTNLAB_DATA").env("HOME", data.path().join("home"));
        let output =
            command.args(["--data-dir", data_dir, "data", "list", "folder", "--folder", folder]).output().unwrap();
        text(&output.stdout)
    };
    for (folder, data_dir) in [("~/set #1", "."), ("set #1", "~/"), ("$HOME/set #1", ".")] {
        assert!(listed(folder, data_dir).contains("any×3"), "{folder} {data_dir}: {}", listed(folder, data_dir));
    }
    // A folder that is really called so comes first.
    fs::create_dir_all(data.path().join("~/set #1/train")).unwrap();
    assert!(!listed("~/set #1", ".").contains("any×3"));
}
