//! Character references of HTML in a text: named and numbered, as browsers read them. Escaping for HTML belongs in
//! `template`.

use html_escape::NAMED_ENTITIES;

/// Maximum bytes of a name; the longest of HTML has 31.
pub const LONGEST_NAME: usize = 32;
/// Maximum digits of a number.
const LONGEST_NUMBER: usize = 16;
/// Characters that browsers read for the numbers from 128 to 159, which are those of Windows-1252.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Decodes the character references of a text; `None` if it has none. A number needs no semicolon, and neither does a
/// name that is older than HTML 4.
#[must_use]
pub fn unescape(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, reference)) = rest.split_once('&') {
        plain.push_str(before);
        let decoded = match reference.strip_prefix('#') {
            Some(number) => numbered(number, &mut plain),
            None => named(reference, &mut plain),
        };
        rest = decoded.unwrap_or_else(|| {
            plain.push('&');
            reference
        });
    }
    plain.push_str(rest);
    (plain != text).then_some(plain)
}

/// Returns the meaning of a name, without `&` and `;`: one or two characters.
#[must_use]
pub fn meaning(name: &str) -> Option<&'static str> {
    let at = NAMED_ENTITIES.binary_search_by(|(known, _)| (*known).cmp(name.as_bytes())).ok()?;
    Some(NAMED_ENTITIES[at].1)
}

/// Returns whether a name begins with a text.
#[must_use]
pub fn begins_name(text: &str) -> bool {
    let next = NAMED_ENTITIES.partition_point(|(known, _)| *known < text.as_bytes());
    NAMED_ENTITIES.get(next).is_some_and(|(known, _)| known.starts_with(text.as_bytes()))
}

/// Returns whether a name with this meaning may lack its semicolon. The older names are those of Latin-1, and of the
/// characters that HTML itself uses.
#[must_use]
pub fn is_old(meant: &str) -> bool {
    let mut characters = meant.chars();
    matches!(
        (characters.next(), characters.next()),
        (Some('\u{a0}'..='\u{ff}' | '&' | '<' | '>' | '"'), None)
    )
}

/// Returns the character that browsers read for a number from 128 to 159.
#[must_use]
pub fn of_windows(number: u64) -> Option<char> {
    WINDOWS.get(usize::try_from(number.checked_sub(128)?).ok()?).copied()
}

/// Decodes a numbered reference, and returns the text behind it.
fn numbered<'t>(text: &'t str, plain: &mut String) -> Option<&'t str> {
    let (digits, radix) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let zeros = digits.len() - digits.trim_start_matches('0').len();
    let length = digits[zeros..].find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len() - zeros);
    if zeros + length == 0 || length > LONGEST_NUMBER {
        return None;
    }
    let number = u64::from_str_radix(&digits[zeros..zeros + length], radix).unwrap_or(0);
    let meant =
        of_windows(number).or_else(|| char::from_u32(u32::try_from(number).ok()?).filter(|c| *c != '\0'));
    plain.push(meant.unwrap_or(char::REPLACEMENT_CHARACTER));
    let rest = &digits[zeros + length..];
    Some(rest.strip_prefix(';').unwrap_or(rest))
}

/// Decodes a named reference, and returns the text behind it.
fn named<'t>(text: &'t str, plain: &mut String) -> Option<&'t str> {
    let length = text.bytes().take(LONGEST_NAME).take_while(u8::is_ascii_alphanumeric).count();
    if let (Some(meant), Some(rest)) = (meaning(&text[..length]), text[length..].strip_prefix(';')) {
        plain.push_str(meant);
        return Some(rest);
    }
    (2..=length).rev().find_map(|length| {
        plain.push_str(meaning(&text[..length]).filter(|meant| is_old(meant))?);
        Some(&text[length..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescape_decodes_named_and_numbered_references() {
        for (text, plain) in [
            ("gitlab&period;com", "gitlab.com"),
            ("a&amp;period;b", "a&period;b"),
            ("https&colon;&sol;&sol;x", "https://x"),
            ("b&uuml;cher b&uumlcher", "bücher bücher"),
            ("git&shy;lab&shylab", "git\u{ad}lab\u{ad}lab"),
            ("&gscr;&fjlig;", "ℊfj"),
            ("&#46;&#x2E;&#0046&#X2e", "...."),
            ("&#154;&#0;&#x110000;", "š\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(unescape(text).as_deref(), Some(plain), "{text}");
        }
        for text in ["a&b", "&period", "&;", "&#;", "&#x;", "&", "a?b=c&host=d"] {
            assert_eq!(unescape(text), None, "{text}");
        }
    }
}
