//! Random features over registers.

use super::exponents::{Exponents, Strata, rescale, scaled};
use super::map::{FavorEstimator, FavorMap};
use super::signed::{SignedRows, SignedShape};
use crate::vision::fused::feature_map::{
    EPSILON, Head, HeadMap, MapGradient, QueriesKeys, QueriesKeysMut, multiply_by, stabilise,
};
use crate::vision::kernel::linear::HeadSide;
use pulp::Simd;

impl FavorMap {
    /// The exponents of a head; none where features are not exponentials.
    fn exponents<'a>(self, head: Head<'a>, strata: &'a Option<Strata>) -> Option<Exponents<'a>> {
        let both_signs = match self.estimator() {
            FavorEstimator::Positive | FavorEstimator::Gerf { .. } => false,
            FavorEstimator::Hyperbolic => true,
            _ => return None,
        };
        Some(Exponents { head, both_signs, strata: strata.as_ref() })
    }

    fn strata(self, head: Head<'_>) -> Option<Strata> {
        (head.size.mask_dim > 0).then(|| Strata::new(self.m(), head.size.mask_dim, EPSILON))
    }
}

impl HeadMap for FavorMap {
    fn features(&self, _: usize) -> usize {
        FavorMap::features(*self)
    }

    fn counts_denominators(&self) -> bool {
        true
    }

    fn forward<S: Simd>(&self, simd: S, head: Head<'_>, u: QueriesKeys<'_>, features: QueriesKeysMut<'_>) {
        let dim = head.size.dim;
        let (q, k) = (scaled(simd, dim, u.q), scaled(simd, dim, u.k));
        let x = QueriesKeys { q: &q, k: &k };
        if let FavorEstimator::Custom(map) = self.estimator() {
            return HeadMap::forward(&map, simd, head, x, features);
        }
        if let Some(shape) = SignedShape::new(*self) {
            SignedRows { head, shape, side: HeadSide::Queries, x: x.q }.forward(simd, features.q);
            SignedRows { head, shape, side: HeadSide::Keys, x: x.k }.forward(simd, features.k);
            return;
        }
        let strata = self.strata(head);
        if let Some(exponents) = self.exponents(head, &strata) {
            exponents.forward(simd, x.q, head.masks.q, features.q);
            exponents.forward(simd, x.k, head.masks.k, features.k);
            stabilise(simd, head.size, features);
        }
    }

    fn backward<S: Simd>(
        &self,
        simd: S,
        head: Head<'_>,
        u: QueriesKeys<'_>,
        features: QueriesKeys<'_>,
        gradient: MapGradient<'_>,
    ) {
        let dim = head.size.dim;
        let (q, k) = (scaled(simd, dim, u.q), scaled(simd, dim, u.k));
        let x = QueriesKeys { q: &q, k: &k };
        let MapGradient { features: of_features, u: into, masks, .. } = gradient;
        if let FavorEstimator::Custom(map) = self.estimator() {
            // What is drawn takes no gradient.
            let mut drawn = vec![0.0; head.parameters.len()];
            let gradient = MapGradient {
                features: of_features,
                u: QueriesKeysMut { q: &mut *into.q, k: &mut *into.k },
                masks,
                parameters: &mut drawn,
            };
            HeadMap::backward(&map, simd, head, x, features, gradient);
        } else if let Some(shape) = SignedShape::new(*self) {
            SignedRows { head, shape, side: HeadSide::Queries, x: x.q }.backward(simd, of_features.q, into.q);
            SignedRows { head, shape, side: HeadSide::Keys, x: x.k }.backward(simd, of_features.k, into.k);
        } else {
            multiply_by(simd, of_features.q, features.q);
            multiply_by(simd, of_features.k, features.k);
            let strata = self.strata(head);
            if let Some(exponents) = self.exponents(head, &strata) {
                exponents.backward(simd, x.q, head.masks.q, of_features.q, into.q, masks.q);
                exponents.backward(simd, x.k, head.masks.k, of_features.k, into.k, masks.k);
            }
        }
        rescale(simd, dim, into.q);
        rescale(simd, dim, into.k);
    }
}
