//! A provider file as the tests of this room want it.

use super::file::read;

/// The message about a plain file that these tables follow, and its line in them.
pub fn finding(tables: &str) -> Option<(usize, String)> {
    let head = include_str!("../sandbox/vendors/standard_provider.toml");
    let error = read("p.toml", &format!("{head}\n{tables}")).err()?;
    Some((error.line.unwrap() - head.lines().count() - 1, error.message))
}
