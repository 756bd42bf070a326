//! `Link` headers taken apart (RFC 8288 section 3): several headers, several links in each.
//!
//! Read by hand: the libraries there are either split at every comma and semicolon, quoted or
//! not, or give up a whole header for one parameter that is not as the book says.

use super::quoted_string;

/// The target of the first link to the next page, as it is written.
///
/// A link with an anchor is about another page than this one (section 3.2) and does not count.
pub fn next<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    headers.into_iter().find_map(|header| {
        let mut reader = Reader { rest: header };
        std::iter::from_fn(|| reader.link()).find(Link::is_next).map(|link| link.target)
    })
}

/// The header with other targets; links for which there is none are left out, and so are those
/// whose parameters hold what a careless reader could take for another link.
pub fn with_targets(header: &str, other: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut reader = Reader { rest: header };
    let links = std::iter::from_fn(|| reader.link()).filter(|link| !link.parameters.contains('<'));
    let links = links.filter_map(|link| {
        let target = other(link.target)?;
        Some(format!("<{target}>{}", link.parameters.trim_end()))
    });
    let links: Vec<String> = links.collect();
    (!links.is_empty()).then(|| links.join(", "))
}

/// One link, as far as it matters here.
struct Link<'a> {
    target: &'a str,
    /// What follows the target, as it is written.
    parameters: &'a str,
    /// The first `rel`; others do not count (section 3.3).
    relations: Option<String>,
    has_anchor: bool,
}

impl Link<'_> {
    fn is_next(&self) -> bool {
        let relations = self.relations.as_deref().unwrap_or_default();
        !self.has_anchor && relations.split_whitespace().any(|it| it.eq_ignore_ascii_case("next"))
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Reads the next link; what stands before its angle bracket is passed over.
    fn link(&mut self) -> Option<Link<'a>> {
        let (_, after) = self.rest.split_once('<')?;
        let (target, after) = after.split_once('>')?;
        self.rest = after;
        let target = target.trim();
        let mut link = Link { target, parameters: "", relations: None, has_anchor: false };
        while let Some((name, value)) = self.parameter() {
            match name.to_ascii_lowercase().as_str() {
                "rel" if link.relations.is_none() => link.relations = Some(value),
                "anchor" => link.has_anchor = true,
                _ => {}
            }
        }
        link.parameters = &after[..after.len() - self.rest.len()];
        Some(link)
    }

    /// Reads one parameter; `None` at the comma before the next link and at the end.
    fn parameter(&mut self) -> Option<(&'a str, String)> {
        loop {
            self.skip_blanks();
            self.rest = self.rest.strip_prefix(';')?;
            self.skip_blanks();
            let name = self.up_to(&['=', ';', ',', ' ', '\t']);
            self.skip_blanks();
            let value = match self.rest.strip_prefix('=') {
                Some(after) => {
                    self.rest = after;
                    self.value()
                }
                None => String::new(),
            };
            if !name.is_empty() {
                return Some((name, value));
            }
        }
    }

    fn value(&mut self) -> String {
        self.skip_blanks();
        match self.rest.strip_prefix('"') {
            Some(quoted) => self.quoted(quoted),
            None => self.up_to(&[';', ',', ' ', '\t']).to_owned(),
        }
    }

    fn quoted(&mut self, quoted: &'a str) -> String {
        let (value, rest) = quoted_string::read(quoted);
        self.rest = rest;
        value
    }

    fn up_to(&mut self, ends: &[char]) -> &'a str {
        let (before, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        before
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }
}

#[cfg(test)]
mod tests {
    use super::{next, with_targets};

    #[test] // AT-25
    fn targets_are_exchanged_and_links_without_one_left_out() {
        let other =
            |target: &str| target.strip_prefix("/own").map(|rest| format!("http://p{rest}"));
        let cases = [
            (r#"</own/x?page=2>; rel="next""#, Some(r#"<http://p/x?page=2>; rel="next""#)),
            (
                r#"<a>; rel=prev, </own/b> ; rel=next ,</own>"#,
                Some("<http://p/b> ; rel=next, <http://p>"),
            ),
            (
                r#"</own>; title="x, <b>; rel=\"next\"", </own/c>;rel=last"#,
                Some("<http://p/c>;rel=last"),
            ),
            (r#"</own>; rel=next<https://evil.example/>"#, None),
            (
                r#"</own>; title="x, y"; rel="next", <z>"#,
                Some(r#"<http://p>; title="x, y"; rel="next""#),
            ),
            ("<https://evil.example/>; rel=next", None),
            ("</own", None),
            ("", None),
        ];
        for (header, expected) in cases {
            assert_eq!(with_targets(header, other).as_deref(), expected, "{header}");
        }
    }

    #[test] // RR19
    fn the_next_page_is_found_however_the_header_is_written() {
        let cases: [(&[&str], Option<&str>); 24] = [
            (&[r#"<https://a.example/x?page=2>; rel="next""#], Some("https://a.example/x?page=2")),
            (&["<?page=2>;rel=next"], Some("?page=2")),
            (&["</x> ; rel = next"], Some("/x")),
            (&[r#"<a>; rel="prev", <b>; rel="next", <c>; rel="last""#], Some("b")),
            (&[r#"<a>; rel="prev""#, r#"<b>; rel="next""#], Some("b")),
            (&[r#"<a>; REL="NEXT""#], Some("a")),
            (&[r#"<a>; rel="last next""#], Some("a")),
            (&[r#"<a>; rel="nextish""#], None),
            (&[r#"<a>; rel="prev"; rel="next""#], None),
            (&[r#"<a>; title="x, <b>; rel=\"next\"""#], None),
            (&[r#"<a>; title="x; \"y\""; rel="next""#], Some("a")),
            (&[r#"<a,b;c>; rel="next""#], Some("a,b;c")),
            (&[r##"<a>; rel="next"; anchor="#part", <b>; rel="next""##], Some("b")),
            (&[r#"<a>; rel="next", <b>; rel="next""#], Some("a")),
            (&[r#"<a>; crossorigin; rel="next""#], Some("a")),
            (&[r#"<a>;; rel="next""#], Some("a")),
            (&[r#", ,<a>; rel="next""#], Some("a")),
            (&[r#"<a>; title*=UTF-8''n%c3%a4chste; rel=next"#], Some("a")),
            (&["<>; rel=next"], Some("")),
            (&["<a; rel=next"], None),
            (&["a>; rel=next"], None),
            (&[r#"<a>; rel="next"#], Some("a")),
            (&[""], None),
            (&[], None),
        ];
        for (headers, expected) in cases {
            assert_eq!(next(headers.iter().copied()), expected, "{headers:?}");
        }
    }
}
