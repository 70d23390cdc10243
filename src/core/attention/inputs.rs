//! Queries and keys: distributions to draw them from, checks, scaling and exact re-centring.

use super::AttentionError;
use crate::memory;
use crate::named::named;
use crate::random::Generator;
use ndarray::{Array1, Array2, ArrayView1, Axis};
use ndarray_rand::RandomExt;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::{Distribution as _, StandardNormal};

/// Scaled queries x_i and keys y_j; the exact matrix is A_ij = exp(x_i·y_j + r_i).
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    /// Queries (L_q×d).
    pub queries: Array2<f64>,
    /// Keys (L_k×d).
    pub keys: Array2<f64>,
    /// r (L_q): zero but after re-centring, which moves part of the exponent here.
    pub row_exponents: Array1<f64>,
}

impl Inputs {
    /// Queries and keys that fit together.
    ///
    /// # Errors
    /// Different or zero dimensions, no tokens, a value that is not finite.
    pub fn new(queries: Array2<f64>, keys: Array2<f64>) -> Result<Self, AttentionError> {
        for (side, tokens) in [("query", &queries), ("key", &keys)] {
            if tokens.is_empty() {
                let (rows, cols) = tokens.dim();
                return Err(AttentionError::Shape(format!("no {side}: the matrix is {rows}×{cols}")));
            }
            if let Some(((token, coordinate), &value)) = tokens.indexed_iter().find(|(_, value)| !value.is_finite()) {
                return Err(AttentionError::NotFinite { side, token, coordinate, value });
            }
        }
        if queries.ncols() != keys.ncols() {
            let (q, k) = (queries.dim(), keys.dim());
            return Err(AttentionError::Shape(format!(
                "queries are {}×{}, keys {}×{}: both need the same number of columns",
                q.0, q.1, k.0, k.1
            )));
        }
        let row_exponents = Array1::zeros(queries.nrows());
        Ok(Self { queries, keys, row_exponents })
    }

    /// The dimension d.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.queries.ncols()
    }

    /// Divides queries and keys by d^¼, so that exp(x·y) = exp(q·k/√d).
    #[must_use]
    pub fn scaled(mut self) -> Self {
        let scale = (self.dim() as f64).powf(-0.25);
        self.queries *= scale;
        self.keys *= scale;
        self
    }

    /// The same matrix written as exp(x·(y−c) + x·c): the features see keys y−c, and each row carries its factor.
    ///
    /// The relative mean squared error of positive features then depends on |x+y−c|² (of trigonometric ones on
    /// |x−y+c|²), so a good c reduces it; see [`Inputs::mean_shift`] and [`super::spikiness::Exact::centre`].
    #[must_use]
    pub fn recentred(mut self, shift: ArrayView1<'_, f64>) -> Self {
        self.row_exponents += &self.queries.dot(&shift);
        self.keys -= &shift;
        self
    }

    /// mean x + mean y, a shift for [`Inputs::recentred`].
    #[must_use]
    pub fn mean_shift(&self) -> Array1<f64> {
        let mean = |x: &Array2<f64>| x.sum_axis(Axis(0)) / x.nrows() as f64;
        mean(&self.queries) + mean(&self.keys)
    }
}

named! {
    /// A distribution of queries and keys, before its parameters are known.
    pub enum InputKind {
        Gauss = "gauss", "queries and keys from N(0, sigma² I); larger sigma is a lower temperature";
        Sphere = "sphere", "uniform on the sphere of the radius";
        LogNormal = "lognorm", "uniform directions, lengths radius·exp(spread·g): a few very long tokens";
        Planted = "planted", "every query has one key of its own, at cosine `match`: one spike a row";
        Cluster = "cluster", "around common centres: block spikes";
        Hub = "hub", "2 % of the keys draw every query: spiky columns";
        Outlier = "outlier", "gauss and one massive coordinate on a tenth of the tokens";
        Band = "band", "sines and cosines of the position: a diagonal band";
    }
}

/// The parameters of every [`InputKind`]; each takes what it needs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct InputParameters {
    /// Standard deviation σ of gauss and outlier.
    pub sigma: f64,
    /// The factor that makes x of q for gauss and outlier: d^−¼ or 1.
    pub scale: f64,
    /// Length of tokens where the inputs have one; none for the kind's own, which shows its pattern.
    pub radius: Option<f64>,
    /// lognorm: deviation of the logarithm of the length.
    pub spread: f64,
    /// planted: cosine between a query and its key.
    pub cosine: f64,
    /// cluster: number of centres.
    pub centres: usize,
    /// hub: length of the hub keys.
    pub hub: f64,
    /// outlier: size of the massive coordinate.
    pub outlier: f64,
}

impl InputKind {
    /// The distribution with these parameters.
    #[must_use]
    pub fn with(self, parameters: InputParameters) -> Distribution {
        let InputParameters { sigma, scale, spread, cosine, centres, hub, outlier, .. } = parameters;
        let radius = |own| parameters.radius.unwrap_or(own);
        match self {
            Self::Gauss => Distribution::Gauss { sigma, scale },
            Self::Sphere => Distribution::Sphere { radius: radius(1.0) },
            Self::LogNormal => Distribution::LogNormal { radius: radius(0.8), spread },
            Self::Planted => Distribution::Planted { radius: radius(1.5), cosine },
            Self::Cluster => Distribution::Cluster { radius: radius(1.5), centres },
            Self::Hub => Distribution::Hub { radius: radius(1.2), hub },
            Self::Outlier => Distribution::Outlier { sigma, scale, size: outlier },
            Self::Band => Distribution::Band { radius: radius(1.6) },
        }
    }
}

/// A distribution of queries and keys. Vectors are as exp(x·y) takes them: already divided by d^¼, except for
/// [`Distribution::Gauss`] and the bulk of [`Distribution::Outlier`], which are drawn as q, k and take [`Inputs::scaled`]'s factor `scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// q, k ~ N(0, σ²I), times `scale`.
    Gauss {
        /// σ.
        sigma: f64,
        /// The factor that makes x of q: d^−¼ or 1.
        scale: f64,
    },
    /// Uniform on the sphere of this radius.
    Sphere {
        /// Radius R.
        radius: f64,
    },
    /// Uniform directions, lengths R·exp(τ·g): a few very long tokens.
    LogNormal {
        /// Median length R.
        radius: f64,
        /// τ.
        spread: f64,
    },
    /// Keys uniform on the sphere; each query has one key of its own, at cosine ρ.
    Planted {
        /// Radius R.
        radius: f64,
        /// Cosine ρ of the match.
        cosine: f64,
    },
    /// Queries and keys around common random centres: blocks.
    Cluster {
        /// Radius R.
        radius: f64,
        /// Number of centres.
        centres: usize,
    },
    /// Queries lean to one direction, 2 % of the keys lie on it: columns that everybody attends to.
    Hub {
        /// Radius R of queries and of ordinary keys.
        radius: f64,
        /// Length of the hub keys.
        hub: f64,
    },
    /// Gauss, and one coordinate that is ±a on a tenth of the tokens, 0 elsewhere: a massive channel.
    Outlier {
        /// σ of the other coordinates.
        sigma: f64,
        /// The factor that makes x of q: d^−¼ or 1.
        scale: f64,
        /// a, after scaling.
        size: f64,
    },
    /// Positions as sines and cosines of geometric frequencies: a band along the diagonal.
    Band {
        /// Radius R.
        radius: f64,
    },
}

impl Distribution {
    /// Draws `length` queries and as many keys of dimension `d`.
    ///
    /// # Errors
    /// There is not enough memory.
    ///
    /// # Panics
    /// `length` or `d` is 0.
    pub fn draw(&self, length: usize, d: usize, rng: &mut Generator) -> Result<Inputs, AttentionError> {
        assert!(length > 0 && d > 0, "no tokens or no coordinates");
        let (queries, keys) = match *self {
            Self::Gauss { sigma, scale } => {
                (normal(length, d, rng)? * (sigma * scale), normal(length, d, rng)? * (sigma * scale))
            }
            Self::Sphere { radius } => (directions(length, d, rng)? * radius, directions(length, d, rng)? * radius),
            Self::LogNormal { radius, spread } => {
                let mut side = || -> Result<_, AttentionError> {
                    let mut tokens = directions(length, d, rng)?;
                    for mut token in tokens.rows_mut() {
                        let g: f64 = StandardNormal.sample(rng);
                        token *= radius * (spread * g).exp();
                    }
                    Ok(tokens)
                };
                (side()?, side()?)
            }
            Self::Planted { radius, cosine } => planted(radius, cosine, length, d, rng)?,
            Self::Cluster { radius, centres } => {
                let middles = directions(centres, d, rng)?;
                let mut side = || -> Result<_, AttentionError> {
                    let mut tokens = normal(length, d, rng)? * (0.3 / (d as f64).sqrt());
                    for mut token in tokens.rows_mut() {
                        token += &middles.row(rng.random_range(0..centres));
                        normalise(token, radius);
                    }
                    Ok(tokens)
                };
                (side()?, side()?)
            }
            Self::Hub { radius, hub } => {
                let axis = directions(1, d, rng)?.remove_axis(Axis(0));
                let mut queries = directions(length, d, rng)?;
                for query in queries.rows_mut() {
                    lean(query, &axis, 0.8, radius);
                }
                let mut keys = directions(length, d, rng)? * radius;
                let mut order: Vec<usize> = (0..length).collect();
                order.shuffle(rng);
                for &key in &order[..length.div_ceil(50)] {
                    keys.row_mut(key).assign(&(&axis * hub));
                }
                (queries, keys)
            }
            Self::Outlier { sigma, scale, size } => {
                let mut side = || -> Result<_, AttentionError> {
                    let mut tokens = normal(length, d, rng)? * (sigma * scale);
                    for channel in tokens.column_mut(0) {
                        let sign = if rng.random::<bool>() { 1.0 } else { -1.0 };
                        *channel = if rng.random::<f64>() < 0.1 { sign * size } else { 0.0 };
                    }
                    Ok(tokens)
                };
                (side()?, side()?)
            }
            Self::Band { radius } => {
                let waves = (d / 2).max(1);
                let side = || -> Result<_, AttentionError> {
                    let mut tokens = memory::array((length, d), 0.0, TOKENS)?;
                    for ((i, l), value) in tokens.indexed_iter_mut() {
                        let phase = 100_f64.powf(-((l / 2) as f64) / waves as f64) * i as f64;
                        *value = radius / (waves as f64).sqrt() * if l % 2 == 0 { phase.cos() } else { phase.sin() };
                    }
                    Ok(tokens)
                };
                (side()?, side()?)
            }
        };
        let row_exponents = Array1::zeros(length);
        Ok(Inputs { queries, keys, row_exponents })
    }
}

/// What is short where tokens do not fit into memory.
const TOKENS: &str = "the tokens";

/// Independent standard normal numbers, row by row.
fn normal(rows: usize, cols: usize, rng: &mut Generator) -> Result<Array2<f64>, AttentionError> {
    memory::probe::<f64>((rows, cols), TOKENS)?;
    Ok(Array2::random_using((rows, cols), StandardNormal, rng))
}

/// Uniformly distributed unit rows.
fn directions(rows: usize, d: usize, rng: &mut Generator) -> Result<Array2<f64>, AttentionError> {
    let mut tokens = normal(rows, d, rng)?;
    for token in tokens.rows_mut() {
        normalise(token, 1.0);
    }
    Ok(tokens)
}

/// Brings a token to this length.
fn normalise(mut token: ndarray::ArrayViewMut1<'_, f64>, length: f64) {
    let norm = token.dot(&token).sqrt();
    token *= length / norm;
}

/// Replaces a direction by length·(cosine·axis + sine·(its part across the axis, of length 1)).
fn lean(mut token: ndarray::ArrayViewMut1<'_, f64>, axis: &Array1<f64>, cosine: f64, length: f64) {
    let along = token.dot(axis);
    token.scaled_add(-along, axis);
    let across = token.dot(&token).sqrt();
    let sine = (1.0 - cosine * cosine).max(0.0).sqrt();
    // In one dimension nothing is left across the axis.
    token *= if across > 1e-12 { sine * length / across } else { 0.0 };
    token.scaled_add(cosine * length, axis);
}

/// Queries and keys of [`Distribution::Planted`].
fn planted(
    radius: f64,
    cosine: f64,
    length: usize,
    d: usize,
    rng: &mut Generator,
) -> Result<(Array2<f64>, Array2<f64>), AttentionError> {
    let keys = directions(length, d, rng)?;
    let mut queries = directions(length, d, rng)?;
    let mut partner: Vec<usize> = (0..length).collect();
    partner.shuffle(rng);
    for (query, &key) in queries.rows_mut().into_iter().zip(&partner) {
        lean(query, &keys.row(key).to_owned(), cosine, radius);
    }
    Ok((queries, keys * radius))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::generator;
    use ndarray::array;

    #[test]
    fn lengths_are_as_declared() {
        let mut rng = generator(0, "inputs", 0);
        for distribution in [
            Distribution::Sphere { radius: 1.5 },
            Distribution::Planted { radius: 1.5, cosine: 0.9 },
            Distribution::Cluster { radius: 1.5, centres: 4 },
            Distribution::Band { radius: 1.5 },
        ] {
            let inputs = distribution.draw(20, 8, &mut rng).unwrap();
            for token in inputs.queries.rows().into_iter().chain(inputs.keys.rows()) {
                assert!((token.dot(&token) - 2.25).abs() < 1e-12, "{distribution:?}");
            }
        }
        let inputs = Distribution::Planted { radius: 2.0, cosine: 0.9 }.draw(20, 8, &mut rng).unwrap();
        let products = inputs.queries.dot(&inputs.keys.t());
        for row in products.rows() {
            assert!(row.iter().any(|product| (product - 3.6).abs() < 1e-12));
        }
    }

    #[test]
    fn bad_tokens_are_named() {
        let good = array![[1.0, 2.0]];
        let error = Inputs::new(good.clone(), array![[1.0, 2.0], [0.0, f64::NAN]]).unwrap_err();
        assert_eq!(error.to_string(), "key 1 (counted from 0), coordinate 1: NaN is not finite");
        assert!(Inputs::new(good.clone(), array![[1.0]]).unwrap_err().to_string().contains("1×2"));
        assert!(Inputs::new(good, Array2::zeros((0, 2))).is_err());
    }

    #[test]
    fn recentring_keeps_the_matrix() {
        let inputs = Distribution::Hub { radius: 1.0, hub: 2.0 }.draw(6, 4, &mut generator(1, "inputs", 0)).unwrap();
        let shifted = inputs.clone().recentred(inputs.mean_shift().view());
        let exponents =
            |inputs: &Inputs| inputs.queries.dot(&inputs.keys.t()) + &inputs.row_exponents.clone().insert_axis(Axis(1));
        assert!((exponents(&inputs) - exponents(&shifted)).iter().all(|v| v.abs() < 1e-12));
    }
}
