//! A value that stands for something else than itself.

/// Reads the text of another parameter of the same draft, by its key.
pub type TextOf<'a> = dyn Fn(&str) -> String + 'a;

/// A value that stands for something else than itself, as 0 for every image or an empty text for fresh weights.
#[derive(Clone, Copy, Debug)]
pub struct Special {
    /// The value.
    pub value: &'static str,
    /// The word for what it stands for, which may be typed in its place.
    pub word: &'static str,
    /// What it comes to with the other parameters as they are, where that is known: `2 px`.
    pub resolve: Option<fn(&TextOf<'_>) -> Option<String>>,
}

impl Special {
    /// The word, with what it comes to: `auto (2 px)`.
    #[must_use]
    pub fn shown(&self, text_of: &TextOf<'_>) -> String {
        match self.resolve.and_then(|resolve| resolve(text_of)) {
            Some(resolved) => format!("{} ({resolved})", self.word),
            None => self.word.to_owned(),
        }
    }
}
