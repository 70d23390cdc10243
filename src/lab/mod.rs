//! Everything about *runs* and nothing about attention.
//!
//! | room | what it holds |
//! |---|---|
//! | [`param`] | declarations of parameters, drafts as typed, checked values |
//! | [`event`] | what a run says while it works |
//! | [`record`] | the files of a run: folder, journal, checkpoint, lock |
//! | [`plan`] | what is to be run: specifications, sweeps, presets, cost |
//! | [`run`] | one run at work: the contract with problems, the queue, the folded view |
//! | [`store`] | the runs there are: found, filtered, named, deleted |
//! | [`analysis`] | several runs together: variants, comparisons, axes |
//! | [`export`] | figures and tables for others |
//! | [`slurm`] | sweeps as job arrays of a cluster |

pub mod analysis;
mod error;
pub mod event;
pub mod export;
pub mod param;
pub mod plan;
pub mod record;
pub mod run;
pub mod slurm;
pub mod store;

pub use analysis::{
    CurveSource, Differences, MeanCurve, OverlaidCurve, OverlaidLine, Rounding, RunNames, Span, Study, StudyCurve,
    StudyPlot, StudyRun, StudyVariant, VariedColumns, compare, curve_name, decimal, distinct_names, duration,
    matrix_range, matrix_scale, mean, overlaid_curves, span_decades, viridis,
};
pub use error::LabError;
pub use event::{
    Axis, Curve, Event, Matrix, Plot, Point, Progress, Row, RunState, Sample, Scale, Series, Stamped, Style,
};
pub use param::{
    Choice, Draft, Kind, Param, ParamError, Params, Schema, Special, StoredParams, StoredValue, TextOf, Value, choice,
    list,
};
pub use plan::{Halving, HalvingCandidate, HalvingRank, Preset, RunSpec, Sweep, SweepMode, estimate, preset, shell};
pub use record::{
    Document, Journal, Machine, Owner, Places, Realm, Request, RunFacts, RunLog, RunRecord, SCHEMA, files, journal,
    logs_of_process,
};
pub use run::{
    Column, Control, CurveSummary, Estimate, HoldPlace, Observer, Optimum, Problem, Queue, Resumption, RunContext,
    RunError, RunHandle, RunView, SMALL_SECONDS, SeriesView, came_to, common, end_lost, say_why,
};
pub use store::{Filter, FilterError, RunSummary, Store};
