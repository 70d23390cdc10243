//! How far a text is scrolled.

use crate::console::keymap::Action;
use std::cell::Cell;

/// Lines of a page.
const PAGE: isize = 10;

/// The first line of a text that is shown. Moving may go past the end; whoever draws the text brings it back.
#[derive(Clone, Debug, Default)]
pub struct Scroll(Cell<usize>);

impl Scroll {
    /// Moves by so many lines.
    pub fn go(&self, by: isize) {
        self.0.set(self.0.get().saturating_add_signed(by));
    }

    /// Moves to the first line.
    pub fn to_start(&self) {
        self.0.set(0);
    }

    /// Moves to the last line.
    pub fn to_end(&self) {
        self.0.set(usize::MAX);
    }

    /// Does what a key of a scrolled text stands for.
    pub fn act(&self, action: Action) {
        match action {
            Action::Up => self.go(-1),
            Action::Down => self.go(1),
            Action::PageUp => self.go(-PAGE),
            Action::PageDown => self.go(PAGE),
            Action::First => self.to_start(),
            Action::Last => self.to_end(),
            _ => {}
        }
    }

    /// The first of `lines` to show in `rows` rows, so that no row stays empty that a line could fill.
    #[must_use]
    pub fn first(&self, lines: usize, rows: usize) -> usize {
        self.0.set(self.0.get().min(lines.saturating_sub(rows)));
        self.0.get()
    }
}
