//! Several choices of one field, ticked in a list.

use crate::lab::{Choice, Kind, Param, choice};

/// What flags are ticked from.
const FLAGS: &[Choice] = &[choice("no", ""), choice("yes", "")];

/// The choices of a field, some of them ticked.
#[derive(Clone, Debug)]
pub(super) struct Ticks {
    /// The choices, each with whether it is ticked.
    pub choices: Vec<(&'static Choice, bool)>,
    /// Where the pointer stands.
    pub at: usize,
}

impl Ticks {
    /// The choices of `param`, those in the list `text` ticked, or every one where `text` is a single value. None for a
    /// parameter without choices.
    pub fn new(param: &Param, text: &str) -> Option<Self> {
        let choices = match param.kind {
            Kind::Choice(choices) => choices,
            Kind::Flag => FLAGS,
            _ => return None,
        };
        let listed: Vec<&str> = text.split(',').map(str::trim).collect();
        let is_ticked = |choice: &Choice| listed.len() == 1 || listed.contains(&choice.name);
        let at = choices.iter().position(|choice| listed.contains(&choice.name)).unwrap_or(0);
        Some(Self { choices: choices.iter().map(|choice| (choice, is_ticked(choice))).collect(), at })
    }

    /// Moves the pointer.
    pub fn go(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.choices.len().saturating_sub(1));
    }

    /// Ticks the choice under the pointer, or not, and goes on to the next.
    pub fn turn(&mut self) {
        if let Some((_, ticked)) = self.choices.get_mut(self.at) {
            *ticked = !*ticked;
        }
        self.go(1);
    }

    /// Ticks every choice, or none where every one is ticked.
    pub fn turn_all(&mut self) {
        let all = self.choices.iter().all(|(_, ticked)| *ticked);
        self.choices.iter_mut().for_each(|(_, ticked)| *ticked = !all);
    }

    /// The ticked choices as a list.
    pub fn text(&self) -> String {
        let ticked = self.choices.iter().filter(|(_, ticked)| *ticked);
        ticked.map(|(choice, _)| choice.name).collect::<Vec<_>>().join(",")
    }
}
