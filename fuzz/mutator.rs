//! Slips in a seed: the kinds that break parsers, in an order that a name decides.

use sha2::{Digest as _, Sha256};

/// Words that mean something to one parser or another.
const WORDS: [&[u8]; 40] = [
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"<",
    b">",
    b",",
    b";",
    b":",
    b"=",
    b"\n",
    b"\r\n",
    b"\0",
    b"\x1b[2K",
    b"\xff\xfe",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x94\x91",
    b"%00",
    b"%2e%2e%2f",
    b"//",
    b"..",
    b"@",
    b"#",
    b"?",
    b"&",
    b"null",
    b"-1",
    b"0",
    b"1e999",
    b"18446744073709551616",
    b"true",
    b"access_token",
    b"error",
    b"rel=next",
    b"Bearer ",
    b"\xef\xbb\xbf",
    b"'''",
    b"\t",
];
/// No input is longer, in bytes.
const LONGEST: usize = 64 * 1024;

/// Makes one input after another.
pub struct Mutator {
    seeds: Vec<Vec<u8>>,
    name: &'static str,
    count: u64,
    pool: Vec<u8>,
}

impl Mutator {
    /// A sequence of its own for each name.
    pub fn new(name: &'static str, seeds: Vec<Vec<u8>>) -> Self {
        Self { seeds, name, count: 0, pool: Vec::new() }
    }

    /// The next input: a seed with one to eight slips.
    pub fn next(&mut self) -> Vec<u8> {
        let mut input = self.seed();
        for _ in 0..=self.below(8) {
            self.slip(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn seed(&mut self) -> Vec<u8> {
        let place = self.below(self.seeds.len());
        self.seeds[place].clone()
    }

    fn slip(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        match self.below(10) {
            0 => input.truncate(at),
            1 | 2 => self.flip(input, at),
            3 | 4 => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(at..at, word.iter().copied());
            }
            5 => {
                let end = (at + self.below(16)).min(input.len());
                input.drain(at..end);
            }
            6 => {
                let end = (at + self.below(64)).min(input.len());
                let part = input[at..end].to_vec();
                input.splice(at..at, part);
            }
            7 => self.repeat(input, at),
            8 => {
                let other = self.seed();
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => {
                let byte = self.byte();
                input.insert(at, byte);
            }
        }
    }

    fn flip(&mut self, input: &mut [u8], at: usize) {
        let bit = 1 << self.below(8);
        if let Some(byte) = input.get_mut(at) {
            *byte ^= bit;
        }
    }

    /// One word so often that a parser that recurses or copies would show it.
    fn repeat(&mut self, input: &mut Vec<u8>, at: usize) {
        let word = WORDS[self.below(WORDS.len())];
        let often = [3, 70, 2_000][self.below(3)];
        input.splice(at..at, word.repeat(often));
    }

    /// A number below another, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        let number = u32::from_le_bytes([self.byte(), self.byte(), self.byte(), 0]);
        number as usize % end
    }

    fn byte(&mut self) -> u8 {
        if self.pool.is_empty() {
            self.count += 1;
            self.pool = Sha256::digest(format!("{} {}", self.name, self.count)).to_vec();
        }
        self.pool.pop().unwrap_or_default()
    }
}
