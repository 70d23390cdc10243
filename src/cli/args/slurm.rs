//! The options of Slurm as flags, made from their declarations.

use crate::lab::ParamError;
use crate::lab::slurm::{SlurmOption, SlurmOptions};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// What Slurm is asked for on the command line.
#[derive(Clone, Debug, Default)]
pub struct SlurmArguments(pub SlurmOptions);

impl FromArgMatches for SlurmArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut arguments = Self::default();
        arguments.update_from_arg_matches(matches)?;
        Ok(arguments)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for option in &SlurmOptions::ALL {
            if let Some(words) = matches.get_many::<String>(option.key) {
                let refuse = |error: ParamError| clap::Error::raw(ErrorKind::ValueValidation, error);
                self.0.give(option, words.cloned().collect()).map_err(refuse)?;
            }
        }
        Ok(())
    }
}

impl Args for SlurmArguments {
    fn augment_args(command: Command) -> Command {
        SlurmOptions::ALL.into_iter().fold(command, |command, option| command.arg(flag(option)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag(option: SlurmOption) -> Arg {
    let mut help = option.help.to_owned();
    if !option.default.is_empty() {
        help += &format!(" [default: {}]", option.default);
    }
    let check = move |word: &str| option.check(word).map(|()| word.to_owned());
    let flag = Arg::new(option.key).long(option.flag).value_name(option.value_name).help(help).help_heading("Slurm");
    let flag = flag.requires("slurm").value_parser(check);
    let flag = if option.is_repeated() { flag.action(ArgAction::Append).allow_hyphen_values(true) } else { flag };
    match option.short {
        Some(short) => flag.short(short),
        None => flag,
    }
}
