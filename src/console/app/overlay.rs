//! What lies over a tab: lists, text fields, the help, the question whether to leave.

use super::command_line::CommandLine;
use super::scroll::Scroll;
use super::sweep::SweepDialog;
use crate::console::keymap::Place;
use crate::lab::{LabError, Preset, RunSummary};
use std::path::PathBuf;
use tui_input::{Input, InputRequest};

/// What lies over a tab.
pub enum Overlay {
    /// The presets.
    Presets {
        /// The name of each preset, with the preset or why it cannot be read. There is no list while a task reads the
        /// files.
        list: Option<Vec<(String, Result<Preset, LabError>)>>,
        /// The seconds that the runs of each take, where they can be estimated.
        seconds: Vec<Option<f64>>,
        /// Index of the chosen one.
        chosen: usize,
    },
    /// What a sweep stands for, before it starts.
    Sweep(Box<SweepDialog>),
    /// The sweeps on a cluster.
    Sweeps,
    /// The runs in the trash.
    Trash {
        /// The runs, once a task has read them.
        list: Option<Vec<RunSummary>>,
        /// Index of the chosen one.
        chosen: usize,
    },
    /// The command line that does what the form stands for.
    Command {
        /// The command.
        line: String,
        /// How far it is scrolled.
        scroll: Scroll,
    },
    /// The command line.
    Commands(CommandLine),
    /// A text field.
    Typing(Field),
    /// Every key of the place below.
    Help {
        /// The place it was called from.
        place: Place,
        /// How far it is scrolled.
        scroll: Scroll,
    },
    /// The question whether to leave while work is running.
    Leave {
        /// Whether Ctrl-C asked the question. If so, a second Ctrl-C leaves at once.
        interrupted: bool,
    },
}

impl Overlay {
    /// The place whose keys are in force while this lies over the tab.
    #[must_use]
    pub const fn place(&self) -> Place {
        match self {
            Self::Presets { .. } | Self::Trash { .. } => Place::List,
            Self::Sweep(dialog) if dialog.input.is_none() => Place::Sweep,
            Self::Sweeps => Place::Sweeps,
            Self::Commands(_) => Place::Search,
            Self::Sweep(_) | Self::Typing(_) => Place::Typing,
            Self::Help { .. } | Self::Command { .. } => Place::Help,
            Self::Leave { .. } => Place::Leave,
        }
    }
}

/// What a text is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The name of a preset to save.
    Preset,
    /// What the Runs tab shows.
    Filter,
    /// The words that names of results hold.
    Lines,
    /// The name of a run.
    Name(PathBuf),
    /// The tags of a run, or tags that several runs get beside those they have.
    Tags(Vec<PathBuf>),
    /// How many elements of a sweep run at a time.
    Throttle(PathBuf),
}

impl Purpose {
    /// The heading of the field, and a line saying what is allowed.
    #[must_use]
    pub const fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Preset => ("Save as preset", "a name: letters, digits, - _ ."),
            Self::Filter => {
                ("Filter", "words, and key=value, key>number, e.g. problem=vit test_accuracy>0.9; empty: every run")
            }
            Self::Lines => ("Filter", "words that the names of runs or variants hold; empty: all of them"),
            Self::Name(_) => ("Name of the run", "any words; empty: the name that its parameters give it"),
            Self::Tags(runs) if runs.len() > 1 => ("Tags for the marked runs", "words that each of them gets too"),
            Self::Tags(_) => ("Tags of the run", "words with spaces between"),
            Self::Throttle(_) => ("Elements at a time", "a whole number; 0 sets no limit"),
        }
    }
}

/// A text being typed.
#[derive(Clone, Debug)]
pub struct Field {
    /// What it is for.
    pub purpose: Purpose,
    /// The text.
    pub input: Input,
    /// Why it was refused.
    pub error: Option<String>,
    /// Whether a task is doing what the text was typed for. Until it is done, the field takes no keys.
    pub is_waiting: bool,
    /// The text about which it was asked whether to replace what there is.
    pub asked: Option<String>,
    /// What the word before the cursor may become.
    pub choices: Vec<&'static str>,
}

impl Field {
    /// A field that holds `text`.
    #[must_use]
    pub fn new(purpose: Purpose, text: impl Into<String>) -> Self {
        Self {
            purpose,
            input: Input::new(text.into()),
            error: None,
            is_waiting: false,
            asked: None,
            choices: Vec::new(),
        }
    }

    /// The word before the cursor.
    #[must_use]
    pub fn word(&self) -> &str {
        let text = self.input.value();
        let end = text.char_indices().nth(self.input.cursor()).map_or(text.len(), |(at, _)| at);
        text[..end].rsplit(char::is_whitespace).next().unwrap_or_default()
    }

    /// Completes the word before the cursor as far as the `keys` that begin with it are the same.
    pub fn complete(&mut self, keys: impl Fn(&str) -> Vec<&'static str>) {
        let word = self.word().to_owned();
        let keys = if self.purpose == Purpose::Filter && !word.is_empty() { keys(&word) } else { Vec::new() };
        let Some(first) = keys.first() else { return };
        let ends = first.char_indices().map(|(at, _)| at).chain([first.len()]);
        let common = ends.rev().find(|end| keys.iter().all(|key| key.starts_with(&first[..*end]))).unwrap_or(0);
        for character in first[..common].chars().skip(word.chars().count()) {
            self.input.handle(InputRequest::InsertChar(character));
        }
    }

    /// Takes a key.
    pub fn type_key(&mut self, request: InputRequest) {
        if self.is_waiting {
            return;
        }
        self.error = None;
        self.input.handle(request);
    }
}
