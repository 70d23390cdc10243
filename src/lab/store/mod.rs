//! The runs there are: every folder in the directory of runs in short, found, named and thrown away.

mod edit;
mod filter;
mod index;
mod listing;
mod plan;
mod summary;
mod trash;

pub use edit::{rename, tag};
pub use filter::{Filter, FilterError};
pub use listing::{Store, list, sort};
pub use plan::Plan;
pub use summary::RunSummary;
pub use trash::{delete, restore, trash};
