//! What is known of a function, the ready functions, and the words of the language, as lines.

use crate::console::theme::Theme;
use crate::console::widget::text;
use crate::function::{BinaryOperator, Function, GALLERY, Pair, Reduction, Unary, Variable};
use crate::named::Named;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Columns of the name of a fact.
const NAME: usize = 9;

/// What is known of a function, in lines of `width` columns.
pub fn facts(function: &Function, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut add = |name: &str, words: &str, style: Style| {
        for (row, part) in text::wrap(words, width.saturating_sub(NAME)).into_iter().enumerate() {
            let name = if row == 0 { name } else { "" };
            let name = Span::styled(text::pad(name, NAME), theme.dim());
            lines.push(Line::from(vec![name, Span::styled(part, style)]));
        }
    };
    let plain = Style::new();
    add("features", &format!("{} a coordinate", function.components()), plain);
    let read = Variable::CHOICES
        .iter()
        .filter(|choice| Variable::parse(choice.name).is_ok_and(|variable| function.uses(variable)));
    let read: Vec<&str> = read.map(|choice| choice.name).collect();
    add("reads", &if read.is_empty() { "nothing: it is constant".to_owned() } else { read.join(", ") }, plain);
    match function.exponents() {
        Some(_) => add("exp", "outermost: stabilised exactly", plain),
        None => add("exp", "not outermost: not stabilised", plain),
    }
    match function.negative() {
        None => add("sign", "not negative where tried", plain),
        Some(point) => add("sign", &format!("negative at {point}: denominators need not be positive"), theme.warn()),
    }
    function.doubts().iter().for_each(|doubt| add("doubt", doubt, theme.warn()));
    let scalars = function.scalars().iter().map(|scalar| {
        let bound = if scalar.positive { " > 0" } else { "" };
        format!("{} = {}{bound}", scalar.name, text::short(scalar.start))
    });
    let scalars = scalars.collect::<Vec<_>>().join(", ");
    add("learns", if scalars.is_empty() { "nothing" } else { &scalars }, plain);
    lines
}

/// The ready functions, one a line of `width` columns: name, then formula and origin as far as there is room.
pub fn gallery(width: usize, chosen: Option<usize>, theme: &Theme) -> Vec<Line<'static>> {
    let names = GALLERY.iter().map(|ready| text::width(ready.name)).max().unwrap_or(0);
    let left = width.saturating_sub(names + 3);
    let (formula, about) = if left < 12 {
        (0, 0)
    } else if left < 60 {
        (left, 0)
    } else {
        (left * 2 / 5, left * 3 / 5)
    };
    let line = |(index, ready): (usize, &crate::function::Ready)| {
        let mut spans = vec![Span::raw(format!(" {} ", text::pad(ready.name, names.min(width.saturating_sub(2)))))];
        if formula > 0 {
            spans.push(Span::styled(text::pad(ready.text, formula), theme.dim()));
        }
        if about > 0 {
            spans.push(Span::raw(format!(" {}", text::pad(ready.about, about))));
        }
        let line = Line::from(spans);
        if chosen == Some(index) { line.style(theme.selected()) } else { line }
    };
    GALLERY.iter().enumerate().map(line).collect()
}

/// The words of the language, in lines of `width` columns.
pub fn language(width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let entry = |name: &str, help: &str, room: usize| {
        let words = text::pad(help, room.saturating_sub(NAME + 2));
        vec![Span::styled(text::pad(name, NAME + 1), theme.accent()), Span::raw(words + " ")]
    };
    let variables = Variable::CHOICES.iter().map(|choice| Line::from(entry(choice.name, choice.help, width)));
    let signs = BinaryOperator::ALL.iter().map(|(_, sign)| sign.to_string()).collect::<Vec<_>>().join(" ");
    let operators = entry(&signs, "( ) pi; [f, g]: several features a coordinate", width);
    let scalars = entry("; a = 1", "a learned scalar a that starts at 1; `> 0` after it keeps it positive", width);
    let functions: Vec<_> = Unary::CHOICES.iter().chain(Pair::CHOICES).chain(Reduction::CHOICES).collect();
    let columns = (width / 40).max(1);
    let rows = functions.len().div_ceil(columns);
    let functions = (0..rows).map(|row| {
        let of_row = functions.iter().skip(row).step_by(rows);
        Line::from_iter(of_row.flat_map(|choice| entry(choice.name, choice.help, width / columns)))
    });
    variables.chain([Line::from(operators), Line::from(scalars)]).chain(functions).collect()
}
