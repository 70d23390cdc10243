//! The Log tab.

use super::frame::on_lower_edge;
use crate::console::app::App;
use log::LevelFilter;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::BorderType;
use tui_logger::{TuiLoggerLevelOutput, TuiLoggerSmartWidget};

/// Draws the tab.
pub fn draw(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let theme = app.theme();
    let widget = TuiLoggerSmartWidget::default()
        .style_error(theme.bad())
        .style_warn(theme.warn())
        .style_info(Style::new())
        .style_debug(theme.dim())
        .style_trace(theme.faint())
        .style_show(Style::new())
        .style_hide(theme.faint())
        .highlight_style(theme.selected())
        .border_style(theme.border(false))
        .border_type(BorderType::Rounded)
        .output_separator(' ')
        .output_timestamp(Some("%H:%M:%S".to_owned()))
        .output_level(Some(TuiLoggerLevelOutput::Abbreviated))
        .output_target(true)
        .output_file(false)
        .output_line(false)
        .title_target(Line::styled(" Targets ", theme.title()))
        .title_log(Line::styled(" Log ", theme.title()))
        .state(app.log());
    frame.render_widget(widget, area);
    on_lower_edge(frame, theme, area, " E error  W warning  I info  D debug  T trace ");
    if super::super::logging::lines() == 0 {
        let middle = Rect { y: area.y + area.height / 2, height: 1, ..area };
        let words = format!("nothing yet; runs say here when they begin and end ({} and above)", LevelFilter::Debug);
        frame.render_widget(Line::styled(words.to_lowercase(), theme.dim()).centered(), middle);
    }
}
