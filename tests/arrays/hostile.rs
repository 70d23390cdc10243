//! Heads that claim what is not there: refused in one line, with reads and memory bounded by the bytes of the file.

use super::written::*;
use attnlab::arrays::ArrayFile;

#[test]
fn npy_heads() {
    let desk = Desk::new();
    let (data, head) = (numbers("F64", &counted(&[2, 2])), |descr: &str, shape: &str| {
        format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}")
    });
    for (text, reason) in [
        (head("'<f8'", "(3, 2)"), "claims 3 × 2 numbers, 48 bytes, but holds 32 bytes of them"),
        (head("'<f8'", "(99999999, 99999999)"), "claims 99999999 × 99999999 numbers"),
        (
            head("'<f8'", "(4294967296, 4294967297)"),
            "claims 4294967296 × 4294967297 numbers, more than 2⁶⁴ bytes, but holds 32",
        ),
        (head("'<f8'", "(0, 4)"), "axis 0 is empty, allowed: at least one entry"),
        (head("'<f8'", "(18446744073709551615, 0)"), "is empty"),
        (head("'<f8'", "(0, 18446744073709551615, 18446744073709551615)"), "is empty"),
        (head("'<f8'", "(-1, 2)"), "its shape has something else than whole numbers from 0"),
        (head("'<f8'", "(2.0, 2)"), "its shape has something else"),
        (head("'<f8'", "(99999999999999999999, 2)"), "its shape has something else"),
        (head("'<f8'", &format!("({})", "1, ".repeat(65))), "has 65 axes, allowed: up to 64"),
        (head("'<f8'", "(4,)"), "has 1 axis, [4], allowed: a matrix, with 2"),
        (head("'<f8'", "()"), "has 0 axes"),
        (head("'<f8'", "[2, 2]"), "its head names no shape"),
        (
            head("'<c16'", "(2, 2)"),
            "holds numbers of type '<c16' (complex numbers), allowed: floats of 16, 32 or 64 bits",
        ),
        (head("'<f16'", "(2, 2)"), "'<f16' (floats of more than 64 bits"),
        (head("'|O'", "(2, 2)"), "(Python objects)"),
        (head("'<U3'", "(2, 2)"), "(text)"),
        (head("'<M8[ns]'", "(2, 2)"), "(dates or times)"),
        (head("'|V2'", "(2, 2)"), "(raw bytes; ml_dtypes writes bfloat16 so"),
        (head("'<ä'", "(2, 2)"), "a type that is not known here"),
        (head("''", "(2, 2)"), "a type that is not known here"),
        (head("[('x', '<f8'), ('y', '<f8')]", "(2, 2)"), "holds records of several fields (a structured type)"),
        (head("7", "(2, 2)"), "names no type of numbers"),
        ("{'descr': '<f8', 'shape': (2, 2)}".to_owned(), "does not say the order of axes"),
        ("{'descr': '<f8'".to_owned(), "is no Python dictionary"),
        ("{".repeat(50), "nests brackets deeper"),
    ] {
        let said = refusal(&desk.file("a.npy", npy_with(1, &text, &data)));
        assert!(said.contains(reason), "{text}: {said}");
    }
    let mut long = b"\x93NUMPY\x02\x00\xff\xff\xff\x7f".to_vec();
    long.extend(vec![b' '; 100]);
    assert!(refusal(&desk.file("a.npy", long)).contains("its head claims 2147483647 bytes"));
    assert!(refusal(&desk.file("a.npy", b"\x93NUMPY\x01\x00\xff\x00{")).contains("its head is cut"));
    assert!(refusal(&desk.file("a.npy", b"\x93NUMPY")).contains("its head is cut"));
    assert!(refusal(&desk.file("a.npy", b"\x93NUMPY\x04\x00\x00\x00")).contains("of version 4, allowed: 1 to 3"));
}

#[test]
fn safetensors_heads() {
    let desk = Desk::new();
    let entry = |dtype: &str, shape: &str, offsets: &str| {
        format!(r#"{{"x": {{"dtype": "{dtype}", "shape": {shape}, "data_offsets": {offsets}}}}}"#)
    };
    for (head, reason) in [
        (
            entry("F32", "[300000,200000]", "[0,240000000000]"),
            "tensor `x` claims 300000 × 200000 numbers, 240000000000 bytes, but holds 16 bytes",
        ),
        (entry("F32", "[4611686018427387904,4]", "[0,0]"), "claims 4611686018427387904 × 4 numbers"),
        (entry("F32", "[2,2]", "[8,24]"), "but holds 8 bytes of them"),
        (entry("F32", "[2,2]", "[0,12]"), "but holds 12 bytes of them"),
        (entry("F32", "[2,2]", "[18446744073709551615,18446744073709551615]"), "but holds 0 bytes"),
        (entry("F32", "[2,2]", "[16,0]"), "but holds 0 bytes"),
        (entry("F32", "[-1,2]", "[0,16]"), "is no safetensors file"),
        (entry("F32", "[0,2]", "[0,0]"), "axis 0 is empty"),
        (entry("C64", "[1,2]", "[0,16]"), "tensor `x` holds numbers of type C64 (complex numbers), allowed:"),
        (entry("F8_E4M3", "[2,2]", "[0,4]"), "F8_E4M3 (floats of 8 bits)"),
        (r#"{"x": 5}"#.to_owned(), "is no safetensors file"),
        (r#"{"x": {"dtype": "F32"}}"#.to_owned(), "is no safetensors file: missing field"),
        ("{}".to_owned(), "holds no tensor"),
        (format!("{{\"x\": {}", "[".repeat(10_000)), "is no safetensors file"),
    ] {
        let said = refusal(&desk.file("a.safetensors", safetensors_with(&head, &[0; 16])));
        assert!(said.contains(reason) && !said.contains('\n'), "{head:.60}: {said}");
    }
}

#[test]
fn zip_members() {
    let desk = Desk::new();
    let array = npy(&counted(&[2, 2]));
    let large = npy_with(1, &npy_head("<f8", false, &[1 << 20, 1 << 20]), &[0; 64]);
    let zeros = npy_with(1, &npy_head("|u1", false, &[4000, 4000]), &[0; 1 << 20]);
    for (member, pack, reason) in [
        (&array, Pack::Method(12), "array `a` is compressed by"),
        (&array, Pack::Encrypted, "array `a` is encrypted"),
        (&b"hello".to_vec(), Pack::Stored, "array `a` is no .npy file"),
        (&large, Pack::Stored, "claims 1048576 × 1048576 numbers, 8796093022208 bytes, but holds 64 bytes of them"),
        (&large, Pack::Claims(u32::MAX), "claims 1048576 × 1048576 numbers"),
        (&zeros, Pack::Claims(17_000_000), "claims 4000 × 4000 numbers"),
        (&array, Pack::Claims(40), "its head is cut"),
        (&array, Pack::Method(8), "its compressed bytes cannot be unpacked"),
    ] {
        let said = refusal(&desk.file("a.npz", zip(&[("a.npy", member, pack)])));
        assert!(said.contains(reason), "{reason}: {said}");
    }
    let whole = zip(&[("a.npy", &array, Pack::Deflated)]);
    for length in 1..whole.len() {
        let path = desk.file("cut.npz", &whole[..length]);
        assert!(ArrayFile::open(&path).is_err(), "{length} of {} bytes", whole.len());
    }
}

/// A member that claims as many bytes as its compressed ones can give, and gives fewer.
#[test]
fn a_member_that_ends_early() {
    let desk = Desk::new();
    let array = npy_with(1, &npy_head("|u1", false, &[100, 400]), &[7; 20_000]);
    let path = desk.file("a.npz", zip(&[("a.npy", &array, Pack::Claims(40_128))]));
    let file = ArrayFile::open(&path).unwrap();
    let said = file.matrix(&[]).unwrap_err().to_string();
    assert!(said.contains("its compressed bytes cannot be unpacked"), "{said}");
}

#[test]
fn values_that_are_not_finite_are_placed() {
    let desk = Desk::new();
    let mut values = counted(&[2, 3, 4]);
    values[[1, 2, 3]] = f64::NAN;
    values[[0, 1, 2]] = f64::NEG_INFINITY;
    let path = desk.file("a.npy", npy(&values));
    let file = ArrayFile::open(&path).unwrap();
    let said = |index: usize| file.matrix(&[index]).unwrap_err().to_string();
    assert_eq!(said(0), "-inf in row 1, column 2 of matrix [0] (counted from 0), allowed: finite numbers");
    assert_eq!(said(1), "NaN in row 2, column 3 of matrix [1] (counted from 0), allowed: finite numbers");
    assert_eq!(matrix(&format!("{path}#[1, :2]")).nrows(), 2);
}
