//! Matrices to look at: attention of one image, confusion of classes.

use crate::lab::{Axis, Curve, Event, Matrix, Plot, Point, RunContext, RunError, Series, Style};
use crate::vision::dataset::{Dataset, Patcher};
use crate::vision::{Evaluation, VisionError, Vit, VitConfig};

/// Most rows and columns of a matrix; a large terminal shows as many.
const MOST: usize = 64;

/// The attention of test image `index` in each block, mean over heads, beside the image itself.
pub(super) fn attention(
    context: &mut RunContext,
    model: &Vit,
    dataset: &Dataset,
    patcher: &Patcher,
    index: usize,
) -> Result<(), RunError> {
    let images = &dataset.test;
    let index = index % images.count();
    let class = dataset.classes.get(images.labels()[index] as usize).map_or("", String::as_str);
    let mut scratch = Vec::new();
    let (size, plane) = (images.size(), images.size() * images.size());
    let pixels = images.image(index, &mut scratch)?;
    let grey: Vec<f32> = (0..plane)
        .map(|at| pixels.iter().skip(at).step_by(plane).map(|value| f32::from(*value)).sum::<f32>() / 255.0)
        .map(|sum| sum / images.channels() as f32)
        .collect();
    let image =
        Matrix { caption: format!("test image {index}: {class}"), ..square("image", "attention", "image", grey) };
    tell(context, worded(image, "line", "pixel", "image"), size);

    let mut patches = vec![0.0; images.bytes()];
    patcher.write(images, &[index], &mut patches)?;
    let (tokens, heads) = (model.config().tokens(), model.config().heads);
    let how = match model.config().attention {
        attention if attention.is_softmax() => "softmax, exact",
        attention if attention.is_identity() => "no mixing",
        attention if attention.favor().is_some() => "softmax as estimated by random features",
        _ => "f(q)·f(k), rows normalised",
    };
    model.look(&patches, |block, view| {
        if let Some(mask) = view.mask {
            let largest = mask.iter().copied().fold(0.0, f32::max);
            let (id, title) = (format!("mask-{}", block + 1), format!("block {}, mask", block + 1));
            let caption = format!("relu(v_q)·relu(v_k) + 0.001, mean of {heads} heads, largest {largest:.3}");
            let mask = Matrix { caption, ..square(&id, "mask", &title, mask) };
            tell(context, worded(mask, "query", "key", "mask"), tokens);
        }
        let mean = view.attention;
        let largest = mean.iter().copied().fold(0.0, f32::max);
        let (id, title) = (format!("attention-{}", block + 1), format!("block {}", block + 1));
        let caption = format!("mean of {heads} heads, {how}, largest {largest:.3}");
        let mean = Matrix { caption, ..square(&id, "attention", &title, mean) };
        tell(context, worded(mean, "query", "key", "attention"), tokens);
    })?;
    Ok(())
}

/// Test images by true class and class found.
pub(super) fn confusion(context: &mut RunContext, classes: &[String], test: &Evaluation) {
    let values = test.confusion.iter().map(|count| *count as f32).collect();
    let names: Vec<_> = classes.iter().take(20).map(String::as_str).collect();
    let caption = format!("rows: true class, columns: class found; {}", names.join(" · "));
    let confusion = Matrix {
        caption,
        unit: "images".to_owned(),
        row_names: classes.to_vec(),
        col_names: classes.to_vec(),
        ..square("confusion", "confusion", "Confusion", values)
    };
    tell(context, worded(confusion, "true", "found", "images"), classes.len());
}

/// Declares the plots of the learned feature maps, one per block; nothing for fixed kernels.
pub(super) fn declare_shapes(context: &mut RunContext, config: &VitConfig) {
    if config.attention.feature_start(config.head_dim()).is_empty() {
        return;
    }
    for block in 1..=config.depth {
        let plot = format!("feature-{block}");
        let title = format!("Learned f, block {block}");
        let (x, y) = (Axis::linear("u").over(-4.0, 4.0), Axis::linear("f(u)"));
        context.emit(Event::Plot(Plot { id: plot.clone(), title, x, y }));
        for head in 1..=config.heads {
            let series = Series::new(format!("{plot}-{head}"), &plot, format!("head {head}"));
            context.emit(Event::Series(series));
        }
        let scalars = config.attention.typed().map_or(&[][..], |map| map.function().scalars());
        if scalars.is_empty() {
            continue;
        }
        let plot = format!("scalars-{block}");
        let title = format!("Learned scalars, block {block}");
        let (x, y) = (Axis::linear("epoch"), Axis::linear("value"));
        context.emit(Event::Plot(Plot { id: plot.clone(), title, x, y }));
        for head in 1..=config.heads {
            for scalar in scalars {
                let series = scalar_series(block, head, &scalar.name);
                context.emit(Event::Series(Series::new(series, &plot, format!("{} of head {head}", scalar.name))));
            }
        }
    }
}

fn scalar_series(block: usize, head: usize, name: &str) -> String {
    format!("scalar-{block}-{head}-{name}")
}

/// Where the learned feature maps of a training that begins are seen from: the map that the first head starts with, relu, and exp
/// as far as relu reaches; nothing for fixed kernels.
pub(super) fn shape_references(context: &mut RunContext, model: &Vit) -> Result<(), VisionError> {
    let points: Vec<f32> = grid().collect();
    for (block, heads) in model.feature_shapes(&points)?.into_iter().enumerate() {
        let start = heads.into_iter().next().unwrap_or_default();
        let reach = points.iter().copied().fold(0.0, f32::max);
        let relu = points.iter().map(|u| u.max(0.0)).collect();
        let exp = points.iter().map(|u| u.exp()).take_while(|value| *value <= reach).collect();
        for (name, values) in [("start", start), ("relu", relu), ("exp", exp)] {
            let plot = format!("feature-{}", block + 1);
            let series = format!("{plot}-{name}");
            context.emit(Event::Series(Series::new(&series, plot, name).drawn(Style::Dashed)));
            context.emit(Event::Curve(shape(series, &points, &values)));
        }
    }
    Ok(())
}

/// The places at which feature maps are shown.
fn grid() -> impl Iterator<Item = f32> {
    (-40..=40).map(|tenth| tenth as f32 / 10.0)
}

/// A curve with numbers as a person would write them, which keeps the journal short.
fn shape(series: String, points: &[f32], values: &[f32]) -> Curve {
    let short = |value: &f32| value.to_string().parse().unwrap_or(f64::NAN);
    Curve { series, x: points.iter().take(values.len()).map(short).collect(), y: values.iter().map(short).collect() }
}

/// The learned feature map of each head over [−4, 4] as it is after `epoch` epochs, and the values of its learned scalars;
/// nothing for fixed kernels.
pub(super) fn learned_shapes(context: &mut RunContext, model: &Vit, epoch: f64) -> Result<(), VisionError> {
    let scalars = model.config().attention.typed().map_or(&[][..], |map| map.function().scalars());
    for (block, heads) in model.learned_scalars()?.into_iter().enumerate() {
        for (head, values) in heads.into_iter().enumerate() {
            for (scalar, value) in scalars.iter().zip(values) {
                let series = scalar_series(block + 1, head + 1, &scalar.name);
                context.emit(Event::Point(Point::new(series, epoch, value)));
            }
        }
    }
    let points: Vec<f32> = grid().collect();
    for (block, heads) in model.feature_shapes(&points)?.into_iter().enumerate() {
        for (head, values) in heads.into_iter().enumerate() {
            let series = format!("feature-{}-{}", block + 1, head + 1);
            context.emit(Event::Curve(shape(series, &points, &values)));
        }
    }
    Ok(())
}

/// A square matrix whose size and words are not said yet.
fn square(id: &str, group: &str, title: &str, values: Vec<f32>) -> Matrix {
    let [id, group, title] = [id, group, title].map(str::to_owned);
    Matrix { id, group, title, values, ..Matrix::default() }
}

/// The matrix with words for a row and a column, and for those that it shares its scale with.
fn worded(matrix: Matrix, row: &str, column: &str, scale: &str) -> Matrix {
    let [row_word, col_word, scale] = [row, column, scale].map(str::to_owned);
    Matrix { row_word, col_word, scale, ..matrix }
}

/// Emits a matrix of `side` rows, thinned to means over blocks where it is large.
fn tell(context: &mut RunContext, matrix: Matrix, side: usize) {
    let block = side.div_ceil(MOST);
    if block == 1 {
        return context.emit(Event::Matrix(Matrix { rows: side, cols: side, ..matrix }));
    }
    let (values, small) = (thin(&matrix.values, side, block), side.div_ceil(block));
    let caption = format!("{}; means over {block}×{block}", matrix.caption);
    let name = |names: &[String], at: usize| names.get(at).cloned().unwrap_or_else(|| at.to_string());
    let names = |names: &[String]| (0..small).map(|at| format!("from {}", name(names, at * block))).collect();
    let (row_names, col_names) = (names(&matrix.row_names), names(&matrix.col_names));
    context.emit(Event::Matrix(Matrix { rows: small, cols: small, values, caption, row_names, col_names, ..matrix }));
}

/// Means over squares of `block`×`block`; those at the right and lower edge may be smaller.
fn thin(values: &[f32], side: usize, block: usize) -> Vec<f32> {
    let small = side.div_ceil(block);
    let mut sums = vec![(0.0, 0_u32); small * small];
    for (at, value) in values.iter().enumerate() {
        let (sum, count) = &mut sums[at / side / block * small + at % side / block];
        *sum += value;
        *count += 1;
    }
    sums.into_iter().map(|(sum, count)| sum / count as f32).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn thinning_takes_means_also_at_the_edge() {
        let values: Vec<f32> = (0..9).map(|value| value as f32).collect();
        assert_eq!(super::thin(&values, 3, 2), [2.0, 3.5, 6.5, 8.0]);
    }
}
