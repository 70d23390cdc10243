//! Texts from runs as they stand in files for others: nothing in them is obeyed by the program that opens the file.

use crate::text::is_obeyed;
use std::borrow::Cow;

/// `text` on one line, with spaces for what would be obeyed.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.contains(is_obeyed) { text.replace(is_obeyed, " ").into() } else { text.into() }
}

/// Text between tags of HTML and SVG, or in double quotes there.
pub fn escaped(text: &str) -> String {
    printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text in Markdown outside of code: no tag, link, picture or table border begins in it.
#[must_use]
pub fn in_markdown(text: &str) -> String {
    let mut safe = String::new();
    let text = printable(text);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        // Only what follows at once makes a tag of it: `entries < 0` is none.
        let begins_tag = |next: &char| next.is_ascii_alphabetic() || "/!?".contains(*next);
        match c {
            '<' if characters.peek().is_some_and(begins_tag) => safe += "&lt;",
            '|' | '[' | '`' => safe.extend(['\\', c]),
            _ => safe.push(c),
        }
    }
    safe
}

/// Text in LaTeX outside of formulas: none of its characters is a command.
#[must_use]
pub fn in_latex(text: &str) -> String {
    let mut safe = String::new();
    for c in printable(text).chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => safe.extend(['\\', c]),
            '~' => safe += "\\textasciitilde{}",
            '^' => safe += "\\textasciicircum{}",
            '\\' => safe += "\\textbackslash{}",
            '<' | '>' | '|' => safe.extend(['$', c, '$']),
            '±' => safe += "$\\pm$",
            '–' => safe += "--",
            '·' => safe += "$\\cdot$",
            _ => safe.push(c),
        }
    }
    safe
}

/// A cell that no spreadsheet takes for a formula: a text that begins like one gets an apostrophe in front, as
/// spreadsheets mark texts themselves. So does what follows a semicolon, where spreadsheets of some languages begin a
/// new cell. Numbers and lists of numbers stay.
pub fn cell(text: &str) -> Cow<'_, str> {
    let is_formula = |part: &str| {
        let begins = part.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
        begins && !part.split(',').all(|number| number.parse::<f64>().is_ok())
    };
    if !text.split(';').any(is_formula) {
        return text.into();
    }
    let parts = text.split(';').map(|part| if is_formula(part) { format!("'{part}") } else { part.to_owned() });
    parts.collect::<Vec<_>>().join(";").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_obeyed() {
        assert_eq!(escaped("<b>\u{1b}]52;c;x\u{7}&\"\u{202e}"), "&lt;b&gt; ]52;c;x &amp;&quot; ");
        assert_eq!(in_markdown("entries < 0"), "entries < 0");
        assert_eq!(in_markdown("a|b <img src=x> ![p](u) `c`\n"), "a\\|b &lt;img src=x> !\\[p](u) \\`c\\` ");
    }

    #[test]
    fn no_character_is_a_command_of_latex() {
        assert_eq!(in_latex("50 % of a_b & {x}^2 ± 1"), "50 \\% of a\\_b \\& \\{x\\}\\textasciicircum{}2 $\\pm$ 1");
        assert_eq!(in_latex("\\input{x}|<$"), "\\textbackslash{}input\\{x\\}$|$$<$\\$");
    }

    #[test]
    fn formulas_become_texts_and_numbers_stay() {
        for text in ["=1+1", "+cmd", "-cmd|x", "@SUM(A1)", " =1", "＝1"] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        assert_eq!(cell("a;=1+1;-2"), "a;'=1+1;-2");
        for text in ["-0.5", "+1e3", "-inf", "-1,2,-3", "softmax", "a=b", ""] {
            assert_eq!(cell(text), text);
        }
    }
}
