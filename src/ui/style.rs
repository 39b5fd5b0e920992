//! Colours by role. A report always paints; the output removes colours that cannot be shown.

use std::fmt::Write as _;

fn paint(code: &str, text: &str) -> String {
    let mut painted = String::with_capacity(text.len() + 10);
    // Writing to a String cannot fail.
    let _ = write!(painted, "\u{1b}[{code}m{text}\u{1b}[0m");
    painted
}

/// Paints the name of a thing.
#[must_use]
pub fn name(text: &str) -> String {
    paint("1", text)
}

/// Paints a heading.
#[must_use]
pub fn heading(text: &str) -> String {
    paint("1;4", text)
}

/// Paints a success.
#[must_use]
pub fn good(text: &str) -> String {
    paint("32", text)
}

/// Paints a failure.
#[must_use]
pub fn bad(text: &str) -> String {
    paint("1;31", text)
}

/// Paints a warning.
#[must_use]
pub fn warn(text: &str) -> String {
    paint("33", text)
}

/// Paints a hint.
#[must_use]
pub fn hint(text: &str) -> String {
    paint("36", text)
}

/// Paints less important text.
#[must_use]
pub fn dim(text: &str) -> String {
    paint("2", text)
}

/// Paints a secret's mask.
#[must_use]
pub fn secret(text: &str) -> String {
    paint("35", text)
}

/// Paints a command to type.
#[must_use]
pub fn command(text: &str) -> String {
    paint("1;36", text)
}

/// Number of distinct prefix colours.
pub const DISTINCT: usize = 12;

/// Paints a prefix in the colour with this number.
#[must_use]
pub fn distinct(number: usize, text: &str) -> String {
    const CODES: [&str; DISTINCT] =
        ["36", "33", "35", "34", "32", "96", "93", "95", "94", "92", "1;36", "1;33"];
    paint(CODES[number % DISTINCT], text)
}

/// Returns the text with our symbols replaced by ASCII, for a terminal that shows nothing else.
#[must_use]
pub fn ascii(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut plain, character| {
        match character {
            '✔' => plain.push('+'),
            '✘' => plain.push('x'),
            '●' | '•' => plain.push('*'),
            '▸' => plain.push('>'),
            '○' => plain.push('o'),
            '…' => plain.push_str("..."),
            '–' | '—' => plain.push('-'),
            '│' => plain.push('|'),
            '·' => plain.push('.'),
            '→' => plain.push_str("->"),
            c if c.is_ascii() => plain.push(c),
            _ => plain.push('?'),
        }
        plain
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_strips_to_plain_text_and_ascii() {
        assert_eq!(anstream::adapter::strip_str(&bad("x")).to_string(), "x");
        assert_eq!(ascii("✔ done · …"), "+ done . ...");
    }
}
