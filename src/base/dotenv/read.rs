//! Reader of environment files: comments, `export`, `NAME: value`, quotes over several lines, escapes. It
//! accepts the syntax of Compose; a statement that Compose rejects is an [`Invalid`], and reading continues
//! in the next line. The lines of a key without quotes are no statements: they would be taken for names.

use crate::base::variable::is_like_key;

/// A statement of an environment file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Name of the variable.
    pub name: String,
    /// Value; `None` for a name alone, whose value is inherited.
    pub value: Option<DotenvText>,
    /// Line number at which the statement begins, from 1.
    pub line: usize,
    /// The statement begins on the line on which the quoted value before it ends.
    pub follows_quotes: bool,
}

/// The text of a value, without quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DotenvText {
    /// Value in single quotes, without interpolation.
    Literal(String),
    /// Value with interpolation.
    Template(String),
}

/// Invalid statement. Its text is omitted: it may contain a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// Line number at which it begins, from 1.
    pub line: usize,
    /// Reason for the rejection.
    pub message: &'static str,
}

/// Reason for the rejection of a key's lines.
pub const KEY_LINES: &str = "a key over several lines needs quotes around them";

const KEY_BEGINS: &str = "-----BEGIN ";
const KEY_ENDS: &str = "-----END ";

/// Returns the length of the lines that belong to a key which the text before begins and does not end: up to its end, or,
/// without one, as far as they look like one.
#[must_use]
pub fn key_rest(before: &str, rest: &str) -> usize {
    let is_open = before.rfind(KEY_BEGINS).is_some_and(|begins| !before[begins..].contains(KEY_ENDS));
    if !is_open {
        return 0;
    }
    let has_end = rest.contains(KEY_ENDS);
    let mut length = 0;
    for line in rest.split_inclusive('\n') {
        let text = line.trim();
        let body = text.trim_end_matches('=');
        let is_key = body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte));
        if !has_end && !is_key {
            break;
        }
        length += line.len();
        if has_end && text.contains(KEY_ENDS) {
            break;
        }
    }
    length
}

/// Returns a line without its end.
#[must_use]
pub fn without_end(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

const NO_ASSIGNMENT: Invalid = Invalid { line: 0, message: "this is no `NAME=VALUE`" };

/// Parses the statements of a text.
#[must_use]
pub fn statements(text: &str) -> Vec<Result<Statement, Invalid>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = DotenvParser { rest: text, line: 1 };
    let mut found = Vec::new();
    let mut quotes_end = None;
    while reader.skip_to_statement() {
        let (line, before) = (reader.line, reader.rest);
        let follows_quotes = quotes_end == Some(line);
        quotes_end = None;
        let read = reader.statement().map(|(statement, has_quotes)| {
            quotes_end = has_quotes.then_some(reader.line);
            Statement { follows_quotes, ..statement }
        });
        found.push(read.map_err(|invalid| {
            // Unclosed quotes must not swallow the following lines.
            (reader.rest, reader.line) = (before, line);
            reader.skip_line();
            Invalid { line, ..invalid }
        }));
        // Of a value without quotes, the end of its line is left.
        let taken = before.len() - reader.rest.len();
        let end = taken + usize::from(reader.rest.starts_with('\n'));
        let length = key_rest(&before[..taken], &before[end..]);
        if length > 0 {
            reader.advance(end - taken);
            found.push(Err(Invalid { line: reader.line, message: KEY_LINES }));
            reader.advance(length);
        }
    }
    found
}

struct DotenvParser<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> DotenvParser<'a> {
    fn advance(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.line += taken.bytes().filter(|byte| *byte == b'\n').count();
        self.rest = rest;
        taken
    }

    fn skip_line(&mut self) {
        self.advance(self.rest.find('\n').map_or(self.rest.len(), |at| at + 1));
    }

    /// Advances to the next statement; returns `false` at the end.
    fn skip_to_statement(&mut self) -> bool {
        loop {
            self.advance(self.rest.len() - self.rest.trim_start().len());
            if !self.rest.starts_with('#') {
                return !self.rest.is_empty();
            }
            self.skip_line();
        }
    }

    fn skip_spaces(&mut self) {
        self.advance(self.rest.len() - self.rest.trim_start_matches(is_space).len());
    }

    /// A statement, and whether its value has quotes.
    fn statement(&mut self) -> Result<(Statement, bool), Invalid> {
        let line = self.line;
        if self.rest.strip_prefix("export").is_some_and(|rest| rest.starts_with(char::is_whitespace)) {
            self.advance("export".len());
            self.skip_spaces();
        }
        let is_name = |c: char| is_space(c) || c.is_alphanumeric() || "_.-[]".contains(c);
        let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        let separator = self.rest[end..].chars().next();
        let name = self.advance(end).trim_end().to_owned();
        if !matches!(separator, None | Some('=' | ':' | '\n')) || name.contains(' ') || name.is_empty() {
            return Err(NO_ASSIGNMENT);
        }
        if is_like_key(&name) {
            return Err(NO_ASSIGNMENT);
        }
        self.advance(separator.map_or(0, char::len_utf8));
        if !matches!(separator, Some('=' | ':')) {
            return Ok((Statement { name, value: None, line, follows_quotes: false }, false));
        }
        self.skip_spaces();
        let has_quotes = self.rest.starts_with(['"', '\'']);
        let value = match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote)?,
            _ => {
                let line = self.advance(self.rest.find('\n').unwrap_or(self.rest.len()));
                let value = line.split_once(" #").map_or(line, |(value, _)| value);
                DotenvText::Template(value.trim_end().to_owned())
            }
        };
        Ok((Statement { name, value: Some(value), line, follows_quotes: false }, has_quotes))
    }

    fn quoted(&mut self, quote: char) -> Result<DotenvText, Invalid> {
        let mut text = String::new();
        let mut is_escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            if c == quote && !is_escaped {
                self.advance(at + 1);
                return Ok(match quote {
                    '"' => DotenvText::Template(unescaped(&text)),
                    _ => DotenvText::Literal(text),
                });
            }
            if c == '\\' && !is_escaped {
                is_escaped = true;
                continue;
            }
            if is_escaped && c != quote {
                text.push('\\');
            }
            is_escaped = false;
            text.push(c);
        }
        Err(Invalid { line: 0, message: "the quotes of this value are not closed" })
    }
}

/// Returns whether a character is a space within a line.
fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

/// Replaces the escapes of double quotes. An escaped `$` becomes `$$`, which interpolation turns back into
/// one.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let mut after = rest[at + 1..].chars();
        let meant = match after.next() {
            Some('a') => "\u{7}",
            Some('b') => "\u{8}",
            Some('f') => "\u{c}",
            Some('n') => "\n",
            Some('r') => "\r",
            Some('t') => "\t",
            Some('v') => "\u{b}",
            Some('$') => "$$",
            Some('"') => "\"",
            Some('\\') => "\\",
            Some('0') => {
                let digits = after.as_str();
                let end = digits.bytes().take(3).take_while(u8::is_ascii_digit).count();
                match u8::from_str_radix(&digits[..end], 8) {
                    Ok(code) if end == 3 => plain.push(char::from(code)),
                    _ => plain.extend(["\\", &digits[..end]]),
                }
                rest = &digits[end..];
                continue;
            }
            _ => {
                plain.push('\\');
                rest = &rest[at + 1..];
                continue;
            }
        };
        plain.push_str(meant);
        rest = after.as_str();
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn template(name: &str, text: &str, line: usize) -> Result<Statement, Invalid> {
        Ok(Statement {
            name: name.to_owned(),
            value: Some(DotenvText::Template(text.to_owned())),
            line,
            follows_quotes: false,
        })
    }

    fn literal(name: &str, text: &str, line: usize) -> Result<Statement, Invalid> {
        let value = Some(DotenvText::Literal(text.to_owned()));
        Ok(Statement { name: name.to_owned(), value, line, follows_quotes: false })
    }

    #[test]
    fn statements_match_compose_syntax() {
        let text = "\u{feff}# c\n\nA=a # c\r\nexport B = 'x # $A\\'s'# c\nC=\"$A \\\"q\\\" \\$A\n two\" # c\n\
                    D=${A}#d\r\nE=\na.b-c: yes\nG=\"\\t\\0101\\q\"H=# no comment\nI='\\n\\\\'\n";
        let expected = [
            template("A", "a", 3),
            literal("B", "x # $A's", 4),
            template("C", "$A \"q\" $$A\n two", 5),
            template("D", "${A}#d", 7),
            template("E", "", 8),
            template("a.b-c", "yes", 9),
            template("G", "\tA\\q", 10),
            template("H", "# no comment", 10),
            literal("I", "\\n\\\\", 11),
        ];
        let mut read = statements(text);
        assert!(read[7].as_ref().is_ok_and(|one| one.follows_quotes), "{:?}", read[7]);
        read.iter_mut().flatten().for_each(|one| one.follows_quotes = false);
        assert_eq!(read, expected);
    }

    #[test]
    fn statements_read_bare_name_as_inherited() {
        let names = |text: &str| {
            statements(text).into_iter().flatten().map(|s| (s.name, s.value)).collect::<Vec<_>>()
        };
        assert_eq!(names("A\nB"), [("A".to_owned(), None), ("B".to_owned(), None)]);
    }

    #[test]
    fn statements_continue_after_invalid_line() {
        let read = statements("A=1\nhunter2 x\nB=\"open\nC=3\n!\nD=4\n");
        let wrong: Vec<usize> = read.iter().filter_map(|one| one.as_ref().err()).map(|e| e.line).collect();
        let names: Vec<&str> = read.iter().flatten().map(|s| s.name.as_str()).collect();
        assert_eq!((wrong, names), (vec![2, 3, 5], vec!["A", "C", "D"]));
    }

    #[test]
    fn lines_of_a_key_are_no_names() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\nshort\nA=\n-----END PRIVATE KEY-----\n";
        let open = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nplain\nQx==\n";
        for (text, names, wrong) in [
            (format!("TLS_KEY={key}B=1\n"), vec!["TLS_KEY", "B"], vec![2]),
            (format!("TLS_KEY={open}B=1\n"), vec!["TLS_KEY", "B"], vec![2]),
            (format!("TLS_KEY=\"{key}\"\nB=1\n"), vec!["TLS_KEY", "B"], vec![]),
            (format!("TLS_KEY=\"{key}B=1\n"), vec!["B"], vec![1, 2]),
            (format!("{key}B=1\n"), vec!["B"], vec![1, 2]),
            ("MIIEvQIBAD0NBgkq\nhkiG9w0BAQEF0ASC==\nB=1".to_owned(), vec!["B"], vec![1, 2]),
        ] {
            let read = statements(&text);
            let seen: Vec<&str> = read.iter().flatten().map(|one| one.name.as_str()).collect();
            let lines: Vec<usize> =
                read.iter().filter_map(|one| one.as_ref().err()).map(|one| one.line).collect();
            assert_eq!((seen, lines), (names, wrong), "{text}");
        }
    }

    proptest! {
        #[test]
        fn statements_never_panic(text in "[A=$:'\"\\\\#0{}\\n\\ré ]{0,40}") {
            let _ = statements(&text);
        }
    }
}
