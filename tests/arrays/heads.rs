//! Arrays as layers × heads × tokens × coordinates.

use super::written::*;
use attnlab::arrays::{ArrayError, HeadsFile, HeadsLayout, Transpose, grouped};
use ndarray::{ArrayD, Ix2, s};

const PLAIN: HeadsLayout = HeadsLayout { heads: None, batch: None, transpose: Transpose::Ask };

fn open(desk: &Desk, array: &ArrayD<f64>, layout: HeadsLayout) -> Result<HeadsFile, ArrayError> {
    HeadsFile::open(&desk.file("a.npy", npy(array)), layout)
}

fn said(desk: &Desk, shape: &[usize], layout: HeadsLayout) -> String {
    open(desk, &counted(shape), layout).unwrap_err().to_string()
}

#[test]
fn every_form_gives_the_heads_it_names() {
    let desk = Desk::new();
    let with = |heads, batch| HeadsLayout { heads, batch, ..PLAIN };
    // Shape, layout, then layers and heads where there are such axes.
    let cases = [
        (&[5, 4][..], PLAIN, None, None),
        (&[3, 5, 4], PLAIN, None, Some(3)),
        (&[2, 3, 5, 4], PLAIN, Some(2), Some(3)),
        (&[2, 3, 5, 4], with(None, Some(1)), None, Some(3)),
        (&[2, 7, 3, 5, 4], with(None, Some(6)), Some(2), Some(3)),
        (&[2, 1, 3, 5, 4], PLAIN, Some(2), Some(3)),
        (&[1, 1, 5, 4], PLAIN, None, None),
        (&[1, 3, 5, 4], with(None, Some(0)), None, Some(3)),
        (&[5, 12], with(Some(3), None), None, Some(3)),
        (&[2, 5, 12], with(Some(3), None), Some(2), Some(3)),
        (&[7, 5, 12], with(Some(3), Some(4)), None, Some(3)),
        (&[2, 7, 5, 12], with(Some(3), Some(4)), Some(2), Some(3)),
        (&[5, 4], with(Some(1), None), None, Some(1)),
    ];
    for (shape, layout, layers, heads) in cases {
        let array = counted(shape);
        let file = open(&desk, &array, layout).unwrap_or_else(|error| panic!("{shape:?}: {error}"));
        assert_eq!((file.tokens(), file.dim()), (5, 4), "{shape:?}");
        assert_eq!((file.has_layers(), file.has_heads()), (layers.is_some(), heads.is_some()), "{shape:?}");
        assert_eq!((file.layers(), file.heads()), (layers.unwrap_or(1), heads.unwrap_or(1)), "{shape:?}");
        // The same head by hand: axes that are named, in the order in which they stand.
        for layer in 0..file.layers() {
            for head in 0..file.heads() {
                let mut rest = array.view();
                while rest.ndim() > 2 && rest.shape()[0] == 1 {
                    rest.index_axis_inplace(ndarray::Axis(0), 0);
                }
                if layers.is_some() {
                    rest.index_axis_inplace(ndarray::Axis(0), layer);
                }
                if rest.ndim() > 2 + usize::from(layout.heads.is_none() && heads.is_some()) {
                    rest.index_axis_inplace(ndarray::Axis(0), layout.batch.unwrap_or(0));
                }
                if layout.heads.is_none() && heads.is_some() {
                    rest.index_axis_inplace(ndarray::Axis(0), head);
                }
                let mut rest = rest.into_dimensionality::<Ix2>().unwrap();
                if layout.heads.is_some() {
                    rest = rest.slice_move(s![.., 4 * head..4 * head + 4]);
                }
                assert_eq!(file.head(layer, head).unwrap(), rest, "{shape:?}, layer {layer}, head {head}");
            }
        }
        let said = file.head(file.layers(), 0).unwrap_err().to_string();
        assert!(
            said.contains(&format!("found layer {}, allowed: 0 to {}", file.layers(), file.layers() - 1)),
            "{said}"
        );
        assert!(file.head(0, file.heads()).unwrap_err().to_string().starts_with("found head"));
    }
}

#[test]
fn forms_that_do_not_fit_are_refused() {
    let desk = Desk::new();
    let with = |heads, batch| HeadsLayout { heads, batch, ..PLAIN };
    for (shape, layout, reason) in [
        (&[2, 7, 3, 5, 4][..], PLAIN, "with a batch of 7, allowed: one entry of the batch, 0 to 6"),
        (&[2, 7, 3, 5, 4], with(None, Some(7)), "found batch entry 7, allowed: 0 to 6"),
        (&[2, 2, 7, 3, 5, 4], with(None, Some(0)), "too many axes"),
        (&[2, 2, 7, 3, 5, 4], PLAIN, "too many axes"),
        (&[3, 5, 4], with(None, Some(0)), "no axis for entry 0 of a batch"),
        (&[5, 4], with(None, Some(0)), "no axis for entry 0 of a batch"),
        (&[1, 5, 4], with(None, Some(1)), "no axis for entry 1 of a batch"),
        (&[5, 12], with(Some(5), None), "has 12 columns, which 5 heads do not divide"),
        (&[5, 12], with(Some(0), None), "which 0 heads do not divide"),
        (&[2, 2, 2, 5, 12], with(Some(3), Some(0)), "too many axes"),
    ] {
        let said = said(&desk, shape, layout);
        assert!(said.contains(reason), "{shape:?}: {said}");
    }
}

#[test]
fn few_tokens_are_asked_about() {
    let desk = Desk::new();
    let with = |transpose, heads| HeadsLayout { heads, transpose, ..PLAIN };
    let array = counted(&[3, 4, 40]);
    let said = said(&desk, &[3, 4, 40], PLAIN);
    assert!(said.contains("has 4 tokens of 40 coordinates, which looks like [d, L]: transpose=yes turns it"), "{said}");
    let turned = open(&desk, &array, with(Transpose::Yes, None)).unwrap();
    assert_eq!((turned.heads(), turned.tokens(), turned.dim()), (3, 40, 4));
    assert_eq!(turned.head(0, 2).unwrap(), array.slice(s![2, .., ..]).t());
    let kept = open(&desk, &array, with(Transpose::No, None)).unwrap();
    assert_eq!(kept.head(0, 2).unwrap(), array.slice(s![2, .., ..]));
    // As many as an eighth are enough, and heads side by side count for themselves.
    assert!(open(&desk, &counted(&[5, 40]), PLAIN).is_ok());
    assert!(open(&desk, &counted(&[4, 40]), with(Transpose::Ask, Some(2))).is_ok());
    let sides = open(&desk, &counted(&[40, 4]), with(Transpose::Yes, Some(20))).unwrap();
    assert_eq!((sides.heads(), sides.tokens(), sides.dim()), (20, 4, 2));
    assert_eq!(sides.head(0, 19).unwrap(), counted(&[40, 4]).slice(s![38.., ..]).t());
}

#[test]
fn fused_columns_and_named_values() {
    let desk = Desk::new();
    let fused = counted(&[6, 24]);
    let path = desk.file("qkv.npy", npy(&fused));
    let layout = HeadsLayout { heads: Some(2), ..PLAIN };
    for (text, first) in [("[:, 0:8]", 0), ("[:, 8:16]", 8), ("[:, 16:]", 16)] {
        let file = HeadsFile::open(&format!("{path}#{text}"), layout).unwrap();
        assert_eq!(file.head(0, 1).unwrap(), fused.slice(s![.., first + 4..first + 8]));
        assert_eq!(file.source(), format!("{path}#{text}"));
    }
    let mut damaged = counted(&[2, 3, 4, 5]);
    damaged[[1, 2, 3, 4]] = f64::INFINITY;
    let file = open(&desk, &damaged, PLAIN).unwrap();
    let said = file.head(1, 2).unwrap_err().to_string();
    assert_eq!(said, "inf in row 3, column 4 of layer 1, head 2 (counted from 0), allowed: finite numbers");
    assert!(file.head(1, 1).is_ok());
}

#[test]
fn grouped_keys_are_shared_by_neighbours() {
    let desk = Desk::new();
    let file = |heads: usize| open(&desk, &counted(&[heads, 5, 4]), PLAIN).unwrap();
    let groups = grouped(&file(8), &file(2)).unwrap();
    assert_eq!((0..8).map(|head| groups.key_head(head)).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 1, 1, 1]);
    assert_eq!((groups.size(), grouped(&file(6), &file(6)).unwrap().size()), (4, 1));
    let said = grouped(&file(8), &file(3)).unwrap_err().to_string();
    assert!(said.contains("has 3 heads, allowed: a number that divides the 8 heads of the queries"), "{said}");
    assert!(grouped(&file(2), &file(4)).is_err());
}
