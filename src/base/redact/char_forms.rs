//! Forms of a text in which programs write each character, or some, in another way that folding does not decode, since a
//! text alone does not tell that they do. Each of them is fixed by the text.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use crate::base::html::of_windows;

/// Characters that filters of LDAP must escape (RFC 4515).
const FILTER: &[u8] = b"*()\\\0";

/// Returns the forms that differ from a text, whose other escapes folding decodes: with doubled `$` (Compose, make,
/// Kubernetes) or `%` (configparser, printf), with `_` for spaces (RFC 2047), and in both normal forms of Unicode.
pub(super) fn plain(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for signs in [&["$"][..], &["%"], &["$", "%"]] {
        if signs.iter().all(|sign| text.contains(sign)) {
            let doubled = |text: &str| {
                signs.iter().fold(text.to_owned(), |text, sign| text.replace(sign, &sign.repeat(2)))
            };
            let once = doubled(text);
            forms.extend([doubled(&once), once]);
        }
    }
    if text.contains(' ') {
        forms.push(text.replace(' ', "_"));
    }
    if !text.is_ascii() {
        forms.push(ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned());
        forms.push(DecomposingNormalizerBorrowed::new_nfd().normalize(text).into_owned());
        forms.extend(beyond_ascii(text));
    }
    forms.retain(|form| form != text);
    forms
}

/// Returns the forms of a text with characters beyond ASCII: as `cat -v` shows its bytes (`M-CM-$`), its bytes read in
/// Latin-1 or Windows-1252 (`Ã¤`), and the numbers of its characters in a list (`explode` of jq, `ord`).
fn beyond_ascii(text: &str) -> Vec<String> {
    let caret = |byte: u8| match byte {
        0..0x20 => format!("^{}", char::from(byte + 0x40)),
        0x7f => "^?".to_owned(),
        _ => char::from(byte).to_string(),
    };
    let meta = |byte: u8| match byte {
        0x80.. => format!("M-{}", caret(byte & 0x7f)),
        _ => caret(byte),
    };
    let latin: String = text.bytes().map(char::from).collect();
    let windows: String =
        text.bytes().map(|byte| of_windows(byte.into()).unwrap_or(char::from(byte))).collect();
    let numbers: Vec<String> = text.chars().map(|one| u32::from(one).to_string()).collect();
    let lists = [",", ", ", " ", "\n", ",\n  ", ",\n    "].map(|separator| numbers.join(separator));
    [text.bytes().map(meta).collect(), latin, windows].into_iter().chain(lists).collect()
}

/// Returns the forms of a text with characters beyond ASCII that are no UTF-8: with a backslash before each byte that is no
/// letter or digit (`quotemeta` of Perl), and in UTF-16 if folding does not read that.
pub(super) fn binary(text: &str) -> Vec<Vec<u8>> {
    if text.is_ascii() {
        return Vec::new();
    }
    let escaped = |byte: u8| match byte {
        b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => vec![byte],
        _ => vec![b'\\', byte],
    };
    let wide =
        [u16::to_le_bytes, u16::to_be_bytes].map(|bytes| text.encode_utf16().flat_map(bytes).collect());
    // Folding drops the zeros between characters of Latin-1.
    let is_beyond_latin = text.chars().any(|one| one > '\u{ff}');
    let wide = wide.into_iter().filter(|_| is_beyond_latin);
    std::iter::once(text.bytes().flat_map(escaped).collect()).chain(wide).collect()
}

/// Returns the forms with backslashes whose digits folding takes for an octal number: `\\2a` (LDAP, CSS) and `\\042`
/// (DNS), for the characters that must be escaped, for all signs, and for all characters.
pub(super) fn numbered(text: &str) -> Vec<String> {
    let is_sign = |byte: u8| !byte.is_ascii_alphanumeric();
    let sets: [&dyn Fn(u8) -> bool; 3] =
        [&|byte| FILTER.contains(&byte) || !byte.is_ascii(), &is_sign, &|_| true];
    let mut forms = Vec::new();
    for is_escaped in sets {
        let bytes = |escape: &dyn Fn(u8) -> String| -> Vec<u8> {
            let written = |byte| if is_escaped(byte) { escape(byte).into_bytes() } else { vec![byte] };
            text.bytes().flat_map(written).collect()
        };
        forms.push(bytes(&|byte| format!("\\{byte:02x}")));
        forms.push(bytes(&|byte| format!("\\{byte:02X}")));
        forms.push(bytes(&|byte| format!("\\{byte:03}")));
        for (width, end) in [(1, " "), (6, "")] {
            let written = |c: char| match u8::try_from(c) {
                Ok(byte) if byte.is_ascii() && !is_escaped(byte) => c.to_string(),
                _ => format!("\\{:0width$x}{end}", u32::from(c)),
            };
            forms.push(text.chars().map(written).collect::<String>().into_bytes());
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms.into_iter().filter_map(|form| String::from_utf8(form).ok()).filter(|form| form != text).collect()
}
