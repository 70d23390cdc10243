//! Trigonometric features and hybrids over registers: features that may be negative, and are not exponentials of one
//! exponent.
//!
//! A row's features are the blocks (φ₁, τ⊗φ₁, φ₂, τ⊗φ₂) times the roots of a hybrid's coefficients, whose signs stand with the
//! queries; trigonometric features are φ₂ alone. φ₁ = exp(±z − |x|²/2 − s), φ₂ = exp(|x|²/2 − s)·(cos z, sin z), τ the signs of
//! the hyperplanes over √n. The shift s is a query's largest exponent, and the largest of all keys: it cancels in the ratio, so
//! that it is constant for the gradient, as τ is almost everywhere.

use super::map::{FavorEstimator, FavorMap};
use crate::vision::fused::feature_map::{Head, HeadSize};
use crate::vision::fused::register::{exp, load, padded, store, vectorize};
use crate::vision::fused::tape::sine_and_cosine;
use crate::vision::kernel::affine::{project, project_back_rows};
use crate::vision::kernel::linear::HeadSide;
use crate::vision::kernel::norms::{add_rows, squared_norms};
use pulp::Simd;

/// How the features of a row are put together.
#[derive(Clone, Copy)]
pub(super) struct SignedShape {
    m: usize,
    /// Features of the first part for each projection; none without a first part.
    first: usize,
    signs: usize,
    coefficients: [f32; 4],
}

impl SignedShape {
    /// That of trigonometric features or a hybrid; none for other maps.
    pub fn new(map: FavorMap) -> Option<Self> {
        match map.estimator() {
            FavorEstimator::Trigonometric => {
                Some(Self { m: map.m(), first: 0, signs: 0, coefficients: [0.0, 0.0, 1.0, 0.0] })
            }
            FavorEstimator::Hybrid { hyperbolic, signs, weight } => Some(Self {
                m: map.m(),
                first: if hyperbolic { 2 } else { 1 },
                signs,
                coefficients: weight.coefficients(signs).map(|value| value as f32),
            }),
            _ => None,
        }
    }

    /// The factors of the four blocks on one side. Features of both signs are twice as many: each product counts half.
    pub fn factors(&self, side: HeadSide) -> [f32; 4] {
        let halved = if self.first == 2 { 0.5 } else { 1.0 };
        let [first, signed_first, second, signed_second] = self.coefficients;
        [halved * first, halved * signed_first, second, signed_second]
            .map(|c| c.abs().sqrt() * if side == HeadSide::Queries { c.signum() } else { 1.0 })
    }

    /// Rows of z before those of the second part.
    fn second_at(&self) -> usize {
        if self.first > 0 { self.m } else { 0 }
    }
}

/// What the features of the rows of one side are made of.
struct SignedParts {
    /// Numbers of a row of each part.
    width: usize,
    /// exp(z − |x|²/2 − s) and exp(−z − |x|²/2 − s) of the first part.
    exponentials: [Vec<f32>; 2],
    /// exp(|x|²/2 − s) cos z and exp(|x|²/2 − s) sin z of the second.
    waves: [Vec<f32>; 2],
    /// τ, `[tokens, signs]`.
    signs: Vec<f32>,
}

/// The rows of one side of a head, scaled.
pub(super) struct SignedRows<'a> {
    pub head: Head<'a>,
    pub shape: SignedShape,
    pub side: HeadSide,
    pub x: &'a [f32],
}

impl SignedRows<'_> {
    fn parts<S: Simd>(&self, simd: S) -> SignedParts {
        let SignedShape { m, first, signs, .. } = self.shape;
        let HeadSize { tokens, .. } = self.head.size;
        let halves: Vec<f32> = squared_norms(simd, self.head.size, self.x).into_iter().map(|norm| 0.5 * norm).collect();
        let z = project(simd, self.head.size, self.head.parameters, self.x);
        let rows = self.shape.second_at() + m + signs;
        let (z_width, width, second) = (padded(rows), padded(m), self.shape.second_at());
        let largest = |z: &[f32], half: f32| {
            let of_first = z[..second].iter().fold(f32::MIN, |top, z| top.max(if first == 2 { z.abs() } else { *z }));
            half.max(of_first - half)
        };
        let tops = z.chunks_exact(z_width).zip(&halves).map(|(z, half)| largest(z, *half));
        let mut shifts: Vec<f32> = tops.collect();
        if self.side == HeadSide::Keys {
            let top = shifts.iter().copied().fold(f32::MIN, f32::max);
            shifts.fill(top);
        }
        let of_second = vec![0.0; tokens * width];
        let of_first = vec![f32::MIN; if first > 0 { tokens * width } else { 0 }];
        let mut parts = SignedParts {
            width,
            exponentials: [of_first.clone(), if first == 2 { of_first } else { Vec::new() }],
            waves: [of_second.clone(), of_second],
            signs: Vec::with_capacity(tokens * signs),
        };
        let unit = 1.0 / (signs.max(1) as f32).sqrt();
        for (token, z) in z.chunks_exact(z_width).enumerate() {
            let (half, shift, row) = (halves[token], shifts[token], token * width);
            for (sign, part) in [1.0, -1.0].into_iter().zip(&mut parts.exponentials) {
                if let Some(part) = part.get_mut(row..row + m) {
                    part.iter_mut().zip(z).for_each(|(e, z)| *e = sign * z - half - shift);
                }
            }
            parts.waves[0][row..row + m].copy_from_slice(&z[second..second + m]);
            let hyperplanes = &z[second + m..second + m + signs];
            parts.signs.extend(hyperplanes.iter().map(|z| if *z < 0.0 { -unit } else { unit }));
        }
        let SignedParts { exponentials, waves: [cosines, sines], .. } = &mut parts;
        vectorize(
            simd,
            #[inline(always)]
            || {
                for part in exponentials.iter_mut().flat_map(|part| part.chunks_exact_mut(S::F32_LANES)) {
                    store(simd, part, exp(simd, load(simd, part)));
                }
                let rows = cosines.chunks_exact_mut(width).zip(sines.chunks_exact_mut(width));
                for ((cosines, sines), (half, shift)) in rows.zip(halves.iter().zip(&shifts)) {
                    let size = exp(simd, simd.splat_f32s(half - shift));
                    let parts = cosines.chunks_exact_mut(S::F32_LANES).zip(sines.chunks_exact_mut(S::F32_LANES));
                    for (cosine, sine) in parts {
                        let (sin, cos) = sine_and_cosine(simd, load(simd, cosine));
                        store(simd, cosine, simd.mul_f32s(size, cos));
                        store(simd, sine, simd.mul_f32s(size, sin));
                    }
                }
            },
        );
        parts
    }

    /// Writes the features.
    pub fn forward<S: Simd>(&self, simd: S, out: &mut [f32]) {
        let parts = self.parts(simd);
        let (signs, factors) = (self.shape.signs, self.shape.factors(self.side));
        for (token, out) in out.chunks_exact_mut(self.head.size.feature_width).enumerate() {
            out.fill(0.0);
            let tau = &parts.signs[token * signs..(token + 1) * signs];
            let mut at = 0;
            for (part, factors) in self.of_token(&parts, token).iter().zip(factors.chunks_exact(2)) {
                for factor in [factors[0]].into_iter().chain(tau.iter().map(|tau| tau * factors[1])) {
                    for values in part {
                        let into = &mut out[at..at + values.len()];
                        into.iter_mut().zip(*values).for_each(|(out, value)| *out = factor * value);
                        at += values.len();
                    }
                }
            }
        }
    }

    /// φ₁ and φ₂ of a token, each in pieces of m.
    fn of_token<'p>(&self, parts: &'p SignedParts, token: usize) -> [Vec<&'p [f32]>; 2] {
        let row = token * parts.width..token * parts.width + self.shape.m;
        let piece = |part: &'p Vec<f32>| part.get(row.clone());
        [parts.exponentials.iter().filter_map(piece).collect(), parts.waves.iter().filter_map(piece).collect()]
    }

    /// Writes the gradient of x, given that of the features.
    pub fn backward<S: Simd>(&self, simd: S, gradient: &[f32], x_gradient: &mut [f32]) {
        let parts = self.parts(simd);
        let SignedShape { m, signs, first, .. } = self.shape;
        let HeadSize { tokens, feature_width, .. } = self.head.size;
        let (factors, second) = (self.shape.factors(self.side), self.shape.second_at());
        let z_width = padded(second + m + signs);
        let (mut z_gradient, mut half_gradient) = (vec![0.0; tokens * z_width], vec![0.0; tokens]);
        let mut of_part = vec![0.0; 2 * m];
        for (token, g) in gradient.chunks_exact(feature_width).enumerate() {
            let tau = &parts.signs[token * signs..(token + 1) * signs];
            let z = &mut z_gradient[token * z_width..(token + 1) * z_width];
            let mut at = 0;
            for (index, part) in self.of_token(&parts, token).iter().enumerate() {
                let count = part.len() * m;
                let of_part = &mut of_part[..count];
                of_part.fill(0.0);
                let plain = factors[2 * index];
                if count == 0 {
                    continue;
                }
                for factor in [plain].into_iter().chain(tau.iter().map(|tau| tau * factors[2 * index + 1])) {
                    of_part.iter_mut().zip(&g[at..at + count]).for_each(|(sum, g)| *sum += factor * g);
                    at += count;
                }
                if index == 0 {
                    for i in 0..m {
                        let plus = of_part[i] * part[0][i];
                        let minus = if first == 2 { of_part[m + i] * part[1][i] } else { 0.0 };
                        z[i] = plus - minus;
                        half_gradient[token] -= plus + minus;
                    }
                } else {
                    for i in 0..m {
                        let (cosine, sine) = (part[0][i], part[1][i]);
                        z[second + i] = of_part[m + i] * cosine - of_part[i] * sine;
                        half_gradient[token] += of_part[i] * cosine + of_part[m + i] * sine;
                    }
                }
            }
        }
        project_back_rows(simd, self.head.size, self.head.parameters, &z_gradient, x_gradient);
        add_rows(simd, self.head.size, &half_gradient, self.x, x_gradient);
    }
}
