//! Did you mean …: the allowed word nearest to a mistyped one.

/// The candidate most like `word`, if one is like enough to be a slip of the keyboard.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count().min(9) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// ` (did you mean …?)` for the nearest candidate, or nothing.
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_slips_and_nothing_else() {
        let kinds = ["softmax", "relu", "exp"];
        assert_eq!(nearest("sofmtax", kinds), Some("softmax"));
        assert_eq!(nearest("RELU", kinds), Some("relu"));
        assert_eq!(nearest("cosine", kinds), None);
        assert_eq!(nearest("", kinds), None);
    }
}
