//! Which estimator and how many features for given queries, keys and values: a search for the smallest m that reaches an error,
//! for every estimator and projection, beside exact attention and a window of equal cost.

mod best;
mod cost;
mod output;
mod report;
mod request;
mod search;

pub(super) use best::optimise;
pub use output::write_outputs;
pub use report::{HeadAdvice, RankedEstimator, Recommendation, Summary, WindowAdvice, recommend};
pub use request::{ErrorKind, RecommendRequest};
