//! Figures as pgfplots source with their numbers inside, for people who set the style themselves.

use super::curves::{CurveFigure, FigureCurve, FigurePanel};
use super::look::FigureLook;
use super::matrices::MatrixFigure;
use super::whole::{ExportFigure, FigureDrawn};
use crate::lab::export::text::in_latex;
use crate::lab::{Axis, Scale, Style};
use std::fmt::Write;

/// The markers of pgfplots in the order of the console's.
const MARKS: [&str; 8] = ["*", "triangle*", "square*", "diamond*", "o", "triangle", "square", "diamond"];

/// The figure as a file that LaTeX reads with `\input`; `head` are comment lines.
pub fn tikz(figure: &ExportFigure, look: &FigureLook, head: &str) -> String {
    let mut out =
        format!("{head}% \\usepackage{{pgfplots}} \\usepgfplotslibrary{{groupplots}} \\pgfplotsset{{compat=1.16}}\n");
    match &figure.drawn {
        FigureDrawn::Curves(curves) => lines(&mut out, curves, &figure.title, look),
        FigureDrawn::Matrices(group) => matrices(&mut out, group, look),
    }
    out
}

fn lines(out: &mut String, figure: &CurveFigure, title: &str, look: &FigureLook) {
    let mut inks: Vec<usize> =
        figure.panels.iter().flat_map(|panel| &panel.curves).filter_map(|curve| curve.mark.ink).collect();
    inks.sort_unstable();
    inks.dedup();
    let colour = |curve: &FigureCurve| curve.mark.ink.map_or_else(|| "black".to_owned(), |ink| format!("ink{ink}"));
    for curve in figure.panels.iter().flat_map(|panel| &panel.curves) {
        let Some(ink) = curve.mark.ink.filter(|ink| inks.contains(ink)) else { continue };
        inks.retain(|other| *other != ink);
        let [red, green, blue] = curve.mark.colour();
        let _ = writeln!(out, "\\definecolor{{ink{ink}}}{{RGB}}{{{red},{green},{blue}}}");
    }
    let mode = |axis: &Axis| if axis.scale == Scale::Log { "log" } else { "normal" };
    let count = figure.panels.len();
    let options = format!(
        "width={:.2}pt, xmode={}, ymode={}, xlabel={{{}}}, ylabel={{{}}}, title={{{}}}, legend cell align=left, \
         legend style={{at={{(1.03,1)}},anchor=north west,draw=none}}",
        look.width / count as f64 * if count == 1 { 0.7 } else { 1.0 },
        mode(&figure.x),
        mode(&figure.y),
        in_latex(&figure.x.title),
        in_latex(&figure.y.title),
        in_latex(title)
    );
    out.push_str("\\begin{tikzpicture}\n");
    if count == 1 {
        let _ = writeln!(out, "\\begin{{axis}}[{options}]");
        panel(out, &figure.panels[0], (figure.x.scale, figure.y.scale), colour);
        out.push_str("\\end{axis}\n");
    } else {
        let _ = writeln!(out, "\\begin{{groupplot}}[group style={{group size={count} by 1}}, {options}]");
        for one in &figure.panels {
            let _ = writeln!(out, "\\nextgroupplot[title={{{}}}]", in_latex(&one.title));
            panel(out, one, (figure.x.scale, figure.y.scale), colour);
        }
        out.push_str("\\end{groupplot}\n");
    }
    out.push_str("\\end{tikzpicture}\n");
}

fn panel(out: &mut String, panel: &FigurePanel, (x, y): (Scale, Scale), colour: impl Fn(&FigureCurve) -> String) {
    for curve in panel.curves.iter().filter(|curve| !curve.points.is_empty()) {
        let style = match curve.mark.style {
            Style::Line if curve.is_part => "no marks, thin, forget plot".to_owned(),
            Style::Line => format!("mark={}", MARKS[curve.mark.symbol % MARKS.len()]),
            Style::Dashed => "dashed, no marks".to_owned(),
            Style::Points => format!("only marks, mark={}", MARKS[curve.mark.symbol % MARKS.len()]),
        };
        let has_intervals = curve.points.iter().any(|point| point.lo.is_some() && point.hi.is_some());
        let bars = if has_intervals { ", error bars/.cd, y dir=both, y explicit" } else { "" };
        let errors = if has_intervals { ", y error plus=plus, y error minus=minus" } else { "" };
        let _ = writeln!(out, "\\addplot+[color={}, solid, {style}{bars}] table[x=x, y=y{errors}] {{", colour(curve));
        out.push_str(if has_intervals { "x y plus minus\n" } else { "x y\n" });
        let mut without = Vec::new();
        for point in &curve.points {
            if !(x.has_place(point.x) && y.has_place(point.y)) {
                without.push(format!("({}, {})", point.x, point.y));
                continue;
            }
            let _ = write!(out, "{} {}", point.x, point.y);
            if has_intervals {
                let end = |end: Option<f64>| end.map_or(0.0, |end| (end - point.y).abs());
                // An interval that reaches 0 ends within the axis.
                let low = point.lo.map(|lo| if y == Scale::Log { lo.max(point.y * 1e-3) } else { lo });
                let _ = write!(out, " {} {}", end(point.hi), end(low));
            }
            out.push('\n');
        }
        out.push_str("};\n");
        if !without.is_empty() {
            let _ = writeln!(out, "% without a place on these axes: {}", without.join(" "));
        }
        if !curve.label.is_empty() {
            let _ = writeln!(out, "\\addlegendentry{{{}}}", in_latex(&curve.label));
        }
    }
}

fn matrices(out: &mut String, figure: &MatrixFigure, look: &FigureLook) {
    let count = figure.matrices.len();
    out.push_str("\\begin{tikzpicture}\n");
    let width = look.width / count as f64;
    let _ = writeln!(
        out,
        "\\begin{{groupplot}}[group style={{group size={count} by 1}}, width={width:.2}pt, enlargelimits=false, y dir=reverse, colormap/viridis]"
    );
    for matrix in &figure.matrices {
        let options = [&matrix.title, &matrix.col_word, &matrix.row_word].map(|words| in_latex(words));
        let _ = writeln!(
            out,
            "\\nextgroupplot[title={{{}}}, xlabel={{{}}}, ylabel={{{}}}, colorbar]",
            options[0], options[1], options[2]
        );
        let _ =
            writeln!(out, "\\addplot[matrix plot*, mesh/cols={}, point meta=explicit] table[meta=v] {{", matrix.cols);
        out.push_str("x y v\n");
        for (index, value) in matrix.values.iter().enumerate() {
            let _ = writeln!(out, "{} {} {value}", index % matrix.cols, index / matrix.cols);
        }
        out.push_str("};\n");
    }
    out.push_str("\\end{groupplot}\n\\end{tikzpicture}\n");
}
