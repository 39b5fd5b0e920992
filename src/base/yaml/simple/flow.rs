//! Flow collections `[…]` and `{…}`, on one line or on several.

use super::super::tape::YamlToken;
use super::scalar::{is_marker, is_start, key, plain_line, quoted};
use super::{DEPTH, distinct, trim_end};

/// Reader of flow collections.
pub(super) struct Flow<'a, 't> {
    pub(super) text: &'a str,
    /// Next byte.
    pub(super) at: usize,
    /// Minimum column of continuation lines.
    pub(super) least: usize,
    pub(super) tokens: &'t mut Vec<YamlToken<'a>>,
    /// Keys of all open mappings.
    pub(super) keys: &'t mut Vec<&'a str>,
}

impl<'a> Flow<'a, '_> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips spaces, comments and line ends.
    fn skip(&mut self) -> Option<()> {
        loop {
            match self.byte() {
                Some(b' ') => self.at += 1,
                Some(b'\r') => self.at += 1,
                Some(b'\n') => {
                    self.at += 1;
                    let rest = &self.text[self.at..];
                    let spaces = rest.bytes().position(|byte| byte != b' ').unwrap_or(rest.len());
                    let is_blank = matches!(rest.as_bytes().get(spaces), None | Some(b'\r' | b'\n' | b'#'));
                    (is_blank || (spaces >= self.least && !is_marker(rest))).then_some(())?;
                    self.at += spaces;
                }
                Some(b'#') if matches!(self.text.as_bytes()[self.at - 1], b' ' | b'\n') => {
                    let rest = &self.text.as_bytes()[self.at..];
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                _ => return Some(()),
            }
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.byte() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Reads a collection or a scalar.
    pub(super) fn node(&mut self, depth: usize) -> Option<()> {
        if depth >= DEPTH {
            return None;
        }
        match self.byte()? {
            b'[' => {
                self.at += 1;
                let at = self.tokens.len();
                self.tokens.push(YamlToken::List(None));
                let count = self.members(b']', |flow| flow.node(depth + 1))?;
                self.tokens[at] = YamlToken::List(Some(count));
                Some(())
            }
            b'{' => {
                self.at += 1;
                self.tokens.push(YamlToken::Map);
                let first = self.keys.len();
                self.members(b'}', |flow| flow.member(depth + 1))?;
                distinct(&self.keys[first..])?;
                self.keys.truncate(first);
                Some(())
            }
            b'"' | b'\'' => {
                let (text, end) = quoted(self.text, self.at, self.least)?;
                self.at = end;
                self.tokens.push(YamlToken::Quoted(text));
                Some(())
            }
            _ => self.plain(),
        }
    }

    /// Reads a key with its value.
    fn member(&mut self, depth: usize) -> Option<()> {
        let is_quoted = matches!(self.byte()?, b'"' | b'\'');
        let (key, length) = key(&self.text[self.at..])?;
        self.at += length;
        // As in JSON, a value may directly follow a quoted key.
        (is_quoted || matches!(self.byte()?, b' ' | b'\n' | b'\r')).then_some(())?;
        self.skip()?;
        self.keys.push(key);
        self.tokens.push(YamlToken::Quoted(key.into()));
        if matches!(self.byte()?, b',' | b'}') {
            self.tokens.push(YamlToken::Plain("".into()));
            return Some(());
        }
        self.node(depth)
    }

    /// Reads a scalar without quotes, on one line.
    fn plain(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let is_end = |byte: u8| matches!(byte, b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'\n' | b'\r');
        let end = rest.bytes().position(is_end)?;
        let text = trim_end(&rest[..end]);
        self.at += text.len();
        let (text, _) = plain_line(text)?;
        is_start(text).then_some(())?;
        self.tokens.push(YamlToken::Plain(text.into()));
        Some(())
    }

    /// Reads the members in brackets, separated by commas; returns their number.
    fn members(&mut self, close: u8, mut member: impl FnMut(&mut Self) -> Option<()>) -> Option<usize> {
        let mut count = 0;
        self.skip()?;
        while !self.take(close) {
            member(self)?;
            count += 1;
            self.skip()?;
            if !self.take(b',') {
                self.take(close).then_some(())?;
                break;
            }
            self.skip()?;
        }
        self.tokens.push(YamlToken::End);
        Some(count)
    }
}
