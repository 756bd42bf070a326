//! Turns the bytes that a terminal sends, canonical mode off, into a pasted line.
//!
//! The terminal's line editing is gone with its 4,096-byte limit, so the few keys a person needs
//! are read here.

use zeroize::Zeroizing;

use super::paste::LONGEST_PASTE;
use crate::secret::Secret;

/// The line so far.
#[derive(Default)]
pub(super) struct Keys {
    text: Zeroizing<Vec<u8>>,
    gap: Gap,
    escape: Escape,
    /// Between the marks that a terminal puts around a paste.
    inside_paste: bool,
    /// Enter was the last key.
    entered: bool,
    ended: bool,
}

/// White space since the last character.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Gap {
    #[default]
    None,
    /// Blanks alone, which part two words.
    Blank,
    /// A line break and what is around it, which is the terminal's.
    Break,
}

/// How far into an escape sequence we are.
#[derive(Default)]
enum Escape {
    #[default]
    Outside,
    Begun,
    /// `ESC O`: one more byte.
    SingleShift,
    /// `ESC [`: parameters, then a byte from `@` to `~`.
    Control(Vec<u8>),
}

const END_OF_TRANSMISSION: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const KILL_LINE: u8 = 0x15;
const ESCAPE: u8 = 0x1b;
const DELETE: u8 = 0x7f;

/// Longer ones are no sequence that a terminal sends.
const LONGEST_PARAMETERS: usize = 16;

impl Keys {
    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match &mut self.escape {
                Escape::Outside => self.key(*byte),
                Escape::Begun => self.escape = begun(*byte),
                Escape::SingleShift => self.escape = Escape::Outside,
                Escape::Control(parameters) if (0x40..=0x7e).contains(byte) => {
                    self.inside_paste = match (parameters.as_slice(), *byte) {
                        (b"200", b'~') => true,
                        (b"201", b'~') => false,
                        _ => self.inside_paste,
                    };
                    self.escape = Escape::Outside;
                }
                Escape::Control(parameters) if parameters.len() < LONGEST_PARAMETERS => {
                    parameters.push(*byte);
                }
                Escape::Control(_) => self.escape = Escape::Outside,
            }
        }
    }

    fn key(&mut self, byte: u8) {
        match byte {
            ESCAPE => self.escape = Escape::Begun,
            b'\r' | b'\n' => {
                self.gap = Gap::Break;
                self.entered |= !self.inside_paste;
            }
            END_OF_TRANSMISSION if !self.inside_paste => self.ended = true,
            BACKSPACE | DELETE if !self.inside_paste => self.remove_last(),
            KILL_LINE if !self.inside_paste => self.clear(),
            b' ' | b'\t' if self.gap == Gap::None => self.gap = Gap::Blank,
            b' ' | b'\t' => {}
            // A key that means nothing here; what is pasted is judged as it came.
            byte if (byte < b' ' || byte == DELETE) && !self.inside_paste => {}
            byte => self.add(byte),
        }
    }

    /// More text after a line break: it was one inside a paste that the terminal did not mark.
    fn add(&mut self, byte: u8) {
        self.entered = false;
        if std::mem::take(&mut self.gap) == Gap::Blank && !self.text.is_empty() {
            self.push(b' ');
        }
        self.push(byte);
    }

    fn push(&mut self, byte: u8) {
        // One byte more than allowed is kept, by which the reader sees that it was too long.
        if self.text.len() <= LONGEST_PASTE {
            grow(&mut self.text);
            self.text.push(byte);
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.gap = Gap::None;
    }

    fn remove_last(&mut self) {
        if std::mem::take(&mut self.gap) == Gap::Blank {
            return;
        }
        // A character's first byte is the one that does not look like 10xxxxxx.
        while self.text.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
    }

    /// The line, once Enter was the last key and the terminal has no more to give; it may be an empty one.
    pub fn line(&mut self) -> Option<Secret> {
        if !std::mem::take(&mut self.entered) {
            return None;
        }
        self.gap = Gap::None;
        let text = std::mem::take(&mut self.text);
        Some(Secret::new(String::from_utf8_lossy(&text)))
    }

    /// Whether Enter was the last key, whatever was typed before it; that is forgotten.
    pub fn entered(&mut self) -> bool {
        let entered = std::mem::take(&mut self.entered);
        if entered {
            self.clear();
        }
        entered
    }

    /// Tells whether Ctrl-D was pressed.
    pub fn ended(&self) -> bool {
        self.ended
    }
}

/// Moves to a larger buffer by hand, so that the smaller one is wiped.
fn grow(text: &mut Zeroizing<Vec<u8>>) {
    if text.len() == text.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(text.len().max(512) * 2));
        larger.extend_from_slice(text);
        *text = larger;
    }
}

fn begun(byte: u8) -> Escape {
    match byte {
        ESCAPE => Escape::Begun,
        b'[' => Escape::Control(Vec::new()),
        b'O' => Escape::SingleShift,
        // Alt and a key.
        _ => Escape::Outside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bytes: &[u8]) -> Option<String> {
        let mut keys = Keys::default();
        // Byte by byte: where a read ends must not matter.
        bytes.iter().for_each(|byte| keys.feed(&[*byte]));
        keys.line().map(|line| line.expose().to_owned())
    }

    // T7
    #[test]
    fn enter_ends_a_line_be_it_an_empty_one() {
        assert_eq!(line(b"code=a\r").as_deref(), Some("code=a"));
        assert_eq!(line(b"\r\n\n  code=a\n").as_deref(), Some("code=a"));
        assert_eq!(line(b"\n \n").as_deref(), Some(""), "so that somebody can be told");
        assert_eq!(line(b"code=a"), None);
    }

    // T7
    #[test]
    fn paste_marks_and_line_breaks_inside_are_taken_out() {
        let marked = b"\x1b[200~code=\r\n a\nb\n\x1b[201~";
        assert_eq!(line(marked), None, "the line break was the paste's own");
        assert_eq!(line(&[marked.as_slice(), b"\r"].concat()).as_deref(), Some("code=ab"));
        assert_eq!(
            line(b"code=\na\r\n b\n").as_deref(),
            Some("code=ab"),
            "a terminal without marks"
        );
    }

    #[test] // T7, RL24
    fn blanks_between_words_and_pasted_control_characters_are_seen_by_the_judge() {
        assert_eq!(line(b"  two \t words \n").as_deref(), Some("two words"));
        assert_eq!(line(b"a \n b\n").as_deref(), Some("ab"), "around a line break");
        assert_eq!(line(b"a \x7fb\n").as_deref(), Some("ab"), "a blank can be taken back");
        assert_eq!(line(b"\x1b[200~a\x01b\x1b[201~\n").as_deref(), Some("a\u{1}b"));
        assert_eq!(line(b"\x01a\x05b\n").as_deref(), Some("ab"), "keys that mean nothing here");
    }

    #[test]
    fn arrows_backspace_and_ctrl_u_do_what_a_person_expects() {
        assert_eq!(line(b"ab\x1b[A\x1bOB\x1b[1;5Cc\x1bx\n").as_deref(), Some("abc"));
        assert_eq!(line("aü\u{7f}b\u{8}c\n".as_bytes()).as_deref(), Some("ac"));
        assert_eq!(line(b"wrong\x15right\n").as_deref(), Some("right"));
        assert_eq!(line(b"\x7f\x7fa\n").as_deref(), Some("a"));
    }

    #[test]
    fn ctrl_d_ends_the_lane_but_not_from_inside_a_paste() {
        let mut keys = Keys::default();
        keys.feed(b"\x1b[200~a\x04b\x1b[201~");
        assert!(!keys.ended());
        keys.feed(b"\x04");
        assert!(keys.ended());
    }

    #[test]
    fn an_endless_paste_stops_growing_just_beyond_the_limit() {
        let mut keys = Keys::default();
        keys.feed(&vec![b'a'; LONGEST_PASTE * 2]);
        keys.feed(b"\n");
        assert_eq!(keys.line().unwrap().expose().len(), LONGEST_PASTE + 1);
    }

    #[test]
    fn a_second_line_starts_anew() {
        let mut keys = Keys::default();
        keys.feed(b"first\n");
        assert_eq!(keys.line().unwrap().expose(), "first");
        assert!(keys.line().is_none());
        keys.feed(b"second\n");
        assert_eq!(keys.line().unwrap().expose(), "second");
    }
}
