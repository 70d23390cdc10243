//! How well what is typed fits something that is looked for by its letters.

/// The rank of something called `names` among what fits `typed`, the best first: 0 where it is called so, 1 where a name
/// begins so, then the place of the first of `texts` that holds every typed word. None where none does.
#[must_use]
pub fn rank(typed: &str, names: &[&str], texts: &[&str]) -> Option<usize> {
    let typed = typed.trim().to_lowercase();
    if names.contains(&typed.as_str()) {
        return Some(0);
    }
    if names.iter().any(|name| name.starts_with(&typed)) {
        return Some(1);
    }
    let words: Vec<&str> = typed.split_whitespace().collect();
    texts.iter().position(|text| words.iter().all(|word| text.contains(word))).map(|place| place + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_come_before_beginnings_and_these_before_words() {
        let texts = ["log-y", "log-y logarithmic height"];
        assert_eq!(rank(" Log-Y ", &["log-y"], &texts), Some(0));
        assert_eq!(rank("lo", &["log-y"], &texts), Some(1));
        assert_eq!(rank("y", &["log-y"], &texts), Some(2));
        assert_eq!(rank("height log", &["log-y"], &texts), Some(3));
        assert_eq!(rank("width", &["log-y"], &texts), None);
        assert_eq!(rank("", &["log-y"], &texts), Some(1), "nothing typed yet fits everything");
    }
}
