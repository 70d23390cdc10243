//! Testing a model of random features with other projections than those it was trained with.

use super::model::eval_sizes;
use crate::lab::{Axis, Event, Params, Plot, Point, Progress, Row, RunContext, RunError, Series};
use crate::statistics::{mean_and_error, wilson_interval};
use crate::vision::{Attention, Samples, Vit, VitConfig, evaluate, time_inference};

/// Draws of a test are numbered from here on, so that training has none of them.
const FIRST_DRAW: u64 = 1 << 32;

/// Tests `model` with fresh draws of each number of projections asked for: a row for each, which is `trained`, the row of the
/// training, with other results.
pub(super) fn fresh_draws(
    params: &Params,
    context: &mut RunContext,
    model: &Vit,
    test: &Samples<'_>,
    trained: &Row,
) -> Result<(), RunError> {
    let (sizes, draws) = (eval_sizes(params), params.size("eval_draws"));
    let Some(map) = model.config().attention.favor().filter(|_| !sizes.is_empty()) else { return Ok(()) };
    declare(context);
    for (index, m) in sizes.iter().enumerate() {
        let attention = Attention::Favor(map.of(*m).map_err(RunError::failed)?);
        let config = VitConfig { attention, ..model.config().clone() };
        let tested = model.attending(&config)?;
        let (mut accuracies, mut losses) = (Vec::with_capacity(draws), Vec::with_capacity(draws));
        for draw in 0..draws {
            context.check_cancelled()?;
            context.emit(Event::Progress(Progress {
                done: (index * draws + draw) as u64,
                total: (sizes.len() * draws) as u64,
                unit: "tests".to_owned(),
                rate: 0.0,
                stage: format!("testing with m={m}"),
            }));
            tested.parameters().redraw(&config, context.seed(), FIRST_DRAW + draw as u64)?;
            let found = evaluate(&tested, test, params.size("batch"))?;
            accuracies.push(found.accuracy);
            losses.push(found.loss);
        }
        let seconds = time_inference(&tested, test, params.size("batch"))?;
        let (accuracy, error) = mean_and_error(accuracies.iter().copied()).unwrap_or((f64::NAN, None));
        let (loss, _) = mean_and_error(losses.iter().copied()).unwrap_or((f64::NAN, None));
        let mut point = Point::new(SERIES, *m as f64, accuracy);
        if let Some(error) = error {
            point = point.within(accuracy - error, accuracy + error);
        }
        let mut row = trained.clone();
        let images = test.indices.len() as f64;
        // The mean over draws varies less over images than the accuracy of one draw does: the interval is rather too wide.
        let over_images = wilson_interval(accuracy, test.indices.len());
        for (key, value) in [
            ("eval_m", serde_json::json!(m)),
            ("eval_draws", draws.into()),
            ("test_accuracy", accuracy.into()),
            ("accuracy_error", error.into()),
            ("accuracy_lo", over_images.map(|[low, _]| low).into()),
            ("accuracy_hi", over_images.map(|[_, high]| high).into()),
            ("test_loss", loss.into()),
            ("inference_seconds", seconds.into()),
            ("inference_images_per_second", (images / seconds).into()),
        ] {
            row.insert(key.to_owned(), value);
        }
        context.emit_burst(vec![Event::Point(point), Event::Row { row }]);
    }
    Ok(())
}

/// The series of accuracies.
const SERIES: &str = "fresh_accuracy";

fn declare(context: &mut RunContext) {
    context.emit(Event::Plot(Plot {
        id: "fresh".to_owned(),
        title: "Test accuracy with fresh projections".to_owned(),
        x: Axis::log("projections m"),
        y: Axis::linear("share of images"),
    }));
    context.emit(Event::Series(Series::new(SERIES, "fresh", "accuracy")));
}
