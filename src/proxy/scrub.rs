//! Secrets taken out of what passes, by value, however the pieces are cut.
//!
//! A secret becomes as many stars as it has bytes, so that lengths stay true. Only the beginning
//! of a possible match is held back, so that an event that ends otherwise is not kept waiting.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use memchr::memmem;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::secret::Secret;

/// The shortest value that is looked for; a shorter one would match ordinary words.
const SHORTEST: usize = 8;

/// Up to how many bytes a piece is looked through without a searcher.
const SHORT: usize = 2048;

/// What stands for itself in a URL (RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Knows what must not pass.
pub struct Scrubber {
    /// Each secret as it is, and as JSON and URLs may write it.
    forms: Vec<Secret>,
}

impl Scrubber {
    /// Looks for these.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Self {
        let long = secrets.into_iter().filter(|secret| secret.expose().len() >= SHORTEST);
        Self { forms: long.flat_map(forms).collect() }
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
        self.forms.iter().any(|form| {
            name.len() >= form.expose().len() && name.contains(&form.expose().to_ascii_lowercase())
        })
    }

    /// The bytes with stars, where there is something to hide.
    fn masked(&self, bytes: &[u8]) -> Option<BytesMut> {
        let mut masked: Option<BytesMut> = None;
        for form in &self.forms {
            let form = form.expose().as_bytes();
            let mut from = 0;
            while let Some(at) = find(&bytes[from..], form) {
                let (start, end) = (from + at, from + at + form.len());
                masked.get_or_insert_with(|| BytesMut::from(bytes))[start..end].fill(b'*');
                from = end;
            }
        }
        masked
    }

    /// How many of the last bytes could be the beginning of a secret.
    fn begun(&self, bytes: &[u8]) -> usize {
        let begun = |form: &Secret| {
            let form = form.expose().as_bytes();
            let from = bytes.len().saturating_sub(form.len() - 1);
            let end = &bytes[from..];
            let firsts = memchr::memchr_iter(form[0], end);
            firsts.map(|at| end.len() - at).find(|length| end.ends_with(&form[..*length]))
        };
        self.forms.iter().filter_map(begun).max().unwrap_or(0)
    }
}

/// Where a form begins. Most pieces are headers and short documents, for which a searcher takes
/// longer to make than to use.
fn find(bytes: &[u8], form: &[u8]) -> Option<usize> {
    let last_start = bytes.len().checked_sub(form.len())?;
    if bytes.len() > SHORT {
        return memmem::find(bytes, form);
    }
    memchr::memchr_iter(form[0], &bytes[..=last_start]).find(|at| bytes[*at..].starts_with(form))
}

fn forms(secret: &Secret) -> Vec<Secret> {
    let plain = secret.expose();
    let mut forms = vec![secret.clone()];
    for other in [plain.replace('/', "\\/"), utf8_percent_encode(plain, RESERVED).to_string()] {
        if other != plain {
            forms.push(Secret::new(other));
        }
    }
    forms
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
        let mut clean = match self.scrubber.masked(&whole) {
            Some(masked) => masked.freeze(),
            None => whole,
        };
        self.held = clean.split_off(clean.len() - self.scrubber.begun(&clean));
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
        let long = format!("{}{}", "x".repeat(2 * SHORT), String::from_utf8_lossy(text));
        assert_eq!(passed(&scrubber, &[long.as_bytes()])[2 * SHORT..], *clean);
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
