//! Slices take what numpy takes.

use super::written::*;
use attnlab::arrays::ArrayFile;
use ndarray::{ArrayD, Slice, SliceInfoElem};
use proptest::prelude::*;
use proptest::sample::Index;

#[test]
fn as_numpy_does() {
    let desk = Desk::new();
    let whole = counted(&[4, 3, 5]);
    let path = desk.file("a.npy", npy(&whole));
    for (slice, shape, first) in [
        ("[0]", &[3, 5][..], 0.0),
        ("[-1]", &[3, 5], 45.0),
        ("[ 1 , : ]", &[3, 5], 15.0),
        ("[:, -3]", &[4, 5], 0.0),
        ("[..., 2]", &[4, 3], 2.0),
        ("[...]", &[4, 3, 5], 0.0),
        ("[1, ..., 0:2]", &[3, 2], 15.0),
        ("[..., 1:]", &[4, 3, 4], 1.0),
        ("[:, :, :, ...]", &[4, 3, 5], 0.0),
        ("[2:99]", &[2, 3, 5], 30.0),
        ("[-99:2]", &[2, 3, 5], 0.0),
        ("[-2:]", &[2, 3, 5], 30.0),
        ("[:-2]", &[2, 3, 5], 0.0),
        ("[1:2]", &[3, 5], 15.0),
        ("[1:2, 1:2]", &[1, 5], 20.0),
        ("[::3]", &[2, 3, 5], 0.0),
        ("[::-3]", &[2, 3, 5], 45.0),
        ("[99:-99:-1]", &[4, 3, 5], 45.0),
        ("[3:0:-2]", &[2, 3, 5], 45.0),
        ("[:, ::9223372036854775807]", &[4, 1, 5], 0.0),
        ("[:, ::-9223372036854775808]", &[4, 1, 5], 10.0),
    ] {
        let file = ArrayFile::open(&format!("{path}#{slice}")).unwrap_or_else(|error| panic!("{slice}: {error}"));
        assert_eq!(file.shape(), shape, "{slice}");
        assert_eq!(file.matrix(&vec![0; shape.len() - 2]).unwrap()[(0, 0)], first, "{slice}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let desk = Desk::new();
    let path = desk.file("a.npy", npy(&counted(&[4, 3, 5])));
    for (slice, reason) in [
        ("[4]", "slice [4]: found entry 4 of axis 0, whose length is 4, allowed: -4 to 3"),
        ("[:, -4]", "found entry -4 of axis 1, whose length is 3, allowed: -3 to 2"),
        ("[9223372036854775807]", "found entry 9223372036854775807 of axis 0"),
        ("[-9223372036854775808]", "found entry -9223372036854775808 of axis 0"),
        ("[2:2]", "takes nothing of axis 0, whose length is 4"),
        ("[:, 3:]", "takes nothing of axis 1"),
        ("[0:2:-1]", "takes nothing of axis 0"),
        ("[::0]", "found a step of 0"),
        ("[..., ...]", "`...` stands twice"),
        ("[0, 0, 0, 0]", "names 4 axes, the array has 3: [4, 3, 5]"),
        ("[0, 0]", "is left with 1 axis, [5], allowed: a matrix"),
        ("[0, 0, 0]", "is left with 0 axes"),
        ("[]", "slice []: found ``, allowed: whole numbers, a:b"),
        ("[1,]", "found ``"),
        ("[x]", "found `x`"),
        ("[1.5]", "found `1.5`"),
        ("[1:2:3:4]", "found `1:2:3:4`"),
        ("[0][1]", "found `0"),
        ("[99999999999999999999]", "found `99999999999999999999`"),
    ] {
        let said = refusal(&format!("{path}#{slice}"));
        assert!(said.contains(reason), "{slice}: {said}");
    }
}

/// A slice of one axis, as text and as ndarray has it.
fn axis_slice(length: usize, kind: u8, ends: (&Index, &Index), step: usize) -> (String, SliceInfoElem) {
    let (one, other) = (ends.0.index(length), ends.1.index(length));
    let (first, last) = (one.min(other) as isize, one.max(other) as isize);
    let step = step as isize;
    match kind {
        0 => (format!("{one}"), SliceInfoElem::Index(one as isize)),
        1 => (format!("{}", one as isize - length as isize), SliceInfoElem::Index(one as isize)),
        2 => (":".to_owned(), Slice::from(..).into()),
        3 => (format!("{first}:{}", last + 1), Slice::from(first..last + 1).into()),
        4 => (format!("{first}::{step}"), Slice::new(first, None, step).into()),
        5 => (format!(":{}:{step}", last - length as isize), Slice::new(0, Some(last), step).into()),
        // Downwards from `last` to `first`: the same entries in ndarray are a part that is turned.
        6 if first == 0 => (format!("{last}::-{step}"), Slice::new(0, Some(last + 1), -step).into()),
        6 => (format!("{last}:{}:-{step}", first - 1), Slice::new(first, Some(last + 1), -step).into()),
        _ => (format!("::-{step}"), Slice::new(0, None, -step).into()),
    }
}

fn part(whole: &ArrayD<f64>, slices: &[SliceInfoElem]) -> ArrayD<f64> {
    whole.slice(slices).to_owned()
}

proptest! {
    #[test]
    fn any_slice_of_any_array(
        shape in proptest::collection::vec(1_usize..6, 2..5),
        axes in proptest::collection::vec((0_u8..8, any::<Index>(), any::<Index>(), 1_usize..4), 4),
        named in any::<Index>(),
        fortran: bool,
        packed: bool,
    ) {
        let whole = counted(&shape);
        let desk = Desk::new();
        let in_file = if fortran { whole.t().to_owned() } else { whole.clone() };
        let array = npy_with(1, &npy_head(">f8", fortran, &shape), &in_file.iter().flat_map(|value| value.to_be_bytes()).collect::<Vec<_>>());
        let path = if packed { desk.file("a.npz", zip(&[("a.npy", &array, Pack::Deflated)])) } else { desk.file("a.npy", array) };
        // Axes behind the named ones are taken whole.
        let named = 1 + named.index(shape.len());
        let (texts, mut slices): (Vec<_>, Vec<_>) = shape.iter().zip(&axes).take(named)
            .map(|(length, (kind, one, other, step))| axis_slice(*length, *kind, (one, other), *step)).unzip();
        slices.resize(shape.len(), Slice::from(..).into());
        let expected = part(&whole, &slices);
        let text = format!("{path}#[{}]", texts.join(", "));
        let opened = ArrayFile::open(&text);
        if expected.is_empty() || expected.ndim() < 2 {
            prop_assert!(opened.is_err(), "{text}");
        } else {
            let file = opened.unwrap_or_else(|error| panic!("{text}: {error}"));
            let ones = expected.shape()[..expected.ndim() - 2].iter().take_while(|length| **length == 1).count();
            prop_assert_eq!(file.shape(), &expected.shape()[ones..]);
            let leading = file.shape()[..file.shape().len() - 2].to_vec();
            let matrices = expected.to_shape((leading.iter().product::<usize>(), file.shape()[leading.len()], file.shape()[leading.len() + 1])).unwrap();
            for (place, index) in ndarray::indices(leading.as_slice()).into_iter().enumerate() {
                let index: Vec<usize> = (0..leading.len()).map(|axis| index[axis]).collect();
                prop_assert_eq!(file.matrix(&index).unwrap(), matrices.index_axis(ndarray::Axis(0), place));
            }
        }
    }
}
