//! The words of a Ruby text: names, strings, signs. Comments are left out, and so is what is inside of
//! strings, but for code in them, which is handed out on its own.

use std::ops::Range;

/// A word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) line: usize,
    pub(super) range: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Name(String),
    /// A string; `None` if it is not all written there.
    Text(Option<String>),
    /// A sign, or two that belong together.
    Sign(&'static str),
    /// The end of a line.
    Line,
    /// Anything else.
    Other,
}

/// The words of a text.
pub(super) struct Words {
    pub(super) tokens: Vec<Token>,
    /// Code inside of strings.
    pub(super) inner: Vec<Range<usize>>,
}

const SIGNS: [&str; 21] = [
    "||=", "&&=", "===", "**", "||", "&&", "==", "=~", "=>", "::", "&.", "[", "]", "(", ")", "{", "}", ".",
    ",", "=", "|",
];

/// Reads the words of a part of a text, which begins on a line of this number.
pub(super) fn words(text: &str, part: Range<usize>, line: usize) -> Words {
    let mut reader = Reader {
        text,
        at: part.start,
        end: part.end,
        line,
        documents: Vec::new(),
        words: Words { tokens: Vec::new(), inner: Vec::new() },
    };
    while reader.at < reader.end {
        if !reader.next() {
            break;
        }
    }
    reader.words
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    end: usize,
    line: usize,
    /// Here-documents whose text begins on the next line, and whether there is code in them.
    documents: Vec<(String, bool)>,
    words: Words,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, from: usize, line: usize) {
        self.words.tokens.push(Token { kind, line, range: from..self.at });
    }

    /// Whether what comes next is behind a value: then `/` divides, and `%` and `<<` are operators.
    fn is_behind_value(&self) -> bool {
        match self.words.tokens.last().map(|token| &token.kind) {
            Some(Kind::Name(name)) => !matches!(
                &**name,
                "if" | "unless" | "and" | "or" | "not" | "return" | "when" | "puts" | "raise" | "in"
            ),
            Some(Kind::Text(_) | Kind::Sign("]" | ")" | "}")) => true,
            _ => false,
        }
    }

    /// Reads one word; `false` at the end.
    fn next(&mut self) -> bool {
        let (from, line) = (self.at, self.line);
        let rest = self.rest();
        let is_line_start = from == 0 || self.text.as_bytes()[from - 1] == b'\n';
        let Some(first) = rest.chars().next() else { return false };
        if is_line_start && rest.starts_with("=begin") {
            let length = rest.find("\n=end").map_or(rest.len(), |end| end + 5);
            self.skip(length);
            self.skip_line();
            return true;
        }
        if is_line_start && rest.lines().next().is_some_and(|line| line.trim_end() == "__END__") {
            return false;
        }
        let spaced = from == 0 || !self.text.as_bytes()[from - 1].is_ascii_alphanumeric();
        match first {
            '\n' => {
                self.skip(1);
                self.push(Kind::Line, from, line);
                self.read_documents();
            }
            '#' => self.skip_line(),
            '\'' => self.string('\'', None, false),
            '"' | '`' => self.string(first, None, true),
            '/' if !self.is_behind_value() => self.string('/', None, true),
            '%' if !self.is_behind_value() && self.percent() => {}
            '<' if spaced && self.document() => {}
            '?' if !self.is_behind_value() => {
                let next = rest.chars().nth(1).map_or(0, char::len_utf8);
                self.skip(1 + next);
                self.push(Kind::Other, from, line);
            }
            c if c.is_alphabetic() || c == '_' => {
                let is_part = |c: char| c.is_alphanumeric() || c == '_';
                let mut length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                if rest[length..].starts_with(['?', '!']) && !rest[length + 1..].starts_with('=') {
                    length += 1;
                }
                let name = rest[..length].to_owned();
                self.skip(length);
                self.push(Kind::Name(name), from, line);
            }
            c if c.is_whitespace() => self.skip(c.len_utf8()),
            '\\' if rest[1..].starts_with('\n') => self.skip(2),
            c => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                self.skip(sign.map_or(c.len_utf8(), |sign| sign.len()));
                self.push(sign.map_or(Kind::Other, |sign| Kind::Sign(sign)), from, line);
            }
        }
        true
    }

    fn skip(&mut self, length: usize) {
        let to = (self.at + length).min(self.end);
        self.line += self.text.as_bytes()[self.at..to].iter().filter(|byte| **byte == b'\n').count();
        self.at = to;
    }

    fn skip_line(&mut self) {
        let length = self.rest().find('\n').unwrap_or(self.rest().len());
        self.skip(length);
    }

    /// A string up to its closing sign; `open` is the opening one where they nest.
    fn string(&mut self, close: char, open: Option<char>, is_code: bool) {
        let (from, line) = (self.at, self.line);
        self.skip(1);
        self.string_body(from, line, close, open, is_code);
    }

    fn string_body(&mut self, from: usize, line: usize, close: char, open: Option<char>, is_code: bool) {
        let begin = self.at;
        let (mut depth, mut is_plain) = (0_usize, true);
        while let Some(character) = self.rest().chars().next() {
            if character == '\\' {
                is_plain = false;
                let next = self.rest()[1..].chars().next().map_or(0, char::len_utf8);
                self.skip(1 + next);
            } else if is_code && self.rest().starts_with("#{") {
                is_plain = false;
                self.code();
            } else if character == close && depth == 0 {
                break;
            } else {
                depth += usize::from(Some(character) == open);
                depth -= usize::from(character == close);
                self.skip(character.len_utf8());
            }
        }
        let said = is_plain.then(|| self.text[begin..self.at].to_owned());
        self.skip(close.len_utf8());
        self.push(Kind::Text(said), from, line);
    }

    /// `#{…}`, with braces in it.
    fn code(&mut self) {
        self.skip(2);
        let from = self.at;
        let mut depth = 0_usize;
        let length = self.rest().char_indices().find_map(|(at, character)| match character {
            '{' => {
                depth += 1;
                None
            }
            '}' if depth == 0 => Some(at),
            '}' => {
                depth -= 1;
                None
            }
            _ => None,
        });
        let length = length.unwrap_or(self.rest().len());
        self.words.inner.push(from..from + length);
        self.skip(length + 1);
    }

    /// `%w[…]`, `%q(…)`, `%(…)`.
    fn percent(&mut self) -> bool {
        let (from, line) = (self.at, self.line);
        let mut characters = self.rest().chars().skip(1);
        let Some(mut open) = characters.next() else { return false };
        let mut length = 1;
        let mut is_code = true;
        if "qQwWiIrsx".contains(open) {
            is_code = !"qwis".contains(open);
            let Some(next) = characters.next() else { return false };
            open = next;
            length += 1;
        }
        if !open.is_ascii_punctuation() {
            return false;
        }
        let (close, nests) = match open {
            '(' => (')', true),
            '[' => (']', true),
            '{' => ('}', true),
            '<' => ('>', true),
            other => (other, false),
        };
        self.skip(length + 1);
        self.string_body(from, line, close, nests.then_some(open), is_code);
        // Words and patterns are no names of variables.
        if let Some(token) = self.words.tokens.last_mut() {
            token.kind = Kind::Text(None);
        }
        true
    }

    /// `<<~END`: its text is on the lines that follow.
    fn document(&mut self) -> bool {
        let (from, line) = (self.at, self.line);
        let Some(after) = self.rest().strip_prefix("<<") else { return false };
        let word = after.trim_start_matches(['~', '-']);
        let quote = word.chars().next().filter(|c| "'\"`".contains(*c));
        let word = word.trim_start_matches(['\'', '"', '`']);
        let end: String = word.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let is_marked = quote.is_some() || after.starts_with(['~', '-']);
        let is_name =
            end.starts_with(|c: char| c.is_ascii_uppercase() || c == '_' || is_marked && c.is_alphabetic());
        if !is_name || !is_marked && self.is_behind_value() {
            return false;
        }
        let closed = quote.is_some_and(|quote| word[end.len()..].starts_with(quote));
        let length = self.rest().len() - word.len() + end.len() + usize::from(closed);
        self.documents.push((end, quote != Some('\'')));
        self.skip(length);
        self.push(Kind::Text(None), from, line);
        true
    }

    fn read_documents(&mut self) {
        for (end, is_code) in std::mem::take(&mut self.documents) {
            while !self.rest().is_empty() {
                let line = self.rest().lines().next().unwrap_or_default();
                let (is_end, to) = (line.trim() == end, self.at + line.len());
                while is_code && !is_end && self.at < to {
                    match self.text[self.at..to].find("#{") {
                        Some(at) => {
                            self.skip(at);
                            self.code();
                        }
                        None => break,
                    }
                }
                self.skip_line();
                self.skip(1);
                if is_end {
                    break;
                }
            }
        }
    }
}
