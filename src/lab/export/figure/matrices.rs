//! Matrices as colours with axes and a colour bar: those of a group side by side, exact and estimate on one scale.

use super::curves::Subject;
use super::layout::{write_below, write_title};
use super::look::FigureLook;
use super::marks::{DARK, WHITE};
use super::ruler::{Ruler, typeset};
use crate::lab::export::drawing::{Anchor, Group, Rgb, Sheet, SheetPlace, SheetShape, Stroke, width, wrapped};
use crate::lab::export::text::printable;
use crate::lab::{Matrix, Scale, Span, matrix_scale, viridis};

/// Of more lines than this only the matrices that are asked for by name are figures.
const LINES: usize = 8;
/// A matrix is at least so wide, in sizes of the text.
const PANEL: f64 = 12.0;
/// Where there is no value.
const NOTHING: Rgb = [205, 205, 205];
/// Colours of a bar.
const STEPS: usize = 64;

/// Matrices that stand side by side.
#[derive(Clone, Debug)]
pub struct MatrixFigure {
    /// The matrices, each whole.
    pub matrices: Vec<Matrix>,
}

/// Matrices with the name and the heading of their figure.
pub struct NamedMatrices {
    /// The name.
    pub id: String,
    /// The heading.
    pub title: String,
    /// What is drawn.
    pub drawn: MatrixFigure,
}

/// The matrices of each line of `subject`, a figure for each group, and what two swept numbers make of the headline. Where many
/// lines have some, they are figures only where figures are `asked` for by name.
pub fn of(subject: &Subject<'_>, asked: bool) -> Vec<NamedMatrices> {
    let mut all = Vec::new();
    if let Some(map) = subject.study.as_ref().and_then(|study| study.map.as_ref()).filter(|map| map.is_whole()) {
        let drawn = MatrixFigure { matrices: vec![map.clone()] };
        all.push(NamedMatrices { id: "map".to_owned(), title: String::new(), drawn });
    }
    if subject.lines.len() > LINES && !asked {
        return all;
    }
    for (line, name) in subject.lines.iter().zip(&subject.names) {
        let mut groups: Vec<&str> = Vec::new();
        let matrices = &subject.runs[line.run].view.matrices;
        for matrix in matrices.iter().filter(|matrix| matrix.is_whole()) {
            if !groups.contains(&matrix.group.as_str()) {
                groups.push(&matrix.group);
            }
        }
        for group in groups {
            let own = matrices.iter().filter(|matrix| matrix.group == group && matrix.is_whole()).cloned().collect();
            let alone = subject.lines.len() == 1;
            let id = if alone { group.to_owned() } else { format!("{group}-{}", name.replace(' ', "-")) };
            let title = if alone { String::new() } else { printable(name).into_owned() };
            all.push(NamedMatrices { id, title, drawn: MatrixFigure { matrices: own } });
        }
    }
    all
}

/// The figure on a sheet.
pub fn sheet(figure: &MatrixFigure, title: &str, remarks: &[String], look: &FigureLook) -> Sheet {
    let em = look.font_size;
    let mut sheet = Sheet { width: look.width, ..Sheet::default() };
    let all: Vec<&Matrix> = figure.matrices.iter().collect();
    let scales: Vec<(f32, f32)> = all.iter().map(|matrix| matrix_scale(matrix, &all).unwrap_or((0.0, 1.0))).collect();
    let one_scale = scales.windows(2).all(|pair| pair[0] == pair[1]);
    let top = write_title(&mut sheet, title, em);

    let bars: Vec<ColourBar> = scales.iter().map(|scale| ColourBar::new(*scale, em)).collect();
    let bar_width = bars.iter().map(|bar| bar.width).fold(0.0, f64::max);
    let names = all.iter().map(|matrix| name_width(matrix, em)).fold(0.0, f64::max);
    let left = names + 0.9 * em + if all.iter().any(|matrix| !matrix.row_word.is_empty()) { 1.5 * em } else { 0.0 };
    let (shared_bar, own_bar) = if one_scale { (bar_width, 0.0) } else { (0.0, bar_width) };
    let room = sheet.width - shared_bar - 1.0 * em;
    let cell_room = PANEL * em + left + own_bar;
    let fit = ((room / cell_room).floor() as usize).clamp(1, all.len().max(1));
    let rows = all.len().div_ceil(fit);
    let columns = all.len().div_ceil(rows);
    let each = room / columns as f64;
    let panel_width = (each - left - own_bar - 0.6 * em).min(32.0 * em);
    let mut y = top;
    let mut last = (top, top);
    for line in all.chunks(columns).zip(scales.chunks(columns)).zip(bars.chunks(columns)) {
        let ((matrices, scales), bars) = line;
        let heading = matrices.iter().map(|matrix| wrapped(&matrix.title, em, each - em).len()).max().unwrap_or(0);
        let first = y + heading as f64 * 1.25 * em + 0.4 * em;
        let mut lowest = first;
        for (index, ((matrix, scale), bar)) in matrices.iter().zip(scales).zip(bars).enumerate() {
            let x = 0.4 * em + index as f64 * each + left;
            let shape = (matrix.rows as f64 / matrix.cols as f64).clamp(0.18, 1.1);
            let size = (panel_width, panel_width * shape);
            for (line, words) in wrapped(&matrix.title, em, each - em).iter().enumerate() {
                let base = first - 0.5 * em - (heading - 1 - line) as f64 * 1.25 * em;
                sheet.text((x + panel_width / 2.0, base), em, &printable(words), Anchor::Middle, DARK);
            }
            draw(&mut sheet, matrix, *scale, ((x, first), size), em);
            if !one_scale {
                bar.draw(&mut sheet, (x + panel_width + 0.6 * em, first), size.1, em);
            }
            lowest = f64::max(lowest, first + size.1);
        }
        last = (first, lowest);
        let words = matrices.iter().any(|matrix| !matrix.col_word.is_empty());
        y = lowest + 1.7 * em + if words { 1.3 * em } else { 0.0 };
    }
    if let Some(bar) = bars.first().filter(|_| one_scale) {
        let end = 0.4 * em + (columns as f64 - 1.0) * each + left + panel_width;
        bar.draw(&mut sheet, (end + 0.8 * em, last.0), last.1 - last.0, em);
    }
    let captions = all.iter().filter(|matrix| !matrix.caption.is_empty()).map(|matrix| {
        let words =
            if all.len() > 1 { format!("{}: {}", matrix.title, matrix.caption) } else { matrix.caption.clone() };
        printable(&words).into_owned()
    });
    let below: Vec<String> = captions.chain(remarks.iter().cloned()).collect();
    sheet.height = write_below(&mut sheet, &below, y + 0.2 * em, em) + 0.4 * em;
    sheet
}

/// The bar that tells what colours mean.
struct ColourBar {
    scale: (f32, f32),
    ticks: Vec<(f64, String)>,
    width: f64,
}

impl ColourBar {
    fn new(scale: (f32, f32), em: f64) -> Self {
        let (low, high) = (f64::from(scale.0), f64::from(scale.1));
        let span = Span { lo: low, hi: if high > low { high } else { low + 1.0 }, scale: Scale::Linear };
        let ruler = Ruler { span, from: 1.0, to: 0.0, strip: None, is_angle: false };
        let ticks = ruler.ticks(6);
        let widest = ticks.iter().map(|(_, label)| width(label, em)).fold(0.0, f64::max);
        Self { scale, ticks, width: widest + 2.6 * em }
    }

    fn draw(&self, sheet: &mut Sheet, (left, top): SheetPlace, height: f64, em: f64) {
        let colours = if self.scale.1 > self.scale.0 {
            (0..STEPS).rev().map(|step| viridis(step as f64 / (STEPS - 1) as f64)).collect()
        } else {
            vec![viridis(0.0)]
        };
        sheet.shapes.push(SheetShape::Cells { at: (left, top), size: (em, height), columns: 1, colours });
        let line = Stroke { colour: DARK, width: 0.5, dash: &[] };
        sheet.rectangle((left, top), (left + em, top + height), None, Some(line));
        for (along, label) in &self.ticks {
            let y = top + along * height;
            sheet.line((left + em, y), (left + 1.25 * em, y), line);
            sheet.text((left + 1.5 * em, y + 0.36 * em), em, label, Anchor::Start, DARK);
        }
    }
}

fn colour(value: f32, (low, high): (f32, f32)) -> Rgb {
    let along = if high > low { f64::from((value - low) / (high - low)) } else { 0.0 };
    if value.is_finite() { viridis(along) } else { NOTHING }
}

fn draw(sheet: &mut Sheet, matrix: &Matrix, scale: (f32, f32), (at, size): (SheetPlace, (f64, f64)), em: f64) {
    sheet.shapes.push(SheetShape::Begin(Group::Data));
    let colours: Vec<Rgb> = matrix.values.iter().map(|value| colour(*value, scale)).collect();
    let (cell_width, cell_height) = (size.0 / matrix.cols as f64, size.1 / matrix.rows as f64);
    let widest = matrix.cell_texts().into_iter().flatten().map(|text| width(text, em)).fold(0.0, f64::max);
    let texts = matrix.cell_texts().filter(|_| widest <= cell_width && cell_height >= 1.1 * em);
    sheet.shapes.push(SheetShape::Cells { at, size, columns: matrix.cols, colours: colours.clone() });
    sheet.shapes.push(SheetShape::End);
    let line = Stroke { colour: DARK, width: 0.6, dash: &[] };
    sheet.rectangle(at, (at.0 + size.0, at.1 + size.1), None, Some(line));
    for (index, text) in texts.into_iter().flatten().enumerate() {
        let [red, green, blue] = colours[index].map(f64::from);
        let ink = if 0.3 * red + 0.59 * green + 0.11 * blue > 140.0 { [0, 0, 0] } else { WHITE };
        let x = at.0 + (index % matrix.cols) as f64 * cell_width + cell_width / 2.0;
        let y = at.1 + (index / matrix.cols) as f64 * cell_height + cell_height / 2.0;
        sheet.text((x, y + 0.36 * em), em, &printable(text), Anchor::Middle, ink);
    }
    let (row_names, col_names) = matrix.names().unwrap_or_default();
    let mark = 0.25 * em;
    for (index, label) in labels(matrix.rows, row_names, |_| 1.3 * em / cell_height) {
        let y = at.1 + (index as f64 + 0.5) * cell_height;
        sheet.line((at.0 - mark, y), (at.0, y), line);
        sheet.text((at.0 - mark - 0.25 * em, y + 0.36 * em), em, &label, Anchor::End, DARK);
    }
    for (index, label) in labels(matrix.cols, col_names, |label| (width(label, em) + 0.8 * em) / cell_width) {
        let x = at.0 + (index as f64 + 0.5) * cell_width;
        sheet.line((x, at.1 + size.1), (x, at.1 + size.1 + mark), line);
        sheet.text((x, at.1 + size.1 + mark + 1.05 * em), em, &label, Anchor::Middle, DARK);
    }
    if !matrix.row_word.is_empty() {
        let x = at.0 - name_width(matrix, em) - 1.1 * em;
        sheet.text_upwards((x, at.1 + size.1 / 2.0), em, &printable(&matrix.row_word), Anchor::Middle, DARK);
    }
    if !matrix.col_word.is_empty() {
        let y = at.1 + size.1 + 2.6 * em;
        sheet.text((at.0 + size.0 / 2.0, y), em, &printable(&matrix.col_word), Anchor::Middle, DARK);
    }
}

/// The rows or columns that are named, so far apart that `room` cells of each label are free.
fn labels(count: usize, names: &[String], room: impl Fn(&str) -> f64) -> Vec<(usize, String)> {
    let label = |index: usize| {
        let name = names.get(index).map_or_else(|| index.to_string(), |name| typeset_name(name));
        printable(&name).into_owned()
    };
    let needed = (0..count).map(|index| room(&label(index))).fold(0.0, f64::max).ceil().max(1.0) as usize;
    let nice = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
    let step = if names.is_empty() { nice.into_iter().find(|step| *step >= needed).unwrap_or(needed) } else { needed };
    (0..count).step_by(step).map(|index| (index, label(index))).collect()
}

/// The names of rows and columns that are numbers stand as at other axes.
fn typeset_name(name: &str) -> String {
    if name.parse::<f64>().is_ok() { typeset(name) } else { name.to_owned() }
}

fn name_width(matrix: &Matrix, em: f64) -> f64 {
    let names = matrix.names().map_or(&[][..], |(rows, _)| rows);
    let widest = names.iter().map(|name| width(&typeset_name(name), em)).fold(0.0, f64::max);
    if names.is_empty() { width(&(matrix.rows.max(1) - 1).to_string(), em) } else { widest }
}
