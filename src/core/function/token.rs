//! A text as numbers, names and signs.

use super::error::FunctionError;
use std::ops::Range;

/// One piece of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Name(String),
    Sign(char),
    /// After the last piece.
    End,
}

impl Token {
    /// How a message calls it.
    pub fn words(&self) -> String {
        match self {
            Self::Number(number) => format!("the number {number}"),
            Self::Name(name) => format!("`{name}`"),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::End => "the end".to_owned(),
        }
    }
}

/// A piece and the characters it stands at.
pub(super) type Placed = (Token, Range<usize>);

const SIGNS: &str = "+-*/^()[],;=>";

/// Signs that people type for others.
const LOOKALIKES: &[(char, &str)] = &[
    ('−', "`-` for minus"),
    ('–', "`-` for minus"),
    ('·', "`*` for a product"),
    ('×', "`*` for a product"),
    ('÷', "`/` for a quotient"),
    ('²', "`^2` for a square"),
    ('³', "`^3` for a cube"),
    ('√', "sqrt(…) for a root"),
    ('π', "pi"),
    ('{', "( and ) for parentheses"),
    ('}', "( and ) for parentheses"),
];

/// Whether a name may begin with `character`; Greek letters are letters too.
fn is_letter(character: char) -> bool {
    character == '_' || character.is_alphabetic() && LOOKALIKES.iter().all(|(other, _)| *other != character)
}

/// The pieces of `text`, with [`Token::End`] last.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, FunctionError> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&first) = characters.get(at) {
        let start = at;
        let run = |from: usize, keep: &dyn Fn(char) -> bool| {
            from + characters[from..].iter().take_while(|character| keep(**character)).count()
        };
        if first.is_whitespace() {
            at += 1;
        } else if first.is_ascii_digit() || first == '.' {
            at = number_end(&characters, at);
            let word: String = characters[start..at].iter().collect();
            match word.parse::<f64>() {
                Ok(number) if number.is_finite() => tokens.push((Token::Number(number), start..at)),
                Ok(_) => {
                    return Err(FunctionError::new(
                        start..at,
                        format!("`{word}` is too large"),
                        "numbers below 1.8e308",
                    ));
                }
                Err(_) => {
                    let allowed = "numbers as 2, 0.5 or 1e-3";
                    return Err(FunctionError::new(start..at, format!("`{word}` is no number"), allowed));
                }
            }
        } else if is_letter(first) {
            at = run(at, &|character| is_letter(character) || character.is_ascii_digit());
            tokens.push((Token::Name(characters[start..at].iter().collect()), start..at));
        } else if SIGNS.contains(first) {
            at += 1;
            if first == '*' && characters.get(at) == Some(&'*') {
                return Err(FunctionError::new(start..at + 1, "`**` is no operator", "`^` for a power"));
            }
            tokens.push((Token::Sign(first), start..at));
        } else {
            let allowed = LOOKALIKES.iter().find(|(character, _)| *character == first).map_or_else(
                || {
                    format!(
                        "letters, digits, blanks and {}",
                        SIGNS.chars().map(String::from).collect::<Vec<_>>().join(" ")
                    )
                },
                |(_, instead)| (*instead).to_owned(),
            );
            let shown = crate::text::visible(&first.to_string()).into_owned();
            return Err(FunctionError::new(
                start..start + 1,
                format!("the character `{shown}` has no meaning"),
                allowed,
            ));
        }
    }
    tokens.push((Token::End, characters.len()..characters.len()));
    Ok(tokens)
}

/// Where the number that starts at `start` ends: digits, a point, and an exponent if digits follow.
fn number_end(characters: &[char], start: usize) -> usize {
    let digits =
        |from: usize| from + characters[from..].iter().take_while(|c| c.is_ascii_digit() || **c == '.').count();
    let mut end = digits(start);
    if matches!(characters.get(end), Some('e' | 'E')) {
        let signed = end + 1 + usize::from(matches!(characters.get(end + 1), Some('+' | '-')));
        if characters.get(signed).is_some_and(char::is_ascii_digit) {
            end = digits(signed);
        }
    }
    end
}
