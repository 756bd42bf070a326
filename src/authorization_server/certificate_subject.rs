//! The subject of an X.509 certificate as text (RFC 4514): the name by which a server knows a client
//! that shows it (RFC 8705 section 2.1.2).
//!
//! Nothing of a certificate is verified here: it is the person's own.

use std::fmt::Write as _;

/// The tags that are met on the way (X.690 section 8).
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const VERSION: u8 = 0xa0;
/// UTF8String, PrintableString, IA5String.
const TEXTS: [u8; 3] = [0x0c, 0x13, 0x16];

/// The attribute types that have a short name (RFC 4514 section 3), by their encoded identifiers.
const NAMES: [(&[u8], &str); 9] = [
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 9], "STREET"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
];

/// The subject, the last name first (RFC 4514 section 2.1); `None` where this is no certificate.
pub fn subject(certificate: &[u8]) -> Option<String> {
    let mut certificate = Reader(certificate);
    let mut to_be_signed = Reader(Reader(certificate.next(SEQUENCE)?).next(SEQUENCE)?);
    if to_be_signed.0.first() == Some(&VERSION) {
        to_be_signed.any()?;
    }
    // Serial number, signature algorithm, issuer, validity (RFC 5280 section 4.1).
    for _ in 0..4 {
        to_be_signed.any()?;
    }
    let mut names = Reader(to_be_signed.next(SEQUENCE)?);
    let mut relative = Vec::new();
    while !names.0.is_empty() {
        relative.push(several(names.next(SET)?)?);
    }
    relative.reverse();
    Some(relative.join(","))
}

/// One relative name, which may have several values.
fn several(set: &[u8]) -> Option<String> {
    let mut set = Reader(set);
    let mut values = Vec::new();
    while !set.0.is_empty() {
        let mut pair = Reader(set.next(SEQUENCE)?);
        let kind = pair.next(OBJECT_IDENTIFIER)?;
        values.push(one(kind, pair.0)?);
    }
    Some(values.join("+"))
}

/// `CN=text`, or `1.2.3=#hex` for what has no short name or is no text (RFC 4514 sections 2.3, 2.4).
fn one(kind: &[u8], value: &[u8]) -> Option<String> {
    let (tag, content) = Reader(value).any()?;
    let name = NAMES.iter().find(|(known, _)| *known == kind).map(|(_, name)| *name);
    let text = std::str::from_utf8(content).ok().filter(|_| TEXTS.contains(&tag));
    match (name, text) {
        (Some(name), Some(text)) => Some(format!("{name}={}", escaped(text))),
        (name, _) => {
            let mut written = name.map_or_else(|| dotted(kind), |it| Some(it.to_owned()))?;
            written.push_str("=#");
            for byte in value {
                let _ = write!(written, "{byte:02x}");
            }
            Some(written)
        }
    }
}

/// RFC 4514 section 2.4.
fn escaped(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut escaped = String::new();
    for (at, letter) in text.chars().enumerate() {
        let at_an_end = letter == ' ' && (at == 0 || at == last) || letter == '#' && at == 0;
        match letter {
            '\0' => escaped.push_str("\\00"),
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.extend(['\\', letter]),
            _ if at_an_end => escaped.extend(['\\', letter]),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// An object identifier in figures (X.690 section 8.19).
fn dotted(encoded: &[u8]) -> Option<String> {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc: u64 = 0;
    for byte in encoded {
        arc = arc.checked_mul(128)?.checked_add(u64::from(byte & 0x7f))?;
        if byte & 0x80 == 0 {
            arcs.push(std::mem::take(&mut arc));
        }
    }
    let (first, rest) = arcs.split_first()?;
    let top = (*first / 40).min(2);
    let mut written = format!("{top}.{}", first - top * 40);
    for arc in rest {
        let _ = write!(written, ".{arc}");
    }
    Some(written)
}

/// Reads one value after the other (X.690 section 8.1).
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.any().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }
}

/// The definite form alone, in four bytes at most.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let Some(count) = first.checked_sub(0x80) else { return Some((usize::from(*first), rest)) };
    if !(1..=4).contains(&count) {
        return None;
    }
    let (bytes, rest) = rest.split_at_checked(usize::from(count))?;
    let length = bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    Some((usize::try_from(length).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // EX7, CA8
    fn a_name_is_written_so_that_it_reads_in_one_way() {
        assert_eq!(escaped(" a,b "), r"\ a\,b\ ");
        assert_eq!(escaped(r#"#"+;<>\"#), r#"\#\"\+\;\<\>\\"#);
        assert_eq!(escaped("a # b"), "a # b");
        assert_eq!(escaped(" "), r"\ ");
        let e_mail = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
        let text = [0x16, 3, b'a', b'@', b'b'];
        assert_eq!(one(&e_mail, &text).unwrap(), "1.2.840.113549.1.9.1=#1603614062");
        assert_eq!(one(&[0x55, 4, 3], &[0x1e, 2, 0, 65]).unwrap(), "CN=#1e020041");
    }

    #[test]
    fn what_is_no_certificate_has_no_subject() {
        for bytes in [&[][..], &[0x30], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 0x80, 0, 0]]
        {
            assert_eq!(subject(bytes), None, "{bytes:?}");
        }
    }
}
