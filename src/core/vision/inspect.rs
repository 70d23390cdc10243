//! A look into a model whose feature map the user typed: its learned scalars, and what goes wrong with its function.

use super::composed::AttentionInputs;
use super::error::VisionError;
use super::kernel::TypedMap;
use super::layout::feature_name;
use super::model::Vit;
use crate::attention::Inputs;
use crate::function::{Rows, StepShape, Variable};
use candle_core::{DType, Tensor};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use std::ops::ControlFlow;

/// What the denominators of attention are: how many are not positive, and how large they are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Denominators {
    /// Rows looked at: one for each image, block, head and query.
    pub rows: usize,
    /// Those whose f(q)·Σf(k) is not above 0.
    pub not_positive: usize,
    /// The largest size of one.
    pub largest: f64,
}

/// What attention of every block is computed from on some images, image by image, with what it makes of that: to see how well
/// another attention does on the same.
pub struct ExactBlocks(Vec<Vec<(AttentionInputs, Tensor)>>);

impl ExactBlocks {
    /// Those of `model` on these images, whose patches are `[image, token, patch_dim]`.
    ///
    /// # Errors
    /// `patches` are not whole images.
    pub fn new(model: &Vit, patches: &[f32]) -> Result<Self, VisionError> {
        let image = model.config().tokens() * model.config().patch_dim();
        patches.chunks(image).map(|image| model.blocks(image)).collect::<Result<_, _>>().map(Self)
    }

    /// Scaled queries and keys of a head of a block, the tokens of all images below each other.
    ///
    /// # Errors
    /// The device fails, or a number is not finite.
    pub fn head(&self, block: usize, head: usize) -> Result<Inputs, VisionError> {
        let side = |pick: fn(&AttentionInputs) -> &Tensor| {
            let mut rows = Vec::new();
            let mut width = 0;
            for image in &self.0 {
                let matrix: Vec<Vec<f32>> = pick(&image[block].0).get(0)?.get(head)?.to_vec2()?;
                width = matrix.first().map_or(0, Vec::len);
                rows.extend(matrix.into_iter().flatten().map(f64::from));
            }
            Array2::from_shape_vec((rows.len() / width.max(1), width), rows)
                .map_err(|error| VisionError::Batch(error.to_string()))
        };
        Ok(Inputs::new(side(|inputs| &inputs.queries)?, side(|inputs| &inputs.keys)?)?.scaled())
    }

    /// For each block ‖ô − o‖/‖o‖ over all images, where ô is the output of `model`'s attention on the same queries, keys and
    /// values.
    ///
    /// # Errors
    /// The device fails.
    pub fn errors(&self, model: &Vit) -> Result<Vec<f64>, VisionError> {
        let blocks = 0..model.config().depth;
        blocks
            .map(|block| {
                let (attention, parameters) = (model.config().attention_of(block), model.features(block)?);
                let (mut error, mut whole) = (0.0, 0.0);
                for image in &self.0 {
                    let (inputs, exact) = &image[block];
                    let output = inputs.attend(attention, parameters.as_ref())?;
                    error += square(&(output - exact)?)?;
                    whole += square(exact)?;
                }
                Ok((error / whole).sqrt())
            })
            .collect()
    }
}

/// Σx², in double precision.
fn square(x: &Tensor) -> Result<f64, VisionError> {
    Ok(x.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar()?)
}

/// Queries or keys of a head with what a function takes of them, in double precision.
struct HeadRows {
    x: Array2<f64>,
    p: Array2<f64>,
    n: Vec<f64>,
}

/// The learned numbers of one head.
struct HeadFunction {
    map: TypedMap,
    scalars: Vec<f64>,
    weight: Array2<f64>,
    bias: Vec<f64>,
}

impl HeadFunction {
    fn new(map: TypedMap, head_dim: usize, parameters: &[f32]) -> Self {
        let known = map.function().scalars();
        let (scalars, projection) = parameters.split_at(known.len().min(parameters.len()));
        let scalars = known.iter().zip(scalars).map(|(scalar, theta)| scalar.value(f64::from(*theta)));
        let projection: Vec<f64> = projection.iter().map(|value| f64::from(*value)).collect();
        let rows = projection.len() / (head_dim + 1);
        let weight = ArrayView2::from_shape((rows, head_dim), &projection[..rows * head_dim])
            .map_or_else(|_| Array2::zeros((0, head_dim)), |weight| weight.to_owned());
        Self { map, scalars: scalars.collect(), weight, bias: projection[rows * head_dim..].to_vec() }
    }

    fn rows(&self, head_dim: usize, x: &[f32]) -> Result<HeadRows, VisionError> {
        let x: Vec<f64> = x.iter().map(|value| f64::from(*value)).collect();
        let x = Array2::from_shape_vec((x.len() / head_dim, head_dim), x)
            .map_err(|error| VisionError::Batch(error.to_string()))?;
        let p = x.dot(&self.weight.t()) + ArrayView1::from(&self.bias);
        let n = x.map_axis(Axis(1), |row| row.dot(&row)).to_vec();
        Ok(HeadRows { x, p: p.as_standard_layout().into_owned(), n })
    }

    fn values<'a>(&self, rows: &'a HeadRows) -> Rows<'a> {
        let function = self.map.function();
        let used = |variable, numbers: &'a Array2<f64>| match numbers.as_slice() {
            Some(numbers) if function.uses(variable) => numbers,
            _ => &[],
        };
        let coordinates = used(Variable::Coordinate, &rows.x);
        let projected = used(Variable::Projected, &rows.p);
        // A function of neither has as many features as the head has coordinates.
        let coordinates = if projected.is_empty() { rows.x.as_slice().unwrap_or_default() } else { coordinates };
        Rows { count: rows.n.len(), coordinates, projected, squared_norms: &rows.n }
    }
}

impl Vit {
    /// The values of the learned scalars, by block, head and scalar; empty where the feature map is not typed.
    ///
    /// # Errors
    /// The device fails.
    pub fn learned_scalars(&self) -> Result<Vec<Vec<Vec<f64>>>, VisionError> {
        let Some(map) = self.config().attention.typed().filter(|map| !map.function().scalars().is_empty()) else {
            return Ok(Vec::new());
        };
        (0..self.config().depth)
            .map(|block| Ok(self.head_functions(map, block)?.into_iter().map(|head| head.scalars).collect()))
            .collect()
    }

    fn head_functions(&self, map: TypedMap, block: usize) -> Result<Vec<HeadFunction>, VisionError> {
        let (heads, head_dim) = (self.config().heads, self.config().head_dim());
        if self.config().attention.feature_start(head_dim).is_empty() {
            return Ok((0..heads).map(|_| HeadFunction::new(map, head_dim, &[])).collect());
        }
        let rows: Vec<Vec<f32>> = self.parameters().view(&feature_name(block))?.detach().to_vec2()?;
        Ok(rows.iter().map(|row| HeadFunction::new(map, head_dim, row)).collect())
    }

    /// What goes wrong in a typed function, or random features that can be negative, on these images, whose patches are `[image, token, patch_dim]`: the part of its text
    /// that is not finite, with the values that show it, or denominators that are not positive; none where nothing is found.
    ///
    /// # Errors
    /// `patches` are not whole images.
    pub fn function_fault(&self, patches: &[f32]) -> Result<Option<String>, VisionError> {
        if self.config().attention.favor().is_some_and(|map| !map.is_positive()) {
            let counted = self.not_positive().filter(|count| *count > 0);
            return Ok(counted.map(|count| {
                format!(
                    "{count} denominators of attention were not above 0, as entries of the estimate can be negative"
                )
            }));
        }
        let mut fault = None;
        self.each_head(patches, |function, place, sides| {
            for (side, rows) in ["query", "key"].into_iter().zip(sides) {
                if let Some(found) = function.fault(rows) {
                    fault = Some(format!("{found}, a {side} of {place}"));
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        if fault.is_some() {
            return Ok(fault);
        }
        let Denominators { rows, not_positive, largest } = self.denominators(patches)?;
        if largest > f64::from(f32::MAX) {
            return Ok(Some(format!("a denominator f(q)·Σf(k) is {largest:e}, too large for single precision")));
        }
        Ok((not_positive > 0).then(|| {
            format!(
                "{not_positive} of {rows} denominators f(q)·Σf(k) are not above 0, as f can be 0 or negative; add a small positive number to f"
            )
        }))
    }

    /// The denominators of attention on these images; no rows where the feature map is not typed.
    ///
    /// # Errors
    /// `patches` are not whole images.
    pub fn denominators(&self, patches: &[f32]) -> Result<Denominators, VisionError> {
        let mut found = Denominators::default();
        self.each_head(patches, |function, _, [queries, keys]| {
            let tape = function.map.function().features();
            let features = |rows: &HeadRows| {
                let values = tape.evaluate(&function.scalars, &function.values(rows));
                Array2::from_shape_vec((rows.n.len(), values.len() / rows.n.len().max(1)), values)
            };
            if let (Ok(queries), Ok(keys)) = (features(queries), features(keys)) {
                let sums = queries.dot(&keys.sum_axis(Axis(0)));
                found.rows += sums.len();
                found.largest = sums.iter().fold(found.largest, |largest, sum| largest.max(sum.abs()));
                found.not_positive += sums.iter().filter(|sum| sum.is_nan() || **sum <= 0.0).count();
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// Shows `see` the queries and keys of every head of every image, until it breaks.
    fn each_head(
        &self,
        patches: &[f32],
        mut see: impl FnMut(&HeadFunction, String, [&HeadRows; 2]) -> ControlFlow<()>,
    ) -> Result<(), VisionError> {
        let Some(map) = self.config().attention.typed() else { return Ok(()) };
        let head_dim = self.config().head_dim();
        for image in patches.chunks(self.config().tokens() * self.config().patch_dim()) {
            for block in 0..self.config().depth {
                let functions = self.head_functions(map, block)?;
                for (head, [q, k, _]) in self.attention_inputs(image, block)?.into_iter().enumerate() {
                    let function = &functions[head];
                    let (queries, keys) = (function.rows(head_dim, &q)?, function.rows(head_dim, &k)?);
                    let place = format!("block {}, head {}", block + 1, head + 1);
                    if see(function, place, [&queries, &keys]).is_break() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }
}

impl HeadFunction {
    /// A part of the function that is not finite on these rows, with what shows it.
    fn fault(&self, rows: &HeadRows) -> Option<String> {
        let function = self.map.function();
        let fault = function.fault(&self.scalars, &self.values(rows))?;
        let mut at = Vec::new();
        if fault.step.shape == StepShape::Wide && function.uses(Variable::Coordinate) {
            at.push(format!("u = {}", rows.x[[fault.row, fault.column]]));
        }
        if fault.step.shape == StepShape::Wide && function.uses(Variable::Projected) {
            at.push(format!("p = {}", rows.p[[fault.row, fault.column]]));
        }
        if fault.step.shape != StepShape::Head {
            at.push(format!("n = {}", rows.n[fault.row]));
        }
        let scalars = function.scalars().iter().zip(&self.scalars);
        at.extend(scalars.map(|(scalar, value)| format!("{} = {value}", scalar.name)));
        let part = function.part(&fault.step);
        Some(format!("`{part}` in {function} is {} at {}", fault.value, at.join(", ")))
    }
}
