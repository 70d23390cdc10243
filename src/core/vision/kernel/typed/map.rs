//! What is known of a typed map before a model is made: its function, and how its parameters start.

use crate::function::{Function, FunctionError, Variable};
use crate::random::generator;
use crate::vision::kernel::affine::identity;
use crate::vision::kernel::linear::inverse_softplus;
use rand_distr::{Distribution, StandardNormal};
use std::fmt;

/// A function of u, p and n as the feature map of every head, with the number of rows of its learned projection.
#[derive(Clone, Copy)]
pub struct TypedMap {
    function: &'static Function,
    rows: Option<usize>,
}

impl TypedMap {
    /// The map of `text`. The projection p = Wx + b has `rows` rows, as many as a head has coordinates where it is none.
    ///
    /// # Errors
    /// The text is no function, or uses both u and p, which are then as many, with another number of rows.
    pub fn new(text: &str, rows: Option<usize>) -> Result<Self, FunctionError> {
        Function::shared(text).map(|function| Self::of(function, rows))
    }

    /// The map of a function that was read.
    #[must_use]
    pub fn of(function: &'static Function, rows: Option<usize>) -> Self {
        Self { function, rows: rows.filter(|_| function.uses(Variable::Projected)) }
    }

    /// The same with so many rows of the projection.
    #[must_use]
    pub fn with_rows(self, rows: usize) -> Self {
        Self::of(self.function, Some(rows))
    }

    /// The function.
    #[must_use]
    pub const fn function(self) -> &'static Function {
        self.function
    }

    /// Rows of the projection, where they are not as many as a head has coordinates.
    #[must_use]
    pub const fn rows(self) -> Option<usize> {
        self.rows
    }

    /// Features of each component of a head with `head_dim` coordinates.
    pub(in crate::vision) fn coordinates(self, head_dim: usize) -> usize {
        self.rows.unwrap_or(head_dim)
    }

    /// Features of a head with `head_dim` coordinates.
    #[must_use]
    pub fn features(self, head_dim: usize) -> usize {
        self.function.components() * self.coordinates(head_dim)
    }

    /// Whether u and p are both used and would be of different numbers in heads of `head_dim` coordinates.
    #[must_use]
    pub fn is_uneven(self, head_dim: usize) -> bool {
        self.function.uses(Variable::Coordinate) && self.coordinates(head_dim) != head_dim
    }

    /// How many parameters a head has; none where it overflows.
    #[must_use]
    pub fn parameters(self, head_dim: usize) -> Option<usize> {
        let projection = if self.function.uses(Variable::Projected) {
            self.coordinates(head_dim).checked_mul(head_dim.checked_add(1)?)?
        } else {
            0
        };
        projection.checked_add(self.function.scalars().len())
    }

    /// The parameters of one head as they start: the learned scalars, then W by rows and b. W starts at the identity; rows
    /// beyond it are random, of norm 1 and orthogonal within blocks of `head_dim`. b starts at 0.
    pub(in crate::vision) fn start(self, head_dim: usize) -> Vec<f32> {
        let scalars = self.function.scalars().iter();
        let mut start: Vec<f32> = scalars
            .map(|scalar| if scalar.positive { inverse_softplus(scalar.start as f32) } else { scalar.start as f32 })
            .collect();
        if !self.function.uses(Variable::Projected) {
            return start;
        }
        let rows = self.coordinates(head_dim);
        let mut weight = identity(head_dim);
        weight.truncate(rows.min(head_dim) * head_dim);
        weight.extend(further_rows(rows.saturating_sub(head_dim), head_dim));
        start.extend(weight);
        start.extend(std::iter::repeat_n(0.0, rows));
        start
    }
}

/// `count` random rows of norm 1, orthogonal within blocks of `dim`, by Gram and Schmidt. They are the same for every head:
/// what heads learn apart from each other begins at their queries and keys.
fn further_rows(count: usize, dim: usize) -> Vec<f32> {
    let mut random = generator(0, "rows of a typed projection", 0);
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(count);
    while rows.len() < count {
        let mut row: Vec<f64> = StandardNormal.sample_iter(&mut random).take(dim).collect();
        let block = rows.len() / dim * dim;
        for earlier in &rows[block..] {
            let along: f64 = row.iter().zip(earlier).map(|(a, b)| a * b).sum();
            row.iter_mut().zip(earlier).for_each(|(a, b)| *a -= along * b);
        }
        let norm = row.iter().map(|a| a * a).sum::<f64>().sqrt();
        if norm > 1e-6 {
            row.iter_mut().for_each(|a| *a /= norm);
            rows.push(row);
        }
    }
    rows.into_iter().flatten().map(|value| value as f32).collect()
}

/// Two maps are one where their texts are.
impl PartialEq for TypedMap {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows && self.function.text() == other.function.text()
    }
}

impl Eq for TypedMap {}

impl fmt::Debug for TypedMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedMap").field("function", &self.function.text()).field("rows", &self.rows).finish()
    }
}
