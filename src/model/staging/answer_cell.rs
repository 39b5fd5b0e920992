//! Rows and cells of a table in GitLab's markdown, as plain text. The meaning of the columns is in `answer`.

use std::sync::LazyLock;

use regex::Regex;

use crate::base::text::safe_line;

/// Maximum characters of a cell to keep.
pub(super) const LONGEST_CELL: usize = 200;

/// Removes the marks of a quotation.
pub(super) fn unquote(line: &str) -> &str {
    line.trim_start_matches([' ', '\t', '>']).trim_end()
}

/// Returns whether a line separates the header from the rows.
pub(super) fn is_rule(line: &str) -> bool {
    line.contains('-')
        && line.contains('|')
        && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t'))
}

/// Splits a line at each `|` that has no backslash before it.
pub(super) fn cells(line: &str) -> impl Iterator<Item = &str> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let mut escaped = false;
    let mut pieces = line.split(move |c: char| {
        let here = c == '|' && !escaped;
        escaped = c == '\\' && !escaped;
        here
    });
    // The text after a final `|` is not a cell.
    let mut next = pieces.next();
    std::iter::from_fn(move || {
        let piece = next.take()?;
        next = pieces.next();
        (next.is_some() || !piece.trim().is_empty()).then(|| piece.trim())
    })
}

/// Content of a cell without markdown.
pub(super) struct Plain {
    /// Its text.
    pub(super) text: String,
    /// Target of its link.
    pub(super) link: Option<String>,
}

/// Removes the markdown from a cell.
pub(super) fn plain(cell: &str) -> Plain {
    static LINK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"^\[((?:\\.|[^\\\]])*)\]\(\s*<?(https?://[^\s<>()"]+)>?(?:\s+"[^"]*")?\s*\)"#)
            .expect("a constant expression")
    });
    static TAG: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^</?[A-Za-z][^<>]*>").expect("a constant expression"));
    static ADDRESS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^<?(https?://[^\s<>]+)>?").expect("a constant expression"));
    static EMOJI: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^:[a-z0-9_+-]+:").expect("a constant expression"));
    let mut text = String::new();
    let mut link: Option<String> = None;
    let mut rest = &cell[..floor(cell, 8 * LONGEST_CELL)];
    while let Some(character) = rest.chars().next() {
        let mut taken = character.len_utf8();
        if let Some(found) = LINK.captures(rest) {
            link.get_or_insert_with(|| found[2].to_owned());
            text.push_str(&plain(&found[1]).text);
            taken = found[0].len();
        } else if let Some(found) = ADDRESS.captures(rest) {
            let number = found[1].rsplit('/').next().unwrap_or_default();
            text.push_str(number);
            link.get_or_insert_with(|| found[1].to_owned());
            taken = found[0].len();
        } else if let Some(found) = TAG.find(rest).or_else(|| EMOJI.find(rest)) {
            taken = found.len();
        } else if character == '\\' {
            let next = rest[taken..].chars().next();
            match next.filter(char::is_ascii_punctuation) {
                Some(next) => {
                    text.push(next);
                    taken += 1;
                }
                None => text.push(character),
            }
        } else if !matches!(character, '*' | '`' | '~') {
            text.push(character);
        }
        rest = &rest[taken..];
    }
    let text = safe_line(text.trim()).chars().take(LONGEST_CELL).collect::<String>();
    let link = link.filter(|link| link.len() <= 1000 && *safe_line(link) == **link);
    Plain { text: text.trim().to_owned(), link }
}

/// Returns the greatest length up to `most` that does not cut a character.
pub(super) fn floor(text: &str, most: usize) -> usize {
    (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0)
}
