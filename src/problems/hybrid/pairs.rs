//! The pairs of vectors whose kernel value is estimated: on a sphere, queries with keys, or rows of two files.

use crate::arrays::ArrayFile;
use crate::attention::hybrid::sphere_pair;
use crate::attention::inputs::InputKind;
use crate::lab::{Choice, Params, RunContext, RunError, choice};
use crate::named;
use crate::problems::inputs::params::{FILE, INPUTS, KEYS, QUERIES, RADIUS};
use crate::problems::inputs::{HeadInputs, HeadPlace, InputReader, InputSource, places};
use crate::problems::matrices;
use ndarray::{Array2, s};
use std::f64::consts::PI;
use std::path::Path;

/// Pairs that are made from angles.
pub(super) const ANGLE: &str = "angle";

/// The parameter that says how many queries are paired with keys.
pub(super) const PAIRS: &str = "pairs";

/// The choices of the parameter `inputs`.
pub(super) static PAIR_INPUTS: &[Choice] = &named::joined::<{ InputKind::ALL.len() + 3 }>(
    &[choice(ANGLE, "pairs on a sphere, at angles from 0 to π")],
    INPUTS,
);

/// The longest vector whose squared errors are numbers.
const LONGEST: f64 = 26.0;

/// Pairs that are estimated together, row i of `x` with row i of `y`.
pub(super) struct VectorPairs {
    /// The name beside other pairs of the run.
    pub title: String,
    /// The file or the checkpoint, as typed; none for drawn pairs.
    pub source: Option<String>,
    /// The head whose queries and keys they are; none for other pairs.
    pub place: Option<HeadPlace>,
    /// First vectors, pairs × d.
    pub x: Array2<f64>,
    /// Second vectors, pairs × d.
    pub y: Array2<f64>,
    /// The angle of each pair in radians.
    pub angles: Vec<f64>,
    /// The length of all vectors; NaN where they differ.
    pub radius: f64,
}

/// Which pairs a run looks at, known before they are read.
#[derive(Clone, Copy)]
pub(super) enum PairPlan {
    /// At angles on spheres.
    Angles,
    /// Rows of the files `x` and `y`.
    Direct,
    /// Queries with the keys beside them, of this head.
    Heads(HeadPlace),
}

/// How many pairs there are of how many coordinates, for how many radii, and what is read to have them.
pub(super) struct PairShape {
    pub pairs: usize,
    pub dim: usize,
    pub radii: usize,
    /// Numbers that are read or drawn to have pairs.
    pub read: usize,
}

/// Whether tokens of these inputs have the length of the radius.
pub(super) fn has_radius(inputs: &str) -> bool {
    RADIUS.read_with.is_some_and(|(_, with)| with.contains(&inputs))
}

/// Whether all pairs of these inputs lie on the sphere of the radius, whatever is drawn.
pub(super) fn is_spherical(inputs: &str) -> bool {
    inputs == ANGLE || inputs == InputKind::Sphere.name()
}

/// Whether the files `x` and `y` give the pairs.
pub(super) fn is_direct(params: &Params) -> bool {
    params.text("inputs") == FILE && !(params.text("x").is_empty() && params.text("y").is_empty())
}

impl PairPlan {
    /// The plan of a run of `params`; `logs` is where a checkpoint named by its run's id lies.
    ///
    /// # Errors
    /// Files or a checkpoint cannot be read, or have no such head.
    pub fn new(params: &Params, logs: Option<&Path>) -> Result<Self, RunError> {
        if params.text("inputs") == ANGLE {
            return Ok(Self::Angles);
        }
        if is_direct(params) {
            return Ok(Self::Direct);
        }
        let places = places(params, logs)?;
        let place = places.first().ok_or_else(|| RunError::Failed("there is no head to look at".to_owned()))?;
        Ok(Self::Heads(*place))
    }

    /// The radii that pairs are drawn for; one entry of nothing where they have lengths of their own.
    fn radii(self, params: &Params) -> Vec<Option<f64>> {
        let has_radius = match self {
            Self::Angles => true,
            Self::Direct => false,
            Self::Heads(place) => has_radius(place.source.name()),
        };
        if has_radius { params.floats(RADIUS.key).into_iter().map(Some).collect() } else { vec![None] }
    }

    /// The shape of what the run reads, where `size` gives the values of whole-number parameters.
    pub fn shape(self, params: &Params, size: &dyn Fn(&str) -> usize) -> Option<PairShape> {
        let radii = self.radii(params).len();
        Some(match self {
            Self::Angles => PairShape { pairs: size("angles"), dim: size("dim"), radii, read: 0 },
            Self::Direct => match *ArrayFile::open(params.text("x")).ok()?.shape() {
                [pairs, dim] => PairShape { pairs, dim, radii, read: 0 },
                _ => return None,
            },
            Self::Heads(place) => {
                let (tokens, dim) = match place.source {
                    InputSource::Drawn(_) => (2 * size("length"), size("dim")),
                    _ => (place.queries + place.keys, place.dim),
                };
                PairShape { pairs: size(PAIRS).min(tokens / 2), dim, radii, read: tokens * dim }
            }
        })
    }

    /// The pairs of every radius.
    ///
    /// # Errors
    /// A file or checkpoint cannot be read or does not fit, there are fewer tokens than pairs, or a vector is too long.
    pub fn pairs(self, params: &Params, context: &RunContext) -> Result<Vec<VectorPairs>, RunError> {
        let of_radius = |radius: Option<f64>| match (self, radius) {
            (Self::Angles, radius) => Ok(at_angles(params, radius.unwrap_or(1.0))),
            (Self::Direct, _) => from_files(params),
            (Self::Heads(place), radius) => of_head(params, &place, radius, context),
        };
        self.radii(params).into_iter().map(of_radius).collect()
    }
}

fn at_angles(params: &Params, radius: f64) -> VectorPairs {
    let (dim, count) = (params.size("dim"), params.size("angles"));
    let angles: Vec<f64> =
        (0..count).map(|i| if i + 1 == count { PI } else { PI * i as f64 / (count - 1) as f64 }).collect();
    let (mut x, mut y) = (Array2::zeros((count, dim)), Array2::zeros((count, dim)));
    for (i, angle) in angles.iter().enumerate() {
        let (first, second) = sphere_pair(dim, radius, *angle);
        x.row_mut(i).assign(&first);
        y.row_mut(i).assign(&second);
    }
    VectorPairs { title: format!("R={radius}"), source: None, place: None, x, y, angles, radius }
}

fn from_files(params: &Params) -> Result<VectorPairs, RunError> {
    let (x, y) = (matrices::matrix("x", params.text("x"))?, matrices::matrix("y", params.text("y"))?);
    if x.dim() != y.dim() {
        let ((a, b), (c, d)) = (x.dim(), y.dim());
        return Err(RunError::Input(format!("y: found {c} × {d}, allowed: {a} × {b}, as many as `x` has")));
    }
    let pairs = VectorPairs::new([x, y], ["x", "y"], None)?;
    Ok(VectorPairs { source: Some(params.text("x").to_owned()), ..pairs })
}

/// The first queries with the keys beside them.
fn of_head(
    params: &Params,
    place: &HeadPlace,
    radius: Option<f64>,
    context: &RunContext,
) -> Result<VectorPairs, RunError> {
    let reader = InputReader::of_run(params, context);
    let mut reader = match radius {
        Some(radius) => reader.with_radius(radius),
        None => reader,
    };
    let (count, tokens) = (params.size(PAIRS), place.queries.min(place.keys));
    if count > tokens {
        let allowed = format!("at most {tokens}, as there are {} queries and {} keys", place.queries, place.keys);
        return Err(RunError::Input(format!("{PAIRS}: found `{count}`, allowed: {allowed}")));
    }
    let HeadInputs { source, inputs, .. } = reader.read(*place, &place.draw_name())?;
    let first = |tokens: &Array2<f64>| tokens.slice(s![..count, ..]).to_owned();
    let pairs = VectorPairs::new([first(&inputs.queries), first(&inputs.keys)], [QUERIES.key, KEYS.key], radius)?;
    let title = radius.map_or_else(String::new, |radius| format!("R={radius}"));
    Ok(VectorPairs { title, source, place: Some(*place), ..pairs })
}

impl VectorPairs {
    /// The pairs of row i of the first matrix with row i of the second, which have the names `keys` and as many rows. They lie
    /// on the sphere of this radius, or on one of any radius.
    fn new([x, y]: [Array2<f64>; 2], keys: [&str; 2], radius: Option<f64>) -> Result<Self, RunError> {
        let lengths: Vec<f64> = x.rows().into_iter().chain(y.rows()).map(|row| row.dot(&row).sqrt()).collect();
        if let Some((row, length)) = lengths.iter().enumerate().find(|(_, length)| **length > LONGEST) {
            let (key, row) = if row < x.nrows() { (keys[0], row) } else { (keys[1], row - x.nrows()) };
            return Err(RunError::Input(format!(
                "{key}: row {row} (counted from 0) has length {length:.1}, allowed: up to {LONGEST}, beyond which squared \
                 errors overflow"
            )));
        }
        let angles = x.rows().into_iter().zip(y.rows()).enumerate().map(|(i, (a, b))| {
            let norms = lengths[i] * lengths[x.nrows() + i];
            if norms > 0.0 { (a.dot(&b) / norms).clamp(-1.0, 1.0).acos() } else { 0.0 }
        });
        let angles = angles.collect();
        let first = radius.unwrap_or(lengths[0]);
        let sphere = lengths.iter().all(|length| (length - first).abs() <= 1e-9 * first);
        let radius = if sphere { first } else { f64::NAN };
        Ok(Self { title: String::new(), source: None, place: None, x, y, angles, radius })
    }
}
