//! What lies over a tab.

use super::frame::{popup, scrolled};
use super::{sweep, sweeps};
use crate::console::app::{App, ClickTarget, CommandLine, Field, Overlay, Scroll};
use crate::console::keymap::{Action, Place};
use crate::console::widget::text;
use crate::lab::{LabError, Preset, RunSummary, duration};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Draws what lies over the tab, if something does. Returns what clicks on the lines of a list choose.
pub fn draw(frame: &mut Frame<'_>, app: &App, area: Rect) -> Vec<(Rect, ClickTarget)> {
    match app.overlay() {
        None => {}
        Some(Overlay::Presets { list: None, .. }) => {
            let inner = popup(frame, app.theme(), area, (area.width.saturating_sub(8).min(100), 5), "Presets");
            put(frame, inner, vec![Line::styled("reading the presets…", app.theme().dim())]);
        }
        Some(Overlay::Presets { list: Some(list), seconds, chosen }) => {
            return draw_presets(frame, app, area, (list, seconds), *chosen);
        }
        Some(Overlay::Sweep(dialog)) => sweep::draw(frame, app, area, dialog),
        Some(Overlay::Sweeps) => return sweeps::draw(frame, app, area),
        Some(Overlay::Trash { list, chosen }) => return draw_trash(frame, app, area, list.as_deref(), *chosen),
        Some(Overlay::Command { line, scroll }) => draw_command(frame, app, area, line, scroll),
        Some(Overlay::Commands(line)) => draw_commands(frame, app, area, line),
        Some(Overlay::Typing(field)) => draw_field(frame, app, area, field),
        Some(Overlay::Help { place, scroll }) => draw_help(frame, app, area, *place, scroll),
        Some(Overlay::Leave { interrupted }) => draw_leave(frame, app, area, *interrupted),
    }
    Vec::new()
}

/// What clicks on the `rows` lines of a list choose that begins at the top of `area` with entry number `first`.
fn entry_targets(area: Rect, rows: usize, first: usize) -> Vec<(Rect, ClickTarget)> {
    let place = |row: usize| Rect { y: area.y + row as u16, height: 1, ..area };
    (0..rows.min(area.height.into())).map(|row| (place(row), ClickTarget::Entry(first + row))).collect()
}

fn put(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'_>>) {
    frame.render_widget(Paragraph::new(lines), area);
}

/// A preset with its name, or why it cannot be read.
type FoundPreset = (String, Result<Preset, LabError>);

fn draw_presets(
    frame: &mut Frame<'_>,
    app: &App,
    area: Rect,
    (list, seconds): (&[FoundPreset], &[Option<f64>]),
    chosen: usize,
) -> Vec<(Rect, ClickTarget)> {
    let theme = app.theme();
    let width = area.width.saturating_sub(8).min(100);
    let height = (list.len() as u16 + 4).max(5);
    let inner = popup(frame, theme, area, (width, height), "Presets");
    if list.is_empty() {
        let key = app.keymap().key(Place::Form, Action::Save);
        let words = format!("no presets in {}; {key} on a problem's tab saves one", app.places().presets.display());
        let lines = text::wrap(&words, inner.width.into()).into_iter().map(|line| Line::styled(line, theme.dim()));
        put(frame, inner, lines.collect());
        return Vec::new();
    }
    let rows = usize::from(inner.height.saturating_sub(4)).max(1);
    let first = (chosen + 1).saturating_sub(rows);
    let names = list.iter().map(|(name, _)| text::width(name)).max().unwrap_or(0).min(28);
    let mut lines: Vec<Line<'_>> = list
        .iter()
        .enumerate()
        .skip(first)
        .take(rows)
        .map(|(index, (name, preset))| {
            let pointer = if index == chosen { '▸' } else { ' ' };
            let name = format!("{pointer}{}  ", text::pad(name, names));
            let (words, style) = match preset {
                // Those that come with the program stand without a word.
                Ok(preset) if preset.file.is_some() => (format!("yours: {}", preset.title), theme.dim()),
                Ok(preset) => (preset.title.clone(), theme.dim()),
                Err(_) => ("cannot be read".to_owned(), theme.bad()),
            };
            let time = seconds
                .get(index)
                .copied()
                .flatten()
                .map_or_else(String::new, |seconds| format!("~{}", duration(seconds)));
            let time = format!("{time:>8}  ");
            let words = text::fit(&words, usize::from(inner.width).saturating_sub(names + 3 + text::width(&time)));
            let spans = [Span::styled(name, theme.title()), Span::raw(time), Span::styled(words, style)];
            let line = Line::from(spans.to_vec());
            if index == chosen { line.style(theme.selected()) } else { line }
        })
        .collect();
    let targets = entry_targets(inner, lines.len(), first);
    lines.push(Line::styled("─".repeat(inner.width.into()), theme.faint()));
    let about = match &list[chosen].1 {
        Ok(preset) if preset.about.is_empty() => format!("{}: {}", preset.sweep.problem.title(), preset.title),
        Ok(preset) => format!("{}: {}", preset.sweep.problem.title(), preset.about),
        Err(error) => error.to_string(),
    };
    lines.extend(text::wrap(&about, inner.width.into()).into_iter().take(3).map(Line::raw));
    put(frame, inner, lines);
    targets
}

/// The runs in the trash; none while they are read.
fn draw_trash(
    frame: &mut Frame<'_>,
    app: &App,
    area: Rect,
    list: Option<&[RunSummary]>,
    chosen: usize,
) -> Vec<(Rect, ClickTarget)> {
    let theme = app.theme();
    let width = area.width.saturating_sub(8).min(100);
    let count = list.map_or(0, <[_]>::len) as u16;
    let inner = popup(frame, theme, area, (width, (count + 2).max(3)), "Trash");
    let Some(list) = list.filter(|list| !list.is_empty()) else {
        let words = if list.is_some() { "nothing lies in the trash" } else { "reading the trash…" };
        put(frame, inner, vec![Line::styled(words, theme.dim())]);
        return Vec::new();
    };
    let rows = usize::from(inner.height.saturating_sub(2)).max(1);
    let first = (chosen + 1).saturating_sub(rows);
    let line = |(index, run): (usize, &RunSummary)| {
        let name = run.name();
        let words = format!(" {} {name}  {}", theme.state(run.state).0, run.id);
        let line = Line::raw(text::fit(&words, inner.width.into()));
        if index == chosen { line.style(theme.selected()) } else { line }
    };
    let mut lines: Vec<Line<'_>> = list.iter().enumerate().skip(first).take(rows).map(line).collect();
    let targets = entry_targets(inner, lines.len(), first);
    let key = app.keymap().key(Place::List, Action::Edit);
    lines.push(Line::styled("─".repeat(inner.width.into()), theme.faint()));
    lines.push(Line::styled(format!("{key} puts the run back among the others"), theme.dim()));
    put(frame, inner, lines);
    targets
}

fn draw_command(frame: &mut Frame<'_>, app: &App, area: Rect, command: &str, scroll: &Scroll) {
    let theme = app.theme();
    let width = area.width.saturating_sub(8).min(100);
    let mut lines: Vec<Line<'_>> = text::wrap(command, width.into()).into_iter().map(Line::raw).collect();
    lines.push(Line::raw(""));
    let words = "copied, where the terminal lets programs copy";
    lines.push(Line::styled(words, theme.dim()));
    let inner = popup(frame, theme, area, (width, lines.len() as u16), "The same on the command line");
    let around = Rect { x: inner.x.saturating_sub(2), width: inner.width + 4, height: inner.height + 1, ..inner };
    scrolled(frame, theme, around.intersection(area), inner, lines, scroll);
}

/// Most lines of what matches on the command line.
const MATCHES: usize = 12;

fn draw_commands(frame: &mut Frame<'_>, app: &App, area: Rect, line: &CommandLine) {
    let theme = app.theme();
    let width = area.width.saturating_sub(8).min(86);
    let matches = line.matches();
    let rows = MATCHES.min(usize::from(area.height.saturating_sub(4)));
    let inner = popup(frame, theme, area, (width, 1 + rows as u16), "What to do");
    let mut typed = vec![Span::styled(":", theme.accent())];
    typed.extend(text::typed(&line.input, usize::from(inner.width).saturating_sub(2), theme));
    let mut lines = vec![Line::from(typed)];
    if matches.is_empty() {
        lines.push(Line::styled("nothing that can be done here is called so", theme.bad()));
    }
    let first = (line.chosen + 1).saturating_sub(rows);
    lines.extend(matches.iter().enumerate().skip(first).take(rows).map(|(index, deed)| {
        let name = text::pad(&deed.name, 16);
        let key = text::pad(&deed.key, 10);
        let help = text::fit(deed.help, usize::from(inner.width).saturating_sub(28));
        let spans =
            [Span::styled(name, theme.title()), Span::styled(key, theme.accent()), Span::styled(help, theme.dim())];
        let line_of = Line::from(spans.to_vec());
        if index == line.chosen { line_of.style(theme.selected()) } else { line_of }
    }));
    put(frame, inner, lines);
}

fn draw_field(frame: &mut Frame<'_>, app: &App, area: Rect, field: &Field) {
    let theme = app.theme();
    let (title, allowed) = field.purpose.words();
    let width = area.width.saturating_sub(8).min(80);
    let choices = field.choices.join("  ");
    let below = if choices.is_empty() { allowed } else { &choices };
    let mut words = text::wrap(field.error.as_deref().unwrap_or(below), width.into());
    // The keys of every problem with one letter are many.
    words.truncate(6);
    let inner = popup(frame, theme, area, (width, 2 + words.len() as u16), title);
    let line = Line::from(text::typed(&field.input, usize::from(inner.width).saturating_sub(1), theme));
    let style = if field.error.is_some() { theme.bad() } else { theme.dim() };
    let mut lines = vec![line, Line::raw("")];
    lines.extend(words.into_iter().map(|line| Line::styled(line, style)));
    put(frame, inner, lines);
}

fn draw_help(frame: &mut Frame<'_>, app: &App, area: Rect, place: Place, scroll: &Scroll) {
    let theme = app.theme();
    let width = area.width.saturating_sub(6).min(86);
    let mut lines = Vec::new();
    for (title, keys) in app.keymap().help(place) {
        if keys.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::raw(""));
        }
        lines.push(Line::styled(title, theme.title()));
        for (keys, help) in keys {
            let room = usize::from(width).saturating_sub(18);
            for (row, part) in text::wrap(help, room).into_iter().enumerate() {
                let keys = if row == 0 { keys.as_str() } else { "" };
                lines.push(Line::from(vec![
                    Span::styled(format!("  {:<14}", text::fit(keys, 14)), theme.accent()),
                    Span::raw(format!(" {part}")),
                ]));
            }
        }
    }
    let inner = popup(frame, theme, area, (width, lines.len() as u16), "Keys");
    let around = Rect { x: inner.x.saturating_sub(2), width: inner.width + 4, height: inner.height + 1, ..inner };
    scrolled(frame, theme, around.intersection(area), inner, lines, scroll);
}

fn draw_leave(frame: &mut Frame<'_>, app: &App, area: Rect, interrupted: bool) {
    let theme = app.theme();
    let (running, queued) = app.busy();
    let count = |number: usize, word: &str| (number > 0).then(|| format!("{number} {word}"));
    let work: Vec<String> = [count(running, "running"), count(queued, "queued")].into_iter().flatten().collect();
    let work = if work.is_empty() { "runs are being handed in".to_owned() } else { work.join(", ") };
    let key = |action| app.keymap().key(Place::Leave, action);
    let choice = |action, words: &'static str| {
        Line::from(vec![Span::styled(format!("{:>4}  ", key(action)), theme.accent()), Span::raw(words)])
    };
    let mut lines = vec![
        Line::styled(format!("Work is not done: {work}."), theme.title()),
        Line::raw(""),
        choice(Action::LeaveRunning, "leave it running in the background"),
        choice(Action::LeaveStopping, "stop it, keeping what it has, and leave"),
        choice(Action::Back, "stay"),
    ];
    if interrupted {
        lines.push(Line::raw(""));
        lines.push(Line::styled(format!("{} again leaves at once.", key(Action::Interrupt)), theme.warn()));
    }
    let inner = popup(frame, theme, area, (46, lines.len() as u16), "Leave?");
    put(frame, inner, lines);
}
