//! Bytes that a text has as numbers: hexadecimal digits with or without separators, and lists of decimal or octal
//! numbers. Other encodings belong in `decodings`.

/// Minimum bytes to decode; fewer hold no host, and match ordinary words and numbers.
pub(super) const SHORTEST: usize = 4;
/// Maximum characters between two numbers of one list.
const WIDEST_GAP: usize = 8;

/// Decodes the bytes of a text that are written as numbers.
pub(super) fn numbers(text: &str) -> Vec<String> {
    // Digits without separators may adjoin other letters.
    let runs = text.split(|c: char| !c.is_ascii_hexdigit()).filter(|run| run.len() >= 2 * SHORTEST);
    let mut found: Vec<String> = runs.filter_map(|run| text_in(&pairs(run)?)).collect();
    for radix in [ByteNotation::Hexadecimal, ByteNotation::Decimal, ByteNotation::Octal] {
        found.extend(lists(text, radix).iter().filter_map(|bytes| text_in(bytes)));
    }
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByteNotation {
    Hexadecimal,
    Decimal,
    Octal,
}

impl ByteNotation {
    /// Returns the bytes of a word, if it is a number.
    fn bytes(self, word: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hexadecimal => {
                let prefixed =
                    ["0x", "0X", "x", "X"].into_iter().find_map(|prefix| word.strip_prefix(prefix));
                let digits = prefixed.unwrap_or(word);
                digits.len().is_multiple_of(2).then(|| pairs(digits)).flatten()
            }
            Self::Decimal => Some(vec![word.parse().ok()?]),
            Self::Octal => {
                let digits = word.strip_prefix("0o").unwrap_or(word);
                let is_byte = (2..=4).contains(&digits.len());
                Some(vec![is_byte.then(|| u8::from_str_radix(digits, 8).ok()).flatten()?])
            }
        }
    }
}

/// Returns the bytes of each list of numbers in a text.
fn lists(text: &str, radix: ByteNotation) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    let (mut list, mut gap) = (Vec::new(), 0);
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        // An empty word stands for one more separator.
        gap += 1;
        if word.is_empty() {
            continue;
        }
        let bytes = radix.bytes(word);
        if bytes.is_none() || gap > WIDEST_GAP {
            all.push(std::mem::take(&mut list));
        }
        list.extend(bytes.unwrap_or_default());
        gap = 0;
    }
    all.push(list);
    all.retain(|list| list.len() >= SHORTEST);
    all
}

/// Returns the bytes of hexadecimal digits, without a single last digit.
fn pairs(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks_exact(2).map(|pair| std::str::from_utf8(pair).ok());
    // `from_str_radix` accepts a sign.
    let pairs = pairs.map(|pair| pair.filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit())));
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

/// Extracts the text from some bytes: all printable pieces. If more than a third of the bytes are zero,
/// as in UTF-16, the zeros are dropped first.
pub(super) fn text_in(bytes: &[u8]) -> Option<String> {
    let zeros = bytes.iter().filter(|byte| **byte == 0).count();
    let bytes: Vec<u8> = if zeros * 3 > bytes.len() {
        bytes.iter().copied().filter(|byte| *byte != 0).collect()
    } else {
        bytes.to_vec()
    };
    let text = String::from_utf8_lossy(&bytes);
    let is_strange =
        |c: char| c == char::REPLACEMENT_CHARACTER || (c.is_control() && !c.is_ascii_whitespace());
    // Text of only unusual characters contains no name.
    let longest = text.split(is_strange).map(str::len).max()?;
    (longest >= SHORTEST).then(|| text.replace(is_strange, " "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_decode_short_hosts_and_separated_digits() {
        for text in [
            "612e696f",
            "0x612e696f",
            "61:2e:69:6f",
            "61 2E 69 6F",
            "[0x61, 0x2e, 0x69, 0x6f]",
            "{0x61,0x2e,0x69,0x6f}",
            "612e 696f",
            "61-2e-69-6f",
            "[97, 46, 105, 111]",
            "{\"type\":\"Buffer\",\"data\":[97,46,105,111]}",
            "0141 056 0151 0157",
            "name=612e696f5",
            "61002e0069006f00",
        ] {
            assert!(numbers(text).iter().any(|found| found.contains("a.io")), "{text}: {:?}", numbers(text));
        }
        for text in ["", "61 2e", "2026-11-28", "10.0.0.1", "true false null maybe"] {
            assert_eq!(numbers(text), [""; 0], "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_decode_text_with_any_separator(
            text in "[a-z][a-z0-9.:/@-]{3,20}",
            separator in "[ ,;:._|/-]{1,3}|, ",
            how in 0usize..5,
        ) {
            let write = |byte: u8| match how {
                0 => format!("{byte:02x}"),
                1 => format!("{byte:02X}"),
                2 => format!("0x{byte:02x}"),
                3 => format!("{byte}"),
                _ => format!("{byte:03o}"),
            };
            let written = text.bytes().map(write).collect::<Vec<_>>().join(&separator);
            for written in [written.clone(), format!("[{written}]"), format!("A={written}; b")] {
                prop_assert!(numbers(&written).iter().any(|found| found.contains(&text)), "{}", written);
            }
        }

        #[test]
        fn numbers_never_panic(text in "\\PC{0,60}|[0-9a-fx:, +-]{0,60}") {
            let _ = numbers(&text);
        }
    }
}
