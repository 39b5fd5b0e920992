//! Text from outside made safe for a terminal: without escape sequences, control characters and invisible
//! reordering. Masking of secrets is in `base::redact`.

use std::borrow::Cow;

/// Makes one line of text from outside safe to print. Removes escape sequences; shows other control
/// characters in caret notation (`^M`), and characters that reorder text as `<U+202E>`. Keeps tabs.
#[must_use]
pub fn safe_line(text: &str) -> Cow<'_, str> {
    if is_printable(text) || text.chars().all(is_plain) {
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

/// Shows a name that a user typed: characters that [`safe_line`] would remove or replace are escaped as in Rust,
/// `\u{1}`, so that the name in a message is the one that was typed.
#[must_use]
pub fn shown_name(name: &str) -> Cow<'_, str> {
    if is_printable(name) || name.chars().all(|one| is_plain(one) && one != '\t') {
        return Cow::Borrowed(name);
    }
    let escaped = name.chars().map(|one| match is_plain(one) && one != '\t' {
        true => one.to_string(),
        false => one.escape_default().to_string(),
    });
    Cow::Owned(escaped.collect())
}

/// Returns whether a text consists of printable ASCII characters, as most do: compares many at once.
pub(super) fn is_printable(text: &str) -> bool {
    text.bytes().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
}

fn is_plain(character: char) -> bool {
    match character {
        '\t' => true,
        // Line separators, and controls of musical and shorthand notation.
        '\u{2028}'..='\u{2029}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' => false,
        c if is_invisible(c) => false,
        c => !c.is_control(),
    }
}

/// Returns whether a character reorders text, or has neither width nor shape: most of the general category
/// Cf (Unicode 16), and fillers.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn safe_line_removes_escape_sequences() {
        assert_eq!(safe_line("plain\ttext ü"), "plain\ttext ü");
        assert_eq!(safe_line("\x1b[31mred\x1b[0m"), "red");
        assert_eq!(safe_line("\x1b]0;title\x07after"), "after");
        assert_eq!(safe_line("a\u{202e}b"), "a<U+202E>b");
        assert_eq!(safe_line("a\u{61c}b\u{ad}c\u{e0041}"), "a<U+061C>b<U+00AD>c<U+E0041>");
        assert!(!safe_line("a\rb").contains('\r'));
    }

    #[test]
    fn shown_name_escapes_what_nobody_sees() {
        assert_eq!(shown_name("web ü"), "web ü");
        assert_eq!(shown_name("a\u{1}b\x1b[1mc\n\td\u{202e}"), r"a\u{1}b\u{1b}[1mc\n\td\u{202e}");
    }

    proptest! {
        #[test]
        fn safe_line_emits_only_plain_characters(text in ".*") {
            let safe = safe_line(&text).into_owned();
            prop_assert!(safe.chars().all(is_plain), "{safe:?}");
        }
    }
}
