//! Runs as files for others: tables, figures, TensorBoard, one page.
//!
//! Every file carries where it comes from (parameters, seed, version, command of each run), in a form that its readers
//! pass over: comment lines, metadata, text chunks.

mod csv;
mod drawing;
mod figure;
mod html;
mod image;
mod latex;
mod markdown;
mod names;
mod png_file;
mod rows;
mod source;
mod tensorboard;
mod text;
mod write;

pub use csv::CsvTable;
pub use figure::{FigureLook, LegendPlace, length};
pub use source::RunSource;
pub use text::{in_latex, in_markdown};
pub use write::{Format, export};
