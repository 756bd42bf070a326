//! The providers that are shipped: five files, parsed when they are asked for.

use super::file::{self, FileError};
use super::schema::Provider;

/// Name and text of every shipped provider.
pub const SHIPPED: [(&str, &str); 5] = [
    ("imprest", include_str!("catalogue/imprest.toml")),
    ("inkress", include_str!("catalogue/inkress.toml")),
    ("inventorum", include_str!("catalogue/inventorum.toml")),
    ("inyo", include_str!("catalogue/inyo.toml")),
    ("merchantos", include_str!("catalogue/merchantos.toml")),
];

/// The names of the shipped providers.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, _)| *name)
}

/// The text of a shipped provider.
pub fn text(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
}

/// A shipped provider; `None` where there is none of that name.
pub fn shipped(name: &str) -> Option<Result<Provider, FileError>> {
    text(name).map(|text| file::read(&format!("{name}.toml"), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_provider_passes_its_own_check_under_its_own_name() {
        for name in names() {
            let provider = shipped(name).unwrap().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(provider.name, name);
        }
    }
}
