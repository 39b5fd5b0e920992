//! Splits streams of bytes into lines of bounded length. Making a line safe to show is in `safe`.

/// Splits a stream of bytes into lines, and holds no more than the limit in memory. Loses and adds nothing:
/// the lines together are the stream.
#[derive(Debug)]
pub struct LineCutter {
    pending: Vec<u8>,
    limit: usize,
}

impl LineCutter {
    /// Creates a cutter that splits lines longer than `limit` bytes; the rest continues in the next line.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { pending: Vec::new(), limit: limit.max(4) }
    }

    /// Accepts bytes, and passes each complete line to `line`, with its line end. A line that was split has
    /// none.
    pub fn push(&mut self, mut bytes: &[u8], mut line: impl FnMut(&[u8])) {
        while !bytes.is_empty() {
            let room = bytes.len().min(self.limit - self.pending.len());
            if let Some(end) = memchr::memchr(b'\n', &bytes[..room]) {
                let (taken, rest) = bytes.split_at(end + 1);
                bytes = rest;
                if self.pending.is_empty() {
                    line(taken);
                } else {
                    self.pending.extend_from_slice(taken);
                    line(&self.pending);
                    self.pending.clear();
                }
                continue;
            }
            self.pending.extend_from_slice(&bytes[..room]);
            bytes = &bytes[room..];
            if self.pending.len() >= self.limit {
                // A split within a character moves its bytes to the next line.
                let end = self.pending.len() - incomplete_tail(&self.pending);
                line(&self.pending[..end]);
                self.pending.drain(..end);
            }
        }
    }

    /// Passes on the rest when the stream ends.
    pub fn finish(&mut self, mut line: impl FnMut(&[u8])) {
        if !self.pending.is_empty() {
            line(&self.pending);
            self.pending.clear();
        }
    }
}

/// Splits a stream of bytes into lines of text: without line ends, and with `U+FFFD` for bytes that are not
/// UTF-8.
#[derive(Debug)]
pub struct LineSplitter(LineCutter);

impl LineSplitter {
    /// Creates a splitter that splits lines longer than `limit` bytes; the rest continues in the next line.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self(LineCutter::new(limit))
    }

    /// Accepts bytes, and passes each complete line to `line`, without its line end.
    pub fn push(&mut self, bytes: &[u8], mut line: impl FnMut(&str)) {
        self.0.push(bytes, |bytes| line(&line_text(bytes)));
    }

    /// Passes on the rest when the stream ends.
    pub fn finish(&mut self, mut line: impl FnMut(&str)) {
        self.0.finish(|bytes| line(&line_text(bytes)));
    }
}

/// Returns the text of a line without its line end; bytes that are not UTF-8 become `U+FFFD`.
#[must_use]
pub fn line_text(line: &[u8]) -> std::borrow::Cow<'_, str> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line))
}

/// Counts the bytes at the end that begin an incomplete UTF-8 character.
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
    fn line_splitter_cuts_at_limit() {
        let mut lines = Vec::new();
        let mut splitter = LineSplitter::new(4);
        splitter.push("ab\r\nabcdefü\nrest".as_bytes(), |line| lines.push(line.to_owned()));
        splitter.finish(|line| lines.push(line.to_owned()));
        assert_eq!(lines, ["ab", "abcd", "efü", "", "rest"]);
    }

    proptest! {
        #[test]
        fn line_cutter_is_independent_of_chunking(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200),
            cut in 0usize..200,
        ) {
            let collect = |parts: &[&[u8]]| {
                let mut lines: Vec<Vec<u8>> = Vec::new();
                let mut cutter = LineCutter::new(16);
                for part in parts {
                    cutter.push(part, |line| lines.push(line.to_owned()));
                }
                cutter.finish(|line| lines.push(line.to_owned()));
                lines
            };
            let cut = cut.min(bytes.len());
            let lines = collect(&[&bytes]);
            prop_assert_eq!(&lines, &collect(&[&bytes[..cut], &bytes[cut..]]));
            prop_assert_eq!(lines.concat(), bytes);
        }
    }
}
