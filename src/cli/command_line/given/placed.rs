//! A command that names a place to discover, for advice on that place.

use super::Given;

/// A whole command line that names a place to discover, for advice on that place.
pub struct Typed {
    /// `connect`, `import` or `provider new`.
    pub verb: &'static str,
    /// The profile, or the provider that is made.
    pub name: String,
    /// The flag that names the place.
    pub place: &'static str,
    /// The rest.
    pub given: Given,
}

impl Typed {
    /// The same command for another place, and one of its authorization servers; both are words.
    pub fn at(&self, place: &str, server: Option<&str>) -> String {
        const SERVER: &str = "--authorization-server";
        let mut plus = vec![(self.place, place)];
        plus.extend(server.map(|server| (SERVER, server)));
        // A place that is an authorization server itself names none.
        let given = self.given.where_flag(|flag| flag.name != SERVER);
        given.command(self.verb, &self.name, &plus)
    }
}
