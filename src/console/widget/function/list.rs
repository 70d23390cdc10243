//! The functions of a list that is being typed, each with its place in the whole text.

use crate::function::{Function, FunctionError};
use crate::lab::list;
use std::ops::Range;

/// One function of the text, good or not.
#[derive(Clone, Debug)]
pub struct TypedFunction {
    /// Its characters in the whole text, without blanks around them.
    place: Range<usize>,
    text: String,
    /// The newest text in this place that was a function.
    good: Option<Function>,
    /// What is wrong with the text, with its place in it.
    error: Option<FunctionError>,
}

impl TypedFunction {
    /// Reads one function. What was `good` in its place before stays so if this one is not.
    fn read(text: &str, good: Option<Function>) -> Self {
        let (good, error) = match Function::parse(text) {
            Ok(function) => (Some(function), None),
            Err(error) => (good, Some(error)),
        };
        Self { place: 0..0, text: text.to_owned(), good, error }
    }

    /// Its characters in the whole text, without blanks around them.
    #[must_use]
    pub fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// Its text as typed, without blanks around it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The function; where the text has a mistake, the newest one in its place that had none.
    #[must_use]
    pub const fn good(&self) -> Option<&Function> {
        self.good.as_ref()
    }

    /// Whether the text has a mistake.
    #[must_use]
    pub const fn is_wrong(&self) -> bool {
        self.error.is_some()
    }

    /// What is wrong with the text, with its place in the whole text.
    #[must_use]
    pub fn error(&self) -> Option<FunctionError> {
        let FunctionError { place, reason, allowed } = self.error.clone()?;
        let place = self.place.start + place.start..self.place.start + place.end;
        Some(FunctionError { place, reason, allowed })
    }
}

/// The functions of `text`, at least one. Those that stood in the list `before` are not read again.
pub(super) fn read(text: &str, separator: char, mut before: Vec<TypedFunction>) -> Vec<TypedFunction> {
    let pieces = pieces(text, separator);
    let is_same = |(known, (_, piece)): &(&TypedFunction, &(Range<usize>, &str))| known.text == *piece;
    let head = before.iter().zip(&pieces).take_while(is_same).count();
    let most = before.len().min(pieces.len()) - head;
    let tail = before.iter().rev().zip(pieces.iter().rev()).take(most).take_while(is_same).count();
    let last = before.split_off(before.len() - tail);
    let mut replaced = before.split_off(head).into_iter();
    let mut functions = before;
    for (_, piece) in &pieces[head..pieces.len() - tail] {
        functions.push(TypedFunction::read(piece, replaced.next().and_then(|function| function.good)));
    }
    functions.extend(last);
    functions.iter_mut().zip(pieces).for_each(|(function, (place, _))| function.place = place);
    functions
}

/// The parts of a list, each with its characters in `text`.
fn pieces(text: &str, separator: char) -> Vec<(Range<usize>, &str)> {
    let (mut bytes, mut characters) = (0, 0);
    let mut character_at = |byte: usize| {
        characters += text[bytes..byte].chars().count();
        bytes = byte;
        characters
    };
    let places = list::places(text, separator);
    places
        .map(|place| {
            let part = &text[place.clone()];
            let start = place.start + part.len() - part.trim_start().len();
            let piece = part.trim();
            (character_at(start)..character_at(start + piece.len()), piece)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_its_place() {
        let functions = read(" relu(ü) |elu(u)+1 || exp(", '|', Vec::new());
        let places: Vec<_> = functions.iter().map(TypedFunction::place).collect();
        assert_eq!(places, [1..8, 10..18, 20..20, 22..26]);
        let errors: Vec<_> = functions.iter().map(|function| function.error().map(|error| error.place)).collect();
        assert_eq!(errors, [Some(6..7), None, Some(20..20), Some(26..26)]);
    }

    #[test]
    fn what_was_good_stays_until_it_is_again() {
        let texts = |functions: &[TypedFunction]| {
            let text = |function: &TypedFunction| function.good().map(|good| good.text().to_owned());
            functions.iter().map(text).collect::<Vec<_>>()
        };
        let good = |text: &str| Some(text.to_owned());
        let mut functions = read("exp(u) | relu(u)", '|', Vec::new());
        for (text, expected) in [
            ("exp(u | relu(u)", vec![good("exp(u)"), good("relu(u)")]),
            ("elu(u) | exp(u | relu(u)", vec![good("elu(u)"), good("exp(u)"), good("relu(u)")]),
            ("elu(u) | exp(u | v | relu(u)", vec![good("elu(u)"), good("exp(u)"), None, good("relu(u)")]),
            ("relu(u)", vec![good("relu(u)")]),
            ("", vec![good("relu(u)")]),
            ("u", vec![good("u")]),
        ] {
            functions = read(text, '|', functions);
            assert_eq!(texts(&functions), expected, "{text}");
        }
    }
}
