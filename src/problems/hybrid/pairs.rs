//! The pairs of vectors whose kernel value is estimated: on a sphere, or from files.

use crate::attention::hybrid::sphere_pair;
use crate::lab::{Params, RunError};
use crate::named::named;
use crate::problems::matrices;
use ndarray::Array2;
use std::f64::consts::PI;

named! {
    /// Where the pairs come from.
    pub(super) enum PairSource {
        Angle = "angle", "pairs on a sphere, at angles from 0 to π";
        File = "file", "row i of `x` with row i of `y`, from files";
    }
}

/// Pairs that are estimated together, row i of `x` with row i of `y`.
pub(super) struct VectorPairs {
    /// First vectors, pairs × d.
    pub x: Array2<f64>,
    /// Second vectors, pairs × d.
    pub y: Array2<f64>,
    /// The angle of each pair in radians.
    pub angles: Vec<f64>,
    /// The length of all vectors; NaN where they differ.
    pub radius: f64,
}

/// The pairs of every radius, or those of the files.
pub(super) fn pairs(params: &Params) -> Result<Vec<VectorPairs>, RunError> {
    if params.choice::<PairSource>("inputs") == PairSource::File {
        return from_files(params).map(|pairs| vec![pairs]);
    }
    let (dim, count) = (params.size("dim"), params.size("angles"));
    let angles: Vec<f64> =
        (0..count).map(|i| if i + 1 == count { PI } else { PI * i as f64 / (count - 1) as f64 }).collect();
    let of_radius = |radius: f64| {
        let mut pairs = VectorPairs {
            x: Array2::zeros((count, dim)),
            y: Array2::zeros((count, dim)),
            angles: angles.clone(),
            radius,
        };
        for (i, angle) in angles.iter().enumerate() {
            let (x, y) = sphere_pair(dim, radius, *angle);
            pairs.x.row_mut(i).assign(&x);
            pairs.y.row_mut(i).assign(&y);
        }
        pairs
    };
    Ok(params.floats("radius").into_iter().map(of_radius).collect())
}

fn from_files(params: &Params) -> Result<VectorPairs, RunError> {
    let (x, y) = (matrices::matrix("x", params.text("x"))?, matrices::matrix("y", params.text("y"))?);
    if x.dim() != y.dim() {
        let ((a, b), (c, d)) = (x.dim(), y.dim());
        return Err(RunError::Input(format!("y: found {c} × {d}, allowed: {a} × {b}, as many as `x` has")));
    }
    let lengths: Vec<f64> = x.rows().into_iter().chain(y.rows()).map(|row| row.dot(&row).sqrt()).collect();
    if let Some((row, length)) = lengths.iter().enumerate().find(|(_, length)| **length > 26.0) {
        let (key, row) = if row < x.nrows() { ("x", row) } else { ("y", row - x.nrows()) };
        return Err(RunError::Input(format!(
            "{key}: row {row} (counted from 0) has length {length:.1}, allowed: up to 26, beyond which squared errors \
             overflow"
        )));
    }
    let angles = x.rows().into_iter().zip(y.rows()).enumerate().map(|(i, (a, b))| {
        let norms = lengths[i] * lengths[x.nrows() + i];
        if norms > 0.0 { (a.dot(&b) / norms).clamp(-1.0, 1.0).acos() } else { 0.0 }
    });
    let angles = angles.collect();
    let first = lengths[0];
    let sphere = lengths.iter().all(|length| (length - first).abs() <= 1e-9 * first);
    Ok(VectorPairs { x, y, angles, radius: if sphere { first } else { f64::NAN } })
}
