//! The parameter form, generated from a problem's declarations.

mod find;
mod state;
mod steps;
mod ticks;
mod widget;

pub use state::Form;
pub use widget::FormWidget;
