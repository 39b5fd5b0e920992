//! Colour by role. A report always paints; what cannot be shown is taken off at the output.

use std::fmt::Write as _;

fn paint(code: &str, text: &str) -> String {
    let mut painted = String::with_capacity(text.len() + 10);
    // Writing to a String cannot fail.
    let _ = write!(painted, "\u{1b}[{code}m{text}\u{1b}[0m");
    painted
}

/// The name of a thing.
#[must_use]
pub fn name(text: &str) -> String {
    paint("1", text)
}

/// A heading.
#[must_use]
pub fn heading(text: &str) -> String {
    paint("1;4", text)
}

/// Something that went well.
#[must_use]
pub fn good(text: &str) -> String {
    paint("32", text)
}

/// Something that went wrong.
#[must_use]
pub fn bad(text: &str) -> String {
    paint("1;31", text)
}

/// Something to look at.
#[must_use]
pub fn warn(text: &str) -> String {
    paint("33", text)
}

/// What to do next.
#[must_use]
pub fn hint(text: &str) -> String {
    paint("36", text)
}

/// Less important.
#[must_use]
pub fn dim(text: &str) -> String {
    paint("2", text)
}

/// A secret's mask.
#[must_use]
pub fn secret(text: &str) -> String {
    paint("35", text)
}

/// A command to type.
#[must_use]
pub fn command(text: &str) -> String {
    paint("1;36", text)
}

/// So many colours of prefixes there are.
pub const DISTINCT: usize = 12;

/// The colours of prefixes, by number.
#[must_use]
pub fn distinct(number: usize, text: &str) -> String {
    const CODES: [&str; DISTINCT] =
        ["36", "33", "35", "34", "32", "96", "93", "95", "94", "92", "1;36", "1;33"];
    paint(CODES[number % DISTINCT], text)
}

/// The text with our symbols in plain form, for a terminal that has no others.
#[must_use]
pub fn ascii(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut plain, character| {
        match character {
            '✔' => plain.push('+'),
            '✘' => plain.push('x'),
            '●' | '•' => plain.push('*'),
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
    fn paint_comes_off_and_symbols_have_plain_forms() {
        assert_eq!(anstream::adapter::strip_str(&bad("x")).to_string(), "x");
        assert_eq!(ascii("✔ done · …"), "+ done . ...");
    }
}
