//! Arguments that every command which runs something has.

use clap::Args;

/// How runs are done and results told.
#[derive(Args, Clone, Debug)]
pub struct Telling {
    /// Run so many small runs at a time; 0 for one a core. A large one has every core to itself, or as many of them as its `threads`.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1024))]
    pub workers: u16,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
    /// Show every column of the table.
    #[arg(long)]
    pub wide: bool,
    /// Show no progress.
    #[arg(short, long)]
    pub quiet: bool,
}
