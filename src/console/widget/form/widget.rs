//! A parameter form on screen.

use super::state::Form;
use super::ticks::Ticks;
use crate::console::theme::Theme;
use crate::console::widget::{text, text::fit};
use crate::lab::{Choice, Kind, Param, Value, list};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget};

/// A form on screen, with the help of its selected parameter.
#[derive(Clone, Copy, Debug)]
pub struct FormWidget<'a> {
    /// The form.
    pub form: &'a Form,
    /// Whether keys go there.
    pub focused: bool,
    /// The key that shows the fields that do not apply, or folds them away.
    pub fold_key: &'a str,
    /// How everything looks.
    pub theme: &'a Theme,
}

impl FormWidget<'_> {
    /// Lines of the selected field's help: what it does, what is allowed, what the present choice stands for.
    #[must_use]
    pub fn help(&self, width: usize) -> Vec<Line<'static>> {
        let Some(param) = self.form.pointed_at() else { return Vec::new() };
        let mut words = param.help.to_owned();
        let now = self.form.draft.text(param.key);
        if let Kind::Choice(choices) = param.kind
            && let Some(choice) = choices.iter().find(|choice| choice.name == now && !choice.help.is_empty())
        {
            words = format!("{now}: {}", choice.help);
        }
        if self.form.is_ticking() {
            words = "the ticked ones make a list".to_owned();
        }
        if self.form.is_editing() {
            let hint = match param.kind {
                Kind::Text { .. } | Kind::Function => String::new(),
                Kind::Int { .. } | Kind::Float { .. } => {
                    "; a list a,b,c; a range 16..1024 x2, 0..1 +0.1, log(1e-4..1e-2, 5), random(8, 0..1) or \
                     random(8, log 1e-4..1e-1)"
                        .to_owned()
                }
                Kind::Choice(_) | Kind::Flag => "; or a list a,b,c".to_owned(),
            };
            words = format!("{}{hint}", param.allowed());
            if let Some(values) = self.typed_values(param) {
                words = format!("{values}. {words}");
            }
        }
        if let Some(with) = param.read_with_words().filter(|_| !self.form.reads(param)) {
            words = format!("not read: only with {with}. {words}");
        }
        text::wrap(&words, width).into_iter().map(|line| Line::styled(line, self.theme.dim())).collect()
    }

    /// How many fields are folded away, and the key that shows them; nothing where every field applies.
    #[must_use]
    pub fn folded(&self) -> Option<String> {
        let (form, key) = (self.form, self.fold_key);
        let folded = form.fields.len() - form.shown().len();
        match folded {
            _ if form.find.is_some() => None,
            0 if form.is_unfolded => Some(format!("{key} folds what does not apply")),
            0 => None,
            1 => Some(format!("1 field does not apply: {key}")),
            _ => Some(format!("{folded} fields do not apply: {key}")),
        }
    }

    /// What the list or range that is being typed stands for: some of its values, and how many they are.
    fn typed_values(&self, param: &Param) -> Option<String> {
        let values = list::values(param, self.form.input.as_ref()?.value()).ok().filter(|values| values.len() > 1)?;
        let shown = |value: &Value| match value {
            Value::Float(number) => text::short(*number),
            other => other.to_string(),
        };
        let words = match values.as_slice() {
            [first, second, third, _, .., last] => {
                format!("{}, {}, {}, … {}", shown(first), shown(second), shown(third), shown(last))
            }
            few => few.iter().map(shown).collect::<Vec<_>>().join(", "),
        };
        Some(format!("{words}: {} values", values.len()))
    }

    /// Every line, and which one is selected.
    fn lines(&self, width: usize) -> (Vec<Line<'static>>, usize) {
        let (form, theme) = (self.form, self.theme);
        let longest = form.schema.iter().map(|param| text::width(param.label)).max().unwrap_or(0);
        let label_width = longest.min((width / 2).max(8));
        let (mut lines, mut selected, mut group) = (Vec::new(), 0, "");
        let shown = form.shown();
        if let Some(find) = &form.find {
            let mut line = vec![Span::styled("/", theme.accent())];
            line.extend(text::typed(&find.input, width.saturating_sub(2), theme));
            lines.push(Line::from(line));
            if shown.is_empty() {
                lines.push(Line::styled(fit("no field has these letters", width), theme.bad()));
            }
        }
        for (place, index) in shown.iter().copied().enumerate() {
            let param = form.fields[index];
            // What is found is not in order of the groups.
            if param.group != group && form.find.is_none() {
                group = param.group;
                lines.push(Line::styled(fit(group, width), theme.dim().patch(theme.title())));
            }
            let here = form.find.as_ref().map_or(index == form.selected, |find| place == find.chosen);
            if here {
                selected = lines.len();
            }
            lines.push(self.field(param, here, label_width, width));
            if let Some(ticks) = form.ticks.as_ref().filter(|_| here) {
                selected += ticks.at + 1;
                lines.extend(self.choices(ticks, width));
            }
            let error = form.error.as_ref().filter(|error| error.key == param.key);
            if let Some(error) = error {
                let words = format!("{}: {}", error.found, error.allowed);
                for (row, line) in text::wrap(&words, width.saturating_sub(4)).into_iter().enumerate() {
                    lines.push(Line::styled(format!("  {} {line}", if row == 0 { '✘' } else { ' ' }), theme.bad()));
                }
            }
        }
        (lines, selected)
    }

    /// A line for each choice that can be ticked.
    fn choices(&self, ticks: &Ticks, width: usize) -> Vec<Line<'static>> {
        let theme = self.theme;
        let line = |(at, (choice, ticked)): (usize, &(&Choice, bool))| {
            let words = format!("  [{}] {}", if *ticked { 'x' } else { ' ' }, choice.name);
            let style = if at == ticks.at { theme.selected() } else { ratatui::style::Style::new() };
            let help = fit(&format!("  {}", choice.help), width.saturating_sub(text::width(&words)));
            Line::from(vec![Span::styled(words, style), Span::styled(help, theme.dim())])
        };
        ticks.choices.iter().enumerate().map(line).collect()
    }

    fn field(&self, param: &'static Param, here: bool, label_width: usize, width: usize) -> Line<'static> {
        let (form, theme) = (self.form, self.theme);
        let lit = here && self.focused;
        let pointer = if here { "▸" } else { " " };
        let is_read = form.reads(param);
        let look = match (lit, is_read) {
            (true, _) => theme.accent(),
            (false, true) => ratatui::style::Style::new(),
            (false, false) => theme.dim(),
        };
        let label = format!("{} ", text::pad(param.label, label_width));
        let mut parts = vec![Span::styled(pointer, theme.accent()), Span::styled(label, look)];
        let room = width.saturating_sub(label_width + 2);
        if let Some(input) = form.input.as_ref().filter(|_| here) {
            parts.extend(text::typed(input, room.saturating_sub(1), theme));
            return Line::from(parts);
        }
        let count = form.count(param);
        let changed = form.is_changed(param);
        let shown = form.draft.shown(param);
        let has_word = shown != form.draft.text(param.key);
        let mut tail = match (count, param.unit) {
            (2.., _) => format!(" ×{count}"),
            (_, unit) if unit.is_empty() || has_word => String::new(),
            (_, unit) => format!(" {unit}"),
        };
        if changed && !is_read {
            tail += " not read";
        }
        let arrows = if lit && count == 1 && form.ticks.is_none() { 4 } else { 0 };
        let value = fit(&shown, room.saturating_sub(text::width(&tail) + arrows));
        let look = match (changed, is_read) {
            (_, false) => theme.dim(),
            (true, true) => theme.title(),
            (false, true) => look,
        };
        if arrows > 0 {
            parts.push(Span::styled("◂ ", theme.accent()));
        }
        parts.push(Span::styled(value, look));
        parts.push(Span::styled(tail, if count > 1 { theme.warn() } else { theme.dim() }));
        if arrows > 0 {
            parts.push(Span::styled(" ▸", theme.accent()));
        }
        Line::from(parts)
    }
}

impl Widget for FormWidget<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        self.draw(area, buffer);
    }
}

impl FormWidget<'_> {
    /// The field of each line that is one: the next one whose label stands there.
    fn fields(&self, lines: &[Line<'_>]) -> Vec<Option<usize>> {
        let mut next = 0;
        let field = |line: &Line<'_>| {
            let label = line.spans.get(1)?.content.trim_end();
            let mut left = self.form.fields.get(next..)?.iter();
            let at = next + left.position(|param| fit(param.label, text::width(label)) == label)?;
            next = at + 1;
            Some(at)
        };
        lines.iter().map(field).collect()
    }

    /// Draws the form. Returns the place of each field on screen, with its number.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer) -> Vec<(Rect, usize)> {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return Vec::new();
        }
        let height = usize::from(area.height);
        let mut lines = self.lines(area.width.into());
        if lines.0.len() > height {
            // The last column is left to the arrows that say where there is more.
            lines = self.lines(usize::from(area.width).saturating_sub(2));
        }
        let (lines, selected) = lines;
        // The line above the field and the error below it stay in view.
        let first = (selected + 4).min(lines.len()).saturating_sub(height).min(selected.saturating_sub(1));
        let last = lines.len();
        let place = |row: usize| Rect { y: area.y + row as u16, height: 1, ..area };
        let shown = self.fields(&lines).into_iter().skip(first).take(height).enumerate();
        let places = shown.filter_map(|(row, field)| Some((place(row), field?))).collect();
        Paragraph::new(lines.into_iter().skip(first).collect::<Vec<_>>()).render(area, buffer);
        if first > 0 {
            buffer.set_string(area.right() - 1, area.y, "↑", self.theme.accent());
        }
        if first + height < last {
            buffer.set_string(area.right() - 1, area.bottom() - 1, "↓", self.theme.accent());
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Schema, choice};
    use tui_input::InputRequest;

    const SCHEMA: Schema = Schema(&[
        Param::choice("attention", "attention", &[choice("softmax", "quadratic"), choice("relu", "linear")], "softmax")
            .group("model"),
        Param::int("depth", "depth", 1, 64, "4").group("model").help("number of blocks"),
        Param::float("rate", "learning rate", 0.0, 1.0, "0.001").group("training"),
        Param::int("epochs", "epochs", 1, 1000, "3").group("training").unit("epochs"),
    ]);

    fn screen(form: &Form, width: u16, height: u16) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        FormWidget { form, focused: true, fold_key: "f", theme: &Theme::default() }.render(area, &mut buffer);
        text::screen(&buffer)
    }

    fn type_text(form: &mut Form, text: &str) {
        form.type_key(InputRequest::DeleteLine);
        text.chars().for_each(|character| form.type_key(InputRequest::InsertChar(character)));
    }

    #[test]
    fn groups_labels_and_values_stand_in_line() {
        let form = Form::new(SCHEMA);
        let expected = "model\n▸attention     ◂ softmax ▸\n depth         4\ntraining\n learning rate 0.001\n epochs        3 epochs";
        assert_eq!(screen(&form, 32, 6), expected);
    }

    #[test]
    fn a_bad_value_is_refused_where_it_is_typed() {
        let mut form = Form::new(SCHEMA);
        form.go(1);
        form.edit();
        type_text(&mut form, "100");
        assert!(!form.commit());
        let text = screen(&form, 40, 8);
        assert!(text.contains("▸depth         100"), "{text}");
        assert!(text.contains("✘ 100: a whole number from 1 to 64"), "{text}");
        assert_eq!(form.draft().text("depth"), "4");
        type_text(&mut form, "8");
        assert!(form.commit() && form.error().is_none());
        assert_eq!(form.draft().text("depth"), "8");
    }

    #[test]
    fn a_list_shows_its_number_of_values() {
        let mut form = Form::new(SCHEMA);
        form.edit_sweep();
        assert!(form.commit());
        assert!(screen(&form, 40, 8).contains("softmax,relu ×2"));
    }

    #[test]
    fn the_arrows_stand_beside_the_values() {
        let mut form = Form::new(SCHEMA);
        form.edit();
        type_text(&mut form, "softmax,relu,softmax,relu");
        assert!(form.commit());
        assert!(screen(&form, 30, 2).ends_with("softmax,r… ×4 ↓"), "{}", screen(&form, 30, 2));
    }

    #[test]
    fn the_selected_field_stays_in_view() {
        let mut form = Form::new(SCHEMA);
        form.go(3);
        let text = screen(&form, 30, 3);
        assert!(text.contains("▸epochs"), "{text}");
        assert!(screen(&form, 1, 1).len() <= 3);
    }
}
