//! A typed map from candle operations, which differentiates itself: the reference for the fused one.

use super::map::TypedMap;
use crate::function::{BinaryOperator, Operation, Pair, Reduction, Step, StepShape, Tape, Unary, Variable};
use crate::vision::composed::primitives::softplus;
use crate::vision::kernel::linear::{MapParameters, Mapped};
use candle_core::{D, Result, Tensor};

impl TypedMap {
    /// What the map makes of `x` `[batch, heads, tokens, head_dim]`, given its parameters `[heads, …]` where it has any.
    pub(in crate::vision) fn composed(self, x: &Tensor, parameters: Option<&Tensor>) -> Result<Mapped> {
        let parameters = MapParameters(parameters);
        match self.function().exponents() {
            Some(tape) => Ok(Mapped::Logarithms(self.components(tape, x, &parameters)?)),
            None => Ok(Mapped::Features(self.components(self.function().features(), x, &parameters)?)),
        }
    }

    fn components(self, tape: &Tape, x: &Tensor, parameters: &MapParameters<'_>) -> Result<Tensor> {
        let mut values: Vec<Tensor> = Vec::with_capacity(tape.steps.len());
        for step in &tape.steps {
            values.push(self.step(step, &values, x, parameters)?);
        }
        let (batch, heads, tokens, dim) = x.dims4()?;
        let whole = (batch, heads, tokens, self.coordinates(dim));
        let outputs: Result<Vec<Tensor>> =
            tape.outputs.iter().map(|slot| values[*slot].broadcast_as(whole)?.contiguous()).collect();
        Tensor::cat(&outputs?, D::Minus1)
    }

    fn step(self, step: &Step, values: &[Tensor], x: &Tensor, parameters: &MapParameters<'_>) -> Result<Tensor> {
        match step.operation {
            Operation::Number(bits) => {
                Tensor::new(f64::from_bits(bits), x.device())?.to_dtype(x.dtype())?.reshape((1, 1, 1, 1))
            }
            Operation::Scalar(index) if self.function().scalars()[index].positive => parameters.positive(index),
            Operation::Scalar(index) => parameters.scalar(index),
            Operation::Variable(Variable::Coordinate) => Ok(x.clone()),
            Operation::Variable(Variable::Projected) => parameters.affine(x, self.function().scalars().len()),
            Operation::Variable(Variable::SquaredNorm) => x.sqr()?.sum_keepdim(D::Minus1),
            Operation::Negate(a) => values[a].neg(),
            Operation::Unary(function, a) => unary(function, &values[a]),
            Operation::Integer(a, exponent) => values[a].powf(f64::from(exponent)),
            Operation::Binary(operator, a, b) => {
                let (a, b) = (&values[a], &values[b]);
                match operator {
                    BinaryOperator::Add => a.broadcast_add(b),
                    BinaryOperator::Subtract => a.broadcast_sub(b),
                    BinaryOperator::Multiply => a.broadcast_mul(b),
                    BinaryOperator::Divide => a.broadcast_div(b),
                    BinaryOperator::Power => a.log()?.broadcast_mul(b)?.exp(),
                }
            }
            Operation::Pair(Pair::Min, a, b) => values[a].broadcast_minimum(&values[b]),
            Operation::Pair(Pair::Max, a, b) => values[a].broadcast_maximum(&values[b]),
            Operation::Reduce(reduction, a) => match reduction {
                Reduction::Sum => values[a].sum_keepdim(D::Minus1),
                Reduction::Mean => values[a].mean_keepdim(D::Minus1),
                Reduction::MaxOver => largest(&values[a]),
                Reduction::Norm => values[a].sqr()?.sum_keepdim(D::Minus1)?.sqrt(),
            },
        }
        .and_then(|value| match step.shape {
            StepShape::Wide => value.contiguous(),
            StepShape::Head | StepShape::Row => Ok(value),
        })
    }
}

/// The largest coordinate; equal ones share its gradient.
fn largest(x: &Tensor) -> Result<Tensor> {
    let is_largest = x.broadcast_eq(&x.max_keepdim(D::Minus1)?)?.to_dtype(x.dtype())?.detach();
    let share = is_largest.broadcast_div(&is_largest.sum_keepdim(D::Minus1)?)?;
    (x * share)?.sum_keepdim(D::Minus1)
}

fn sigmoid(x: &Tensor) -> Result<Tensor> {
    // The slope of softplus, without overflow on either side.
    (x - softplus(x)?)?.exp()
}

fn unary(function: Unary, x: &Tensor) -> Result<Tensor> {
    match function {
        Unary::Relu => x.relu(),
        Unary::Exp => x.exp(),
        Unary::Log => x.log(),
        Unary::Sqrt => x.sqrt(),
        Unary::Abs => x.abs(),
        Unary::Square => x.sqr(),
        Unary::Sigmoid => sigmoid(x),
        Unary::Softplus => softplus(x),
        Unary::Tanh => x.tanh(),
        Unary::Elu => x.elu(1.0),
        Unary::Gelu => x.gelu_erf(),
        Unary::Silu => x * sigmoid(x)?,
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
    }
}
