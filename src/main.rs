//! The `attnlab` program: the command line, with the console where no command is given.

use attnlab::{cli, console, problems};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main(|places| console::run(places, problems::ALL), console::keymap::markdown)
}
