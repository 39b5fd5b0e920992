//! Text from outside made safe for a terminal: no escape sequence, no control character, no
//! invisible reordering survives.

use std::borrow::Cow;

/// One line of foreign text as it may be printed. Escape sequences are dropped; other control
/// characters appear in caret notation (`^M`), and characters that reorder text as `<U+202E>`.
/// A tab stays.
#[must_use]
pub fn safe_line(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let stripped = anstream::adapter::strip_str(text).to_string();
    let mut safe = String::with_capacity(stripped.len());
    for character in stripped.chars() {
        match character {
            c if is_plain(c) => safe.push(c),
            c if u32::from(c) < 0x20 => {
                safe.push('^');
                safe.push(char::from(u8::try_from(u32::from(c)).unwrap_or(0) + b'@'));
            }
            c => safe.push_str(&format!("<U+{:04X}>", u32::from(c))),
        }
    }
    Cow::Owned(safe)
}

fn is_plain(character: char) -> bool {
    match character {
        '\t' => true,
        // Bidirectional overrides and isolates, zero-width and line separators.
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => false,
        c => !c.is_control(),
    }
}

/// Cuts a stream of bytes into lines of bounded length: whatever arrives, no more than the limit
/// is held in memory. Bytes that are not UTF-8 become `U+FFFD`.
#[derive(Debug)]
pub struct LineSplitter {
    pending: Vec<u8>,
    limit: usize,
}

impl LineSplitter {
    /// Lines longer than `limit` bytes are cut there and go on in the next line.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { pending: Vec::new(), limit: limit.max(4) }
    }

    /// Takes bytes in, gives each line that is complete to `line`, without its end.
    pub fn push(&mut self, mut bytes: &[u8], mut line: impl FnMut(&str)) {
        while !bytes.is_empty() {
            let room = self.limit - self.pending.len();
            let end = bytes.iter().take(room).position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(bytes.len().min(room));
            self.pending.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken + usize::from(end.is_some())..];
            if end.is_some() || self.pending.len() >= self.limit {
                self.flush_line(end.is_some(), &mut line);
            }
        }
    }

    /// Gives out what is left when the stream ends.
    pub fn finish(&mut self, mut line: impl FnMut(&str)) {
        if !self.pending.is_empty() {
            self.flush_line(true, &mut line);
        }
    }

    fn flush_line(&mut self, complete: bool, line: &mut impl FnMut(&str)) {
        // A cut in the middle of a character leaves its bytes for the next line.
        let keep = if complete { 0 } else { incomplete_tail(&self.pending) };
        let end = self.pending.len() - keep;
        let text = String::from_utf8_lossy(&self.pending[..end]);
        line(text.strip_suffix('\r').unwrap_or(&text));
        self.pending.drain(..end);
    }
}

/// How many bytes at the end begin a UTF-8 character that is not complete.
fn incomplete_tail(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let byte = bytes[bytes.len() - back];
        let length = match byte {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if length > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_die() {
        assert_eq!(safe_line("plain\ttext ü"), "plain\ttext ü");
        assert_eq!(safe_line("\x1b[31mred\x1b[0m"), "red");
        assert_eq!(safe_line("\x1b]0;title\x07after"), "after");
        assert_eq!(safe_line("a\u{202e}b"), "a<U+202E>b");
        assert!(!safe_line("a\rb").contains('\r'));
    }

    #[test]
    fn lines_are_cut_at_the_limit() {
        let mut lines = Vec::new();
        let mut splitter = LineSplitter::new(4);
        splitter.push("ab\r\nabcdefü\nrest".as_bytes(), |line| lines.push(line.to_owned()));
        splitter.finish(|line| lines.push(line.to_owned()));
        assert_eq!(lines, ["ab", "abcd", "efü", "", "rest"]);
    }

    proptest! {
        #[test]
        fn nothing_alive_survives(text in ".*") {
            let safe = safe_line(&text).into_owned();
            prop_assert!(safe.chars().all(is_plain), "{safe:?}");
        }

        #[test]
        fn splitting_does_not_depend_on_the_chunks(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200),
            cut in 0usize..200,
        ) {
            let collect = |parts: &[&[u8]]| {
                let mut lines = Vec::new();
                let mut splitter = LineSplitter::new(16);
                for part in parts {
                    splitter.push(part, |line| lines.push(line.to_owned()));
                }
                splitter.finish(|line| lines.push(line.to_owned()));
                lines
            };
            let cut = cut.min(bytes.len());
            prop_assert_eq!(collect(&[&bytes]), collect(&[&bytes[..cut], &bytes[cut..]]));
        }
    }
}
