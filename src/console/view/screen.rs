//! The whole screen: header, the tab, footer, and what lies over the tab.

use super::{log, overlay, problem, runs, toast};
use crate::console::app::{App, ClickTarget, Overlay, Pane};
use crate::console::ascii;
use crate::console::keymap::Action;
use crate::console::widget::text;
use crate::lab::RunState;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::borrow::Cow;

/// The smallest terminal that everything can be used on: columns and rows.
pub const SMALLEST: (u16, u16) = (56, 14);

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, app: &mut App) {
    let area = frame.area();
    let mut targets = Vec::new();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(frame, area);
    } else {
        let header = Rect { height: 1, ..area };
        let footer = Rect { y: area.bottom() - 1, height: 1, ..area };
        let body = Rect { y: area.y + 1, height: area.height - 2, ..area };
        targets.extend(draw_header(frame, app, header));
        if app.problem().is_some() {
            targets.extend(problem::draw(frame, app, body));
        } else if app.on_runs() {
            targets.extend(runs::draw(frame, app, body));
        } else {
            log::draw(frame, app, body);
        }
        targets.extend(draw_footer(frame, app, footer));
        let entries = overlay::draw(frame, app, body);
        if app.overlay().is_some() {
            // What lies below takes no clicks.
            targets.retain(|(_, target)| matches!(target, ClickTarget::Do(_)));
            targets.extend(entries);
        }
        toast::draw(frame, app, body);
    }
    app.set_click_targets(targets);
    make_visible(frame.buffer_mut());
    if app.theme().ascii() {
        ascii::downgrade(frame.buffer_mut());
    }
}

/// Replaces control characters and invisible characters, wherever the text came from.
fn make_visible(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if let Cow::Owned(shown) = crate::text::visible(cell.symbol()) {
            cell.set_char(shown.chars().find(|shown| !cell.symbol().contains(*shown)).unwrap_or(' '));
        }
    }
}

fn too_small(frame: &mut Frame<'_>, area: Rect) {
    let words = format!(
        "{}×{} is too small: attnlab needs {}×{}. Runs go on.",
        area.width, area.height, SMALLEST.0, SMALLEST.1
    );
    frame.render_widget(Paragraph::new(text::wrap(&words, area.width.into()).join("\n")), area);
}

/// Draws the tabs' names, short where there is little room, and the number of runs. Returns what clicks on the names
/// choose.
fn draw_header(frame: &mut Frame<'_>, app: &App, area: Rect) -> Vec<(Rect, ClickTarget)> {
    let theme = *app.theme();
    let (running, queued) = app.busy();
    let mut state = Vec::new();
    if running > 0 {
        let (symbol, style) = theme.state(RunState::Running);
        state.push(Span::styled(format!("{symbol} {running} running "), style));
    }
    if queued > 0 {
        let (symbol, style) = theme.state(RunState::Queued);
        state.push(Span::styled(format!("{symbol} {queued} queued "), style));
    }
    if app.elsewhere() > 0 {
        let (symbol, style) = theme.state(RunState::Running);
        state.push(Span::styled(format!("{symbol} {} elsewhere ", app.elsewhere()), style));
    }
    let state = Line::from(state);
    let room = area.width.saturating_sub(state.width() as u16);
    let titles: Vec<String> = app.titles().into_iter().map(str::to_owned).collect();
    let width = |titles: &[String]| titles.iter().map(|title| text::width(title) + 4).sum::<usize>() as u16;
    let name = if width(&titles) + 11 <= room { " attnlab │" } else { "" };
    let shorten = width(&titles) > room;
    let (mut at, mut targets) = (area.x, Vec::new());
    frame.render_widget(Line::styled(name, theme.title()), Rect { x: at, ..area });
    at += text::width(name) as u16;
    for (index, title) in titles.iter().enumerate() {
        let here = index == app.tab_index();
        let title = if shorten && !here { title.chars().take(3).collect() } else { title.clone() };
        let label = format!(" {} {title} ", index + 1);
        let width = (text::width(&label) as u16).min(area.right().saturating_sub(at));
        let place = Rect { x: at, width, ..area };
        let style = if here { theme.selected().patch(theme.title()) } else { theme.dim() };
        frame.render_widget(Line::styled(label, style), place);
        targets.push((place, ClickTarget::Tab(index)));
        at += width;
    }
    let width = (state.width() as u16).min(area.right().saturating_sub(at));
    frame.render_widget(state, Rect { x: area.right() - width, width, ..area });
    targets
}

/// Draws the keys of the place. Returns what clicks on the keys do.
fn draw_footer(frame: &mut Frame<'_>, app: &App, area: Rect) -> Vec<(Rect, ClickTarget)> {
    let theme = *app.theme();
    let always = [Action::CommandLine, Action::Help, Action::Quit];
    let (last, first): (Vec<_>, Vec<_>) = app
        .keymap()
        .hints(app.place())
        .filter(|(action, ..)| means_something(app, *action))
        .partition(|(action, ..)| always.contains(action));
    let width = |(_, key, word): &(Action, String, &str)| text::width(key) + text::width(word) + 3;
    let mut room = usize::from(area.width).saturating_sub(last.iter().map(width).sum::<usize>() + 1);
    let mut spans = vec![Span::raw(" ")];
    let (mut at, mut targets) = (area.x + 1, Vec::new());
    let fitting = first.iter().take_while(|hint| {
        let fits = width(hint) <= room;
        room = room.saturating_sub(width(hint));
        fits
    });
    for (action, key, word) in fitting.chain(&last) {
        let word = if *action == Action::Pause && is_paused(app) { "go on" } else { word };
        let width = (text::width(key) + text::width(word) + 1) as u16;
        targets.push((Rect { x: at, width, ..area }, ClickTarget::Do(*action)));
        at += width + 2;
        spans.push(Span::styled(key.clone(), theme.accent()));
        spans.push(Span::styled(format!(" {word}  "), theme.dim()));
    }
    frame.render_widget(Line::from(spans), area);
    targets
}

/// Whether the run that the key for pausing acts on is paused.
fn is_paused(app: &App) -> bool {
    let state = match app.problem() {
        Some(tab) => tab.run_to_steer().map(|run| tab.runs[run].view.state),
        None => app.runs().chosen().map(|run| run.state),
    };
    state == Some(RunState::Paused)
}

/// Whether an action does something in the present state. The footer does not offer keys that do nothing.
fn means_something(app: &App, action: Action) -> bool {
    if let Some(Overlay::Sweep(dialog)) = app.overlay() {
        return match action {
            Action::Grid => dialog.list.is_none() && dialog.axes().len() > 1,
            Action::Edit if dialog.input.is_none() => dialog.list.is_none() && dialog.on_cluster,
            Action::Target => dialog.list.is_none(),
            _ => true,
        };
    }
    if matches!(app.overlay(), Some(Overlay::Sweeps)) {
        let chosen = app.sweeps().chosen();
        return match action {
            Action::Resume | Action::Throttle | Action::Cancel => {
                chosen.is_some_and(|entry| entry.job.is_some() && !entry.is_complete())
            }
            Action::Edit | Action::PageDown => chosen.is_some(),
            _ => true,
        };
    }
    if action == Action::Complete {
        return matches!(app.overlay(), Some(Overlay::Commands(_)));
    }
    let Some(tab) = app.problem().filter(|_| app.overlay().is_none()) else {
        return match action {
            Action::Edit | Action::Compare | Action::Run | Action::Resume | Action::Export => {
                !app.on_runs() || app.overlay().is_some() || app.runs().chosen().is_some()
            }
            Action::Stop | Action::Pause => app.runs().chosen().is_some_and(|run| !run.state.is_final()),
            _ => true,
        };
    };
    if let Some(editor) = tab.form.function() {
        return action != Action::PageDown || editor.functions().len() > 1;
    }
    let plots = || tab.runs.iter().any(|run| !run.view.plots.is_empty());
    match action {
        Action::Stop | Action::Pause => tab.runs.iter().any(|run| !run.view.state.is_final()),
        Action::Compare => tab.runs.len() > 1,
        Action::Reopen => app.on_home() && !app.home().page(app.tab_index()).is_empty(),
        Action::Export => !tab.runs.is_empty(),
        Action::Zoom if matches!(tab.pane, Pane::Results | Pane::Remarks) => !tab.runs.is_empty(),
        Action::Zoom => plots() || tab.runs.iter().any(|run| !run.view.matrices.is_empty()),
        Action::LogY | Action::LogX | Action::Smooth => plots(),
        Action::Closer => tab.zoom && tab.shows_axis(),
        Action::Wider | Action::Whole => tab.shows_part(),
        _ => true,
    }
}
