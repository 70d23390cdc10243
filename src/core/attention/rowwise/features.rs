//! Features as exponents, and tiles of estimates in 32 bits with a scale for each row.

use crate::attention::feature_map::FeatureShape;
use crate::attention::hybrid::HybridSketch;
use crate::attention::kernel::Float;
use crate::attention::typed::TypedSide;
use crate::attention::{AttentionError, FeatureMap, Inputs, RandomFeatures};
use crate::function::Function;
use crate::memory;
use crate::product::product;
use crate::vectorized::vectorized;
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut2, s};
use std::ops::Range;

/// One drawn estimate of a head, in exponents.
#[derive(Debug)]
pub struct HeadEstimate {
    parts: EstimateParts,
    features: usize,
}

#[derive(Debug)]
enum EstimateParts {
    One(ExponentFeatures),
    Hybrid {
        /// The part that λ̂ weighs and the one that 1 − λ̂ weighs.
        parts: Box<[ExponentFeatures; 2]>,
        /// c₀, c₁ of λ̂ = c₀ + c₁ τ·τ.
        weight: [f64; 2],
        /// τ of queries and keys; none where λ̂ is a constant.
        signs: Option<[Array2<f32>; 2]>,
    },
}

impl HeadEstimate {
    /// The estimate of `inputs` by `map` on the first `m` projections of `draw` (rows×d).
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn of_features(inputs: &Inputs, map: &FeatureMap, draw: ArrayView2<'_, f64>) -> Result<Self, AttentionError> {
        let part = ExponentFeatures::new(inputs, map, draw)?;
        Ok(Self { features: map.features(draw.nrows()), parts: EstimateParts::One(part) })
    }

    /// The estimate of `inputs` by a drawn hybrid.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn of_hybrid(inputs: &Inputs, sketch: &HybridSketch) -> Result<Self, AttentionError> {
        let (first, second) = sketch.parts();
        let part =
            |features: &RandomFeatures| ExponentFeatures::new(inputs, &features.map, features.projections.view());
        let signs = |side: &Array2<f64>| -> Result<Array2<f32>, AttentionError> {
            Ok(sketch.signs(side.view())?.mapv(|sign| sign as f32))
        };
        let [c0, c1, ..] = sketch.coefficients();
        let signs = if c1 == 0.0 { None } else { Some([signs(&inputs.queries)?, signs(&inputs.keys)?]) };
        let parts = EstimateParts::Hybrid { parts: Box::new([part(first)?, part(second)?]), weight: [c0, c1], signs };
        Ok(Self { parts, features: crate::attention::Sketch::features(sketch) })
    }

    /// Columns of the finite feature map.
    #[must_use]
    pub const fn features(&self) -> usize {
        self.features
    }

    /// Whether every entry is positive, however far below 32 bits it lies beside the largest one of its row.
    pub(super) fn is_positive(&self) -> bool {
        matches!(&self.parts, EstimateParts::One(part) if part.shape != FeatureShape::Circular && part.signs.is_none())
    }

    /// Scaled features of the first `seen` keys.
    pub(super) fn keys(&self, seen: usize) -> Result<KeyScales, AttentionError> {
        let parts = match &self.parts {
            EstimateParts::One(one) => std::slice::from_ref(one),
            EstimateParts::Hybrid { parts, .. } => parts.as_slice(),
        };
        parts.iter().map(|part| part.scale_keys(seen)).collect::<Result<_, _>>().map(KeyScales)
    }

    /// Writes rows `rows` of the estimate for the keys of `keys` into `out` (rows×keys), each divided by the exponential of the
    /// number that is returned for it.
    pub(super) fn tile(&self, keys: &KeyScales, rows: Range<usize>, mut out: ArrayViewMut2<'_, f32>) -> Vec<f64> {
        match &self.parts {
            EstimateParts::One(one) => one.tile(&keys.0[0], rows, out),
            EstimateParts::Hybrid { parts, weight: [c0, c1], signs } => {
                let [first, second] = &**parts;
                let scales = first.tile(&keys.0[0], rows.clone(), out.view_mut());
                let mut other = Array2::zeros(out.raw_dim());
                let of_second = second.tile(&keys.0[1], rows.clone(), other.view_mut());
                let mut agreement = Array2::zeros(out.raw_dim());
                if let Some([queries, of_keys]) = signs {
                    let of_keys = of_keys.slice(s![..out.ncols(), ..]);
                    product(queries.slice(s![rows, ..]), of_keys.t(), agreement.view_mut(), 0.0);
                }
                let (c0, c1) = (*c0 as f32, *c1 as f32);
                let tops: Vec<f64> = scales.iter().zip(&of_second).map(|(a, b)| a.max(*b)).collect();
                for (place, mut row) in out.rows_mut().into_iter().enumerate() {
                    let [a, b] = [scales[place], of_second[place]].map(|scale| (scale - tops[place]).exp() as f32);
                    let both = other.row(place);
                    for ((value, other), agreement) in row.iter_mut().zip(both).zip(agreement.row(place)) {
                        let lambda = c0 + c1 * agreement;
                        *value = lambda * a * *value + (1.0 - lambda) * b * other;
                    }
                }
                tops
            }
        }
    }
}

/// Features of keys in range, for each part of an estimate.
pub(super) struct KeyScales(Vec<ScaledKeys>);

impl KeyScales {
    /// The number of keys.
    pub fn count(&self) -> usize {
        self.0.first().map_or(0, |part| part.features.ncols())
    }
}

struct ScaledKeys {
    /// M×keys.
    features: Array2<f32>,
    /// c_l (M), or one c for trigonometric features.
    scales: Array1<f64>,
}

/// Exponents of one feature map on one draw.
#[derive(Debug)]
struct ExponentFeatures {
    shape: FeatureShape,
    /// w_l·x_i + offset_l, a row a projection: m×L_q.
    queries: Array2<f64>,
    /// The same of the keys: m×L_k.
    keys: Array2<f64>,
    /// What is added to every exponent of a query: ∓|x|²/2, the row's own exponent, and the logarithm of 1/features.
    of_query: Array1<f64>,
    /// What is added to every exponent of a key: ∓|y|²/2.
    of_key: Array1<f64>,
    /// The signs (−1, 0 or 1) of queries and keys where features are not all positive: the exponents are those of their sizes.
    signs: Option<Box<[Array2<i8>; 2]>>,
}

impl ExponentFeatures {
    fn new(inputs: &Inputs, map: &FeatureMap, draw: ArrayView2<'_, f64>) -> Result<Self, AttentionError> {
        let shape = map.shape();
        if let FeatureMap::Custom(function) = map {
            return Self::typed(inputs, function, draw);
        }
        let prepared = map.prepare(draw)?;
        let side = |tokens: &Array2<f64>| -> Result<Array2<f64>, AttentionError> {
            let mut exponents = memory::array((draw.nrows(), tokens.nrows()), 0.0, "the exponents of the features")?;
            product(prepared.projections.view(), tokens.t(), exponents.view_mut(), 0.0);
            for (mut row, offset) in exponents.rows_mut().into_iter().zip(&prepared.offsets) {
                row += *offset;
            }
            Ok(exponents)
        };
        let half = if shape == FeatureShape::Circular { 0.5 } else { -0.5 };
        let halves = |tokens: &Array2<f64>| tokens.rows().into_iter().map(|row| half * row.dot(&row)).collect();
        let (of_query, of_key): (Array1<f64>, Array1<f64>) = (halves(&inputs.queries), halves(&inputs.keys));
        // Each projection weighs 1/m; both signs of one share it.
        let count = draw.nrows() * if shape == FeatureShape::BothSigns { 2 } else { 1 };
        Ok(Self {
            shape,
            queries: side(&inputs.queries)?,
            keys: side(&inputs.keys)?,
            of_query: of_query + &inputs.row_exponents - (count as f64).ln(),
            of_key,
            signs: None,
        })
    }

    /// Every feature of a typed function has a row of its own: its exponent, or the logarithm of its size with its sign.
    fn typed(inputs: &Inputs, function: &'static Function, draw: ArrayView2<'_, f64>) -> Result<Self, AttentionError> {
        let width = draw.nrows() * function.components();
        let side = |side: &'static str, tokens: &Array2<f64>| -> Result<_, AttentionError> {
            let what = "the exponents of the features";
            let shape = (width, tokens.nrows());
            let mut exponents = memory::array(shape, 0.0, what)?;
            let mut signs = match function.exponents() {
                Some(_) => None,
                None => Some(memory::array(shape, 0_i8, what)?),
            };
            let typed = TypedSide { function, side, tokens: tokens.view(), projections: draw };
            for rows in typed.blocks(0..tokens.nrows()) {
                let block = typed.exponents(rows.clone()).unwrap_or_else(|| typed.values(rows.clone()))?;
                for (l, mut row) in exponents.slice_mut(s![.., rows.clone()]).rows_mut().into_iter().enumerate() {
                    row.iter_mut().zip(block.feature(l)).for_each(|(out, number)| *out = number);
                }
            }
            if let Some(signs) = &mut signs {
                signs.zip_mut_with(&exponents, |sign, value| *sign = i8::from(*value > 0.0) - i8::from(*value < 0.0));
                exponents.mapv_inplace(|value: f64| value.abs().ln());
            }
            Ok((exponents, signs))
        };
        let ((queries, of_queries), (keys, of_keys)) = (side("query", &inputs.queries)?, side("key", &inputs.keys)?);
        Ok(Self {
            shape: FeatureShape::Typed(function.components()),
            of_query: &inputs.row_exponents - (draw.nrows() as f64).ln(),
            of_key: Array1::zeros(keys.ncols()),
            queries,
            keys,
            signs: of_queries.zip(of_keys).map(|(queries, keys)| Box::new([queries, keys])),
        })
    }

    /// Columns of Φ.
    fn width(&self) -> usize {
        let each = if let FeatureShape::Typed(_) = self.shape { 1 } else { self.shape.features_per_projection() };
        self.queries.nrows() * each
    }

    fn scale_keys(&self, seen: usize) -> Result<ScaledKeys, AttentionError> {
        let m = self.keys.nrows();
        let mut features = memory::array((self.width(), seen), 0.0_f32, "the features of the keys")?;
        let own = self.of_key.slice(s![..seen]);
        let own = own.as_slice().unwrap_or_default();
        if self.shape == FeatureShape::Circular {
            let top = largest(own);
            let factors: Vec<f32> = own.iter().map(|own| (own - top).exp() as f32).collect();
            for (l, products) in self.keys.rows().into_iter().enumerate() {
                let (cosines, sines) = features.multi_slice_mut((s![2 * l, ..], s![2 * l + 1, ..]));
                let products = products.to_slice().unwrap_or_default();
                turn(cosines.into_slice(), sines.into_slice(), &products[..seen], &factors);
            }
            return Ok(ScaledKeys { features, scales: Array1::from_elem(1, top) });
        }
        let mut scales = Array1::zeros(self.width());
        let mut exponents = vec![0.0; seen];
        for (l, (mut row, scale)) in features.rows_mut().into_iter().zip(&mut scales).enumerate() {
            let (sign, products) = if l < m { (1.0, self.keys.row(l)) } else { (-1.0, self.keys.row(l - m)) };
            let products = products.to_slice().unwrap_or_default();
            add(&mut exponents, &products[..seen], sign, own);
            *scale = largest(&exponents);
            // A feature that is 0 at every key has no scale.
            let shift = if *scale == f64::NEG_INFINITY { 0.0 } else { *scale };
            write_exp(row.as_slice_mut().unwrap_or_default(), &exponents, shift);
            if let Some(signs) = &self.signs {
                row.zip_mut_with(&signs[1].slice(s![l, ..seen]), |value, sign| *value *= f32::from(*sign));
            }
        }
        Ok(ScaledKeys { features, scales })
    }

    fn tile(&self, keys: &ScaledKeys, rows: Range<usize>, out: ArrayViewMut2<'_, f32>) -> Vec<f64> {
        let (m, count) = (self.queries.nrows(), rows.len());
        let own = self.of_query.slice(s![rows.clone()]);
        let mut features = Array2::<f32>::zeros((self.width(), count));
        let mut tops;
        if self.shape == FeatureShape::Circular {
            let factors = vec![1.0; count];
            for (l, products) in self.queries.rows().into_iter().enumerate() {
                let (cosines, sines) = features.multi_slice_mut((s![2 * l, ..], s![2 * l + 1, ..]));
                let products = products.to_slice().unwrap_or_default();
                turn(cosines.into_slice(), sines.into_slice(), &products[rows.clone()], &factors);
            }
            tops = vec![keys.scales[0]; count];
        } else {
            let side = |l: usize| if l < m { (1.0, self.queries.row(l)) } else { (-1.0, self.queries.row(l - m)) };
            tops = vec![f64::NEG_INFINITY; count];
            for (l, scale) in keys.scales.iter().enumerate() {
                let (sign, products) = side(l);
                for (top, product) in tops.iter_mut().zip(products.slice(s![rows.clone()])) {
                    let exponent = sign * product + scale;
                    *top = if exponent > *top { exponent } else { *top };
                }
            }
            tops.iter_mut().filter(|top| **top == f64::NEG_INFINITY).for_each(|top| *top = 0.0);
            let mut exponents = vec![0.0; count];
            let shifts: Vec<f64> = tops.iter().map(|top| -top).collect();
            for (l, (mut row, scale)) in features.rows_mut().into_iter().zip(&keys.scales).enumerate() {
                let (sign, products) = side(l);
                let products = products.to_slice().unwrap_or_default();
                add(&mut exponents, &products[rows.clone()], sign, &shifts);
                write_exp(row.as_slice_mut().unwrap_or_default(), &exponents, -scale);
                if let Some(signs) = &self.signs {
                    row.zip_mut_with(&signs[0].slice(s![l, rows.clone()]), |value, sign| *value *= f32::from(*sign));
                }
            }
        }
        product(features.t(), keys.features.view(), out, 0.0);
        tops.iter().zip(own).map(|(top, own)| top + own).collect()
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, |top, value| if value > top { value } else { top })
}

/// out ← sign·products + own.
fn add(out: &mut [f64], products: &[f64], sign: f64, own: &[f64]) {
    vectorized!({
        for ((out, product), own) in out.iter_mut().zip(products).zip(own) {
            *out = sign * product + own;
        }
    });
}

/// out ← exp(exponents − scale): the difference in 64 bits, the exponential in 32.
fn write_exp(out: &mut [f32], exponents: &[f64], scale: f64) {
    vectorized!({
        for (out, exponent) in out.iter_mut().zip(exponents) {
            *out = Float::exp((exponent - scale) as f32);
        }
    });
}

/// (cosines, sines) ← factor·(cos, sin) of the products.
fn turn(cosines: Option<&mut [f32]>, sines: Option<&mut [f32]>, products: &[f64], factors: &[f32]) {
    let (cosines, sines) = (cosines.unwrap_or_default(), sines.unwrap_or_default());
    vectorized!({
        for (((cosine, sine), product), factor) in cosines.iter_mut().zip(sines.iter_mut()).zip(products).zip(factors) {
            let (s, c) = Float::sin_cos(*product);
            (*cosine, *sine) = (factor * c as f32, factor * s as f32);
        }
    });
}
