//! The editor of functions that users type: the text with its mistakes, the curves it stands for, facts, and ready functions
//! to start from.

mod curves;
mod facts;
mod list;
mod state;
mod widget;

pub use list::TypedFunction;
pub use state::FunctionEditor;
pub use widget::FunctionEditorWidget;
