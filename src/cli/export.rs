//! `attnlab export` and `attnlab report`: runs as files for others.

use super::args::{AxisScale, Export, Report};
use super::failure::Failure;
use super::{output, store};
use crate::lab::export::{Format, RunSource, Scales, export};
use crate::lab::{Places, Scale};
use crate::problems;
use std::path::Path;

/// Writes the files and names them on standard output.
pub fn files(arguments: &Export, places: &Places) -> Result<(), Failure> {
    let wanted = [
        (arguments.csv && !arguments.comments, Format::Csv),
        (arguments.csv && arguments.comments, Format::CommentedCsv),
        (arguments.svg, Format::Svg),
        (arguments.png, Format::Png),
        (arguments.markdown, Format::Markdown),
        (arguments.latex, Format::Latex),
        (arguments.tensorboard, Format::TensorBoard),
    ];
    let mut formats: Vec<Format> = wanted.into_iter().filter(|(wanted, _)| *wanted).map(|(_, format)| format).collect();
    if formats.is_empty() {
        formats = vec![Format::Csv, Format::Svg];
    }
    let scales = Scales { x: arguments.x.map(scale), y: arguments.y.map(scale) };
    write(&arguments.runs, &formats, scales, &arguments.output, places)
}

/// Writes one page.
pub fn report(arguments: &Report, places: &Places) -> Result<(), Failure> {
    write(&arguments.runs, &[Format::Html], Scales::default(), &arguments.output, places)
}

fn write(runs: &[String], formats: &[Format], scales: Scales, folder: &Path, places: &Places) -> Result<(), Failure> {
    let mut finder = store::Finder::new(places);
    let read = |run: &String| Ok(RunSource::read(&finder.find(run)?, problems::ALL)?);
    let sources = runs.iter().map(read).collect::<Result<Vec<_>, Failure>>()?;
    let written = export(&sources, formats, scales, folder)?;
    output::print(&written.iter().map(|path| format!("{}\n", path.display())).collect::<String>())
}

const fn scale(scale: AxisScale) -> Scale {
    match scale {
        AxisScale::Linear => Scale::Linear,
        AxisScale::Log => Scale::Log,
    }
}
