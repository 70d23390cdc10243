//! The editor of a function on screen.

use super::curves::{self, COMPONENTS, REACH, SETTING};
use super::facts;
use super::list::TypedFunction;
use super::state::FunctionEditor;
use crate::console::theme::Theme;
use crate::console::widget::plot::{DrawnCurve, PlotWidget, Prominence};
use crate::console::widget::text;
use crate::function::{Function, FunctionError};
use crate::lab::{Axis, CurveSummary, Sample, Scale, Style};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style as Look;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

/// How many functions of a list are drawn at a time.
const DRAWN: usize = 8;

/// The ink of what is no longer there.
const GREY: usize = 6;

/// The editor on screen: the text with what is wrong with it, the curves, and facts or ready functions beside them.
#[derive(Clone, Copy, Debug)]
pub struct FunctionEditorWidget<'a> {
    /// What is drawn.
    pub editor: &'a FunctionEditor,
    /// The key that opens the ready functions, as shown.
    pub gallery_key: &'a str,
    /// How everything looks.
    pub theme: &'a Theme,
}

/// A curve with its points.
struct OwnedCurve {
    label: String,
    points: Vec<Sample>,
    style: Style,
    ink: usize,
    symbol: usize,
}

impl FunctionEditorWidget<'_> {
    /// The text, and the carets below it.
    fn draw_text(&self, area: Rect, buffer: &mut Buffer) {
        let (editor, theme) = (self.editor, self.theme);
        let prompt = format!("{} = ", editor.param().key);
        let start = text::width(&prompt) as u16;
        let room = usize::from(area.width.saturating_sub(start));
        let error = editor.error();
        let functions = editor.functions();
        let look = |index: usize| {
            let is_in = |place: std::ops::Range<usize>| place.contains(&index);
            if error.as_ref().is_some_and(|error| is_in(error.place.clone())) {
                return theme.bad();
            }
            let at = functions.partition_point(|function| function.place().end <= index);
            let part = functions.get(at).filter(|function| functions.len() > 1 && is_in(function.place()));
            part.map_or(Look::new(), |_| theme.ink(at % DRAWN))
        };
        let mut spans = vec![Span::styled(prompt, theme.title())];
        spans.extend(text::typed_in_styles(editor.input(), room, theme, look));
        buffer.set_line(area.x, area.y, &Line::from(spans), area.width);
        if let (Some(error), true) = (error, area.height > 1) {
            let carets = self.carets(&error, room);
            buffer.set_stringn(area.x + start, area.y + 1, carets, room, theme.bad());
        }
    }

    /// Carets below the characters that an error is about, or where they are if they are not in view.
    fn carets(&self, error: &FunctionError, room: usize) -> String {
        let input = self.editor.input();
        let shown = crate::text::visible(input.value());
        let column = |index: usize| text::width(&shown.chars().take(index).collect::<String>());
        let scroll = text::scroll(input, room);
        let start = column(error.place.start);
        let end = column(error.place.end).max(start + 1);
        let character = error.place.start + 1;
        if end <= scroll {
            return format!("◂ at character {character}");
        }
        if start >= scroll + room {
            return format!("{:>room$}", format!("at character {character} ▸"));
        }
        let (from, to) = (start.max(scroll) - scroll, end.min(scroll + room) - scroll);
        " ".repeat(from) + &"^".repeat(to - from)
    }

    /// What is wrong, or the canonical text, or what the ready function is.
    fn message(&self, width: usize, rows: usize) -> Vec<Line<'static>> {
        let (editor, theme) = (self.editor, self.theme);
        let functions = editor.functions();
        let numbered = |index: usize| match functions.len() {
            1 => String::new(),
            count => format!("{} of {count}: ", index + 1),
        };
        let mut lines: Vec<String> = Vec::new();
        let (words, look) = if let Some((_, ready, _)) = editor.ready() {
            (format!("{}: {}. {}", ready.name, ready.about, ready.text), Look::new())
        } else if let Some(error) = editor.error() {
            let wrong = |function: &TypedFunction| function.error().as_ref() == Some(&error);
            let index = functions.iter().position(wrong).unwrap_or(0);
            (format!("✘ {}{error}", numbered(index)), theme.bad())
        } else if let Some(refusal) = editor.refusal() {
            (format!("✘ {refusal}"), theme.bad())
        } else {
            let good = functions[editor.current()].good().map_or("", Function::text);
            lines = text::cut(&format!("✔ {}{good}", numbered(editor.current())), width);
            (String::new(), theme.good())
        };
        lines.extend(text::wrap(&words, width));
        if lines.len() > rows {
            let rest = lines.split_off(rows - 1).join(" ");
            lines.push(text::fit(&rest, width));
        }
        lines.into_iter().map(|line| Line::styled(line, look)).collect()
    }

    /// The functions whose curves are drawn, each with its number: those of the list around the cursor, or the ready
    /// function that is being looked at.
    fn drawn(&self) -> std::ops::Range<usize> {
        let first = self.editor.current() / DRAWN * DRAWN;
        first..(first + DRAWN).min(self.editor.functions().len())
    }

    /// The curves and their heading, for a plot of `width` columns.
    fn curves(&self, width: u16) -> (String, Vec<OwnedCurve>) {
        // Dashes are seen where no two points of a curve share a column of dots.
        let slopes = |function: &Function| curves::slopes(function, width.saturating_sub(10));
        let editor = self.editor;
        let functions = editor.functions();
        let alone = |function: &Function, ink: Option<usize>| {
            let many = function.components() > 1;
            let name = |component: usize| if many { format!("f{}", component + 1) } else { "f".to_owned() };
            let ink = |component: usize| ink.unwrap_or(component);
            let both = curves::values(function).into_iter().zip(slopes(function)).enumerate();
            let curves =
                both.flat_map(|(symbol, (values, slopes))| {
                    let (name, ink) = (name(symbol), ink(symbol));
                    let slope = format!("{name}′");
                    [(name, values, Style::Line), (slope, slopes, Style::Dashed)]
                        .map(|(label, points, style)| OwnedCurve { label, points, style, ink, symbol })
                });
            curves.collect::<Vec<_>>()
        };
        let count = |function: &Function| match function.components() {
            0..=COMPONENTS => String::new(),
            all => format!(", {COMPONENTS} of {all} features"),
        };
        if let Some((_, ready, function)) = editor.ready() {
            return (format!("{}: f and f′{}", ready.name, count(function)), alone(function, None));
        }
        if let [only] = functions {
            let Some(function) = only.good() else { return ("f and f′".to_owned(), Vec::new()) };
            let (what, ink) = if only.is_wrong() { ("last good f and f′", Some(GREY)) } else { ("f and f′", None) };
            return (format!("{what}{}", count(function)), alone(function, ink));
        }
        let (current, drawn) = (editor.current(), self.drawn());
        let all = match functions.len() {
            0..=DRAWN => "f of each".to_owned(),
            all => format!("f of {} to {} of {all}", drawn.start + 1, drawn.end),
        };
        let mut curves = Vec::new();
        for (index, typed) in drawn.clone().zip(&functions[drawn]) {
            let Some(function) = typed.good() else { continue };
            let ink = if typed.is_wrong() { GREY } else { index % DRAWN };
            let one = |component: usize, points: Vec<Sample>, style: Style| {
                let part = if function.components() > 1 { format!(".{}", component + 1) } else { String::new() };
                let label = match style {
                    Style::Dashed => format!("{}{part} f′", index + 1),
                    _ if typed.is_wrong() => format!("{}{part} last good: {function}", index + 1),
                    _ => format!("{}{part} {function}", index + 1),
                };
                OwnedCurve { label, points, style, ink, symbol: index }
            };
            let values = curves::values(function).into_iter().enumerate();
            curves.extend(values.map(|(component, points)| one(component, points, Style::Line)));
            if index == current {
                let slopes = slopes(function).into_iter().enumerate();
                curves.extend(slopes.map(|(component, points)| one(component, points, Style::Dashed)));
            }
        }
        (format!("{all}, f′ of {}", current + 1), curves)
    }

    fn draw_plot(&self, area: Rect, buffer: &mut Buffer) {
        let (title, curves) = self.curves(area.width);
        let drawn: Vec<DrawnCurve<'_>> = curves
            .iter()
            .map(|OwnedCurve { label, points, style, ink, symbol }| DrawnCurve {
                label,
                points,
                style: *style,
                ink: Some(*ink),
                symbol: *symbol,
                prominence: Prominence::Plain,
            })
            .collect();
        let (x, y) = (Axis::linear(SETTING).over(-REACH, REACH), Axis::linear(""));
        let plot = PlotWidget {
            title: &title,
            x: &x,
            y: &y,
            curves: &drawn,
            scales: (Scale::Linear, if self.editor.is_logarithmic() { Scale::Log } else { Scale::Linear }),
            smoothing: 0.0,
            summary: CurveSummary::Last,
            cursor: None,
            part: None,
            outliers: true,
            legend_below: false,
            focused: false,
            hint: "a function is drawn as soon as there is one",
            theme: self.theme,
        };
        plot.render(area, buffer);
    }

    /// Facts, ready functions, and the words of the language, as far as there is room.
    fn draw_side(&self, area: Rect, buffer: &mut Buffer) {
        let (editor, theme) = (self.editor, self.theme);
        let width = usize::from(area.width);
        let typed = &editor.functions()[editor.current()];
        let ready = editor.ready();
        let (heading, function) = match ready {
            Some((_, ready, function)) => (ready.name.to_owned(), Some(function)),
            None if typed.is_wrong() => ("Last good function".to_owned(), typed.good()),
            None if editor.functions().len() > 1 => (format!("Function {}", editor.current() + 1), typed.good()),
            None => ("Function".to_owned(), typed.good()),
        };
        let section = |heading: &str, lines: Vec<Line<'static>>| {
            let heading = Line::styled(text::fit(heading, width), theme.title());
            std::iter::once(heading).chain(lines).collect::<Vec<_>>()
        };
        let facts = function.map_or(Vec::new(), |function| facts::facts(function, width, theme));
        let facts = section(&heading, facts);
        let gallery = facts::gallery(width, ready.map(|(index, ..)| index), theme);
        let room = usize::from(area.height);
        let left = room.saturating_sub(facts.len() + 1);
        // Where both have no room, the ready functions take the place of the facts as long as one is being chosen.
        let has_both = left > gallery.len();
        let mut lines = if ready.is_some() && !has_both { Vec::new() } else { facts };
        if ready.is_some() || has_both {
            if !lines.is_empty() {
                lines.push(Line::raw(""));
            }
            let rows = (room - lines.len()).saturating_sub(1).max(1);
            let first = ready.map_or(0, |(index, ..)| (index + 1).saturating_sub(rows));
            let heading = match ready {
                Some((index, ..)) if width >= 25 => format!("Ready functions, {} of {}", index + 1, gallery.len()),
                Some(_) => "Ready functions".to_owned(),
                None => format!("Ready functions: {}", self.gallery_key),
            };
            lines.extend(section(&heading, gallery.into_iter().skip(first).take(rows).collect()));
        }
        let language = facts::language(width, theme);
        if room > lines.len() + language.len() + 1 {
            lines.push(Line::raw(""));
            lines.extend(section("What may be typed", language));
        }
        if lines.len() > room && room > 0 {
            lines.truncate(room - 1);
            lines.push(Line::styled("…", theme.dim()));
        }
        Paragraph::new(lines).render(area, buffer);
    }
}

impl Widget for FunctionEditorWidget<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return;
        }
        let below = |top: u16, height: u16| Rect {
            y: area.y + top.min(area.height),
            height: height.min(area.height.saturating_sub(top)),
            ..area
        };
        self.draw_text(below(0, 2), buffer);
        // An unknown function is told every known one, and the nearest of them last.
        let rows = if area.width < 100 && area.height >= 16 { 3 } else { 2 };
        Paragraph::new(self.message(area.width.into(), rows.into())).render(below(2, rows), buffer);
        let body = below(2 + rows, area.height);
        let side = match area.width {
            ..100 => area.width * 7 / 20,
            100..150 => 46,
            _ => 84,
        };
        let plot = Rect { width: body.width - side - 1, ..body };
        self.draw_plot(plot, buffer);
        self.draw_side(Rect { x: plot.right() + 1, width: side, ..body }, buffer);
    }
}
