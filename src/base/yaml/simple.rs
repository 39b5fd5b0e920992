//! The YAML that people mostly write for an inventory, read at once: mappings and lists by indentation,
//! plain and quoted texts, and `[…]` and `{…}` on one line. Whatever else a text holds, be it right or
//! wrong, is for the whole parser: this one says then that it does not know.

use std::borrow::Cow;
use std::collections::HashSet;

use super::tape::Token;

/// Nothing is nested deeper.
const DEPTH: usize = 24;
/// A longer key is none.
const KEY: usize = 100;

/// The document of a text, if it is written in the simple way.
pub(super) fn read(text: &str) -> Option<Vec<Token<'_>>> {
    read_noting(text, None).map(|reader| reader.tokens)
}

/// Byte ranges of the items of a top-level list, if the text is written in the simple way.
pub(super) fn items<'a>(text: &'a str, list: &'a str) -> Option<Items> {
    read_noting(text, Some(list)).map(|reader| reader.items)
}

fn read_noting<'a>(text: &'a str, noted: Option<&'a str>) -> Option<Reader<'a>> {
    if !text.chars().all(is_simple) {
        return None;
    }
    let next = if text.starts_with("---\n") { 4 } else { 0 };
    let tokens = Vec::with_capacity(text.len() / 16);
    let (line, is_noting, items) = (None, false, Items::default());
    let mut reader = Reader { text, next, start: next, line, tokens, noted, is_noting, items };
    reader.advance();
    reader.block(0, 0)?;
    reader.line.is_none().then_some(reader)
}

/// The items of a list that is written in lines of its own.
#[derive(Debug, Default)]
pub(super) struct Items {
    /// For each the byte at which its first line begins, and how many columns stand before it there.
    pub(super) starts: Vec<(usize, usize)>,
    /// The byte after the last line of all.
    pub(super) end: usize,
}

fn is_simple(c: char) -> bool {
    match c {
        '\n' | ' '..='~' => true,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
        c => c >= '\u{a0}',
    }
}

/// A line that is neither empty nor a comment, or the rest of one after `- `.
#[derive(Clone, Copy)]
struct Line<'a> {
    indent: usize,
    content: &'a str,
    /// An empty line or a comment stood before it.
    apart: bool,
}

impl Line<'_> {
    fn is_item(&self) -> bool {
        self.content == "-" || self.content.starts_with("- ")
    }
}

struct Reader<'a> {
    text: &'a str,
    next: usize,
    /// Byte offset of the line.
    start: usize,
    line: Option<Line<'a>>,
    tokens: Vec<Token<'a>>,
    /// The key of a list whose items are noted.
    noted: Option<&'a str>,
    /// The list of that key is next, or open.
    is_noting: bool,
    items: Items,
}

impl<'a> Reader<'a> {
    /// Goes to the next line that holds something.
    fn advance(&mut self) {
        let mut apart = false;
        self.line = loop {
            self.start = self.next.min(self.text.len());
            if self.start == self.text.len() {
                break None;
            }
            let rest = &self.text[self.next..];
            let length = rest.find('\n').unwrap_or(rest.len());
            self.next += length + 1;
            let line = &rest[..length];
            let content = line.trim_start_matches(' ');
            if content.is_empty() || content.starts_with('#') {
                apart = true;
                continue;
            }
            break Some(Line {
                indent: length - content.len(),
                content: content.trim_end_matches(' '),
                apart,
            });
        };
    }

    /// A list or a mapping, all of whose lines begin at this column.
    fn block(&mut self, indent: usize, depth: usize) -> Option<()> {
        let line = self.line.filter(|line| line.indent == indent && depth < DEPTH)?;
        if line.is_item() {
            self.tokens.push(Token::List);
            while let Some(line) = self.line.filter(|line| line.indent == indent && line.is_item()) {
                if depth == 1 && self.is_noting {
                    let item = line.content[1..].trim_start_matches(' ');
                    self.items.starts.push((self.start, indent + line.content.len() - item.len()));
                }
                self.item(line, depth)?;
            }
            if depth == 1 && self.is_noting {
                self.items.end = self.start;
            }
        } else {
            let mut keys = Vec::new();
            self.tokens.push(Token::Map);
            while let Some(line) = self.line.filter(|line| line.indent == indent && !line.is_item()) {
                let (key, value) = key(line.content)?;
                keys.push(key);
                self.tokens.push(Token::Quoted(Cow::Borrowed(key)));
                if depth == 0 {
                    self.is_noting = self.noted == Some(key);
                }
                self.value(value, indent, depth)?;
            }
            distinct(&keys)?;
            // A list that comes then belongs to nothing.
            self.line.is_none_or(|line| line.indent < indent).then_some(())?;
        }
        self.tokens.push(Token::End);
        // A list may stand at the column of the mapping that it is in.
        self.line.is_none_or(|line| line.indent <= indent).then_some(())
    }

    fn item(&mut self, line: Line<'a>, depth: usize) -> Option<()> {
        let content = line.content.strip_prefix("- ")?.trim_start_matches(' ');
        if content.starts_with("- ") || content == "-" {
            return None;
        }
        if key(content).is_some() {
            let indent = line.indent + line.content.len() - content.len();
            self.line = Some(Line { indent, content, apart: false });
            return self.block(indent, depth + 1);
        }
        self.scalar_or_flow(content, line.indent, depth)
    }

    /// Text after `key:`.
    fn value(&mut self, value: &'a str, indent: usize, depth: usize) -> Option<()> {
        if !value.is_empty() && !value.starts_with('#') {
            return self.scalar_or_flow(value, indent, depth);
        }
        self.advance();
        match self.line {
            Some(line) if line.indent > indent => self.block(line.indent, depth + 1),
            Some(line) if line.indent == indent && line.is_item() => self.block(indent, depth + 1),
            _ => {
                self.tokens.push(Token::Plain(Cow::Borrowed("")));
                Some(())
            }
        }
    }

    /// A value that begins on this line, in a list or mapping that is indented so far.
    fn scalar_or_flow(&mut self, value: &'a str, indent: usize, depth: usize) -> Option<()> {
        match value.as_bytes().first()? {
            b'[' | b'{' => {
                let mut flow = Flow { rest: value, tokens: &mut self.tokens };
                flow.node(depth + 1)?;
                ends(flow.rest)?;
            }
            b'"' | b'\'' => {
                let (text, rest) = quoted(value)?;
                ends(rest)?;
                self.tokens.push(Token::Quoted(text));
            }
            _ => return self.plain(value, indent),
        }
        self.advance();
        self.line.is_none_or(|line| line.indent <= indent).then_some(())
    }

    /// A text without quotes, that may go on in lines that are indented further.
    fn plain(&mut self, value: &'a str, indent: usize) -> Option<()> {
        let (text, commented) = plain_line(value)?;
        is_start(text).then_some(())?;
        let mut text = Cow::Borrowed(text);
        let mut commented = commented;
        self.advance();
        while let Some(line) = self.line.filter(|line| line.indent > indent) {
            let (more, comment) = plain_line(line.content).filter(|_| !line.apart && !commented)?;
            commented = comment;
            let text = text.to_mut();
            text.push(' ');
            text.push_str(more);
            self.advance();
        }
        self.tokens.push(Token::Plain(text));
        Some(())
    }
}

/// A key at the start of a line, and what comes after its colon.
fn key(content: &str) -> Option<(&str, &str)> {
    let end = content.bytes().position(|byte| !is_key_byte(byte))?;
    let (key, rest) = content.split_at(end);
    let rest = rest.strip_prefix(':')?;
    let is_key =
        end <= KEY && !key.is_empty() && !key.starts_with(|c: char| !c.is_ascii_alphabetic() && c != '_');
    if !is_key || is_null(key) || !(rest.is_empty() || rest.starts_with(' ')) {
        return None;
    }
    Some((key, rest.trim_start_matches(' ')))
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
}

/// Whether a text without quotes is nothing.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// No key may be there twice.
fn distinct(keys: &[&str]) -> Option<()> {
    let are = match keys.len() {
        0..=12 => keys.iter().enumerate().all(|(at, key)| !keys[..at].contains(key)),
        count => keys.iter().collect::<HashSet<_>>().len() == count,
    };
    are.then_some(())
}

/// Whether a text without quotes may begin like this.
fn is_start(text: &str) -> bool {
    !text.starts_with([
        '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`',
    ])
}

/// The text of a line without its comment, and whether there is one.
fn plain_line(line: &str) -> Option<(&str, bool)> {
    let end = line.find(" #");
    let text = line[..end.unwrap_or(line.len())].trim_end_matches(' ');
    if text.is_empty() || text.starts_with('#') || text.contains(": ") || text.ends_with(':') {
        return None;
    }
    Some((text, end.is_some()))
}

/// A line ends here, perhaps with a comment.
fn ends(rest: &str) -> Option<()> {
    let after = rest.trim_start_matches(' ');
    (after.is_empty() || (after.starts_with('#') && after.len() < rest.len())).then_some(())
}

/// A text in quotes that ends on its line, and what comes after.
fn quoted(value: &str) -> Option<(Cow<'_, str>, &str)> {
    if let Some(rest) = value.strip_prefix('"') {
        let (text, rest) = rest.split_once('"')?;
        return (!text.contains('\\')).then_some((Cow::Borrowed(text), rest));
    }
    let value = value.strip_prefix('\'')?;
    let mut from = 0;
    loop {
        let end = from + value[from..].find('\'')?;
        if value[end + 1..].starts_with('\'') {
            from = end + 2;
            continue;
        }
        let text = &value[..end];
        let text = if from == 0 { Cow::Borrowed(text) } else { Cow::Owned(text.replace("''", "'")) };
        return Some((text, &value[end + 1..]));
    }
}

/// `[…]` and `{…}`.
struct Flow<'a, 't> {
    rest: &'a str,
    tokens: &'t mut Vec<Token<'a>>,
}

impl<'a> Flow<'a, '_> {
    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn take(&mut self, character: char) -> bool {
        let rest = self.rest.strip_prefix(character);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn node(&mut self, depth: usize) -> Option<()> {
        if depth >= DEPTH {
            return None;
        }
        if self.take('[') {
            self.tokens.push(Token::List);
            return self.members(']', |flow| flow.node(depth + 1));
        }
        if self.take('{') {
            self.tokens.push(Token::Map);
            let mut keys = Vec::new();
            self.members('}', |flow| {
                let (name, rest) = key(flow.rest)?;
                keys.push(name);
                flow.tokens.push(Token::Quoted(Cow::Borrowed(name)));
                flow.rest = rest;
                flow.node(depth + 1)
            })?;
            return distinct(&keys);
        }
        if self.rest.starts_with(['"', '\'']) {
            let (text, rest) = quoted(self.rest)?;
            self.rest = rest;
            self.tokens.push(Token::Quoted(text));
            return Some(());
        }
        let end = self.rest.find([',', '[', ']', '{', '}', '#'])?;
        let (text, rest) = self.rest.split_at(end);
        let (text, _) = plain_line(text.trim_end_matches(' '))?;
        is_start(text).then_some(())?;
        self.rest = rest;
        self.tokens.push(Token::Plain(Cow::Borrowed(text)));
        Some(())
    }

    /// Content of brackets, separated by commas, with none at the end.
    fn members(&mut self, close: char, mut member: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.skip_spaces();
        if !self.take(close) {
            loop {
                member(self)?;
                self.skip_spaces();
                if self.take(close) {
                    break;
                }
                self.take(',').then_some(())?;
                self.skip_spaces();
            }
        }
        self.tokens.push(Token::End);
        Some(())
    }
}
