//! Random features from candle operations, which differentiate themselves: the reference for the fused ones.

use super::exponents::Strata;
use super::map::{FavorEstimator, FavorMap, scale};
use super::signed::SignedShape;
use crate::vision::composed::RELU_EPSILON;
use crate::vision::kernel::linear::{HeadSide, MapParameters, Mapped};
use candle_core::{D, Result, Tensor};

/// Stands for the logarithm of 0.
const LOWEST: f64 = -1e30;

impl FavorMap {
    /// What the map makes of the queries or keys `x` `[batch, heads, tokens, head_dim]`, given what is drawn `[heads, …]`
    /// and, with a learned mask, its coordinates `[batch, heads, tokens, mask_dim]`, which are not negative.
    pub(in crate::vision) fn composed(
        self,
        x: &Tensor,
        parameters: Option<&Tensor>,
        side: HeadSide,
        mask: Option<&Tensor>,
    ) -> Result<Mapped> {
        let drawn = parameters.map(Tensor::detach);
        let x = (x * f64::from(scale(x.dim(D::Minus1)?)))?;
        if let FavorEstimator::Custom(map) = self.estimator() {
            return map.composed(&x, drawn.as_ref());
        }
        let z = MapParameters(drawn.as_ref()).affine(&x, 0)?;
        let half = (x.sqr()?.sum_keepdim(D::Minus1)? * 0.5)?;
        if let Some(shape) = SignedShape::new(self) {
            return self.signed(shape, &z, &half, side).map(Mapped::Features);
        }
        let mut signs = vec![z.broadcast_sub(&half)?];
        if self.estimator() == FavorEstimator::Hyperbolic {
            signs.push(z.neg()?.broadcast_sub(&half)?);
        }
        if let Some(mask) = mask {
            let moved = self.mask_logarithms(mask)?;
            for exponents in &mut signs {
                *exponents = (&*exponents + &moved)?;
            }
        }
        Ok(Mapped::Logarithms(Tensor::cat(&signs, D::Minus1)?))
    }

    /// The logarithms of the mask's coordinate of each projection, and of its share.
    fn mask_logarithms(self, mask: &Tensor) -> Result<Tensor> {
        let (mask_dim, device) = (mask.dim(D::Minus1)?, mask.device());
        let strata = Strata::new(self.m(), mask_dim, RELU_EPSILON as f32);
        let is_zero = mask.le(0.0)?.to_dtype(mask.dtype())?.detach();
        let logarithms = ((mask + &is_zero)?.log()? + (is_zero * LOWEST)?)?;
        let constant = logarithms.narrow(D::Minus1, 0, 1)?.zeros_like()?;
        let coordinates: Vec<u32> = strata.coordinates().iter().map(|coordinate| *coordinate as u32).collect();
        let coordinates = Tensor::new(coordinates, device)?;
        let moves = Tensor::new(strata.moves(), device)?.to_dtype(mask.dtype())?.reshape((1, 1, 1, self.m()))?;
        Tensor::cat(&[logarithms, constant], D::Minus1)?
            .contiguous()?
            .index_select(&coordinates, 3)?
            .broadcast_add(&moves)
    }

    /// Features that may be negative: see [`super::signed`].
    fn signed(self, shape: SignedShape, z: &Tensor, half: &Tensor, side: HeadSide) -> Result<Tensor> {
        let m = self.m();
        let (hyperbolic, signs) = match self.estimator() {
            FavorEstimator::Hybrid { hyperbolic, signs, .. } => (Some(hyperbolic), signs),
            _ => (None, 0),
        };
        let second = z.narrow(D::Minus1, if hyperbolic.is_some() { m } else { 0 }, m)?;
        let mut exponents = Vec::new();
        if let Some(hyperbolic) = hyperbolic {
            let first = z.narrow(D::Minus1, 0, m)?;
            exponents.push(first.broadcast_sub(half)?);
            if hyperbolic {
                exponents.push(first.neg()?.broadcast_sub(half)?);
            }
        }
        let mut top = half.clone();
        for exponents in &exponents {
            top = top.maximum(&exponents.max_keepdim(D::Minus1)?)?;
        }
        let shift = match side {
            HeadSide::Queries => top,
            HeadSide::Keys => top.max_keepdim(2)?,
        }
        .detach();
        let size = half.broadcast_sub(&shift)?.exp()?;
        let waves = [second.cos()?.broadcast_mul(&size)?, second.sin()?.broadcast_mul(&size)?];
        let factors = shape.factors(side).map(f64::from);
        let mut blocks = Vec::new();
        let tau = (signs > 0).then(|| {
            let hyperplanes = z.narrow(D::Minus1, 2 * m, signs)?;
            let is_negative = hyperplanes.lt(0.0)?.to_dtype(z.dtype())?.detach();
            is_negative.affine(-2.0 / (signs as f64).sqrt(), 1.0 / (signs as f64).sqrt())
        });
        let tau = tau.transpose()?;
        let mut add = |features: Tensor, plain: f64, signed: f64| -> Result<()> {
            blocks.push((&features * plain)?);
            let Some(tau) = &tau else { return Ok(()) };
            let (batch, heads, tokens, count) = features.dims4()?;
            let product = tau.unsqueeze(4)?.broadcast_mul(&features.unsqueeze(3)?)?;
            blocks.push((product.reshape((batch, heads, tokens, signs * count))? * signed)?);
            Ok(())
        };
        if !exponents.is_empty() {
            let exponents = Tensor::cat(&exponents, D::Minus1)?;
            add(exponents.broadcast_sub(&shift)?.exp()?, factors[0], factors[1])?;
        }
        add(Tensor::cat(&waves, D::Minus1)?, factors[2], factors[3])?;
        Tensor::cat(&blocks, D::Minus1)
    }
}
