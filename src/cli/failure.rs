//! How a command ends when it does not end well: one line and an exit status.

use crate::lab::{LabError, ParamError};
use std::process::ExitCode;

/// A run failed, or the system refused something.
const FAILED: u8 = 1;
/// The input is bad.
const BAD_INPUT: u8 = 2;
/// Stopped by the user, as a shell counts SIGINT.
const STOPPED: u8 = 130;

/// Why a command did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    status: u8,
    /// One line for the user; empty where everything is said already.
    message: String,
}

impl Failure {
    /// The user can mend it: a file, a key, a value.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self { status: BAD_INPUT, message: message.into() }
    }

    /// The work did not succeed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { status: FAILED, message: message.into() }
    }

    /// The user wanted an end.
    pub fn stopped(message: impl Into<String>) -> Self {
        Self { status: STOPPED, message: message.into() }
    }

    /// What became of `all` runs of which some could not be worked on, for the reasons in `refused`. Each was shown already
    /// where there were several runs.
    pub fn of_several(refused: &[Self], all: usize) -> Result<(), Self> {
        match refused {
            [] => Ok(()),
            [one] if all == 1 => Err(one.clone()),
            several => {
                let message = format!("{} of {all} runs could not be worked on, as said above", several.len());
                let is_bad_input = several.iter().all(|failure| failure.status == BAD_INPUT);
                Err(if is_bad_input { Self::bad_input(message) } else { Self::failed(message) })
            }
        }
    }

    /// Why, as one line.
    pub fn line(&self) -> String {
        format!("attnlab: {}", self.message.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The exit status.
    pub fn status(&self) -> ExitCode {
        ExitCode::from(self.status)
    }
}

impl From<ParamError> for Failure {
    fn from(error: ParamError) -> Self {
        Self::bad_input(error.to_string())
    }
}

impl From<LabError> for Failure {
    fn from(error: LabError) -> Self {
        let message = error.to_string();
        if error.is_bad_input() { Self::bad_input(message) } else { Self::failed(message) }
    }
}

impl From<clap::Error> for Failure {
    /// clap's first paragraphs on one line: what is wrong and its tips, without the usage block.
    fn from(error: clap::Error) -> Self {
        let text = error.to_string();
        let said: Vec<&str> = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
            .filter(|line| !line.is_empty())
            .collect();
        let said = said.join(" ");
        Self::bad_input(format!("{} (see `attnlab --help`)", said.strip_prefix("error: ").unwrap_or(&said)))
    }
}
