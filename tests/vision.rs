//! The vision transformer through its public interface: gradients, reference values, optimiser, training.

use attnlab::random::generator;
use attnlab::vision::{
    AdamW, Attention, AttentionKernel, BlockSet, Layout, Parameters, Schedule, VitConfig, clip_factor, composed,
};
use candle_core::{DType, Device, Tensor, Var};
use rand::Rng;

fn small(attention: impl Into<Attention>) -> VitConfig {
    VitConfig {
        channels: 2,
        image_size: 6,
        patch: 2,
        dim: 8,
        depth: 2,
        heads: 2,
        mlp_ratio: 2,
        classes: 3,
        attention: attention.into(),
        softmax_blocks: BlockSet::NONE,
        mask_dim: 0,
    }
}

fn uniform(count: usize, purpose: &str) -> Vec<f64> {
    let mut random = generator(7, purpose, 0);
    (0..count).map(|_| random.random_range(-1.0..1.0)).collect()
}

/// Every trainable tensor of every kernel: the analytic gradient is there, is not zero, and is the slope of the loss.
#[test]
fn every_gradient_arrives_and_agrees_with_finite_differences() {
    for &kernel in AttentionKernel::ALL {
        let config = small(kernel);
        let layout = Layout::new(&config);
        let batch = 3;
        let patches = Tensor::from_vec(uniform(batch * 9 * 8, "patches"), (batch, 9, 8), &Device::Cpu).unwrap();
        let labels = [0, 2, 1];
        // Larger than at the start of training, so that no gradient is lost in rounding.
        let start: Vec<f64> = uniform(layout.len(), "theta").iter().map(|value| 0.6 * value + 0.1).collect();
        let loss = |theta: &Tensor| {
            let logits = composed::logits(&config, &layout, theta, &patches).unwrap();
            composed::cross_entropy(&logits, &labels, 0.1).unwrap()
        };
        let theta = Var::from_vec(start.clone(), layout.len(), &Device::Cpu).unwrap();
        let gradients = loss(&theta).backward().unwrap();
        let gradient: Vec<f64> = gradients.get(&theta).expect("a gradient").to_vec1().unwrap();
        let value = |values: Vec<f64>| {
            loss(&Tensor::from_vec(values, layout.len(), &Device::Cpu).unwrap()).to_scalar::<f64>().unwrap()
        };
        for entry in layout.entries() {
            let own = &gradient[entry.range()];
            let largest = own.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
            assert!(largest > 1e-7, "{kernel}: no gradient reaches {}", entry.name);
            // Along a direction in the whole tensor, and along its steepest coordinate.
            let steepest = (0..own.len()).max_by(|a, b| own[*a].abs().total_cmp(&own[*b].abs())).unwrap();
            let mut axis = vec![0.0; own.len()];
            axis[steepest] = 1.0;
            for direction in [uniform(own.len(), &entry.name), axis] {
                let step = 1e-5;
                let shifted = |sign: f64| {
                    let mut values = start.clone();
                    for (value, along) in values[entry.range()].iter_mut().zip(&direction) {
                        *value += sign * step * along;
                    }
                    value(values)
                };
                let numeric = (shifted(1.0) - shifted(-1.0)) / (2.0 * step);
                let analytic: f64 = own.iter().zip(&direction).map(|(own, along)| own * along).sum();
                let error = (numeric - analytic).abs() / largest;
                assert!(error < 1e-5, "{kernel}: {}: slope {numeric}, gradient {analytic}", entry.name);
            }
        }
    }
}

/// Two queries, two keys, head dimension 2, worked out by hand in float64.
#[test]
fn attention_has_its_reference_values() {
    let tensor = |values: [f64; 4]| Tensor::new(&values, &Device::Cpu).unwrap().reshape((1, 1, 2, 2)).unwrap();
    let (q, k) = (tensor([0.5, -1.0, 1.0, 0.2]), tensor([0.3, 0.7, -0.4, 1.1]));
    let v = tensor([1.0, 2.0, 3.0, -1.0]);
    let expected = [
        (AttentionKernel::Softmax, [1.74087981, 0.88868029, 1.78424161, 0.82363759]),
        (AttentionKernel::Relu, [1.02092695, 1.96860957, 1.66907648, 0.99638527]),
        (AttentionKernel::Exp, [1.8539577, 0.71906345, 1.94514053, 0.5822892]),
        (AttentionKernel::Elu, [1.81684106, 0.77473841, 1.90831750, 0.63752375]),
        (AttentionKernel::ReluSquared, [1.11793176, 1.82310236, 1.62582008, 1.06126988]),
        (AttentionKernel::CosFormer, [1.01484308, 1.97773538, 1.83105721, 0.75341418]),
        (AttentionKernel::Identity, [1.0, 2.0, 3.0, -1.0]),
    ];
    for (kernel, expected) in expected {
        let out = composed::attend(kernel, None, &q, &k, &v).unwrap();
        close(&flat(&out), &expected, 1e-7, kernel.name());
        // The matrix itself gives the same output, and its rows sum to one.
        let weights = composed::weights(kernel, None, &q, &k).unwrap();
        close(&flat(&weights.matmul(&v).unwrap()), &expected, 1e-7, kernel.name());
        close(&flat(&weights.sum(3).unwrap()), &[1.0, 1.0], 1e-12, kernel.name());
    }
}

/// The stabiliser of the exp kernel is exact: inputs far beyond f32's exponent range give finite, right values.
#[test]
fn the_exp_kernel_neither_overflows_nor_changes() {
    let tensor = |values: &[f64], dtype| {
        Tensor::new(values, &Device::Cpu).unwrap().reshape((1, 1, 2, 2)).unwrap().to_dtype(dtype).unwrap()
    };
    let attend = |shift: f64, dtype| {
        let q = tensor(&[0.5 + shift, -1.0 - shift, 1.0, 0.2], dtype);
        let k = tensor(&[0.3 - shift, 0.7 + shift, -0.4 - shift, 1.1 + shift], dtype);
        let v = tensor(&[1.0, 2.0, 3.0, -1.0], dtype);
        flat(&composed::attend(AttentionKernel::Exp, None, &q, &k, &v).unwrap().to_dtype(DType::F64).unwrap())
    };
    // q_i + k_j in the first row is the same for every shift, coordinate by coordinate.
    let plain = attend(0.0, DType::F64);
    for shift in [1.0, 50.0, 500.0] {
        let shifted = attend(shift, DType::F32);
        close(&shifted[..2], &plain[..2], 1e-4, "first row");
        assert!(shifted.iter().all(|value| value.is_finite()));
    }
}

/// elu(u) + 1 is eᵘ below zero, to full precision however far, so that attention stays what it is where every feature would
/// be rounded to nothing.
#[test]
fn the_elu_kernel_is_the_exponential_far_below_zero() {
    let points = [-80.0_f32, -30.0, -1e-4, 0.0, 2.0];
    let shape = composed::shape(AttentionKernel::Elu, 1, None, &points).unwrap().unwrap();
    for (found, point) in shape[0].iter().zip(points) {
        let expected = if point > 0.0 { 1.0 + f64::from(point) } else { f64::from(point).exp() };
        let error = (f64::from(*found) / expected - 1.0).abs();
        assert!(error < 1e-5, "at {point}: {found}, expected {expected}");
    }
    let tensor = |values: [f32; 4]| Tensor::new(&values, &Device::Cpu).unwrap().reshape((1, 1, 2, 2)).unwrap();
    let v = tensor([1.0, 2.0, 3.0, -1.0]);
    // Below zero a shift of every query is a factor, which cancels; with keys shifted per coordinate likewise.
    let attend = |shift: f32| {
        let q = tensor([-0.5 - shift, -1.0 - shift, -1.0 - shift, -0.2 - shift]);
        let k = tensor([-0.3 - shift, -0.7 - shift, -0.4 - shift, -1.1 - shift]);
        flat32(&composed::attend(AttentionKernel::Elu, None, &q, &k, &v).unwrap())
    };
    let near: Vec<f64> = attend(0.0).into_iter().map(f64::from).collect();
    let far: Vec<f64> = attend(200.0).into_iter().map(f64::from).collect();
    close(&far, &near, 1e-4, "200 below zero");
}

/// Learned maps where they are known: at their start or with parameters that make them a fixed kernel.
#[test]
fn learned_maps_have_their_reference_values() {
    let tensor = |values: &[f64], shape: &[usize]| Tensor::new(values, &Device::Cpu).unwrap().reshape(shape).unwrap();
    let q = tensor(&[0.5, -1.0, 1.0, 0.2], &[1, 1, 2, 2]);
    let k = tensor(&[0.3, 0.7, -0.4, 1.1], &[1, 1, 2, 2]);
    let v = tensor(&[1.0, 2.0, 3.0, -1.0], &[1, 1, 2, 2]);
    let attend = |kernel: AttentionKernel, parameters: &[f64]| {
        let parameters = tensor(parameters, &[1, parameters.len()]);
        flat(&composed::attend(kernel, Some(&parameters), &q, &k, &v).unwrap())
    };
    let start = |kernel: AttentionKernel| kernel.feature_start(2).into_iter().map(f64::from).collect::<Vec<_>>();

    let exp = [1.8539577, 0.71906345, 1.94514053, 0.5822892];
    close(&attend(AttentionKernel::Tempered, &[1.0, 0.0]), &exp, 1e-7, "tempered without bend is exp");
    // A power of three, up to the 1e-3 that keeps rows from vanishing.
    let cubes = [1.0, 2.0, 1.23580422, 1.64629366];
    close(&attend(AttentionKernel::Focused, &start(AttentionKernel::Focused)), &cubes, 1e-2, "focused at p = 3");
    // Sharp softplus is relu: a = 1 in the first term only, b large.
    let large = 2e4;
    let relu = [1.02092695, 1.96860957, 1.66907648, 0.99638527];
    let one = (1.0_f64.exp() - 1.0).ln();
    let sharp = [one, -50.0, -50.0, large, large, large, 0.0, 0.0, 0.0];
    close(&attend(AttentionKernel::Softplus, &sharp), &relu, 1e-3, "sharp softplus is relu");

    // Sums over features and tokens written out.
    let (queries, keys, values) = ([[0.5, -1.0], [1.0, 0.2]], [[0.3, 0.7], [-0.4, 1.1]], [[1.0, 2.0], [3.0, -1.0]]);
    let by_hand = |f: &dyn Fn([f64; 2]) -> Vec<f64>| {
        let mut out = Vec::new();
        for query in queries {
            let weight = |key| f(query).iter().zip(f(key)).map(|(q, k)| q * k).sum::<f64>();
            let total: f64 = keys.iter().map(|key| weight(*key)).sum();
            for column in 0..2 {
                out.push(keys.iter().zip(values).map(|(key, value)| weight(*key) * value[column]).sum::<f64>() / total);
            }
        }
        out
    };
    let (w, b) = ([[0.9, -0.3], [0.2, 1.1]], [0.1, -0.2]);
    let affine = move |x: [f64; 2]| [0, 1].map(|row| w[row][0] * x[0] + w[row][1] * x[1] + b[row]);
    let parameters = [0.9, -0.3, 0.2, 1.1, 0.1, -0.2];
    let both = by_hand(&|x| affine(x).iter().flat_map(|e| [e.exp(), (-e).exp()]).collect());
    close(&attend(AttentionKernel::Hedgehog, &parameters), &both, 1e-12, "hedgehog");
    let positive = by_hand(&|x| affine(x).iter().map(|e| (e - (x[0] * x[0] + x[1] * x[1]) / 2.0).exp()).collect());
    close(&attend(AttentionKernel::Projection, &parameters), &positive, 1e-12, "projection");
    let coefficients = [0.3, 1.0, -0.2, 0.1, 0.05, -0.1, 0.4, -0.3, 0.2, 0.1];
    let rational = by_hand(&|x| {
        let one = |u: f64| {
            let above: f64 = (0..6).map(|power| coefficients[power] * u.powi(power as i32)).sum();
            let below: f64 = (1..5).map(|power| coefficients[5 + power] * u.powi(power as i32)).sum();
            (above / (1.0 + below.abs())).exp().ln_1p() + 1e-3
        };
        x.map(one).to_vec()
    });
    close(&attend(AttentionKernel::Rational, &coefficients), &rational, 1e-12, "rational");

    // The shape along each coordinate: the map itself for elementwise kernels.
    let row = Tensor::new(&[[0.7_f32, 0.3], [1.0, 0.0]], &Device::Cpu).unwrap();
    let shapes = composed::shape(AttentionKernel::Tempered, 3, Some(&row), &[-2.0, 0.5]).unwrap().unwrap();
    let found: Vec<f64> = shapes.concat().into_iter().map(f64::from).collect();
    let expected = [(-1.4 - 0.36_f64).exp(), (0.35 - 0.0225_f64).exp(), (-2.0_f64).exp(), 0.5_f64.exp()];
    close(&found, &expected, 1e-5, "shape");
    assert!(composed::shape(AttentionKernel::Softmax, 3, None, &[0.0]).unwrap().is_none());
    assert!(composed::shape(AttentionKernel::Identity, 3, None, &[0.0]).unwrap().is_none());
    // At the first token the place says nothing, however many points there are.
    let shapes = composed::shape(AttentionKernel::CosFormer, 3, None, &[-2.0, 0.5, 1.5]).unwrap().unwrap();
    assert!(shapes[0].iter().zip([0.001, 0.501, 1.501]).all(|(f, expected)| (f - expected).abs() < 1e-6), "{shapes:?}");
}

#[test]
fn layers_match_their_definitions() {
    let x = uniform(12, "x");
    let (weight, bias) = (uniform(4, "weight"), uniform(4, "bias"));
    let tensor = |values: &[f64], shape: &[usize]| Tensor::new(values, &Device::Cpu).unwrap().reshape(shape).unwrap();
    let normed =
        flat(&composed::layer_norm(&tensor(&x, &[3, 4]), &tensor(&weight, &[4]), &tensor(&bias, &[4])).unwrap());
    let softmax = flat(&composed::softmax(&tensor(&x, &[3, 4])).unwrap());
    let logarithm = flat(&composed::log_softmax(&tensor(&x, &[3, 4])).unwrap());
    let loss = composed::cross_entropy(&tensor(&x, &[3, 4]), &[1, 3, 0], 0.2).unwrap().to_scalar::<f64>().unwrap();
    let mut expected_loss = 0.0;
    for (row, label) in [1, 3, 0].into_iter().enumerate() {
        let own = &x[4 * row..4 * row + 4];
        let mean = own.iter().sum::<f64>() / 4.0;
        let variance = own.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 4.0;
        let total: f64 = own.iter().map(|value| value.exp()).sum();
        for column in 0..4 {
            let at = 4 * row + column;
            let norm = (own[column] - mean) / (variance + 1e-5).sqrt() * weight[column] + bias[column];
            close(&[normed[at]], &[norm], 1e-12, "layer norm");
            close(&[softmax[at]], &[own[column].exp() / total], 1e-12, "softmax");
            close(&[logarithm[at]], &[(own[column].exp() / total).ln()], 1e-12, "log softmax");
            let target = 0.2 / 4.0 + if column == label { 0.8 } else { 0.0 };
            expected_loss -= target * (own[column].exp() / total).ln() / 3.0;
        }
    }
    close(&[loss], &[expected_loss], 1e-12, "cross-entropy");
    assert!(composed::cross_entropy(&tensor(&x, &[3, 4]), &[1, 4, 0], 0.0).is_err(), "a label out of range");
}

#[test]
fn adamw_follows_its_definition_and_can_be_continued() {
    let of_elements = |layout: &Layout| AdamW::new(layout, 0.05, 0.5).unwrap();
    adamw_follows_its_definition(&of_elements);
    // As a GPU takes it.
    adamw_follows_its_definition(&|layout| of_elements(layout).by_vectors().unwrap());
}

fn adamw_follows_its_definition(new: &dyn Fn(&Layout) -> AdamW) {
    let config = small(AttentionKernel::Projection);
    let parameters = Parameters::new(&config, 3).unwrap();
    let layout = parameters.layout().clone();
    let mut expected: Vec<f64> = parameters.values().unwrap().iter().map(|value| f64::from(*value)).collect();
    let (mut first, mut second) = (vec![0.0; layout.len()], vec![0.0; layout.len()]);
    let mut optimizer = new(&layout);
    for step in 1..=5 {
        let gradient: Vec<f32> = uniform(layout.len(), &format!("gradient {step}")).iter().map(|g| *g as f32).collect();
        let rate = 1e-2 * f64::from(step);
        if step == 3 {
            // A fresh optimiser that takes the state over continues as if nothing had happened.
            let (moments, steps) = optimizer.state();
            let moments = [moments[0].to_vec1().unwrap(), moments[1].to_vec1().unwrap()];
            let mut other = new(&layout);
            other.restore(moments, steps).unwrap();
            optimizer = other;
        }
        let tensor = Tensor::from_slice(&gradient, layout.len(), &Device::Cpu).unwrap();
        optimizer.step(parameters.theta(), &tensor, 0.5, rate).unwrap();
        for entry in layout.entries() {
            for i in entry.range() {
                let g = f64::from(gradient[i]) * 0.5;
                first[i] = 0.9 * first[i] + 0.1 * g;
                second[i] = 0.999 * second[i] + 0.001 * g * g;
                if entry.decay {
                    expected[i] *= 1.0 - rate * 0.05;
                }
                let m = first[i] / (1.0 - 0.9_f64.powi(step));
                let v = second[i] / (1.0 - 0.999_f64.powi(step));
                let rate = if entry.name.ends_with(".attention.feature") { 0.5 * rate } else { rate };
                expected[i] -= rate * m / (v.sqrt() + 1e-8);
            }
        }
    }
    let values: Vec<f64> = parameters.values().unwrap().iter().map(|value| f64::from(*value)).collect();
    close(&values, &expected, 2e-6, "parameters after five steps");
}

#[test]
fn the_schedule_warms_up_and_cools_down() {
    let schedule = Schedule { peak: 1e-3, steps: 1000, warmup: 0.05 };
    close(
        &[schedule.rate(0), schedule.rate(24), schedule.rate(49), schedule.rate(50)],
        &[2e-5, 5e-4, 1e-3, 1e-3],
        1e-12,
        "warm-up",
    );
    assert!((schedule.rate(525) - 5e-4).abs() < 1e-12);
    assert!(schedule.rate(999) < 1e-8 && schedule.rate(999) > 0.0);
    let steady = Schedule { warmup: 0.0, ..schedule };
    assert!((steady.rate(0) - 1e-3).abs() < 1e-15);
    assert_eq!(clip_factor(0.5, Some(1.0)), 1.0);
    assert!((clip_factor(4.0, Some(1.0)) - 0.25).abs() < 1e-6);
    assert_eq!(clip_factor(4.0, None), 1.0);
}

#[test]
fn fresh_parameters_follow_their_declaration_and_seed() {
    let (relu, exp) = (small(AttentionKernel::Relu), small(AttentionKernel::Exp));
    let values = |config: &VitConfig, seed| Parameters::new(config, seed).unwrap().values().unwrap();
    assert_eq!(values(&relu, 1), values(&relu, 1));
    assert_eq!(values(&relu, 1), values(&exp, 1), "kernels of one shape start alike");
    assert_ne!(values(&relu, 1), values(&relu, 2));
    let parameters = Parameters::new(&relu, 1).unwrap();
    let all = |name: &str, wanted: f32| flat32(&parameters.view(name).unwrap()).iter().all(|value| *value == wanted);
    assert!(all("norm.weight", 1.0) && all("blocks.1.norm2.bias", 0.0));
    let weight = flat32(&parameters.view("blocks.0.attention.qkv.weight").unwrap());
    let bound = 1.0 / 8.0_f32.sqrt();
    assert!(weight.iter().all(|value| value.abs() <= bound) && weight.iter().any(|value| value.abs() > 0.8 * bound));
    assert_eq!(parameters.view("position").unwrap().dims(), [9, 8]);
}

fn flat(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn flat32(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{what}: found {found}, expected {expected}");
    }
}

/// Every kernel has a row in the document, in the order they are offered.
#[test]
fn the_document_lists_every_kernel() {
    let text = include_str!("../docs/vision.md");
    let rows: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .skip(1)
        .collect();
    let names: Vec<&str> = AttentionKernel::ALL.iter().map(|kernel| kernel.name()).collect();
    assert_eq!(rows[..names.len().min(rows.len())], names[..]);
}
