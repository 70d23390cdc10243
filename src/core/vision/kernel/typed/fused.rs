//! A typed map over registers.

use super::map::TypedMap;
use crate::function::{Tape, Variable};
use crate::vision::fused::feature_map::{
    Exponential, Head, HeadMap, LogFeature, MapGradient, QueriesKeys, QueriesKeysMut,
};
use crate::vision::fused::register::{logistic, padded, softplus};
use crate::vision::fused::tape::{RowGradients, TapeCall, TapeRows, differentiate, evaluate};
use crate::vision::kernel::affine::{project, project_back};
use crate::vision::kernel::norms::{add_rows, squared_norms};
use pulp::Simd;

/// The steps of a map and how its parameters are laid out.
#[derive(Clone, Copy)]
struct TypedRows<'a> {
    map: TypedMap,
    tape: &'a Tape,
    head: Head<'a>,
}

impl<'a> TypedRows<'a> {
    fn scalars(&self) -> Vec<f32> {
        let scalars = self.map.function().scalars().iter().zip(self.head.parameters);
        scalars.map(|(scalar, theta)| if scalar.positive { softplus(*theta) } else { *theta }).collect()
    }

    /// W and b, after the scalars.
    fn projection(&self) -> &'a [f32] {
        &self.head.parameters[self.map.function().scalars().len()..]
    }

    fn squared_norms<S: Simd>(&self, simd: S, u: &[f32]) -> Vec<f32> {
        if self.tape.uses(Variable::SquaredNorm) { squared_norms(simd, self.head.size, u) } else { Vec::new() }
    }

    fn projected<S: Simd>(&self, simd: S, u: &[f32]) -> Vec<f32> {
        if self.tape.uses(Variable::Projected) {
            project(simd, self.head.size, self.projection(), u)
        } else {
            Vec::new()
        }
    }

    /// The rows as the tape takes them.
    fn rows<'r>(&self, u: &'r [f32], p: &'r [f32], n: &'r [f32]) -> TapeRows<'r> {
        let coordinates = self.map.coordinates(self.head.size.dim);
        let u = if self.tape.uses(Variable::Coordinate) { u } else { &[] };
        let width = padded(coordinates);
        TapeRows { count: self.head.size.tokens, coordinates, width, u, p, n }
    }

    fn call<'r>(&self, scalars: &'r [f32], rows: TapeRows<'r>) -> TapeCall<'r>
    where
        'a: 'r,
    {
        TapeCall { tape: self.tape, scalars, rows, out_width: self.head.size.feature_width }
    }

    fn forward<S: Simd>(&self, simd: S, u: &[f32], out: &mut [f32]) {
        let (p, n) = (self.projected(simd, u), self.squared_norms(simd, u));
        let (scalars, rows) = (self.scalars(), self.rows(u, &p, &n));
        evaluate(simd, self.call(&scalars, rows), out);
    }

    fn backward<S: Simd>(
        &self,
        simd: S,
        u: &[f32],
        gradient: &[f32],
        u_gradient: &mut [f32],
        parameters_gradient: &mut [f32],
    ) {
        let (p, n) = (self.projected(simd, u), self.squared_norms(simd, u));
        let (mut p_gradient, mut n_gradient) = (vec![0.0; p.len()], vec![0.0; n.len()]);
        let scalars = self.scalars();
        let (of_scalars, of_projection) = parameters_gradient.split_at_mut(scalars.len());
        let mut scalars_gradient = vec![0.0; scalars.len()];
        let mut direct = vec![0.0; if p.is_empty() { 0 } else { u.len() }];
        let rows = self.rows(u, &p, &n);
        if rows.u.is_empty() {
            u_gradient.fill(0.0);
        }
        let into = RowGradients {
            u: &mut *u_gradient,
            p: &mut p_gradient,
            n: &mut n_gradient,
            scalars: &mut scalars_gradient,
        };
        differentiate(simd, self.call(&scalars, rows), gradient, into);
        for (((sum, value), scalar), theta) in
            of_scalars.iter_mut().zip(scalars_gradient).zip(self.map.function().scalars()).zip(self.head.parameters)
        {
            *sum += if scalar.positive { value * logistic(*theta) } else { value };
        }
        if !p.is_empty() {
            project_back(simd, self.head.size, self.projection(), u, &p_gradient, &mut direct, of_projection);
            for (sum, value) in u_gradient.iter_mut().zip(&direct) {
                *sum += value;
            }
        }
        if !n.is_empty() {
            // ∂|x|²/∂x = 2x.
            n_gradient.iter_mut().for_each(|gradient| *gradient *= 2.0);
            add_rows(simd, self.head.size, &n_gradient, u, u_gradient);
        }
    }
}

impl LogFeature for TypedMap {
    fn features(&self, dim: usize) -> usize {
        TypedMap::features(*self, dim)
    }

    fn forward<S: Simd>(&self, simd: S, head: Head<'_>, u: &[f32], exponents: &mut [f32]) {
        if let Some(tape) = self.function().exponents() {
            TypedRows { map: *self, tape, head }.forward(simd, u, exponents);
        }
    }

    fn backward<S: Simd>(
        &self,
        simd: S,
        head: Head<'_>,
        u: &[f32],
        gradient: &[f32],
        u_gradient: &mut [f32],
        parameters_gradient: &mut [f32],
    ) {
        if let Some(tape) = self.function().exponents() {
            TypedRows { map: *self, tape, head }.backward(simd, u, gradient, u_gradient, parameters_gradient);
        }
    }
}

/// Functions whose outermost operation is exp are stabilised exactly; others are taken as they are.
impl HeadMap for TypedMap {
    fn features(&self, dim: usize) -> usize {
        TypedMap::features(*self, dim)
    }

    fn forward<S: Simd>(&self, simd: S, head: Head<'_>, u: QueriesKeys<'_>, features: QueriesKeysMut<'_>) {
        if self.function().exponents().is_some() {
            return HeadMap::forward(&Exponential(*self), simd, head, u, features);
        }
        let rows = TypedRows { map: *self, tape: self.function().features(), head };
        rows.forward(simd, u.q, features.q);
        rows.forward(simd, u.k, features.k);
    }

    fn backward<S: Simd>(
        &self,
        simd: S,
        head: Head<'_>,
        u: QueriesKeys<'_>,
        features: QueriesKeys<'_>,
        gradient: MapGradient<'_>,
    ) {
        if self.function().exponents().is_some() {
            return HeadMap::backward(&Exponential(*self), simd, head, u, features, gradient);
        }
        let rows = TypedRows { map: *self, tape: self.function().features(), head };
        let MapGradient { features: g, u: into, parameters, .. } = gradient;
        rows.backward(simd, u.q, g.q, into.q, parameters);
        rows.backward(simd, u.k, g.k, into.k, parameters);
    }
}
