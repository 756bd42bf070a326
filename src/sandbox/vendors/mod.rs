//! The vendors' tables: what each one's documents say beyond its provider file.

use super::facts::Facts;
use crate::provider::file::FileError;
use crate::provider::{Provider, catalogue, file};

/// The name of the stand-in for a plain server by the standards' book.
pub const STANDARD: &str = "standard";

const TABLES: [(&str, &str); 6] = [
    ("imprest", include_str!("imprest.toml")),
    ("inkress", include_str!("inkress.toml")),
    ("inventorum", include_str!("inventorum.toml")),
    ("inyo", include_str!("inyo.toml")),
    ("merchantos", include_str!("merchantos.toml")),
    (STANDARD, include_str!("standard.toml")),
];

/// The names there is a stand-in for.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|(name, _)| *name)
}

/// The provider of that name: a shipped one, or the standard's.
pub fn provider(name: &str) -> Option<Result<Provider, FileError>> {
    match name {
        STANDARD => {
            Some(file::read("standard_provider.toml", include_str!("standard_provider.toml")))
        }
        _ => catalogue::shipped(name),
    }
}

/// The table of that name; the standard's where there is none.
pub fn facts(name: &str) -> Result<Facts, toml::de::Error> {
    let table = |wanted: &str| TABLES.iter().find(|(name, _)| *name == wanted);
    let (_, text) = table(name).or_else(|| table(STANDARD)).unwrap_or(&TABLES[0]);
    toml::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vendor_has_a_table_and_a_provider() {
        for name in names() {
            facts(name).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(provider(name).is_some_and(|provider| provider.is_ok()), "{name}");
        }
        for name in catalogue::names() {
            assert!(names().any(|known| known == name), "{name} has no stand-in");
        }
    }
}
