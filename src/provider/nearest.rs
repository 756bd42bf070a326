//! The nearest right word to a wrong one.

/// Gives the candidate closest to `word`, if one is close enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.78)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_nonsense_finds_none() {
        let scopes = ["orders:read", "orders:write", "wallet:read"];
        assert_eq!(nearest("order:read", scopes), Some("orders:read"));
        assert_eq!(nearest("inkres", ["inkress", "inyo"]), Some("inkress"));
        assert_eq!(nearest("zzz", scopes), None);
    }
}
