//! Keys: one table drives dispatch, footer hints, the help overlay and the README's table; a user's file may override
//! it.

mod binding;
mod key;
mod map;
mod table;

pub use binding::{Action, Place};
pub use key::Key;
pub use map::{Keymap, markdown};
