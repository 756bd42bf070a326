//! Which refresh token a connection holds and which one it began with, by their fingerprints: two
//! holders of one grant would end it for each other (RFC 9700 section 4.14.2).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a refresh token that is spent at its use comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// The fingerprint of the grant's first refresh token, as far as it was seen here.
    #[serde(default)]
    pub first: Option<String>,
    /// The fingerprint of the one that is held.
    pub held: String,
    /// When that one was given.
    pub issued_at: Timestamp,
}

/// How two refresh tokens of one grant stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinship {
    /// The very same one.
    Same,
    /// It came later.
    Later,
    /// It came earlier, and is spent.
    Earlier,
}

impl Lineage {
    /// How this one stands to another; `None` where nothing says that they are of one grant.
    pub fn beside(&self, other: &Self) -> Option<Kinship> {
        let begins = |lineage: &Self, with: &str| lineage.first.as_deref() == Some(with);
        let of_one_grant = self.first.is_some() && self.first == other.first;
        if self.held == other.held {
            Some(Kinship::Same)
        } else if begins(other, &self.held) {
            Some(Kinship::Earlier)
        } else if begins(self, &other.held) {
            Some(Kinship::Later)
        } else if of_one_grant {
            let is_later = self.issued_at > other.issued_at;
            Some(if is_later { Kinship::Later } else { Kinship::Earlier })
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage(first: Option<&str>, held: &str, issued_at: i64) -> Lineage {
        let issued_at = Timestamp::from_second(issued_at).unwrap();
        Lineage { first: first.map(str::to_owned), held: held.to_owned(), issued_at }
    }

    #[test] // AT-14
    fn tokens_of_one_grant_are_known_by_their_first_one() {
        let here = lineage(Some("a"), "c", 3);
        let cases = [
            (lineage(None, "c", 9), Some(Kinship::Same)),
            (lineage(Some("a"), "c", 3), Some(Kinship::Same)),
            (lineage(None, "a", 9), Some(Kinship::Earlier)),
            (lineage(Some("a"), "b", 2), Some(Kinship::Earlier)),
            (lineage(Some("a"), "d", 4), Some(Kinship::Later)),
            (lineage(Some("c"), "e", 4), Some(Kinship::Later)),
            (lineage(Some("x"), "y", 4), None),
            (lineage(None, "y", 4), None),
        ];
        for (brought, kinship) in cases {
            assert_eq!(brought.beside(&here), kinship, "{brought:?}");
        }
        assert_eq!(lineage(None, "x", 1).beside(&lineage(None, "y", 1)), None);
    }
}
