//! Parameters: how one is declared, what a user types, and the checked values that a problem accepts.

mod declaration;
pub mod list;
mod schema;
mod special;
mod stored;
mod unread;

pub use declaration::{Choice, Kind, Param, ParamError, Value, choice};
pub use schema::{Draft, Params, Schema};
pub use special::{Special, TextOf};
pub use stored::{StoredParams, StoredValue};
