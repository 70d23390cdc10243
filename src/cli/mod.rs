//! The command-line face: the same jobs without a screen.

mod args;
mod compare;
mod data;
mod examples;
mod export;
mod failure;
mod halve;
mod halving_array;
mod logging;
mod man;
mod merge;
mod output;
mod params;
mod predict;
mod presets;
mod progress;
mod recommend;
mod run;
mod signals;
mod store;
mod sweep;
mod table;
mod target;
mod version;

use crate::lab::Places;
use crate::paths::expanded_below;
use crate::problems;
use crate::threads;
use args::{Arguments, Command, Run};
use clap::{CommandFactory, Parser};
use failure::Failure;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Runs the program on the process's arguments. Without a command that is `console`; `keys` is the table of its keys.
#[must_use]
pub fn main(console: impl FnOnce(Places) -> ExitCode, keys: impl FnOnce() -> String) -> ExitCode {
    attempt(console, keys).unwrap_or_else(|failure| {
        output::complain(&failure.line());
        failure.status()
    })
}

fn attempt(console: impl FnOnce(Places) -> ExitCode, keys: impl FnOnce() -> String) -> Result<ExitCode, Failure> {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // `--help` comes this way too.
        Err(answer) if !answer.use_stderr() => {
            return output::print(&answer.to_string()).map(|()| ExitCode::SUCCESS);
        }
        Err(error) => return Err(error.into()),
    };
    if arguments.version {
        return output::print(&version::told(arguments.verbose)).map(|()| ExitCode::SUCCESS);
    }
    let common = arguments.common;
    let place = |path: PathBuf| expanded_below(Path::new(""), &path);
    let places = Places { logs: place(common.logs), data: place(common.data_dir), presets: place(common.presets) };
    places.announce();
    threads::limit();
    let Some(command) = arguments.command else {
        return Ok(console(places));
    };
    logging::start(common.log_level);
    match command {
        Command::Run(run) if run.help => help("run", &run),
        Command::Sweep(sweep) if sweep.command.is_none() && sweep.run.help => help("sweep", &sweep.run),
        Command::Run(run) => run::run(&run, places),
        Command::Sweep(arguments) => sweep::sweep(&arguments, places),
        Command::Params(parameters) => params::list(&parameters),
        Command::Presets(presets) => presets::list(&presets, &places),
        Command::List(list) => store::list(&list, &places),
        Command::Compare(arguments) => compare::variants(&arguments, &places),
        Command::Show(show) => store::show(&show, &places),
        Command::Resume(resume) => run::resume(&resume, places),
        Command::Export(files) => export::files(&files, &places),
        Command::Report(page) => export::report(&page, &places),
        Command::Tag(tag) => store::tag(&tag, &places),
        Command::Delete(delete) => store::delete(&delete, &places),
        Command::Trash(trash) => store::trash(&trash, &places),
        Command::Predict(predict) => predict::logits(&predict, &places),
        Command::Recommend(question) => recommend::answer(&question, &places),
        Command::Data(sets) => data::data(&sets, &places),
        Command::Keys => output::print(&keys()),
        Command::Man { folder } => man::pages(&folder),
        Command::Completions { shell } => completions(shell),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The page of a command that runs something, or that of the problem it names.
fn help(command: &str, run: &Run) -> Result<(), Failure> {
    if let Some(problem) = run.target.as_deref().and_then(problems::find) {
        return output::print(&params::help(problem));
    }
    let mut program = Arguments::command();
    program.build();
    let page = program.find_subcommand_mut(command).map(|command| command.render_long_help().to_string());
    output::print(&page.unwrap_or_default())
}

fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "attnlab", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
