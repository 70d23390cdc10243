//! The command line of the console: what to do, by letters of its name or help.

use crate::console::keymap::{Action, Keymap, Place};
use crate::console::search;
use tui_input::{Input, InputRequest};

/// Something that can be done.
#[derive(Clone, Debug)]
pub struct Deed {
    /// Its name.
    pub name: String,
    /// The key that does it too; empty for none.
    pub key: String,
    /// What it does.
    pub help: &'static str,
    /// What the key stands for.
    pub action: Action,
}

/// The command line.
#[derive(Clone, Debug)]
pub struct CommandLine {
    /// What was typed.
    pub input: Input,
    /// Which of the deeds that match is chosen.
    pub chosen: usize,
    deeds: Vec<Deed>,
}

impl CommandLine {
    /// A command line for what the keys of `place` do, and for the tabs with these titles.
    #[must_use]
    pub fn new(keymap: &Keymap, place: Place, titles: &[&str]) -> Self {
        let deeds = keymap.commands(place).into_iter().filter(|(action, ..)| *action != Action::CommandLine);
        let deed = |(action, key, help): (Action, String, &'static str)| match action {
            Action::Tab(index) => titles.get(index).map(|title| Deed {
                name: title.to_lowercase().replace(' ', "-"),
                key,
                help: "go to this tab",
                action,
            }),
            _ => Some(Deed { name: action.name(), key, help, action }),
        };
        Self { input: Input::default(), chosen: 0, deeds: deeds.filter_map(deed).collect() }
    }

    /// What matches what was typed: names that begin with it first, then names with every word in them, then those whose
    /// help has every word in it.
    #[must_use]
    pub fn matches(&self) -> Vec<&Deed> {
        let rank = |deed: &Deed| {
            let whole = format!("{} {}", deed.name, deed.help.to_lowercase());
            search::rank(self.input.value(), &[&deed.name], &[&deed.name, &whole])
        };
        let mut found: Vec<(usize, &Deed)> = self.deeds.iter().filter_map(|deed| Some((rank(deed)?, deed))).collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, deed)| deed).collect()
    }

    /// What Enter does.
    #[must_use]
    pub fn chosen(&self) -> Option<&Deed> {
        self.matches().get(self.chosen).copied()
    }

    /// Takes a key.
    pub fn type_key(&mut self, request: InputRequest) {
        self.input.handle(request);
        self.chosen = 0;
    }

    /// Moves among what matches.
    pub fn go(&mut self, by: isize) {
        self.chosen = self.chosen.saturating_add_signed(by).min(self.matches().len().saturating_sub(1));
    }

    /// Completes what was typed to the name that is chosen.
    pub fn complete(&mut self) {
        if let Some(name) = self.chosen().map(|deed| deed.name.clone()) {
            (self.input, self.chosen) = (Input::new(name), 0);
        }
    }
}
