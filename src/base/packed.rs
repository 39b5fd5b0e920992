//! Numbers and texts in a compact form for caches of this machine: no format for others, and none that lasts. A reader
//! returns nothing for what no writer wrote. What is stored, and where, is up to the callers.

/// Marks a text that is absent.
const ABSENT: u32 = u32::MAX;

/// Writes numbers, bytes and texts one after another.
#[derive(Debug, Default)]
pub struct PackedWriter {
    numbers: Vec<u8>,
    texts: String,
}

impl PackedWriter {
    /// Writes a number.
    pub fn number(&mut self, number: u64) {
        self.numbers.extend_from_slice(&number.to_le_bytes());
    }

    /// Writes a number of at most four bytes, such as a length. Larger ones become the largest one.
    pub fn short(&mut self, number: usize) {
        self.numbers.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
    }

    /// Writes a number of one byte.
    pub fn byte(&mut self, number: u8) {
        self.numbers.push(number);
    }

    /// Writes bytes that may be no text.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.short(bytes.len());
        self.numbers.extend_from_slice(bytes);
    }

    /// Writes a text.
    pub fn text(&mut self, text: &str) {
        self.short(text.len());
        self.texts.push_str(text);
    }

    /// Writes a text that may be absent.
    pub fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.numbers.extend_from_slice(&ABSENT.to_le_bytes()),
        }
    }

    /// Returns everything, with a checksum of it at the start.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let Self { numbers, texts } = self;
        let mut all = Vec::with_capacity(numbers.len() + texts.len() + 16);
        all.extend_from_slice(&[0; 8]);
        all.extend_from_slice(&(numbers.len() as u64).to_le_bytes());
        all.extend_from_slice(&numbers);
        all.extend_from_slice(texts.as_bytes());
        let sum = checksum(&all[8..]).to_le_bytes();
        all[..8].copy_from_slice(&sum);
        all
    }
}

/// Reads what a [`PackedWriter`] wrote, in the same order. Each function returns nothing at the end, or for another type.
#[derive(Debug, Clone)]
pub struct PackedReader<'a> {
    numbers: &'a [u8],
    texts: &'a str,
}

impl<'a> PackedReader<'a> {
    /// Opens everything that a writer wrote; `None` if a byte of it is missing or changed.
    #[must_use]
    pub fn open(all: &'a [u8]) -> Option<Self> {
        let (sum, rest) = all.split_first_chunk()?;
        if checksum(rest) != u64::from_le_bytes(*sum) {
            return None;
        }
        let (length, rest) = rest.split_first_chunk()?;
        let (numbers, texts) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        Some(Self { numbers, texts: std::str::from_utf8(texts).ok()? })
    }

    /// Reads a number.
    pub fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.numbers.split_first_chunk()?;
        self.numbers = rest;
        Some(u64::from_le_bytes(*number))
    }

    /// Reads a number of at most four bytes.
    pub fn short(&mut self) -> Option<u32> {
        let (number, rest) = self.numbers.split_first_chunk()?;
        self.numbers = rest;
        Some(u32::from_le_bytes(*number))
    }

    /// Reads a number of items, which is not more than could follow: at least `each` bytes an item.
    pub fn count(&mut self, each: usize) -> Option<usize> {
        let count = usize::try_from(self.short()?).ok()?;
        (count.checked_mul(each.max(1))? <= self.numbers.len()).then_some(count)
    }

    /// Reads a number of one byte.
    pub fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.numbers.split_first()?;
        self.numbers = rest;
        Some(*byte)
    }

    /// Reads bytes.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.short()?).ok()?;
        self.raw(length)
    }

    /// Reads a number of bytes that were written one by one.
    pub fn raw(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.numbers.split_at_checked(length)?;
        self.numbers = rest;
        Some(bytes)
    }

    /// Reads a text.
    pub fn text(&mut self) -> Option<&'a str> {
        self.optional()?
    }

    /// Reads a text that may be absent.
    pub fn optional(&mut self) -> Option<Option<&'a str>> {
        let length = self.short()?;
        if length == ABSENT {
            return Some(None);
        }
        let (text, rest) = self.texts.split_at_checked(usize::try_from(length).ok()?)?;
        self.texts = rest;
        Some(Some(text))
    }
}

/// Returns a checksum against accidents, such as a disk that is full; not against people. Each bit of the input
/// changes it, since each step can be undone. Four sums side by side are as fast as memory.
fn checksum(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |sum: u64, word: u64| (sum ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let mut sums = [1, 2, 3, 4];
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for (sum, word) in sums.iter_mut().zip(words) {
            *sum = step(*sum, u64::from_le_bytes(*word));
        }
    }
    let start = sums.into_iter().fold(bytes.len() as u64, step);
    rest.iter().fold(start, |sum, byte| step(sum, u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Vec<u8> {
        let mut writer = PackedWriter::default();
        writer.number(u64::MAX - 1);
        writer.short(7);
        writer.text("ä text");
        writer.byte(3);
        writer.optional(None);
        writer.bytes(b"\xff\0");
        writer.text("");
        writer.finish()
    }

    #[test]
    fn packed_values_are_read_in_their_order() {
        let all = sample();
        let mut reader = PackedReader::open(&all).expect("is whole");
        assert_eq!(
            (reader.number(), reader.short(), reader.text()),
            (Some(u64::MAX - 1), Some(7), Some("ä text"))
        );
        assert_eq!(
            (reader.byte(), reader.optional(), reader.bytes()),
            (Some(3), Some(None), Some(&b"\xff\0"[..]))
        );
        assert_eq!((reader.text(), reader.byte(), reader.text()), (Some(""), None, None));
    }

    #[test]
    fn packed_reader_refuses_every_changed_byte_and_every_cut() {
        let all = sample();
        for at in 0..all.len() {
            assert!(PackedReader::open(&all[..at]).is_none(), "cut at {at}");
            for bit in 0..8 {
                let mut changed = all.clone();
                changed[at] ^= 1 << bit;
                assert!(PackedReader::open(&changed).is_none(), "bit {bit} of byte {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn packed_reader_takes_any_bytes_without_panic(all in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut sealed = checksum(&all).to_le_bytes().to_vec();
            sealed.extend(&all);
            if let Some(mut reader) = PackedReader::open(&sealed) {
                while reader.optional().is_some() && reader.bytes().is_some() && reader.count(3).is_some() {}
            }
        }
    }
}
