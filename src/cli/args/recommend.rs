//! `attnlab recommend` as clap reads it.

use super::value::{assignment, positive};
use crate::problems::recommend::ErrorKind;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `attnlab recommend`.
#[derive(Args, Debug)]
pub struct Recommend {
    /// Queries: a file .npy, .npz#NAME, .safetensors#TENSOR, [L, d] or [layers, heads, L, d].
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Inputs")]
    pub queries: Option<String>,
    /// Keys, of the same form.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Inputs")]
    pub keys: Option<String>,
    /// Values, for the error of the output.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Inputs")]
    pub values: Option<String>,
    /// A trained vision transformer instead of files: a run, its folder or a .safetensors file.
    #[arg(long, value_name = "RUN|FILE", conflicts_with = "queries", help_heading = "Inputs")]
    pub checkpoint: Option<String>,
    /// Layers, counted from 0: a number, a list, or all.
    #[arg(long, value_name = "LIST", help_heading = "Inputs")]
    pub layer: Option<String>,
    /// Heads of a layer, counted from 0: a number, a list, or all.
    #[arg(long, value_name = "LIST", help_heading = "Inputs")]
    pub head: Option<String>,
    /// Token i sees keys up to i only.
    #[arg(long, help_heading = "Inputs")]
    pub causal: bool,
    /// Set another parameter of `random-features`: `--set scale=none`, `--set split_heads=8`. May be given often.
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = assignment, help_heading = "Inputs")]
    pub set: Vec<(String, String)>,
    /// The relative error to reach.
    #[arg(long, value_name = "E", default_value_t = 0.1)]
    pub error: f64,
    /// Which error: output, normalized or frobenius; without it output where there are values, else normalized.
    #[arg(long, value_name = "MEASURE", value_parser = measure)]
    pub measure: Option<ErrorKind>,
    /// The most features; without it as many as there are keys.
    #[arg(long, value_name = "M", value_parser = positive)]
    pub features: Option<usize>,
    /// Estimators to try, with commas; `custom` only where it is named, with --set 'f=…'.
    #[arg(long, value_name = "LIST")]
    pub estimators: Option<String>,
    /// Projections to try, with commas.
    #[arg(long, value_name = "LIST")]
    pub projections: Option<String>,
    /// Write the estimated outputs and W of every head into this directory, so that the model's own code can use them.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub write_output: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    pub json: bool,
}

fn measure(text: &str) -> Result<ErrorKind, String> {
    crate::named::Named::parse(text).map_err(|error: crate::named::UnknownName| error.to_string())
}
