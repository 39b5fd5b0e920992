//! Fast parser for the simple YAML that people and programs mostly write in an inventory: block mappings
//! and lists, scalars in every style, and `[…]` and `{…}`. For any other text (tags, anchors, tabs, several
//! documents), valid or not, it returns nothing, and the full parser decides. Scalars are in `scalar`, flow
//! collections in `flow`.

mod flow;
mod multiline;
mod scalar;
mod words;

use memchr::memchr;

use super::tape::YamlToken;
use flow::Flow;
pub(super) use scalar::is_null;
use scalar::{key, quoted};
use words::{DEPTH, distinct, trim_end, trim_start};

/// Parses a text in simple YAML; `None` for any other text.
pub(super) fn read(text: &str) -> Option<Vec<YamlToken<'_>>> {
    read_noting(text, None).map(|reader| reader.tokens)
}

/// Returns the byte ranges of the items of a top-level list, if the text is simple YAML.
pub(super) fn items<'a>(text: &'a str, list: &'a str) -> Option<Items> {
    read_noting(text, Some(list)).map(|reader| reader.items)
}

fn read_noting<'a>(text: &'a str, noted: Option<&'a str>) -> Option<SimpleReader<'a>> {
    is_simple(text).then_some(())?;
    let mut reader = SimpleReader {
        text,
        next: 0,
        line: None,
        tokens: Vec::with_capacity(text.len() / 12 + 1),
        keys: Vec::with_capacity(DEPTH),
        noted,
        is_noting: false,
        items: Items::default(),
    };
    reader.advance();
    if reader.line.is_some_and(|line| line.indent == 0 && line.content == "---") {
        reader.advance();
    }
    let line = reader.line?;
    if line.content.starts_with(['[', '{']) {
        reader.flow(line.at, 0, 0)?;
    } else {
        reader.block(0, 0)?;
    }
    reader.line.is_none().then_some(reader)
}

/// Items of a list on separate lines.
#[derive(Debug, Default)]
pub(super) struct Items {
    /// For each item: first byte of its first line, columns before the item on that line, and its end if it
    /// is in brackets.
    pub(super) starts: Vec<(usize, usize, Option<usize>)>,
    /// Byte after the last line of the list.
    pub(super) end: usize,
}

/// Returns whether a text consists of line ends and characters that are allowed anywhere.
fn is_simple(text: &str) -> bool {
    let is_usual = |byte: u8| matches!(byte, b' '..=b'~' | b'\n');
    // Without a branch for each byte, the compiler compares many at once.
    let are_usual = |bytes: &[u8]| bytes.iter().fold(true, |all, byte| all & is_usual(*byte));
    if text.as_bytes().chunks(64).all(are_usual) {
        return true;
    }
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let is_simple = match character {
            '\n' | ' '..='~' => true,
            '\r' => characters.peek() == Some(&'\n'),
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
            other => other >= '\u{a0}',
        };
        if !is_simple {
            return false;
        }
    }
    true
}

/// Line that is neither empty nor a comment, or the rest of one after `- `.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// Byte offset of the content.
    at: usize,
    indent: usize,
    content: &'a str,
    /// An empty line or a comment comes before it.
    apart: bool,
}

impl<'a> Line<'a> {
    fn is_item(&self) -> bool {
        self.content.starts_with('-') && matches!(self.content.as_bytes().get(1), None | Some(b' '))
    }

    /// Returns its key, and the bytes of the key with the colon.
    fn key(&self) -> Option<(&'a str, usize)> {
        let (key, length) = key(self.content)?;
        let is_apart = matches!(self.content.as_bytes().get(length), None | Some(b' '));
        is_apart.then_some((key, length))
    }

    /// Returns the rest of the line after a number of bytes of the content.
    fn after(&self, bytes: usize) -> Self {
        let rest = &self.content[bytes..];
        let content = trim_start(rest);
        let bytes = bytes + rest.len() - content.len();
        Self { at: self.at + bytes, indent: self.indent + bytes, content, apart: false }
    }

    /// Returns whether only a comment is left; the space before it was checked earlier.
    fn is_blank(&self) -> bool {
        self.content.is_empty() || self.content.starts_with('#')
    }
}

struct SimpleReader<'a> {
    text: &'a str,
    /// Byte offset of the line after this one.
    next: usize,
    line: Option<Line<'a>>,
    tokens: Vec<YamlToken<'a>>,
    /// Keys of all open mappings.
    keys: Vec<&'a str>,
    /// Key of the list whose items to record.
    noted: Option<&'a str>,
    /// The recorded list is next, or open.
    is_noting: bool,
    items: Items,
}

impl<'a> SimpleReader<'a> {
    /// Takes the next line of the text, without its line end.
    fn take_line(&mut self) -> Option<&'a str> {
        let rest = self.text.get(self.next..).filter(|rest| !rest.is_empty())?;
        let length = memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        self.next += length + 1;
        let line = &rest[..length];
        Some(line.strip_suffix('\r').unwrap_or(line))
    }

    /// Advances to the next line with content.
    fn advance(&mut self) {
        let mut apart = false;
        self.line = loop {
            let start = self.next;
            let Some(line) = self.take_line() else { break None };
            let content = trim_start(line);
            if content.is_empty() || content.starts_with('#') {
                apart = true;
                continue;
            }
            let indent = line.len() - content.len();
            break Some(Line { at: start + indent, indent, content: trim_end(content), apart });
        };
    }

    /// Continues after a value that ended within a line; only a comment may follow it there.
    fn finish(&mut self, at: usize, indent: usize) -> Option<()> {
        self.next = at;
        let rest = self.take_line()?;
        let after = trim_start(rest);
        (after.is_empty() || (after.starts_with('#') && after.len() < rest.len())).then_some(())?;
        self.advance();
        self.ends(indent)
    }

    /// Succeeds if the line does not belong to a value of a collection with this indentation.
    fn ends(&self, indent: usize) -> Option<()> {
        self.line.is_none_or(|line| line.indent <= indent).then_some(())
    }

    /// Reads a list or a mapping, all of whose lines begin at this column.
    fn block(&mut self, indent: usize, depth: usize) -> Option<()> {
        let line = self.line.filter(|line| line.indent == indent && depth < DEPTH)?;
        if line.is_item() {
            self.list(indent, depth)?;
        } else {
            self.mapping(indent, depth)?;
        }
        self.tokens.push(YamlToken::End);
        // A list may begin at the column of the mapping that contains it.
        self.ends(indent)
    }

    fn list(&mut self, indent: usize, depth: usize) -> Option<()> {
        let (at, mut count) = (self.tokens.len(), 0);
        self.tokens.push(YamlToken::List(None));
        let notes = depth == 1 && self.is_noting;
        while let Some(line) = self.line.filter(|line| line.indent == indent && line.is_item()) {
            let rest = line.after(1);
            if notes {
                // If the item is on another line, or a list, the caller has to walk through the whole text.
                (!rest.is_blank() && !rest.is_item()).then_some(())?;
                self.items.starts.push((line.at - indent, rest.indent, None));
            }
            self.item(rest, indent, depth)?;
            count += 1;
        }
        self.tokens[at] = YamlToken::List(Some(count));
        if notes {
            self.items.end = self.line.map_or(self.text.len(), |line| line.at - line.indent);
        }
        Some(())
    }

    fn mapping(&mut self, indent: usize, depth: usize) -> Option<()> {
        let first = self.keys.len();
        self.tokens.push(YamlToken::Map);
        while let Some(line) = self.line.filter(|line| line.indent == indent && !line.is_item()) {
            let (key, value) = line.key()?;
            self.keys.push(key);
            self.tokens.push(YamlToken::Quoted(key.into()));
            if depth == 0 {
                self.is_noting = self.noted == Some(key);
            }
            self.value(line.after(value), indent, depth)?;
        }
        distinct(&self.keys[first..])?;
        self.keys.truncate(first);
        // A list at this column would belong to nothing.
        self.line.is_none_or(|line| line.indent < indent).then_some(())
    }

    /// Reads the rest of a line after `-`, in a list at a column.
    fn item(&mut self, rest: Line<'a>, indent: usize, depth: usize) -> Option<()> {
        if rest.is_blank() {
            self.advance();
            return match self.line {
                Some(line) if line.indent > indent => self.below(line, indent, depth),
                _ => self.nothing(),
            };
        }
        self.below(rest, indent, depth)
    }

    /// Reads the rest of a line after `key:`, in a mapping at a column.
    fn value(&mut self, rest: Line<'a>, indent: usize, depth: usize) -> Option<()> {
        if !rest.is_blank() {
            return self.scalar_or_flow(rest, indent, depth);
        }
        self.advance();
        match self.line {
            Some(line) if line.indent > indent => self.below(line, indent, depth),
            Some(line) if line.indent == indent && line.is_item() => self.block(indent, depth + 1),
            _ => self.nothing(),
        }
    }

    fn nothing(&mut self) -> Option<()> {
        self.tokens.push(YamlToken::Plain("".into()));
        Some(())
    }

    /// Reads a value that begins on another line, further to the right than its collection.
    fn below(&mut self, line: Line<'a>, indent: usize, depth: usize) -> Option<()> {
        if line.is_item() || line.key().is_some() {
            self.line = Some(line);
            return self.block(line.indent, depth + 1);
        }
        self.scalar_or_flow(line, indent, depth)
    }

    /// Reads a value that begins on this line, in a collection with this indentation.
    fn scalar_or_flow(&mut self, rest: Line<'a>, indent: usize, depth: usize) -> Option<()> {
        match rest.content.as_bytes().first()? {
            b'[' | b'{' => self.flow(rest.at, indent, depth + 1),
            b'"' | b'\'' => {
                let (text, end) = quoted(self.text, rest.at, indent + 1)?;
                self.tokens.push(YamlToken::Quoted(text));
                self.finish(end, indent)
            }
            b'|' | b'>' => self.block_scalar(rest.content, indent),
            _ => self.plain(rest.content, indent),
        }
    }

    fn flow(&mut self, at: usize, indent: usize, depth: usize) -> Option<()> {
        let least = if depth == 0 { 0 } else { indent + 1 };
        let mut flow = Flow { text: self.text, at, least, tokens: &mut self.tokens, keys: &mut self.keys };
        flow.node(depth)?;
        let end = flow.at;
        if let Some((.., item)) = self.items.starts.last_mut().filter(|_| depth == 2 && self.is_noting) {
            *item = Some(end);
        }
        self.finish(end, indent)
    }
}
