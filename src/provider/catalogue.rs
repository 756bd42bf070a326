//! The providers that are shipped: five files, each read when it is asked for.

use super::file::FileError;
use super::schema::Provider;

/// Name and text of every shipped provider.
pub const SHIPPED: [(&str, &str); 5] = [
    ("imprest", include_str!("catalogue/imprest.toml")),
    ("inkress", include_str!("catalogue/inkress.toml")),
    ("inventorum", include_str!("catalogue/inventorum.toml")),
    ("inyo", include_str!("catalogue/inyo.toml")),
    ("merchantos", include_str!("catalogue/merchantos.toml")),
];

/// The same as JSON, which is read in a fifth of the time; made by `build.rs`.
const COMPILED: [(&str, &str); 5] = [
    ("imprest", include_str!(concat!(env!("OUT_DIR"), "/imprest.json"))),
    ("inkress", include_str!(concat!(env!("OUT_DIR"), "/inkress.json"))),
    ("inventorum", include_str!(concat!(env!("OUT_DIR"), "/inventorum.json"))),
    ("inyo", include_str!(concat!(env!("OUT_DIR"), "/inyo.json"))),
    ("merchantos", include_str!(concat!(env!("OUT_DIR"), "/merchantos.json"))),
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
    let (_, compiled) = COMPILED.iter().find(|(shipped, _)| *shipped == name)?;
    Some(serde_json::from_str(compiled).map_err(|error| FileError {
        file: format!("{name}.toml"),
        line: None,
        message: error.to_string(),
        nearest: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn every_shipped_provider_passes_its_own_check_under_its_own_name() {
        for (name, text) in SHIPPED {
            let provider =
                file::read(&format!("{name}.toml"), text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(provider.name, name);
        }
    }

    #[test]
    fn what_was_compiled_is_what_the_file_says() {
        for (name, text) in SHIPPED {
            assert_eq!(shipped(name).unwrap().unwrap(), file::read(name, text).unwrap());
        }
        assert!(shipped("nobody").is_none());
    }
}
