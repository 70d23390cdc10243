//! `attnlab man`: the manual pages, from the same declarations as `--help`.

use super::args::Arguments;
use super::failure::Failure;
use super::output;
use crate::lab::LabError;
use clap::CommandFactory;
use clap_mangen::Man;
use std::fs;
use std::path::Path;

/// Writes a page for the program and one for each command into `folder`, and names them on standard output.
pub fn pages(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(LabError::io("create", folder))?;
    let mut program = Arguments::command();
    program.build();
    let mut written = vec![page(&program, folder)?];
    for command in program.get_subcommands() {
        written.push(page(command, folder)?);
        for below in command.get_subcommands() {
            written.push(page(below, folder)?);
        }
    }
    output::print(&written.concat())
}

/// The page of one command; its path as a line.
fn page(command: &clap::Command, folder: &Path) -> Result<String, Failure> {
    // Once built, a command knows its whole name: `attnlab sweep status`.
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let path = folder.join(format!("{name}.1"));
    let mut bytes = Vec::new();
    Man::new(command.clone()).render(&mut bytes).map_err(LabError::io("write", &path))?;
    fs::write(&path, bytes).map_err(LabError::io("write", &path))?;
    Ok(format!("{}\n", path.display()))
}
