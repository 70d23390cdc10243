//! Arguments of the commands that deal with runs that are there.

use super::telling::Telling;
use super::value::assignment;
use crate::lab::export::length;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `attnlab list`.
#[derive(Args, Debug)]
pub struct List {
    /// Conditions that all must hold: a word, or key, comparison (= != ~ < <= > >=) and value.
    #[arg(value_name = "CONDITION")]
    pub filter: Vec<String>,
    /// Sort by a fact of the run, a parameter or a result column; without it by time.
    #[arg(long, value_name = "KEY")]
    pub sort: Option<String>,
    /// The largest first.
    #[arg(long, requires = "sort")]
    pub descending: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

/// `attnlab show`.
#[derive(Args, Debug)]
pub struct Show {
    /// The run: its folder's name, a part of it that no other has, its path, or `last`.
    pub run: String,
    /// Print the run's JSON document.
    #[arg(long)]
    pub json: bool,
    /// Show every column of the table.
    #[arg(long)]
    pub wide: bool,
}

/// `attnlab compare`.
#[derive(Args, Debug)]
pub struct Compare {
    /// Only runs that match, as in `attnlab list`; finished ones of one problem count.
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
    /// The parameters whose values are compared; runs that differ in nothing else but the seed stand together.
    #[arg(long, value_name = "KEY,…", value_delimiter = ',', required = true)]
    pub by: Vec<String>,
    /// Parameters of which every variant has a value of its own, as a learning rate that was tuned for it: told beside it, and no
    /// reason not to pair its runs with those of others.
    #[arg(long, value_name = "KEY,…", value_delimiter = ',')]
    pub own: Vec<String>,
    /// Values of the first of these parameters to take differences from, paired by seed.
    #[arg(long, value_name = "VALUE,…", value_delimiter = ',')]
    pub against: Vec<String>,
    /// The column to compare; the problem's headline where not given.
    #[arg(long, value_name = "COLUMN")]
    pub number: Option<String>,
    /// Columns to tell beside it.
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub show: Vec<String>,
    /// Tell every run instead of means.
    #[arg(long)]
    pub seeds: bool,
    /// Print one JSON document.
    #[arg(long, group = "form")]
    pub json: bool,
    /// Print comma-separated values.
    #[arg(long, group = "form")]
    pub csv: bool,
    /// Print Markdown, the best variant in bold.
    #[arg(long, group = "form")]
    pub markdown: bool,
    /// Print a LaTeX table with the rules of `booktabs`, the best variant in bold.
    #[arg(long, group = "form")]
    pub latex: bool,
}

/// `attnlab resume`.
#[derive(Args, Debug)]
pub struct Resume {
    /// The runs, as in `attnlab show`.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<String>,
    /// Begin the runs again from their first step, without their checkpoints, and keep what they have told: for a run
    /// whose checkpoint is damaged.
    #[arg(long)]
    pub restart: bool,
    /// Change a parameter that results do not depend on: `--set device=cuda`, `--set threads=4`. May be given often.
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// How results are told.
    #[command(flatten)]
    pub telling: Telling,
}

/// `attnlab export`.
#[derive(Args, Debug)]
pub struct Export {
    /// The runs, as in `attnlab show`; several become one figure.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<String>,
    /// Every series, the rows and the runs as comma-separated values.
    #[arg(long)]
    pub csv: bool,
    /// Say in comment lines above them where they come from; other formats say it anyway.
    #[arg(long, requires = "csv")]
    pub comments: bool,
    /// A vector figure for each plot.
    #[arg(long)]
    pub svg: bool,
    /// A pixel figure for each plot.
    #[arg(long)]
    pub png: bool,
    /// A page of PDF for each plot, its text as text.
    #[arg(long)]
    pub pdf: bool,
    /// Source for LaTeX's pgfplots for each plot, with its numbers inside.
    #[arg(long)]
    pub tikz: bool,
    /// The rows as a Markdown table.
    #[arg(long)]
    pub markdown: bool,
    /// The rows as a LaTeX table with the rules of `booktabs`.
    #[arg(long)]
    pub latex: bool,
    /// Event files for TensorBoard.
    #[arg(long)]
    pub tensorboard: bool,
    /// How figures look.
    #[command(flatten)]
    pub figures: FigureArguments,
    /// The folder to write into.
    #[arg(short, long, value_name = "DIR", default_value = "export", value_hint = ValueHint::DirPath)]
    pub output: PathBuf,
}

/// How figures look, for `attnlab export` and `attnlab report`.
#[derive(Args, Debug)]
pub struct FigureArguments {
    /// Only this figure; may be given often.
    #[arg(long, value_name = "NAME")]
    pub figure: Vec<String>,
    /// Width in print: a number with in, cm, mm or pt.
    #[arg(long, value_name = "LENGTH", default_value = "6.5in", value_parser = length)]
    pub width: f64,
    /// Size of text in print, in points.
    #[arg(long, value_name = "POINTS", default_value = "8")]
    pub font_size: f64,
    /// Where the legend is; it never covers data and stands below where it has no room.
    #[arg(long, value_name = "PLACE", default_value = "outside")]
    pub legend: LegendChoice,
    /// A panel for each value of this parameter, or of `problem`, with the same axes.
    #[arg(long, value_name = "KEY")]
    pub facet: Option<String>,
    /// The heading, where not as declared; an empty one for none.
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// Say below what the runs are and which parameters they share.
    #[arg(long)]
    pub caption: bool,
    /// Scale of horizontal axes, where not as declared.
    #[arg(long, value_name = "SCALE")]
    pub x: Option<AxisScale>,
    /// Scale of vertical axes, where not as declared.
    #[arg(long, value_name = "SCALE")]
    pub y: Option<AxisScale>,
}

/// Where a legend is, as typed.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum LegendChoice {
    /// Beside the plot, or below.
    Outside,
    /// In a free part of the plot.
    Inside,
    /// A name at the end of each curve.
    Direct,
    /// Nowhere.
    None,
}

/// A scale as typed.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum AxisScale {
    /// Equal steps.
    Linear,
    /// Equal ratios.
    Log,
}

/// `attnlab report`.
#[derive(Args, Debug)]
pub struct Report {
    /// The runs, as in `attnlab show`.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<String>,
    /// How figures look.
    #[command(flatten)]
    pub figures: FigureArguments,
    /// The folder to write into.
    #[arg(short, long, value_name = "DIR", default_value = "export", value_hint = ValueHint::DirPath)]
    pub output: PathBuf,
}

/// `attnlab tag`.
#[derive(Args, Debug)]
pub struct Tag {
    /// The run, as in `attnlab show`.
    pub run: String,
    /// Its tags from now on; without any, those that it has are taken away.
    pub tags: Vec<String>,
    /// Its name from now on; an empty one gives it back its own.
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
}

/// `attnlab delete`.
#[derive(Args, Debug)]
pub struct Delete {
    /// The runs, as in `attnlab show`.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<String>,
}

/// `attnlab trash`.
#[derive(Args, Debug)]
pub struct Trash {
    /// Put this run back among the others; may be given often.
    #[arg(long, value_name = "RUN")]
    pub restore: Vec<String>,
}
