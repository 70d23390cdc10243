//! `attnlab recommend`: which estimator and how many features do.

use super::args::Recommend;
use super::failure::Failure;
use super::{output, table};
use crate::lab::{Places, decimal};
use crate::problems::recommend::{
    ErrorKind, HeadAdvice, RankedEstimator, RecommendRequest, Recommendation, recommend, write_outputs,
};
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Write;

/// Answers and prints.
pub fn answer(question: &Recommend, places: &Places) -> Result<(), Failure> {
    if !(question.error > 0.0 && question.error < 1.0) {
        let allowed = "a number above 0 and below 1: an estimate of 0 everywhere has the error 1";
        return Err(Failure::bad_input(format!("--error: found `{}`, allowed: {allowed}", question.error)));
    }
    let request = request(question)?;
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{pos} of {len} heads, {elapsed} {bar:30}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let answer = recommend(&request, Some(&places.logs), &places.data, &mut |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let answer = answer?;
    let mut files = Vec::new();
    if let Some(into) = &question.write_output {
        files = write_outputs(&answer, &request, Some(&places.logs), &places.data, into)?;
    }
    if question.json {
        return output::print_json(&answer);
    }
    let mut page = page(&answer);
    for file in files {
        let _ = writeln!(page, "written: {}", file.display());
    }
    output::print(&page)
}

fn request(question: &Recommend) -> Result<RecommendRequest, Failure> {
    let mut changes: Vec<(String, String)> = Vec::new();
    let inputs = match (&question.checkpoint, &question.queries, &question.keys) {
        (Some(_), _, _) => Some("checkpoint"),
        (None, None, None) => None,
        _ => Some("file"),
    };
    let given = [
        ("inputs", inputs.map(str::to_owned)),
        ("queries", question.queries.clone()),
        ("keys", question.keys.clone()),
        ("values", question.values.clone()),
        ("checkpoint", question.checkpoint.clone()),
        ("layer", question.layer.clone()),
        ("head", question.head.clone()),
        ("causal", question.causal.then(|| "yes".to_owned())),
        ("estimator", question.estimators.clone()),
        ("projection", question.projections.clone()),
    ];
    changes.extend(given.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?))));
    changes.extend(question.set.iter().cloned());
    let params = RecommendRequest::parameters(&changes)?;
    crate::problems::find("random-features").map_or(Ok(()), |problem| problem.check(&params))?;
    let measure = question.measure.unwrap_or_else(|| ErrorKind::of_inputs(&params));
    Ok(RecommendRequest { params, target: question.error, measure, most_features: question.features })
}

/// The answer for a person.
fn page(answer: &Recommendation) -> String {
    let headings = [
        ("layer", true),
        ("head", true),
        ("entropy", true),
        ("best estimator", false),
        ("projection", false),
        ("features", true),
        ("error", true),
        ("µs a token", true),
        ("window", true),
        ("its error", true),
    ];
    let mut page = table::render(headings, answer.heads.iter().map(row));
    let summary = &answer.summary;
    let kind = answer.measure;
    let target = decimal(answer.target, 3);
    let _ = writeln!(
        page,
        "\n{} error {target}: reached on {} of {} heads with at most {} features",
        kind, summary.reached, summary.of, answer.most_features
    );
    match summary.m_for_90_percent {
        Some(m) => {
            let _ = writeln!(page, "{m} features do for 90 % of the heads");
        }
        None => {
            let _ = writeln!(page, "no number of features up to {} does for 90 % of the heads", answer.most_features);
        }
    }
    if summary.reached > 0 && !summary.keep_exact.is_empty() {
        let heads: Vec<String> =
            summary.keep_exact.iter().map(|(layer, head)| format!("layer {layer} head {head}")).collect();
        let _ = writeln!(page, "heads that should stay exact: {}", heads.join(", "));
    }
    if summary.reached == 0 {
        let _ =
            writeln!(page, "nothing reaches it: at this length exact attention is the better choice for every head");
    }
    let _ = writeln!(
        page,
        "a window of equal cost has the smaller error on {} of {} heads",
        summary.window_better, summary.of
    );
    let _ = writeln!(
        page,
        "exact attention at this length: {} µs and {} bytes a token",
        decimal(answer.exact.seconds_per_token * 1e6, 3),
        answer.exact.bytes_per_token
    );
    if let [head] = answer.heads.as_slice() {
        let headings = [
            ("estimator", false),
            ("projection", false),
            ("features", true),
            ("error", true),
            ("µs a token", true),
            ("bytes a token", true),
            ("pays from L", true),
        ];
        let _ = write!(page, "\n{}", table::render(headings, head.ranking.iter().map(ranked)));
    }
    page
}

fn cell<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

/// An error as a person reads it: 1 or more is no better than an estimate of 0.
fn error(value: Option<f64>) -> String {
    match value {
        Some(value) if value >= 1.0 => format!("{} (no better than 0)", decimal(value, 3)),
        Some(value) => decimal(value, 4),
        None => "–".to_owned(),
    }
}

fn row(head: &HeadAdvice) -> Vec<String> {
    let best = &head.ranking[0];
    vec![
        cell(head.layer),
        cell(head.head),
        decimal(head.entropy, 3),
        best.estimator.to_owned(),
        best.projection.to_owned(),
        features(best),
        error(best.error),
        cell(best.seconds_per_token.map(|seconds| decimal(seconds * 1e6, 3))),
        cell(head.window.map(|window| window.width)),
        error(head.window.and_then(|window| window.error)),
    ]
}

/// The features that reach the error; of an estimator that does not, the most that were tried.
fn features(ranked: &RankedEstimator) -> String {
    match ranked.features {
        Some(features) if ranked.reached => features.to_string(),
        Some(features) => format!("> {features}"),
        None => "–".to_owned(),
    }
}

fn ranked(ranked: &RankedEstimator) -> Vec<String> {
    vec![
        ranked.estimator.to_owned(),
        ranked.projection.to_owned(),
        features(ranked),
        ranked.reason.clone().unwrap_or_else(|| error(ranked.error)),
        cell(ranked.seconds_per_token.map(|seconds| decimal(seconds * 1e6, 3))),
        cell(ranked.bytes_per_token.map(|bytes| decimal(bytes, 1))),
        cell(ranked.pays_from_length),
    ]
}
