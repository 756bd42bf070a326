//! A path as it is sent: decoded where that changes nothing, refused where two readers could differ.
//!
//! Allow list and scope table are asked about the very text that goes to the API. A text that one
//! server reads as `/orders/x` and the next as `/users` has no place here (RFC 3986 section 6.2.2,
//! CWE-22): dot segments, empty segments, and every escape that could become one.

use percent_encoding::percent_decode_str;

/// How often a path is decoded in search of what hides in it; servers decode once, careless ones twice.
const DEPTH: usize = 4;

/// Why a path is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// `.` or `..`, however it is written.
    #[error("the path holds a dot segment")]
    DotSegment,
    /// `//`, however it is written.
    #[error("the path holds an empty segment")]
    EmptySegment,
    /// A backslash, a control character, or bytes that are no text.
    #[error("the path holds a character that no path should")]
    Character,
    /// An escape within an escape within an escape.
    #[error("the path is escaped again and again")]
    Depth,
}

/// The path with unreserved characters and braces unescaped; it begins with a slash.
pub fn normalised(path: &str) -> Result<String, PathError> {
    let mut level = path.to_owned();
    for depth in 0..=DEPTH {
        check(&level)?;
        let decoded = percent_decode_str(&level).decode_utf8().map_err(|_| PathError::Character)?;
        if decoded == level {
            return Ok(unescaped(path));
        }
        if depth == DEPTH {
            break;
        }
        level = decoded.into_owned();
    }
    Err(PathError::Depth)
}

fn check(path: &str) -> Result<(), PathError> {
    let Some(path) = path.strip_prefix('/') else {
        return Err(PathError::EmptySegment);
    };
    if path.chars().any(|character| character == '\\' || character.is_control()) {
        return Err(PathError::Character);
    }
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        // Some servers cut a segment's parameters off before they look for dots.
        let name = segment.split([';', '?', '#']).next().unwrap_or_default().trim();
        if matches!(name, "." | "..") {
            return Err(PathError::DotSegment);
        }
        if segment.is_empty() && !is_last {
            return Err(PathError::EmptySegment);
        }
    }
    Ok(())
}

/// Unreserved characters stand for themselves (RFC 3986 section 2.3); braces name values.
fn unescaped(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok());
        match code.map(char::from) {
            Some(character) if is_plain(character) => {
                text.push(character);
                rest = &rest[at + 3..];
            }
            Some(_) => {
                text.push_str(&rest[at..at + 3].to_ascii_uppercase());
                rest = &rest[at + 3..];
            }
            None => {
                text.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    text + rest
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~{}".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_two_readers_agree_on_is_passed() {
        let cases = [
            ("/", "/"),
            ("/orders", "/orders"),
            ("/orders/", "/orders/"),
            ("/%6frders/%7Bmerchant_id%7d", "/orders/{merchant_id}"),
            ("/projects/group%2fname", "/projects/group%2Fname"),
            ("/a%20b/c%C3%A9", "/a%20b/c%C3%A9"),
            ("/100%25", "/100%25"),
            ("/x;v=1/y", "/x;v=1/y"),
            ("/a.b/..c/d..", "/a.b/..c/d.."),
            ("/%", "/%"),
            ("/%zz", "/%zz"),
        ];
        for (path, expected) in cases {
            assert_eq!(normalised(path), Ok(expected.to_owned()), "{path}");
        }
    }

    #[test]
    fn a_path_that_hides_another_one_is_refused() {
        let dots = [
            "/orders/../users",
            "/orders/..",
            "/./orders",
            "/orders/%2e%2e/users",
            "/orders/.%2E/users",
            "/orders/..%2fusers",
            "/orders/%2e%2e%2fusers",
            "/orders/..;/users",
            "/orders/..;a=b/users",
            "/orders/%2e%2e%3b/users",
            "/orders/%252e%252e/users",
            "/orders/%252e%252e%252fusers",
            "/orders/..%3fx",
            "/orders/%20../x",
        ];
        for path in dots {
            assert_eq!(normalised(path), Err(PathError::DotSegment), "{path}");
        }
        for path in ["//users", "/orders//users", "/orders/%2fusers", "/orders%2F%2Fusers", "x", ""]
        {
            assert_eq!(normalised(path), Err(PathError::EmptySegment), "{path}");
        }
        for path in
            ["/orders\\..\\users", "/orders%5cusers", "/a%00", "/a%0d%0ab", "/%c0%ae", "/%ff"]
        {
            assert_eq!(normalised(path), Err(PathError::Character), "{path}");
        }
        assert_eq!(normalised("/%2525252525252e"), Err(PathError::Depth));
    }
}
