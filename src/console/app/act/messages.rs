//! Messages: said, and taken away when their time is over.

use crate::console::app::state::App;
use crate::console::app::toast::{Toast, Tone};
use crate::console::keymap::Action;
use std::time::Duration;

impl App {
    /// Shows a message for some seconds, or until a key that is no movement.
    pub fn say(&mut self, text: impl Into<String>, tone: Tone) {
        self.toast = Some(Toast::new(text.into(), tone));
    }

    /// The newest message and how it is meant, while it is shown.
    #[must_use]
    pub fn message(&self) -> Option<&(String, Tone)> {
        self.toast.as_ref().map(|toast| &toast.said)
    }

    /// How long nothing has to be done for the message: the time until it is taken away. None where there is no message.
    #[must_use]
    pub fn message_left(&self) -> Option<Duration> {
        self.toast.as_ref().map(Toast::left)
    }

    /// Takes the message away if its time is over. Returns whether it was.
    pub(super) fn end_message(&mut self) -> bool {
        self.toast.take_if(|toast| toast.left().is_zero()).is_some()
    }

    /// Takes the message away for a key that does `action`, if that is no movement.
    pub(super) fn answer_message(&mut self, action: Option<Action>) {
        let stays = matches!(
            action,
            Some(
                Action::Up
                    | Action::Down
                    | Action::Left
                    | Action::Right
                    | Action::PageUp
                    | Action::PageDown
                    | Action::First
                    | Action::Last
                    | Action::Interrupt
                    | Action::Redraw
            )
        );
        if !stays {
            self.toast = None;
        }
    }
}
