//! Every form of file and every type of numbers gives the same matrix.

use super::written::*;
use attnlab::arrays::ArrayFile;
use ndarray::{Axis, Ix2};

/// The types of `.npy`, with the name that safetensors has for each.
const NPY: &[(&str, &str)] = &[
    ("b1", "BOOL"),
    ("i1", "I8"),
    ("u1", "U8"),
    ("i2", "I16"),
    ("u2", "U16"),
    ("i4", "I32"),
    ("u4", "U32"),
    ("i8", "I64"),
    ("u8", "U64"),
    ("f2", "F16"),
    ("f4", "F32"),
    ("f8", "F64"),
];

/// 3 × 4 numbers that the type can hold: signs and halves where it has them.
fn example(kind: &str) -> ndarray::ArrayD<f64> {
    counted(&[3, 4]).mapv(|value| match kind {
        "BOOL" => value % 2.0,
        _ if kind.starts_with('U') => value * 11.0,
        _ if kind.starts_with('I') => value * 11.0 - 60.0,
        _ => value * 0.5 - 3.0,
    })
}

#[test]
fn npy_of_every_type_order_and_version() {
    let desk = Desk::new();
    for (descr, kind) in NPY {
        let expected = example(kind).into_dimensionality::<Ix2>().unwrap();
        for (order, fortran, version) in
            [("<", false, 1), (">", false, 2), ("<", true, 3), (">", true, 1), ("|", false, 2)]
        {
            let in_file = if fortran { expected.t().to_owned() } else { expected.clone() };
            let mut data = Vec::new();
            for value in &in_file {
                let mut bytes = number(kind, *value);
                if order == ">" {
                    bytes.reverse();
                }
                data.extend(bytes);
            }
            let head = npy_head(&format!("{order}{descr}"), fortran, &[3, 4]);
            let path = desk.file("a.npy", npy_with(version, &head, &data));
            assert_eq!(matrix(&path), expected, "{order}{descr}, fortran {fortran}, version {version}");
        }
    }
}

#[test]
fn heads_as_other_programs_write_them() {
    let desk = Desk::new();
    let data = numbers("F32", &counted(&[2, 2]));
    for head in [
        "{'shape': (2L, 2L), 'fortran_order': False, 'descr': '<f4'}",
        r#"{"descr": "<f4", "fortran_order": False, "shape": (2, 2)}"#,
        "{'descr': 'f4', 'fortran_order': False, 'shape': (2,2)}",
        "{'descr': '=f4', 'fortran_order': False, 'shape': (1, 1, 2, 2)}",
    ] {
        let path = desk.file("a.npy", npy_with(1, head, &data));
        assert_eq!(matrix(&path), ndarray::array![[0.0, 1.0], [2.0, 3.0]], "{head}");
    }
}

#[test]
fn safetensors_of_every_type() {
    let desk = Desk::new();
    for kind in NPY.iter().map(|(_, kind)| *kind).chain(["BF16"]) {
        let expected = example(kind);
        let before = ("other", "U8", &[5_usize][..], vec![1, 2, 3, 4, 5]);
        let file = safetensors(&[before, ("layers.0.q", kind, &[3, 4], numbers(kind, &expected))]);
        let path = desk.file("a.safetensors", file);
        assert_eq!(matrix(&format!("{path}#layers.0.q")).into_dyn(), expected, "{kind}");
    }
}

#[test]
fn npz_stored_deflated_and_with_sizes_of_64_bits() {
    let desk = Desk::new();
    let (q, k) = (counted(&[3, 4]), counted(&[2, 5]) - 7.5);
    let (q_file, k_file) = (npy(&q), npy(&k));
    for pack in [Pack::Stored, Pack::Deflated, Pack::Stored64] {
        let path =
            desk.file("a.npz", zip(&[("q.npy", &q_file, pack), ("k.npy", &k_file, pack), ("note.txt", b"", pack)]));
        assert_eq!(matrix(&format!("{path}#q")).into_dyn(), q);
        assert_eq!(matrix(&format!("{path}#k")).into_dyn(), k);
        assert_eq!(matrix(&format!("{path}#k.npy")).into_dyn(), k);
        assert_eq!(matrix(&format!("{path}#k.npy[:, 1:3]")), k.slice(ndarray::s![.., 1..3]));
        let path = desk.file("lone.npz", zip(&[("arr_0.npy", &q_file, pack)]));
        assert_eq!(matrix(&path).into_dyn(), q);
        assert_eq!(matrix(&format!("{path}#[1:]")), q.slice(ndarray::s![1.., ..]));
    }
}

#[test]
fn an_index_leads_to_the_file_beside_it() {
    let desk = Desk::new();
    let values = counted(&[3, 4]);
    desk.file("model-00002-of-00002.safetensors", safetensors(&[("k", "F64", &[3, 4], numbers("F64", &values))]));
    let index = r#"{"metadata": {"total_size": 96},
        "weight_map": {"q": "model-00001-of-00002.safetensors", "k": "model-00002-of-00002.safetensors"}}"#;
    let path = desk.file("model.safetensors.index.json", index);
    assert_eq!(matrix(&format!("{path}#k")).into_dyn(), values);
    assert_eq!(matrix(&format!("{path}#k[:2]")), values.slice(ndarray::s![..2, ..]));
    let said = refusal(&format!("{path}#q"));
    assert!(said.starts_with("tensor `q` lies in model-00001-of-00002.safetensors, which cannot be read"), "{said}");
    for elsewhere in ["../a.safetensors", "/a.safetensors", "b/a.safetensors", "..", "a.safetensors/"] {
        desk.file("other.index.json", serde_json::json!({"weight_map": {"q": elsewhere}}).to_string());
        let said = refusal(&format!("{}#q", desk.path("other.index.json")));
        assert!(said.contains("allowed: the name of a file beside the index"), "{elsewhere}: {said}");
    }
}

#[test]
fn matrices_of_larger_arrays_are_read_in_any_order() {
    let desk = Desk::new();
    let whole = counted(&[3, 2, 5, 4]);
    let plain = desk.file("a.npy", npy(&whole));
    let packed = desk.file("a.npz", zip(&[("a.npy", &npy(&whole), Pack::Deflated)]));
    for path in [plain, packed] {
        let file = ArrayFile::open(&path).unwrap();
        assert_eq!((file.shape(), file.source()), (&[3, 2, 5, 4][..], path.as_str()));
        for (i, j) in [(2, 1), (0, 0), (1, 1), (0, 1), (2, 0), (2, 0), (1, 0)] {
            let expected =
                whole.index_axis(Axis(0), i).index_axis_move(Axis(0), j).into_dimensionality::<Ix2>().unwrap();
            assert_eq!(file.matrix(&[i, j]).unwrap(), expected);
        }
        assert!(
            file.matrix(&[3, 0]).unwrap_err().to_string().contains("found index [3, 0], allowed: one within [3, 2]")
        );
        assert!(file.matrix(&[0]).unwrap_err().to_string().contains("found index [0]"));
        assert!(file.matrix(&[]).unwrap_err().to_string().contains("has 4 axes"));
    }
}

/// More numbers than are read at once, in orders that leave gaps between them.
#[test]
fn large_arrays_with_gaps() {
    let desk = Desk::new();
    let whole = counted(&[3, 500, 300]);
    let path = desk.file("a.npy", npy_with(1, &npy_head("<f4", false, &[3, 500, 300]), &numbers("F32", &whole)));
    let turned = whole.t().to_owned();
    let fortran = desk.file("f.npy", npy_with(1, &npy_head("<f4", true, &[3, 500, 300]), &numbers("F32", &turned)));
    let packed = desk.file("a.npz", zip(&[("a.npy", &npy(&whole), Pack::Deflated)]));
    for path in [&path, &fortran, &packed] {
        for slice in ["[1]", "[:, 7]", "[:, :, 299]", "[2, ::-1]", "[2, ::100, ::-7]", "[0, :, 5:6]", "[::2, ::-1, 3]"]
        {
            let found = matrix(&format!("{path}#{slice}"));
            let expected = match slice {
                "[1]" => whole.slice(ndarray::s![1, .., ..]),
                "[:, 7]" => whole.slice(ndarray::s![.., 7, ..]),
                "[:, :, 299]" => whole.slice(ndarray::s![.., .., 299]),
                "[2, ::-1]" => whole.slice(ndarray::s![2, ..;-1, ..]),
                "[2, ::100, ::-7]" => whole.slice(ndarray::s![2, ..;100, ..;-7]),
                "[0, :, 5:6]" => whole.slice(ndarray::s![0, .., 5..6]),
                _ => whole.slice(ndarray::s![..;2, ..;-1, 3]),
            };
            assert_eq!(found, expected, "{path}{slice}");
        }
    }
}

/// A file of 64 GiB, most of it a hole: one matrix of it is read, and no more.
#[test]
fn one_head_of_a_huge_file() {
    let desk = Desk::new();
    let shape = [64, 1024, 1024, 128];
    let path = desk.file("a.npy", npy_with(1, &npy_head("<f8", false, &shape), &[]));
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let start = file.metadata().unwrap().len();
    if file.set_len(start + (64 << 30)).is_err() {
        eprintln!("skipped: this file system has no files of 64 GiB");
        return;
    }
    let place = start + 8 * ((((40 * 1024) + 1000) * 1024 + 7) * 128 + 5);
    std::os::unix::fs::FileExt::write_all_at(&file, &2.5_f64.to_le_bytes(), place).unwrap();
    let matrix = ArrayFile::open(&path).unwrap().matrix(&[40, 1000]).unwrap();
    assert_eq!((matrix.dim(), matrix[(7, 5)], matrix.sum()), ((1024, 128), 2.5, 2.5));
}
