//! Scalars and keys on one line or in quotes: all styles but block scalars, which are in `multiline`.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::words::{trim_end, trim_start};

/// Maximum bytes of a key; longer ones are left to the full parser.
const KEY: usize = 100;

/// Returns the key at the start of a text, and its bytes with the colon.
pub(super) fn key(content: &str) -> Option<(&str, usize)> {
    let first = *content.as_bytes().first()?;
    let (key, end) = if matches!(first, b'"' | b'\'') {
        let length = memchr2(first, b'\n', &content.as_bytes()[1..])?;
        let key = &content[1..=length];
        // A key with escapes or inner quotes is left to the full parser.
        (content.as_bytes()[length + 1] == first && !key.contains('\\')).then_some(())?;
        (key, length + 2)
    } else {
        is_key_start(first).then_some(())?;
        let end = content.bytes().position(|byte| !is_key_byte(byte))?;
        let key = &content[..end];
        (!is_null(key)).then_some(())?;
        (key, end)
    };
    let is_key = end <= KEY && content.as_bytes().get(end) == Some(&b':') && key != "<<";
    is_key.then_some((key, end + 1))
}

fn is_key_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
}

/// Returns whether a scalar without quotes is null.
pub(in super::super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Returns whether a scalar without quotes may begin like this.
pub(super) fn is_start(text: &str) -> bool {
    match text.as_bytes() {
        // A flag, or a negative number.
        [b'-', next, ..] => next.is_ascii_alphanumeric() || matches!(next, b'-' | b'.' | b'/' | b'_'),
        [
            b'-' | b'?' | b':' | b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>'
            | b'\'' | b'"' | b'%' | b'@' | b'`',
            ..,
        ] => false,
        _ => true,
    }
}

/// Returns the text of a line without its comment, and whether there is one.
pub(super) fn plain_line(line: &str) -> Option<(&str, bool)> {
    let bytes = line.as_bytes();
    let (mut from, mut end) = (0, None);
    while let Some(found) = memchr2(b'#', b':', &bytes[from..]) {
        let at = from + found;
        if bytes[at] == b'#' && at > 0 && bytes[at - 1] == b' ' {
            end = Some(at - 1);
            break;
        }
        if bytes[at] == b':' && matches!(bytes.get(at + 1), None | Some(b' ')) {
            return None;
        }
        from = at + 1;
    }
    let text = trim_end(&line[..end.unwrap_or(line.len())]);
    if text.is_empty() || text.starts_with('#') || text.ends_with(':') {
        return None;
    }
    Some((text, end.is_some()))
}

/// Returns the quoted text at a position, and the position after it. Continuation lines begin at a minimum
/// column.
pub(super) fn quoted(text: &str, at: usize, least: usize) -> Option<(Cow<'_, str>, usize)> {
    let bytes = text.as_bytes();
    let quote = bytes[at];
    let start = at + 1;
    let (mut from, mut is_plain) = (start, true);
    let end = loop {
        let found = from + memchr2(quote, b'\\', &bytes[from..])?;
        match (bytes[found], bytes.get(found + 1)) {
            (b'\\', _) if quote == b'\'' => from = found + 1,
            (b'\\', next) => {
                // An escaped line end or non-ASCII character is rare, and left to the full parser.
                next.is_some_and(u8::is_ascii_graphic).then_some(())?;
                (from, is_plain) = (found + 2, false);
            }
            (_, Some(b'\'')) if quote == b'\'' => (from, is_plain) = (found + 2, false),
            _ => break found,
        }
    };
    let written = &text[start..end];
    let folded = if memchr(b'\n', written.as_bytes()).is_some() {
        Cow::Owned(folded(written, least)?)
    } else {
        Cow::Borrowed(written)
    };
    let value = match (is_plain, quote) {
        (true, _) => folded,
        (false, b'\'') => folded.replace("''", "'").into(),
        (false, _) => unescaped(&folded)?.into(),
    };
    Some((value, end + 1))
}

/// Folds lines into one text: a single line end becomes a space, and several lose the first.
pub(super) fn folded(written: &str, least: usize) -> Option<String> {
    let mut lines = written.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let mut text = trim_end(lines.next()?).to_owned();
    let mut breaks = 0;
    let mut lines = lines.peekable();
    while let Some(line) = lines.next() {
        breaks += 1;
        let content = trim_start(line);
        let is_last = lines.peek().is_none();
        if content.is_empty() && !is_last {
            continue;
        }
        let column = line.len() - content.len();
        (column >= least && !is_marker(line)).then_some(())?;
        match breaks {
            1 => text.push(' '),
            _ => text.extend(std::iter::repeat_n('\n', breaks - 1)),
        }
        text.push_str(if is_last { content } else { trim_end(content) });
        breaks = 0;
    }
    Some(text)
}

/// Returns whether a line begins or ends a document.
pub(super) fn is_marker(line: &str) -> bool {
    line.starts_with("---") || line.starts_with("...")
}

/// Replaces the escapes of a text, in which a printable ASCII character follows each backslash.
fn unescaped(text: &str) -> Option<String> {
    let mut value = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        value.push_str(&rest[..at]);
        let (mark, after) = rest[at + 1..].split_at_checked(1)?;
        rest = after;
        let digits = match mark {
            "x" => 2,
            "u" => 4,
            "U" => 8,
            other => {
                value.push(match other {
                    "n" => '\n',
                    "t" => '\t',
                    "r" => '\r',
                    "0" => '\0',
                    "e" => '\u{1b}',
                    "\\" | "\"" | "/" => other.chars().next()?,
                    _ => return None,
                });
                continue;
            }
        };
        let (digits, after) = rest.split_at_checked(digits)?;
        digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(())?;
        // Half of a surrogate pair, as JSON writes characters beyond 16 bits, is not a character.
        value.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
        rest = after;
    }
    value.push_str(rest);
    Some(value)
}
