//! The runs there are: every folder in the directory of runs in short, found, named and thrown away.

mod edit;
mod filter;
mod index;
mod listing;
mod plan;
mod summary;

pub use edit::{delete, rename, tag};
pub use filter::{Filter, FilterError};
pub use listing::{Store, list, sort};
pub use plan::Plan;
pub use summary::RunSummary;
