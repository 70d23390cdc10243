//! An estimator as the feature map of every head of a model, fitted to each head where it is.

use crate::attention::{AttentionError, Family, FeatureMap, Projection};
use crate::lab::{ParamError, Params, RunError};
use crate::problems::estimators::{FeatureEstimator, FittedEstimator, refusal};
use crate::problems::limits::failure;
use crate::vision::{ExactBlocks, FavorMap, Parameters, VisionError, VitConfig};

/// An estimator on one kind of projection for every head of a model.
pub(super) struct HeadEstimator<'a> {
    estimator: FeatureEstimator,
    projection: Projection,
    params: &'a Params,
    /// The fitted feature map of each head, block by block, where it has constants of its own.
    fitted: Option<Vec<Vec<FeatureMap>>>,
}

/// Whether `estimator` works on `projection`.
pub(super) fn check(estimator: FeatureEstimator, projection: Projection, params: &Params) -> Result<(), ParamError> {
    let shape = estimator.favor(params, 1);
    let sound = estimator.check(projection).and_then(|()| FavorMap::new(shape, projection, 1).map(drop));
    sound.map_err(|error| refusal(estimator.name(), projection, error))
}

/// Features of `estimator` on `m` Gaussian projections: their size, and whether they take masks.
///
/// # Errors
/// There are none of its function.
pub(super) fn sized(estimator: FeatureEstimator, params: &Params, m: usize) -> Result<FavorMap, AttentionError> {
    FavorMap::new(estimator.favor(params, m), Projection::Gaussian, m)
}

impl<'a> HeadEstimator<'a> {
    /// The estimator, fitted to queries and keys of every head if it has constants to fit.
    pub fn new(
        estimator: FeatureEstimator,
        projection: Projection,
        params: &'a Params,
        config: &VitConfig,
        exact: &ExactBlocks,
    ) -> Result<Self, RunError> {
        if !matches!(estimator, FeatureEstimator::Family(Family::Gerf | Family::Sderf)) {
            return Ok(Self { estimator, projection, params, fitted: None });
        }
        let of_head = |block: usize, head: usize| -> Result<FeatureMap, RunError> {
            match estimator.fit(&exact.head(block, head)?, params).map_err(failure)? {
                FittedEstimator::Features(map) => Ok(map),
                FittedEstimator::Hybrid(_) => unreachable!("families are fitted as feature maps"),
            }
        };
        let of_block = |block| (0..config.heads).map(|head| of_head(block, head)).collect::<Result<_, _>>();
        let fitted = (0..config.depth).map(of_block).collect::<Result<_, _>>()?;
        Ok(Self { estimator, projection, params, fitted: Some(fitted) })
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
        FavorMap::new(self.estimator.favor(self.params, m), self.projection, m).map_err(failure)
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
