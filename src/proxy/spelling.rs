//! How a secret may be written: as it is, with escapes of JSON and of URLs, within base64.
//!
//! Nothing is decoded into a buffer: the text is read along the secret, an escape at a time, so
//! that any mixture of escapes is the same secret, and the length of what was read is known.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::secret::Secret;

/// How a text goes on from one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The secret is written there, in so many bytes.
    Whole(usize),
    /// It could be, if more followed.
    Begun,
    /// It is not.
    Nothing,
}

/// A secret, or what is left of it within base64.
pub struct Spelling {
    text: Secret,
    /// Whether `-` and `_` are the same as `+` and `/` (RFC 4648 section 5).
    is_base64: bool,
}

impl Spelling {
    /// The secret itself, and its base64 after any number of other bytes.
    pub fn all_of(secret: &Secret) -> impl Iterator<Item = Self> {
        let plain = Self { text: secret.clone(), is_base64: false };
        let encoded = (0..3).map(|before| Self { text: encoded(secret, before), is_base64: true });
        std::iter::once(plain).chain(encoded.collect::<Vec<_>>())
    }

    /// The fewest bytes that it takes.
    pub fn shortest(&self) -> usize {
        self.text.expose().len()
    }

    /// Whether a byte may be where this one of its bytes is expected; escapes are not looked at.
    pub fn may_have(&self, position: usize, byte: u8) -> bool {
        self.text.expose().as_bytes().get(position).is_none_or(|it| self.is_same(*it, byte))
    }

    /// Whether it is written at the beginning of these bytes.
    pub fn at(&self, bytes: &[u8]) -> Found {
        let text = self.text.expose().as_bytes();
        // A secret may itself hold what looks like an escape.
        if bytes.starts_with(text) {
            return Found::Whole(text.len());
        }
        if text.starts_with(bytes) {
            return Found::Begun;
        }
        let mut rest = bytes;
        for expected in text {
            match self.byte(*expected, rest) {
                Found::Whole(length) => rest = &rest[length..],
                other => return other,
            }
        }
        Found::Whole(bytes.len() - rest.len())
    }

    /// Whether a header's name holds it; names come in lower case.
    pub fn is_in_name(&self, name: &str) -> bool {
        let text = self.text.expose().as_bytes();
        name.as_bytes().windows(text.len()).any(|part| part.eq_ignore_ascii_case(text))
    }

    /// One byte of it at the beginning of a text.
    fn byte(&self, expected: u8, text: &[u8]) -> Found {
        let escaped = match text {
            [] | [b'\\'] => Found::Begun,
            [b'%', digits @ ..] => self.escape(expected, 1, 2, digits),
            [b'\\', b'u', digits @ ..] => self.escape(expected, 2, 4, digits),
            [b'\\', byte, ..] if !byte.is_ascii_alphanumeric() && *byte == expected => {
                Found::Whole(2)
            }
            _ => Found::Nothing,
        };
        let is_plain = text.first().is_some_and(|byte| self.is_same(expected, *byte));
        match (escaped, is_plain) {
            (Found::Nothing, true) => Found::Whole(1),
            (escaped, _) => escaped,
        }
    }

    /// As many hexadecimal digits as an escape has, after its beginning.
    fn escape(&self, expected: u8, beginning: usize, count: usize, digits: &[u8]) -> Found {
        let there = &digits[..digits.len().min(count)];
        let mut value: u32 = 0;
        for digit in there {
            match char::from(*digit).to_digit(16) {
                Some(digit) => value = value * 16 + digit,
                None => return Found::Nothing,
            }
        }
        let missing = count - there.len();
        let could_be = |byte: u8| u32::from(byte) >> (4 * missing) == value;
        let others = self.others(expected);
        match (could_be(expected) || others.is_some_and(could_be), missing) {
            (false, _) => Found::Nothing,
            (true, 0) => Found::Whole(beginning + count),
            (true, _) => Found::Begun,
        }
    }

    fn is_same(&self, expected: u8, byte: u8) -> bool {
        expected == byte || self.others(expected) == Some(byte)
    }

    /// What the other alphabet of base64 has for a byte.
    fn others(&self, expected: u8) -> Option<u8> {
        match expected {
            b'+' if self.is_base64 => Some(b'-'),
            b'/' if self.is_base64 => Some(b'_'),
            _ => None,
        }
    }
}

/// The characters of base64 that are the secret's alone, after so many other bytes.
fn encoded(secret: &Secret, before: usize) -> Secret {
    let plain = secret.expose().as_bytes();
    let mut bytes = zeroize::Zeroizing::new(vec![0; before]);
    bytes.extend_from_slice(plain);
    let whole = zeroize::Zeroizing::new(STANDARD.encode(&bytes));
    // Each character is six bits; those that a neighbour has a part in say nothing for certain.
    let first = (before * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    Secret::new(&whole[first..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secret: &str, text: &str) -> Option<usize> {
        let secret = Secret::new(secret);
        Spelling::all_of(&secret).find_map(|spelling| match spelling.at(text.as_bytes()) {
            Found::Whole(length) => Some(length),
            _ => None,
        })
    }

    #[test] // AT-25
    fn a_secret_is_known_with_any_escapes() {
        let secret = "in_+a/b-c\"%2F";
        for text in [
            secret,
            r#"in_\u002ba\u002Fb-c\"\u00252F"#,
            r#"in_\u002Ba\/b\u002dc\u0022%2F"#,
            "in_%2ba%2fb-c%22%252F",
            "in%5F%2Ba%2Fb%2Dc%22%252f",
            r#"\u0069n_+\u0061/b-c"%2F"#,
        ] {
            let longer = format!("{text}0");
            let expected = if text.ends_with('f') { None } else { Some(text.len()) };
            assert_eq!(at(secret, &longer), expected, "{text}");
        }
        for text in ["in_%2ca/b-c\"%2F", r#"in_\u012ba/b-c"%2F"#, r"in_\+a\nb", "in_ a"] {
            assert_eq!(at(secret, text), None, "{text}");
        }
    }

    #[test] // AT-25
    fn a_secret_is_known_within_base64_wherever_it_stands() {
        let secret = "inka_secret-token~?>+/";
        for before in ["", "x", "x:", "a:b", "client-id:"] {
            for after in ["", "y", "yz", ":yz"] {
                let text = STANDARD.encode(format!("{before}{secret}{after}"));
                let url = text.replace('+', "-").replace('/', "_");
                let escaped = text.replace('+', "%2b").replace('/', "%2F").replace('=', "%3D");
                for text in [text.clone(), url, escaped, text.replace('/', "\\/")] {
                    let length = (0..text.len()).find_map(|from| at(secret, &text[from..]));
                    assert!(length.is_some_and(|it| it >= secret.len() * 8 / 6 - 1), "{text}");
                }
            }
        }
    }

    #[test] // AT-25
    fn every_beginning_could_go_on() {
        let secret = Secret::new("in_+a/b%2F");
        for text in ["in_+a/b%2F", r"in_\u002ba\/b\u00252F", "in_%2Ba%2fb%252F"] {
            let plain = Spelling::all_of(&secret).next().unwrap();
            for end in 0..text.len() {
                assert_eq!(plain.at(&text.as_bytes()[..end]), Found::Begun, "{}", &text[..end]);
            }
            assert_eq!(plain.at(text.as_bytes()), Found::Whole(text.len()));
        }
    }
}
