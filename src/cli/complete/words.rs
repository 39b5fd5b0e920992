//! The words of a command line that is being typed: quotes may be open, and nothing is an error. The protocols of
//! the shells are in `shells`.

use std::ffi::OsString;

/// Characters that separate words for a shell; other spaces of Unicode belong to a word.
const SEPARATORS: [char; 3] = [' ', '\t', '\n'];

/// The words of a command line, without quotes, and the one to complete.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    /// All words, with the program first.
    pub(super) words: Vec<OsString>,
    /// Index of the word to complete.
    pub(super) index: usize,
    /// The place at which the shell inserts a candidate.
    pub(super) place: Place,
}

/// The place at which a shell inserts a candidate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Beginning of the word that stays as it is typed, without quotes.
    pub(super) before: String,
    /// Quote that is open there.
    pub(super) quote: Option<char>,
}

impl Words {
    /// Splits a line that ends at the cursor. The shell replaces `piece`, the end of the last word.
    pub(super) fn of_line(line: &str, piece: &str) -> Self {
        let mut words: Vec<OsString> = Vec::new();
        let mut rest = line.trim_start_matches(SEPARATORS);
        loop {
            let (word, length, _) = unquote(rest, true);
            words.push(word.into());
            if rest[length..].is_empty() {
                break;
            }
            rest = rest[length..].trim_start_matches(SEPARATORS);
        }
        let head = rest.strip_suffix(piece).unwrap_or_default();
        let (before, _, quote) = unquote(head, false);
        Self { index: words.len() - 1, words, place: Place { before, quote } }
    }

    /// Takes the words as a shell has split them, and removes their quotes.
    pub(super) fn of_pieces(pieces: impl IntoIterator<Item = OsString>, index: Option<usize>) -> Self {
        let mut words: Vec<OsString> = pieces.into_iter().map(without_quotes).collect();
        let index = index.unwrap_or(words.len().saturating_sub(1));
        if index == words.len() {
            words.push(OsString::new());
        }
        Self { words, index, place: Place::default() }
    }

    /// Returns the word to complete.
    pub(super) fn current(&self) -> &str {
        self.words.get(self.index).and_then(|word| word.to_str()).unwrap_or_default()
    }
}

fn without_quotes(word: OsString) -> OsString {
    match word.to_str() {
        Some(text) if text.contains(['\'', '"', '\\']) => unquote(text, false).0.into(),
        _ => word,
    }
}

/// Returns the first word of a text (or all of it as one word) without its quotes, its length in the text, and
/// the quote that is still open.
fn unquote(text: &str, ends_at_space: bool) -> (String, usize, Option<char>) {
    let mut word = String::new();
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (None, character) if ends_at_space && SEPARATORS.contains(&character) => return (word, at, None),
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None | Some('"'), '\\') => match characters.next() {
                Some((_, next)) => {
                    if quote.is_some() && !matches!(next, '"' | '\\' | '$' | '`') {
                        word.push('\\');
                    }
                    word.push(next);
                }
                None => word.push('\\'),
            },
            _ => word.push(character),
        }
    }
    (word, text.len(), quote)
}

/// Quotes a text for a POSIX shell, to be inserted where `open` is the open quote.
pub(super) fn quoted(text: &str, open: Option<char>) -> String {
    match open {
        Some('\'') => text.replace('\'', r"'\''"),
        Some(_) => escaped(text, |c| matches!(c, '"' | '\\' | '$' | '`')),
        None => escaped(text, |c| c.is_ascii() && !c.is_ascii_alphanumeric() && !"-_.,/:=@%+~".contains(c)),
    }
}

fn escaped(text: &str, is_special: impl Fn(char) -> bool) -> String {
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars() {
        if is_special(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(line: &str, piece: &str) -> (Vec<String>, String, Option<char>) {
        let Words { words, index, place } = Words::of_line(line, piece);
        assert_eq!(index + 1, words.len(), "{line}");
        let words = words.into_iter().map(|word| word.into_string().expect("is text")).collect();
        (words, place.before, place.quote)
    }

    #[test]
    fn words_of_a_line_keep_what_the_shell_leaves_alone() {
        for (line, piece, words, before, quote) in [
            ("cki list kind=", "", &["cki", "list", "kind="][..], "kind=", None),
            ("cki list --kind=cr", "cr", &["cki", "list", "--kind=cr"], "--kind=", None),
            ("cki  show ", "", &["cki", "show", ""], "", None),
            (r"cki --env-file my\ f", r"my\ f", &["cki", "--env-file", "my f"], "", None),
            ("cki --set a=\"b c", "b c", &["cki", "--set", "a=b c"], "a=", Some('"')),
            ("cki show 'pi", "pi", &["cki", "show", "pi"], "", Some('\'')),
            (
                "cki env x -e U=http://me@ho",
                "ho",
                &["cki", "env", "x", "-e", "U=http://me@ho"],
                "U=http://me@",
                None,
            ),
            ("cki show \\", "\\", &["cki", "show", "\\"], "", None),
            ("", "", &[""], "", None),
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(read(line, piece), (words, before.to_owned(), quote), "{line}");
        }
    }

    proptest! {
        #[test]
        fn quoted_text_reads_as_it_was(text in "[^\n\t\r]*", open in prop::option::of(prop::sample::select(vec!['\'', '"']))) {
            let start: String = open.into_iter().collect();
            let line = format!("cki {start}{}", quoted(&text, open));
            let words = Words::of_line(&line, "");
            prop_assert_eq!(words.current(), text);
        }

        #[test]
        fn words_of_any_line_are_read(line in "\\PC*", piece in "\\PC*") {
            let words = Words::of_line(&line, &piece);
            prop_assert!(words.index < words.words.len());
        }
    }
}
