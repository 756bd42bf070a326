//! Names of files that stand for a profile: no two profiles share one, and none leaves its folder.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Longer names become a hash: file systems end at 255 bytes, and more is added to the name.
const LONGEST: usize = 160;

/// Turns a profile's name into the first part of a file name.
///
/// Ordinary names stay as they are. Every byte that a file system could take for something else
/// is written as `=` and its two hexadecimal digits.
pub fn file_stem(profile: &str) -> String {
    let mut stem = String::new();
    for (index, byte) in profile.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => stem.push(byte.into()),
            b'.' if index > 0 => stem.push('.'),
            _ => write!(stem, "={byte:02x}").expect("a string takes every byte"),
        }
    }
    match stem.len() {
        0 => "=empty".to_owned(),
        1..=LONGEST => stem,
        _ => hashed(profile),
    }
}

fn hashed(profile: &str) -> String {
    let digest = Sha256::digest(profile.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("=sha256={hex}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test] // ST7, A19
    fn no_name_leaves_the_folder_and_no_two_names_meet() {
        let long = "x".repeat(300);
        let longer = "x".repeat(301);
        let names = [
            "shop",
            "Shop",
            "SHOP",
            "../shop",
            "..",
            ".",
            "",
            "/etc/passwd",
            "a/b",
            "a=2fb",
            "a\\b",
            "a\0b",
            "shop.",
            ".shop",
            "-x",
            "c:con",
            "läden",
            &long,
            &longer,
        ];
        let stems: Vec<_> = names.iter().map(|name| file_stem(name)).collect();
        for stem in &stems {
            assert!(stem.len() <= LONGEST && !stem.is_empty() && !stem.starts_with('.'), "{stem}");
            assert!(!stem.contains(['/', '\\', '\0', ':']), "{stem}");
        }
        let folded: HashSet<_> = stems.iter().map(|stem| stem.to_lowercase()).collect();
        assert_eq!(folded.len(), names.len(), "{stems:?}");
    }

    #[test]
    fn an_ordinary_name_stays_as_it_is() {
        assert_eq!(file_stem("shop-2.test_1"), "shop-2.test_1");
    }
}
