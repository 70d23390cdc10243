//! The fused kernels against the composed network in f64, and what they promise beyond it.

use attnlab::attention::Projection;
use attnlab::attention::hybrid::Weight;
use attnlab::function::GALLERY;
use attnlab::random::generator;
use attnlab::vision::fused::{self, FusedVit, Instructions};
use attnlab::vision::{
    Attention, AttentionKernel, BlockSet, FavorEstimator, FavorMap, Layout, Parameters, TypedMap, VitConfig, composed,
};
use candle_core::{DType, Device, Tensor, Var};
use rand::Rng;
use std::sync::Arc;

/// A model, parameters that are far from their start, and a batch.
struct Case {
    config: VitConfig,
    layout: Layout,
    theta: Vec<f32>,
    patches: Vec<f32>,
    labels: Vec<u32>,
    smoothing: f32,
}

impl Case {
    fn new(config: VitConfig, batch: usize, seed: u64) -> Self {
        let layout = Layout::new(&config);
        let mut random = generator(seed, "fused test", 0);
        let mut theta = vec![0.0; layout.len()];
        let drawn = Parameters::new(&config, seed).unwrap().values().unwrap();
        for entry in layout.entries() {
            if entry.is_drawn() {
                theta[entry.range()].copy_from_slice(&drawn[entry.range()]);
                continue;
            }
            let bound = 1.0 / (*entry.shape.last().unwrap() as f32).sqrt();
            let one = f32::from(u8::from(entry.name.contains("norm") && entry.name.ends_with("weight")));
            for value in &mut theta[entry.range()] {
                *value = one + 1.5 * bound * random.random_range(-1.0..1.0);
            }
        }
        let patches =
            (0..batch * config.tokens() * config.patch_dim()).map(|_| random.random_range(-2.0..2.0)).collect();
        let labels = (0..batch).map(|_| random.random_range(0..config.classes as u32)).collect();
        Self { config, layout, theta, patches, labels, smoothing: 0.1 }
    }

    fn patches(&self, dtype: DType) -> Tensor {
        let shape = (self.labels.len(), self.config.tokens(), self.config.patch_dim());
        Tensor::from_slice(&self.patches, shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
    }

    fn theta(&self, dtype: DType) -> Var {
        let theta = Tensor::from_slice(&self.theta, self.theta.len(), &Device::Cpu).unwrap();
        Var::from_tensor(&theta.to_dtype(dtype).unwrap()).unwrap()
    }

    /// Logits, loss and gradient of the composed network in f64.
    fn reference(&self) -> (Vec<f64>, f64, Vec<f64>) {
        let theta = self.theta(DType::F64);
        let logits = composed::logits(&self.config, &self.layout, &theta, &self.patches(DType::F64)).unwrap();
        let loss = composed::cross_entropy(&logits, &self.labels, f64::from(self.smoothing)).unwrap();
        let gradient = loss.backward().unwrap().get(&theta).unwrap().to_vec1().unwrap();
        (logits.flatten_all().unwrap().to_vec1().unwrap(), loss.to_scalar().unwrap(), gradient)
    }

    fn fused(&self, vit: &FusedVit) -> (Vec<f32>, f32, Vec<f32>) {
        let mut logits = vec![f32::NAN; self.labels.len() * self.config.classes];
        vit.logits(&self.theta, &self.patches, &mut logits);
        let mut gradient = vec![f32::NAN; self.theta.len()];
        let loss = vit.loss_and_gradient(&self.theta, &self.patches, &self.labels, self.smoothing, &mut gradient);
        (logits, loss, gradient)
    }

    /// Compares everything with the reference, tensor by tensor.
    fn compare(&self, vit: &FusedVit) {
        let (logits, loss, gradient) = self.fused(vit);
        let (expected_logits, expected_loss, expected_gradient) = self.reference();
        let what = format!("{:?} batch {} on {}", self.config, self.labels.len(), vit.instructions());
        // Where features cancel, or masks are divided by, single precision loses digits.
        let cancels = self.config.attention.favor().is_some_and(|map| !map.is_positive());
        let loss_of_digits = if cancels {
            100.0
        } else if self.config.mask_dim > 0 {
            5.0
        } else {
            1.0
        };
        let error = distance(&logits, &expected_logits);
        assert!(error < loss_of_digits * 1e-5, "logits of {what}: {error:e}");
        let error = (f64::from(loss) - expected_loss).abs() / expected_loss;
        assert!(error < loss_of_digits * 1e-5, "loss of {what}: {error:e}");
        // Some gradients vanish (the key bias of softmax attention; f, where there is one token): errors there are measured
        // by a twentieth of the mean over all parameters.
        let mean = norm(&expected_gradient) / (expected_gradient.len() as f64).sqrt();
        for entry in self.layout.entries() {
            let (got, expected) = (&gradient[entry.range()], &expected_gradient[entry.range()]);
            let floor = 0.05 * mean * (entry.len() as f64).sqrt();
            let difference: f64 = got.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).powi(2)).sum();
            let error = difference.sqrt() / norm(expected).max(floor);
            assert!(error < loss_of_digits * 1e-4, "gradient of {} in {what}: {error:e}", entry.name);
        }
    }
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// |got − expected| / |expected|.
fn distance(got: &[f32], expected: &[f64]) -> f64 {
    let difference: f64 = got.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).powi(2)).sum();
    difference.sqrt() / norm(expected)
}

fn config(attention: impl Into<Attention>, image: usize, patch: usize, dim: usize, heads: usize) -> VitConfig {
    let attention = attention.into();
    VitConfig {
        channels: 1,
        image_size: image,
        patch,
        dim,
        depth: 2,
        heads,
        mlp_ratio: 2,
        classes: 10,
        attention,
        softmax_blocks: BlockSet::NONE,
        mask_dim: 0,
    }
}

/// Functions beside those of the gallery, so that every operation is among them.
const FUNCTIONS: &[&str] = &[
    "relu(u) + relu(p) + 0.1",
    "max_over(u)^2*sigmoid(p) + mean(u)^2 + 0.1",
    "min(abs(u), 2) + max(p, 0.5)",
    "gelu(u) + silu(p) + tanh(u) + 2",
    "[sin(u) + 1.5, cos(p) + 1.5, sqrt(abs(u) + 0.1)]",
    "(abs(u) + 0.1)^a + log(1 + exp(u)); a = 1.5",
    "1/(1 + u^2) + (n + 1)^-1 + square(sum(u)) + b^2; b = 0.5",
    "exp(a*min(u, b)) + exp(-n); a = 1; b = 2",
    "[1, norm(u) + exp(u - p)]",
];

/// Every kernel of the table.
fn kernels() -> impl Iterator<Item = Attention> {
    AttentionKernel::ALL.iter().map(|kernel| Attention::from(*kernel))
}

/// The maps of functions that can be neither negative nor 0 in a whole row, so that denominators are positive.
fn typed() -> impl Iterator<Item = Attention> {
    let texts = GALLERY.iter().map(|ready| ready.text).chain(FUNCTIONS.iter().copied());
    let map = |text: &str| TypedMap::new(text, None).unwrap_or_else(|error| panic!("{text}: {error}"));
    let positive = |map: &TypedMap| map.function().negative().is_none() && map.function().text() != "relu(p)";
    texts.map(map).filter(positive).map(Attention::Typed)
}

/// Random features with every estimator, of more and of fewer projections than a head has coordinates.
fn favor() -> Vec<Attention> {
    let weight = Weight { a: 0.2, b: 0.6 };
    let custom = |text: &str, m| FavorEstimator::Custom(TypedMap::new(text, Some(m)).unwrap());
    let maps = [
        (FavorEstimator::Positive, Projection::Orthogonal, 24),
        (FavorEstimator::Positive, Projection::Simplex, 3),
        (FavorEstimator::Hyperbolic, Projection::Gaussian, 17),
        (FavorEstimator::Gerf { a: -0.1 }, Projection::Orthogonal, 20),
        (FavorEstimator::Trigonometric, Projection::Orthogonal, 64),
        (FavorEstimator::Hybrid { hyperbolic: true, signs: 3, weight }, Projection::Gaussian, 40),
        (FavorEstimator::Hybrid { hyperbolic: false, signs: 0, weight }, Projection::Orthogonal, 32),
        (custom("[exp(p - n/2), exp(-p - n/2)]", 12), Projection::Rademacher, 12),
        (custom("relu(p)*a + sigmoid(p)*exp(-n) + 0.01; a = 2", 24), Projection::Gaussian, 24),
    ];
    let map = |(estimator, projection, m)| Attention::Favor(FavorMap::new(estimator, projection, m).unwrap());
    maps.into_iter().map(map).collect()
}

/// Shapes that a model may have: heads of one coordinate have no projections that are coupled. Where features cancel, wide
/// heads lose every digit of single precision, and so does a single token: attention gives its values back whatever the
/// features are, so what flows back through them cancels to nothing over a denominator that may be near 0.
fn sound_shapes(attention: Attention) -> Vec<(VitConfig, usize)> {
    let cancels = attention.favor().is_some_and(|map| !map.is_positive());
    let keeps_digits = |config: &VitConfig| !cancels || (config.head_dim() <= 20 && config.tokens() > 1);
    let is_sound = |(config, _): &(VitConfig, usize)| config.check().is_ok() && keeps_digits(config);
    shapes(attention).into_iter().filter(is_sound).collect()
}

/// Softmax, and random features whose estimates are positive, with learned masks.
fn masked() -> Vec<VitConfig> {
    let positive = |attention: &Attention| attention.favor().is_none_or(FavorMap::takes_masks);
    let attentions = [AttentionKernel::Softmax.into()].into_iter().chain(favor());
    attentions
        .filter(positive)
        .flat_map(|attention| {
            let plain = config(attention, 12, 4, 24, 3);
            [
                VitConfig { mask_dim: 2, ..plain.clone() },
                VitConfig { mask_dim: 1, depth: 1, ..config(attention, 5, 1, 16, 2) },
                VitConfig { mask_dim: 16, image_size: 68, softmax_blocks: BlockSet::NONE.with(1), ..plain },
            ]
        })
        .filter(|config| config.check().is_ok())
        .collect()
}

/// Shapes with nothing in common: whole registers, odd widths, one token, one head, heads of one, many bands of queries.
fn shapes(attention: Attention) -> Vec<(VitConfig, usize)> {
    let plain = config(attention, 28, 4, 64, 4);
    vec![
        (plain.clone(), 9),
        (VitConfig { channels: 3, depth: 1, classes: 3, mlp_ratio: 1, ..config(attention, 8, 4, 96, 3) }, 2),
        (VitConfig { depth: 1, ..config(attention, 5, 1, 15, 3) }, 3),
        (VitConfig { classes: 2, ..config(attention, 4, 4, 7, 1) }, 33),
        (VitConfig { channels: 3, mlp_ratio: 3, ..config(attention, 6, 2, 20, 1) }, 1),
        (VitConfig { depth: 1, ..config(attention, 4, 2, 6, 6) }, 5),
        (VitConfig { depth: 1, ..config(attention, 17, 1, 34, 2) }, 2),
        (VitConfig { depth: 3, ..config(attention, 9, 3, 128, 2) }, 2),
    ]
}

#[test]
fn agrees_with_the_composed_network() {
    for (index, attention) in kernels().chain(typed()).enumerate() {
        for (shape, (config, batch)) in shapes(attention).into_iter().enumerate() {
            let case = Case::new(config, batch, (10 * index + shape) as u64);
            case.compare(&FusedVit::new(&case.config, 2).unwrap());
        }
    }
}

#[test]
fn random_features_agree_with_the_composed_network() {
    for (index, attention) in favor().into_iter().enumerate() {
        for (shape, (config, batch)) in sound_shapes(attention).into_iter().enumerate() {
            let case = Case::new(config, batch, (10 * index + shape) as u64);
            case.compare(&FusedVit::new(&case.config, 2).unwrap());
        }
    }
}

#[test]
fn learned_masks_agree_with_the_composed_network() {
    let all = masked();
    assert!(all.len() > 10, "{}", all.len());
    for (index, config) in all.into_iter().enumerate() {
        let case = Case::new(config, 3, index as u64);
        case.compare(&FusedVit::new(&case.config, 2).unwrap());
    }
}

#[test]
fn a_mask_needs_positive_features_and_one_for_each_coordinate() {
    let refused = |attention: Attention, mask_dim| {
        let config = VitConfig { mask_dim, ..config(attention, 12, 4, 24, 3) };
        config.check().unwrap_err().to_string()
    };
    assert!(refused(AttentionKernel::Relu.into(), 2).starts_with("a learned mask goes with softmax"));
    assert!(refused(favor()[4], 2).starts_with("a learned mask goes with softmax"));
    let text = refused(favor()[1], 3);
    assert_eq!(
        text,
        "a mask of 3 coordinates needs at least 4 projections: one for each, and one for the constant 0.001"
    );
}

#[test]
fn a_projection_may_have_more_or_fewer_rows_than_a_head_has_coordinates() {
    for (text, rows) in [("exp(p - n/2)", 24), ("[relu(p), sigmoid(-p)] + 0.01", 5), ("relu(p)^2 + 0.1 + sum(p)^2", 40)]
    {
        let map = TypedMap::new(text, Some(rows)).unwrap();
        let case = Case::new(config(Attention::Typed(map), 12, 4, 24, 3), 4, 21);
        case.compare(&FusedVit::new(&case.config, 2).unwrap());
    }
    let uneven = TypedMap::new("relu(u) + exp(p)", Some(5)).unwrap();
    let error = config(Attention::Typed(uneven), 12, 4, 24, 3).check().unwrap_err();
    assert!(error.to_string().contains("as many features of the projection as a head has coordinates, 8"), "{error}");
}

#[test]
fn every_set_of_instructions_agrees() {
    for instructions in Instructions::available() {
        for attention in kernels().chain(typed().step_by(3)).chain(favor()) {
            for (config, batch) in sound_shapes(attention).into_iter().skip(1).step_by(2) {
                let case = Case::new(config, batch, 3);
                case.compare(&FusedVit::with_instructions(&case.config, 1, instructions).unwrap());
            }
        }
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    let plain = kernels().chain(typed()).chain(favor()).map(|attention| config(attention, 6, 2, 12, 2));
    for config in plain.chain(masked().into_iter().filter(|config| config.image_size < 20)) {
        let case = Case::new(config, 3, 5);
        let (_, _, gradient) = case.fused(&FusedVit::new(&case.config, 1).unwrap());
        let theta: Vec<f64> = case.theta.iter().copied().map(f64::from).collect();
        let loss = |theta: Vec<f64>| -> f64 {
            let theta = Tensor::from_vec(theta, case.layout.len(), &Device::Cpu).unwrap();
            let logits = composed::logits(&case.config, &case.layout, &theta, &case.patches(DType::F64)).unwrap();
            composed::cross_entropy(&logits, &case.labels, f64::from(case.smoothing)).unwrap().to_scalar().unwrap()
        };
        let mut random = generator(1, "direction", 0);
        for entry in case.layout.entries() {
            if entry.is_drawn() {
                assert!(gradient[entry.range()].iter().all(|g| *g == 0.0), "{} is not learned", entry.name);
                continue;
            }
            let direction: Vec<f64> = entry.range().map(|_| random.random_range(-1.0..1.0)).collect();
            let moved = |step: f64| {
                let mut theta = theta.clone();
                for (value, d) in theta[entry.range()].iter_mut().zip(&direction) {
                    *value += step * d;
                }
                loss(theta)
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            let along: f64 = gradient[entry.range()].iter().zip(&direction).map(|(g, d)| f64::from(*g) * d).sum();
            assert!((along - expected).abs() < 1e-4 * (1.0 + expected.abs()), "{}: {along} {expected}", entry.name);
        }
    }
}

#[test]
fn threads_change_nothing() {
    for attention in kernels().chain(typed().step_by(5)).chain(favor().into_iter().step_by(4)) {
        let case = Case::new(config(attention, 12, 4, 24, 3), 301, 7);
        let expected = case.fused(&FusedVit::new(&case.config, 1).unwrap());
        for threads in [2, 3, 5] {
            assert!(case.fused(&FusedVit::new(&case.config, threads).unwrap()) == expected, "{threads} threads");
        }
    }
}

#[test]
fn large_logits_and_keys_stay_finite() {
    for attention in kernels()
        .chain(typed().filter(|attention| attention.typed().is_some_and(|map| map.function().exponents().is_some())))
    {
        let mut case = Case::new(config(attention, 12, 4, 24, 3), 4, 8);
        for value in &mut case.theta {
            *value *= 30.0;
        }
        let (logits, loss, gradient) = case.fused(&FusedVit::new(&case.config, 1).unwrap());
        assert!(loss.is_finite() && logits.iter().chain(&gradient).all(|value| value.is_finite()), "{attention}");
    }
}

#[test]
fn not_a_number_is_not_hidden() {
    // Without mixing no query is looked at.
    for attention in kernels().filter(|attention| !attention.is_identity()).chain(typed()) {
        let mut case = Case::new(config(attention, 12, 4, 24, 3), 4, 8);
        let weight = case.layout.entry("blocks.0.attention.qkv.weight").offset;
        case.theta[weight] = f32::NAN;
        let (_, loss, _) = case.fused(&FusedVit::new(&case.config, 1).unwrap());
        assert!(loss.is_nan(), "{attention}: {loss}");
    }
}

#[test]
fn as_candle_operations() {
    let case = Case::new(config(AttentionKernel::Relu, 12, 4, 24, 3), 4, 9);
    let other = Case::new(case.config.clone(), 3, 10);
    let vit = Arc::new(FusedVit::new(&case.config, 2).unwrap());
    let theta = case.theta(DType::F32);
    let (expected_logits, expected_loss, expected_gradient) = case.fused(&vit);

    let logits = fused::logits(&vit, &case.patches(DType::F32), &theta).unwrap();
    assert_eq!(logits.dims(), [4, 10]);
    assert_eq!(logits.flatten_all().unwrap().to_vec1::<f32>().unwrap(), expected_logits);

    let loss = fused::loss(&vit, &case.patches(DType::F32), &theta, &case.labels, 0.1).unwrap();
    // A second forward before the backward of the first must leave it alone.
    let later = fused::loss(&vit, &other.patches(DType::F32), &theta, &other.labels, 0.1).unwrap();
    assert_eq!(loss.to_scalar::<f32>().unwrap(), expected_loss);
    assert_ne!(later.to_scalar::<f32>().unwrap(), expected_loss);
    let gradients = (loss * 2.0).unwrap().backward().unwrap();
    let gradient = gradients.get(&theta).unwrap().to_vec1::<f32>().unwrap();
    let doubled: Vec<f32> = expected_gradient.iter().map(|value| 2.0 * value).collect();
    assert_eq!(gradient, doubled);
}

#[test]
fn wrong_shapes_are_errors() {
    let case = Case::new(config(AttentionKernel::Softmax, 12, 4, 24, 3), 4, 11);
    let vit = Arc::new(FusedVit::new(&case.config, 1).unwrap());
    let theta = case.theta(DType::F32);
    let message = |result: candle_core::Result<Tensor>| result.unwrap_err().to_string();
    let short = theta.narrow(0, 0, 5).unwrap();
    let patches = case.patches(DType::F32);
    assert!(message(fused::logits(&vit, &patches, &short)).contains("5 parameters for a model of"));
    let narrow = patches.narrow(1, 0, 2).unwrap().contiguous().unwrap();
    assert!(message(fused::logits(&vit, &narrow, &theta)).contains("2 tokens"));
    assert!(message(fused::loss(&vit, &patches, &theta, &[0, 1, 2], 0.0)).contains("3 labels for a batch of 4"));
    assert!(message(fused::loss(&vit, &patches, &theta, &[0, 1, 2, 10], 0.0)).contains("label 10 of 10 classes"));
    assert!(FusedVit::new(&VitConfig { heads: 5, ..case.config.clone() }, 1).is_err());
}
