//! The model that parameters stand for.

use crate::attention::Family;
use crate::lab::{ParamError, Params};
use crate::problems::estimators::{FeatureEstimator, estimators, refusal, rising_sizes};
use crate::vision::dataset::DataSource;
use crate::vision::{
    Attention, AttentionKernel, BlockSet, FAVOR, FavorEstimator, FavorMap, TYPED, TypedMap, VitConfig,
};

/// What is known of images: height and width in pixels, and colour channels.
#[derive(Clone, Copy, Debug)]
pub(super) struct ImageShape {
    pub size: usize,
    pub channels: usize,
}

impl ImageShape {
    /// The images that `params` ask for, as far as that is known before they are read. Where only the files say their size,
    /// it is one that every patch divides.
    pub fn expected(params: &Params) -> Self {
        let source: DataSource = params.choice("dataset");
        let patch = params.size("patch").max(1);
        let size = match (params.size("image_size"), source.native_size()) {
            (0, Some(size)) => size,
            (0, None) => 28_usize.div_ceil(patch) * patch,
            (size, _) => size,
        };
        Self { size, channels: source.channels().unwrap_or(3) }
    }
}

/// Height and width of a patch that goes by the size of the images.
pub(super) const fn patch_of(image_size: usize) -> usize {
    match image_size {
        ..=16 => 2,
        17..=64 => 4,
        _ => 16,
    }
}

/// The model of `params` for such images of so many classes.
///
/// # Errors
/// The estimator does not go with the projection, or has no place in training.
pub(super) fn config(params: &Params, images: ImageShape, classes: usize) -> Result<VitConfig, ParamError> {
    let patch = match params.size("patch") {
        0 => patch_of(images.size),
        patch => patch,
    };
    Ok(VitConfig {
        channels: images.channels,
        image_size: images.size,
        patch,
        dim: params.size("dim"),
        depth: params.size("depth"),
        heads: params.size("heads"),
        mlp_ratio: params.size("mlp_ratio"),
        classes,
        attention: attention(params)?,
        softmax_blocks: BlockSet::NONE,
        mask_dim: if params.text("mask") == "relu" { params.size("mask_dim") } else { 0 },
    })
}

/// How the blocks attend.
fn attention(params: &Params) -> Result<Attention, ParamError> {
    let name = params.text("attention");
    if name == FAVOR.name {
        return favor(params).map(Attention::Favor);
    }
    if name != TYPED.name {
        return Ok(params.choice::<AttentionKernel>("attention").into());
    }
    let rows = Some(params.size("features")).filter(|rows| *rows > 0);
    let map = TypedMap::new(params.text("f"), rows).expect("the function was read when it was typed");
    Ok(Attention::Typed(map))
}

fn favor(params: &Params) -> Result<FavorMap, ParamError> {
    let m = params.size("m");
    let refuse = |reason: &str| {
        let trained = "positive, hyperbolic, gerf, hybrid or custom";
        Err(ParamError::new("estimator", params.text("estimator"), format!("{trained}: {reason}")))
    };
    let [chosen] = estimators(params)[..] else { unreachable!("one estimator, of one function") };
    let estimator = match chosen {
        FeatureEstimator::Family(Family::Trigonometric) => {
            return refuse(
                "denominators of trigonometric features change sign, and training with them diverges; the problem replacement tests with them",
            );
        }
        FeatureEstimator::Family(Family::Sderf) => {
            return refuse(
                "sderf is fitted to queries and keys, which change in training; the problem replacement tests with it",
            );
        }
        FeatureEstimator::Family(Family::Gerf) => FavorEstimator::Gerf { a: params.float("gerf_a") },
        other => other.favor(params, m),
    };
    let projection = params.choice("projection");
    FavorMap::new(estimator, projection, m).map_err(|error| refusal(estimator.name(), projection, error))
}

/// The numbers of projections to test with beside the one trained with, rising.
pub(super) fn eval_sizes(params: &Params) -> Vec<usize> {
    rising_sizes(params, "eval_m").into_iter().filter(|m| *m > 0).collect()
}
