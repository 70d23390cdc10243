//! The result table of the problem `replacement`: a row for each draw.

use crate::lab::Column;
use crate::problems::toolkit::{columns, table};

columns! {
    /// What a row is about: one draw of an estimator in some layers of a model.
    pub(super) struct ReplacementSubject {
        checkpoint: String = label("model"),
        dataset: String = label("data set"),
        layers: String = label("layers").brief(),
        estimator: &'static str = label("estimator").brief(),
        f: Option<&'static str> = label("f").brief().optional(),
        projection: &'static str = label("projection").brief(),
        m: usize = label("m").brief(),
        draw: usize = label("draw").brief(),
    }
}

columns! {
    /// What came out.
    pub(super) struct ReplacementResults {
        features: usize = label("features"),
        test_accuracy: f64 = label("test accuracy").digits(4).brief().share(),
        exact_accuracy: f64 = label("exact").digits(4).brief().share(),
        accuracy_drop: f64 = label("drop").digits(4),
        agreement: f64 = label("agreement").digits(4).brief().share(),
        logit_rel_error: f64 = label("logit error").digits(3).brief().error(),
        output_rel_error: f64 = label("output error").digits(3).brief().error(),
        nonpositive_rows: Option<u64> = label("rows ≤ 0").brief(),
        attention_rows: u64 = label("rows in all"),
        device: String = label("device").optional(),
        inference_images_per_second: f64 = label("inference").unit("images/s"),
        seconds: f64 = label("time").unit("s").digits(2),
    }
}

/// The columns in their order.
pub(super) static COLUMNS: &[Column] = table!(ReplacementSubject; ReplacementResults);
