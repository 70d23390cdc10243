//! The parameter form, generated from a problem's declarations.

mod state;
mod steps;
mod widget;

pub use state::Form;
pub use widget::FormWidget;
