//! `attnlab export` and `attnlab report`: runs as files for others.

use super::args::{AxisScale, Export, FigureArguments, LegendChoice, Report};
use super::failure::Failure;
use super::{output, store};
use crate::lab::export::{FigureLook, Format, LegendPlace, RunSource, export};
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
        (arguments.pdf, Format::Pdf),
        (arguments.tikz, Format::Tikz),
        (arguments.markdown, Format::Markdown),
        (arguments.latex, Format::Latex),
        (arguments.tensorboard, Format::TensorBoard),
    ];
    let mut formats: Vec<Format> = wanted.into_iter().filter(|(wanted, _)| *wanted).map(|(_, format)| format).collect();
    if formats.is_empty() {
        // Whoever asks for one figure wants no tables beside it.
        formats = if arguments.figures.figure.is_empty() { vec![Format::Csv, Format::Svg] } else { vec![Format::Svg] };
    }
    write(&arguments.runs, &formats, &look(&arguments.figures), &arguments.output, places)
}

/// Writes one page.
pub fn report(arguments: &Report, places: &Places) -> Result<(), Failure> {
    write(&arguments.runs, &[Format::Html], &look(&arguments.figures), &arguments.output, places)
}

fn write(
    runs: &[String],
    formats: &[Format],
    look: &FigureLook,
    folder: &Path,
    places: &Places,
) -> Result<(), Failure> {
    let mut finder = store::Finder::new(places);
    let read = |run: &String| Ok(RunSource::read(&finder.find(run)?, problems::ALL)?);
    let sources = runs.iter().map(read).collect::<Result<Vec<_>, Failure>>()?;
    let written = export(&sources, formats, look, folder)?;
    output::print(&written.iter().map(|path| format!("{}\n", path.display())).collect::<String>())
}

fn look(arguments: &FigureArguments) -> FigureLook {
    FigureLook {
        x: arguments.x.map(scale),
        y: arguments.y.map(scale),
        width: arguments.width,
        font_size: arguments.font_size,
        legend: match arguments.legend {
            LegendChoice::Outside => LegendPlace::Outside,
            LegendChoice::Inside => LegendPlace::Inside,
            LegendChoice::Direct => LegendPlace::Direct,
            LegendChoice::None => LegendPlace::Nowhere,
        },
        figures: arguments.figure.clone(),
        facet: arguments.facet.clone(),
        title: arguments.title.clone(),
        caption: arguments.caption,
    }
}

const fn scale(scale: AxisScale) -> Scale {
    match scale {
        AxisScale::Linear => Scale::Linear,
        AxisScale::Log => Scale::Log,
    }
}
