//! An estimator as the feature map of every head of a model, fitted to each head where it is.

use crate::attention::hybrid::HybridSpec;
use crate::attention::{AttentionError, Family, FeatureMap, Projection};
use crate::lab::{ParamError, Params, RunError};
use crate::problems::estimators::{FeatureEstimator, FittedEstimator};
use crate::problems::limits::failure;
use crate::vision::{ExactBlocks, FavorEstimator, FavorMap, Parameters, TypedMap, VisionError, VitConfig};

/// An estimator on one kind of projection for every head of a model.
pub(super) struct HeadEstimator {
    estimator: FeatureEstimator,
    projection: Projection,
    /// The hybrid of the parameters, where it is one.
    hybrid: Option<HybridSpec>,
    /// The fitted feature map of each head, block by block, where it has constants of its own.
    fitted: Option<Vec<Vec<FeatureMap>>>,
}

/// The feature map whose shape `estimator` has; drawn numbers are those of the fitted map.
fn of_shape(estimator: FeatureEstimator, hybrid: Option<&HybridSpec>, m: usize) -> FavorEstimator {
    match estimator {
        FeatureEstimator::Family(Family::Positive | Family::Sderf | Family::Gerf) => FavorEstimator::Positive,
        FeatureEstimator::Family(Family::Hyperbolic) => FavorEstimator::Hyperbolic,
        FeatureEstimator::Family(Family::Trigonometric) => FavorEstimator::Trigonometric,
        FeatureEstimator::Hybrid => hybrid.map_or(FavorEstimator::Trigonometric, |spec| FavorEstimator::Hybrid {
            hyperbolic: spec.first == FeatureMap::Hyperbolic,
            signs: spec.n,
            weight: spec.weight,
        }),
        FeatureEstimator::Custom(function) => FavorEstimator::Custom(TypedMap::of(function, Some(m))),
    }
}

impl HeadEstimator {
    /// Whether `estimator` works on `projection`.
    pub fn check(estimator: FeatureEstimator, projection: Projection) -> Result<(), ParamError> {
        let shape = of_shape(estimator, None, 1);
        match estimator.check(projection).and_then(|()| FavorMap::new(shape, projection, 1).map(drop)) {
            Ok(()) => Ok(()),
            Err(AttentionError::Function { found, allowed }) => Err(ParamError::new("f", found, allowed)),
            Err(AttentionError::Combination { reason, .. }) => {
                let found = format!("{} with estimator={}", projection.name(), estimator.name());
                Err(ParamError::new("projection", found, format!("{}: {reason}", Projection::normal_names())))
            }
            Err(error) => Err(ParamError::new("estimator", estimator.name(), error.to_string())),
        }
    }

    /// Whether a learned mask can be estimated with it.
    pub fn takes_masks(estimator: FeatureEstimator) -> bool {
        FavorMap::new(of_shape(estimator, None, 1), Projection::Gaussian, 1).is_ok_and(FavorMap::takes_masks)
    }

    /// A map of the size of `estimator` with `m` projections.
    pub fn sized(estimator: FeatureEstimator, m: usize) -> Result<FavorMap, AttentionError> {
        FavorMap::new(of_shape(estimator, None, m), Projection::Gaussian, m)
    }

    /// The estimator fitted to queries and keys of every head.
    pub fn new(
        estimator: FeatureEstimator,
        projection: Projection,
        params: &Params,
        config: &VitConfig,
        exact: &ExactBlocks,
    ) -> Result<Self, RunError> {
        let is_fitted = matches!(estimator, FeatureEstimator::Family(Family::Gerf | Family::Sderf));
        let mut of_heads = Vec::new();
        let mut hybrid = None;
        for block in 0..config.depth {
            let mut heads = Vec::new();
            for head in 0..config.heads {
                match estimator.fit(&exact.head(block, head)?, params).map_err(failure)? {
                    FittedEstimator::Features(map) => heads.push(map),
                    FittedEstimator::Hybrid(spec) => hybrid = Some(spec),
                }
                if !is_fitted {
                    return Ok(Self { estimator, projection, hybrid, fitted: None });
                }
            }
            of_heads.push(heads);
        }
        Ok(Self { estimator, projection, hybrid, fitted: Some(of_heads) })
    }

    /// Its name in rows.
    pub const fn name(&self) -> &'static str {
        self.estimator.name()
    }

    /// The text of the typed function, where it is one.
    pub fn function(&self) -> Option<&'static str> {
        self.estimator.function()
    }

    /// What it is called in figures.
    pub fn label(&self) -> &'static str {
        self.estimator.label()
    }

    /// The projections it is drawn on.
    pub const fn projection(&self) -> Projection {
        self.projection
    }

    /// The map with `m` projections.
    pub fn map(&self, m: usize) -> Result<FavorMap, RunError> {
        FavorMap::new(of_shape(self.estimator, self.hybrid.as_ref(), m), self.projection, m).map_err(failure)
    }

    /// Draws every head of `parameters`, a model of `config` with [`HeadEstimator::map`].
    pub fn draw(&self, parameters: &Parameters, config: &VitConfig, seed: u64, draw: u64) -> Result<(), VisionError> {
        let (Some(fitted), Some(map)) = (&self.fitted, config.attention.favor()) else {
            return parameters.redraw(config, seed, draw);
        };
        parameters.draw_features(config, seed, draw, |(block, head), random| {
            let rows = self.projection.draw(map.m(), config.head_dim(), random)?;
            map.prepared(&fitted[block][head], rows.view())
        })
    }
}
