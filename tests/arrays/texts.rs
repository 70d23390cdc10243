//! How a text names a file, a name and a slice, and what is said where nothing fits.

use super::written::*;
use attnlab::arrays::ArrayFile;
use std::fs;

#[test]
fn a_number_sign_in_a_path_works() {
    let desk = Desk::new();
    let (a, b) = (counted(&[2, 3]), counted(&[2, 3]) + 100.0);
    fs::create_dir(desk.path("run #1")).unwrap();
    let inside = desk.file("run #1/a.npy", npy(&a));
    assert_eq!(matrix(&inside).into_dyn(), a);
    assert_eq!(matrix(&format!("{inside}#[:, 1:]")), a.slice(ndarray::s![.., 1..]));
    // A file of the whole text comes first.
    desk.file("c.npz", zip(&[("q.npy", &npy(&a), Pack::Stored), ("w#1.npy", &npy(&b), Pack::Stored)]));
    assert_eq!(matrix(&desk.path("c.npz#q")).into_dyn(), a);
    assert_eq!(matrix(&desk.path("c.npz#w#1")).into_dyn(), b);
    desk.file("c.npz#q", npy(&b));
    assert_eq!(matrix(&desk.path("c.npz#q")).into_dyn(), b);
    assert!(refusal(&desk.path("run #1/a.npy#")).contains("nothing stands behind the #"));
}

#[test]
fn a_name_with_brackets_is_found_before_a_slice() {
    let desk = Desk::new();
    let a = counted(&[2, 3]);
    let path = desk.file(
        "a.safetensors",
        safetensors(&[
            ("w", "F64", &[2, 2, 3], numbers("F64", &counted(&[2, 2, 3]))),
            ("w[1]", "F64", &[2, 3], numbers("F64", &(&a - 1.0))),
        ]),
    );
    assert_eq!(matrix(&format!("{path}#w[1]")).into_dyn(), &a - 1.0);
    assert_eq!(matrix(&format!("{path}#w[0]")).into_dyn(), a);
    assert_eq!(matrix(&format!("{path}#w[1][0:1]")), (&a - 1.0).slice(ndarray::s![..1, ..]));
}

#[test]
fn the_home_directory_is_known() {
    let Some(home) = std::env::home_dir().filter(|home| home.is_dir()) else { return };
    let name = format!("attnlab-test-{}.npy", std::process::id());
    let text = format!("~/{name}#[0]");
    if fs::write(home.join(&name), npy(&counted(&[2, 3, 4]))).is_ok() {
        let shape = ArrayFile::open(&text).map(|file| (file.shape().to_vec(), file.source().to_owned()));
        fs::remove_file(home.join(&name)).unwrap();
        assert_eq!(shape.unwrap(), (vec![3, 4], text));
    }
}

#[test]
fn names_are_listed_in_order_and_the_nearest_is_told() {
    let desk = Desk::new();
    let row = || numbers("U8", &counted(&[1, 1]));
    let names: Vec<String> = (0..30).rev().map(|layer| format!("layers.{layer:02}.query")).collect();
    let tensors: Vec<_> = names.iter().map(|name| (name.as_str(), "U8", &[1_usize, 1][..], row())).collect();
    let path = desk.file("a.safetensors", safetensors(&tensors));
    let said = refusal(&path);
    assert!(
        said.starts_with("holds 30 tensors, write FILE#NAME with one of: layers.00.query, layers.01.query,"),
        "{said}"
    );
    assert!(said.ends_with("layers.19.query and 10 more"), "{said}");
    let said = refusal(&format!("{path}#layers.07.qeury"));
    assert!(
        said.contains("has no tensor `layers.07.qeury` (did you mean `layers.07.query`?), allowed: layers.00"),
        "{said}"
    );
    let path = desk.file("a.npz", zip(&[("k.npy", b"", Pack::Stored), ("b.npy", b"", Pack::Stored)]));
    assert_eq!(refusal(&path), "holds 2 arrays, write FILE#NAME with one of: b, k");
    assert!(refusal(&format!("{path}#x[0]")).contains("has no array `x`"));
}

#[test]
fn other_files_are_named() {
    let desk = Desk::new();
    let torch = zip(&[("archive/data.pkl", b"\x80\x02.", Pack::Stored), ("archive/data/0", b"", Pack::Stored)]);
    let cases: &[(&str, &[u8], &str)] = &[
        ("a.pt", &torch, "is a file of torch.save, which can run code"),
        ("b.pt", &torch, "safetensors.torch.save_file(torch.load(FILE), NEW)"),
        ("a.bin", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "is a pickle, as torch.save writes it"),
        ("a.h5", b"\x89HDF\r\n\x1a\n\0\0", "is an HDF5 file"),
        ("a.npy.gz", b"\x1f\x8b\x08\0", "is compressed by gzip"),
        ("a.png", b"\x89PNG\r\n", "is a PNG image"),
        ("config.json", b"{\"hidden_size\": 4}", "is JSON, allowed: of JSON files only an index of safetensors"),
        ("list.json", b" [1, 2]", "is JSON"),
        ("a.csv", b"0.5,0.25\n1.0,\xc3\xa4", "is text, allowed: .npy"),
        ("a.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS"),
        ("b.safetensors", &[0xff; 12], "is no safetensors file"),
        ("b.npy", b"\x00\x01\x02\x03", "is no .npy file: it does not begin with"),
        ("empty.npz", b"", "is empty"),
        ("a.zip", &zip(&[("notes.txt", b"hello", Pack::Stored)]), "is a zip archive without arrays"),
        ("b.zip", &zip(&[]), "is a zip archive without arrays"),
        ("a.dat", b"\x00\x01\x02\x03", "is of a kind that is not known here"),
    ];
    for (name, bytes, reason) in cases {
        let said = refusal(&desk.file(name, bytes));
        assert!(said.contains(reason) && !said.contains('\n'), "{name}: {said}");
    }
    let path = desk.file("a.npy", npy(&counted(&[2, 2])));
    assert!(refusal(&format!("{path}#q")).contains("is a .npy file, which holds one array without a name: found `q`"));
    assert!(refusal(&format!("{path}[0]")).contains("a slice stands behind a #"));
    assert!(refusal(&desk.path("none.npy")).contains("No such file"));
}

#[test]
fn only_regular_files_are_opened() {
    let desk = Desk::new();
    assert!(refusal(&desk.path("")).contains("is a directory, allowed: a file"));
    let pipe = desk.path("pipe.npy");
    if std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        assert!(refusal(&pipe).contains("is a pipe or a device, allowed: a regular file"));
    }
    assert!(refusal("/dev/zero").contains("is a pipe or a device"));
}
