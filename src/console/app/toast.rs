//! A message that lies on the screen for some seconds.

use std::time::{Duration, Instant};

/// How long a message stays.
const USUAL: Duration = Duration::from_secs(6);

/// How long a message about something that went wrong stays.
const LONG: Duration = Duration::from_secs(12);

/// The tone of a message, which decides its colour and how long it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A fact.
    Info,
    /// Something went well.
    Good,
    /// Something went wrong.
    Bad,
}

/// A message on the screen.
#[derive(Clone, Debug)]
pub(super) struct Toast {
    /// What is said, and how it is meant.
    pub said: (String, Tone),
    until: Instant,
}

impl Toast {
    /// A message that is shown from now on.
    pub fn new(text: String, tone: Tone) -> Self {
        let time = if tone == Tone::Bad { LONG } else { USUAL };
        Self { said: (text, tone), until: Instant::now() + time }
    }

    /// How long it stays still.
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}
