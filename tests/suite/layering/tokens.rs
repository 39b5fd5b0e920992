//! Words and punctuation of a Rust source, without comments and string contents.

#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word(String),
    Colons,
    Mark(char),
}

pub(super) struct Token {
    pub(super) line: usize,
    pub(super) what: TokenKind,
}

/// Cuts a source into words and punctuation, without comments, strings, characters and lifetimes.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut rest = source;
    let mut line = 1;
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (length, what) = if let Some(length) = silent(rest) {
            (length, None)
        } else if rest.starts_with("::") {
            (2, Some(TokenKind::Colons))
        } else if is_word(first) {
            let word = rest.split(|c| !is_word(c)).next().unwrap_or(rest);
            (word.len(), Some(TokenKind::Word(word.to_owned())))
        } else {
            (first.len_utf8(), (!first.is_whitespace()).then_some(TokenKind::Mark(first)))
        };
        tokens.extend(what.map(|what| Token { line, what }));
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of the comment, string, character or lifetime at the beginning of `rest`.
fn silent(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    if rest.starts_with('\'') {
        return Some(character(rest));
    }
    let prefix = rest.find(|c: char| !matches!(c, 'b' | 'c' | 'r')).filter(|length| *length <= 2)?;
    let (prefix, string) = rest.split_at(prefix);
    if prefix.ends_with('r') {
        let fence = string.find(|c| c != '#')?;
        if string[fence..].starts_with('"') {
            let end = format!("\"{}", &string[..fence]);
            let body = &string[fence + 1..];
            let length = body.find(&end).map_or(body.len(), |at| at + end.len());
            return Some(prefix.len() + fence + 1 + length);
        }
        // `r#type` is a word like any other; only its mark goes.
        return (fence == 1).then_some(prefix.len() + 1);
    }
    if prefix == "b" && string.starts_with('\'') {
        return Some(1 + character(string));
    }
    string.starts_with('"').then(|| prefix.len() + quoted(string))
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at < rest.len() {
        let ahead = &rest.as_bytes()[at..];
        if ahead.starts_with(b"/*") {
            (at, depth) = (at + 2, depth + 1);
        } else if ahead.starts_with(b"*/") {
            (at, depth) = (at + 2, depth - 1);
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// A character literal, or only the mark of a lifetime.
fn character(rest: &str) -> usize {
    let mut inside = rest[1..].chars();
    match inside.next() {
        Some('\\') => {
            let escaped = inside.next().map_or(0, char::len_utf8);
            let body = 2 + escaped;
            rest[body..].find('\'').map_or(rest.len(), |end| body + end + 1)
        }
        Some(c) if inside.next() == Some('\'') => 1 + c.len_utf8() + 1,
        _ => 1,
    }
}

/// A string from its opening quote on.
fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}
