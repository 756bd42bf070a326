//! Secrets taken out of what passes, by value, however the pieces are cut.
//!
//! A secret becomes as many stars as it has bytes where it stands, so that lengths stay true. Only
//! the beginning of a possible match is held back, so that an event that ends otherwise is not kept
//! waiting. How a secret may be written is told by `spelling`.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hyper::HeaderMap;
use hyper::header::HeaderValue;

use super::spelling::{Found, Spelling};
use crate::secret::Secret;

/// The shortest value that is looked for; a shorter one would match ordinary words.
const SHORTEST: usize = 8;

/// Knows what must not pass.
pub struct Scrubber {
    spellings: Vec<Spelling>,
    /// The fewest bytes that any takes.
    shortest: usize,
    begins: Begins,
}

/// What a look through some bytes has found.
struct Look {
    /// The bytes with stars, where there is something to hide.
    masked: Option<BytesMut>,
    /// Where the end begins that could be the beginning of a secret.
    begun: Option<usize>,
}

impl Scrubber {
    /// Looks for these.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Self {
        let long = secrets.into_iter().filter(|secret| secret.expose().len() >= SHORTEST);
        let spellings: Vec<Spelling> = long.flat_map(Spelling::all_of).collect();
        let shortest = spellings.iter().map(Spelling::shortest).min().unwrap_or(usize::MAX);
        let begins = Begins::of(&spellings);
        Self { spellings, shortest, begins }
    }

    /// Takes secrets out of the values; a name that holds one goes with its value.
    pub fn headers(&self, headers: &mut HeaderMap) {
        let names: Vec<_> =
            headers.keys().filter(|name| self.is_named(name.as_str())).cloned().collect();
        for name in names {
            headers.remove(name);
        }
        for value in headers.values_mut() {
            if let Some(masked) = self.masked(value.as_bytes()) {
                // A part of a value with stars in it is a value.
                *value = HeaderValue::from_bytes(&masked)
                    .unwrap_or_else(|_| HeaderValue::from_static(""));
            }
        }
    }

    /// A text without secrets.
    pub fn text(&self, text: String) -> String {
        match self.masked(text.as_bytes()) {
            None => text,
            Some(masked) => String::from_utf8_lossy(&masked).into_owned(),
        }
    }

    fn is_named(&self, name: &str) -> bool {
        name.len() >= self.shortest && self.spellings.iter().any(|it| it.is_in_name(name))
    }

    /// The bytes with stars, where they hold a whole secret.
    fn masked(&self, bytes: &[u8]) -> Option<BytesMut> {
        match bytes.len() < self.shortest {
            true => None,
            false => self.look(bytes).masked,
        }
    }

    /// Looks at every place once.
    fn look(&self, bytes: &[u8]) -> Look {
        let mut look = Look { masked: None, begun: None };
        let mut stars_end = 0;
        for at in 0..bytes.len() {
            let mut candidates = self.begins.at(bytes, at);
            while candidates != 0 {
                let lane = candidates.trailing_zeros() as usize;
                candidates &= candidates - 1;
                // Where there are more than lanes, some share one.
                for spelling in self.spellings.iter().skip(lane).step_by(LANES) {
                    match spelling.at(&bytes[at..]) {
                        Found::Whole(length) => {
                            let masked = look.masked.get_or_insert_with(|| BytesMut::from(bytes));
                            masked[at..at + length].fill(b'*');
                            stars_end = stars_end.max(at + length);
                            // What had begun before goes on with stars now, and so not as itself.
                            look.begun = None;
                        }
                        Found::Begun if at >= stars_end && look.begun.is_none() => {
                            look.begun = Some(at);
                        }
                        _ => {}
                    }
                }
            }
        }
        look
    }
}

/// How many spellings are told apart by a place's first two bytes.
const LANES: usize = u64::BITS as usize;

/// Which spellings two bytes could begin; most places begin none, and are passed at once.
struct Begins {
    first: [u64; 256],
    second: [u64; 256],
}

impl Begins {
    fn of(spellings: &[Spelling]) -> Self {
        let mut begins = Self { first: [0; 256], second: [0; 256] };
        for (position, spelling) in spellings.iter().enumerate() {
            for byte in 0..=u8::MAX {
                let lane = |fits: bool| u64::from(fits) << (position % LANES);
                let is_escape = matches!(byte, b'%' | b'\\');
                begins.first[usize::from(byte)] |= lane(spelling.may_have(0, byte));
                begins.second[usize::from(byte)] |= lane(spelling.may_have(1, byte) || is_escape);
            }
        }
        begins
    }

    fn at(&self, bytes: &[u8], at: usize) -> u64 {
        let first = self.first[usize::from(bytes[at])];
        let plain = match bytes.get(at + 1) {
            Some(next) => first & self.second[usize::from(*next)],
            None => first,
        };
        match bytes[at] {
            b'%' | b'\\' => plain | self.escaped(&bytes[at..]),
            _ => plain,
        }
    }

    /// The same where an escape stands first.
    fn escaped(&self, text: &[u8]) -> u64 {
        let coded = |digits: &[u8]| {
            let code = std::str::from_utf8(digits).ok();
            let code = code.and_then(|it| usize::from_str_radix(it, 16).ok());
            code.and_then(|code| self.first.get(code)).copied().unwrap_or(0)
        };
        match text {
            [b'%', one, two, ..] => coded(&[*one, *two]),
            [b'\\', b'u', one, two, three, four, ..] => coded(&[*one, *two, *three, *four]),
            [b'\\', b'u', ..] | [_] | [b'%', ..] => u64::MAX,
            [_, next, ..] => self.first[usize::from(*next)],
            [] => 0,
        }
    }
}

/// One body on its way through.
pub struct Scrubbing {
    scrubber: Arc<Scrubber>,
    /// What could be the beginning of a secret.
    held: Bytes,
}

impl Scrubbing {
    /// Nothing has passed yet.
    pub fn new(scrubber: Arc<Scrubber>) -> Self {
        Self { scrubber, held: Bytes::new() }
    }

    /// Lets a piece pass; what comes out may be shorter than what went in, or longer.
    pub fn pass(&mut self, piece: Bytes) -> Bytes {
        let whole = match self.held.is_empty() {
            true => piece,
            false => Bytes::from([&*self.held, &*piece].concat()),
        };
        let look = self.scrubber.look(&whole);
        let mut clean = match look.masked {
            Some(masked) => masked.freeze(),
            None => whole,
        };
        self.held = clean.split_off(look.begun.unwrap_or(clean.len()));
        clean
    }

    /// What was held back, once nothing follows.
    pub fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.held)
    }

    /// How much is held back.
    pub fn held(&self) -> usize {
        self.held.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubber(secrets: &[&str]) -> Arc<Scrubber> {
        let secrets: Vec<Secret> = secrets.iter().map(|it| Secret::new(*it)).collect();
        Arc::new(Scrubber::new(&secrets))
    }

    fn passed(scrubber: &Arc<Scrubber>, pieces: &[&[u8]]) -> String {
        let mut scrubbing = Scrubbing::new(scrubber.clone());
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(&scrubbing.pass(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&scrubbing.rest());
        String::from_utf8(out).unwrap()
    }

    #[test] // AT-25
    fn a_secret_is_found_wherever_the_pieces_are_cut() {
        let scrubber = scrubber(&["inka_secret-token", "another/one+"]);
        let text = b"{\"a\":\"Bearer inka_secret-token\",\"b\":\"another\\/one+\",\"c\":\"another%2Fone%2B\"}";
        let clean = "{\"a\":\"Bearer *****************\",\"b\":\"*************\",\"c\":\"****************\"}";
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(passed(&scrubber, &pieces), clean, "{first} {second}");
            }
        }
        let single: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(passed(&scrubber, &single), clean);
    }

    #[test]
    fn a_beginning_that_comes_to_nothing_passes_unchanged() {
        let scrubber = scrubber(&["aaaaaaab"]);
        let passed_by = passed(&scrubber, &[b"aaaa", b"aaaac", b"aaaaaaa"]);
        assert_eq!(passed_by, "aaaaaaaacaaaaaaa");
        assert_eq!(passed(&scrubber, &[b"aaaa", b"aaaaaab!"]), "aaa********!");
    }

    #[test] // AT-25
    fn a_secret_is_found_as_json_urls_and_base64_write_it() {
        // Seventeen secrets are more spellings than there are lanes.
        let others: Vec<String> = (0..16).map(|it| format!("another-secret-{it}")).collect();
        let mut all: Vec<&str> = others.iter().map(String::as_str).collect();
        all.push("inka_a+b/c=d");
        let scrubber = scrubber(&all);
        for (text, clean) in [
            (r#"{"a":"inka_a\u002bb\u002Fc\u003dd"}"#, format!(r#"{{"a":"{}"}}"#, "*".repeat(27))),
            ("?a=inka_a%2bb%2fc%3Dd&b", format!("?a={}&b", "*".repeat(18))),
            // Of `x:inka_a+b/c=d` and `inka_a+b/c=d`: what neighbours have a part in stays.
            ("Basic eDppbmthX2ErYi9jPWQ=!", format!("Basic eDp{}Q=!", "*".repeat(15))),
            ("aW5rYV9hK2IvYz1k", "*".repeat(16)),
        ] {
            for cut in 0..=text.len() {
                let pieces = [&text.as_bytes()[..cut], &text.as_bytes()[cut..]];
                let out = passed(&scrubber, &pieces);
                assert_eq!(out, clean, "{cut}");
            }
        }
    }

    #[test] // AT-25
    fn an_event_is_not_held_back() {
        let scrubber = scrubber(&["inka_secret-token"]);
        let mut scrubbing = Scrubbing::new(scrubber);
        let event = Bytes::from_static(b"data: inka_\n\n");
        let pointer = event.as_ptr();
        let passed = scrubbing.pass(event);
        assert_eq!((&*passed, scrubbing.held()), (&b"data: inka_\n\n"[..], 0));
        assert_eq!(passed.as_ptr(), pointer, "what is clean is not copied");
        assert_eq!(&*scrubbing.pass(Bytes::from_static(b"data: ink")), b"data: ");
        assert_eq!(scrubbing.held(), 3);
        assert_eq!(&*scrubbing.rest(), b"ink");
    }

    #[test] // AT-25
    fn headers_are_scrubbed_too() {
        let mut headers = HeaderMap::new();
        headers.insert("x-echo", HeaderValue::from_static("Bearer inka_Secret-token!"));
        headers.insert("x-inka_secret-token", HeaderValue::from_static("1"));
        headers.insert("x-plain", HeaderValue::from_static("inka"));
        scrubber(&["inka_Secret-token", "short"]).headers(&mut headers);
        assert_eq!(headers["x-echo"], "Bearer *****************!");
        assert_eq!(headers["x-plain"], "inka");
        assert_eq!(headers.len(), 2);
        assert_eq!(scrubber(&["short"]).text("short".into()), "short");
    }
}
