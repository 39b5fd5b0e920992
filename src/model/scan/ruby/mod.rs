//! Ruby, read word by word. The kept grammar for it ends the whole program at some broken texts, so
//! it is no choice for texts from outside. What reads the environment is in the rules.

mod tokens;

use std::collections::BTreeMap;
use std::ops::Range;

use super::rules::{Getter, Language, Missing, by_end};
use super::{FileScan, Find, Need, Unknown, shown};
use crate::model::environment::is_variable_name;
use tokens::{Kind, Token, words};

/// Code in strings in code in strings, so deep.
const DEEPEST: usize = 4;

/// Reads one text.
pub(super) fn scan(language: &Language, text: &str) -> FileScan {
    let mut reader = Reader {
        language,
        text,
        aliases: BTreeMap::new(),
        constants: BTreeMap::new(),
        found: FileScan::default(),
    };
    reader.read(0..text.len(), 1, 0);
    reader.found
}

struct Reader<'a> {
    language: &'a Language,
    text: &'a str,
    aliases: BTreeMap<String, String>,
    constants: BTreeMap<String, String>,
    found: FileScan,
}

impl Reader<'_> {
    fn read(&mut self, part: Range<usize>, line: usize, depth: usize) {
        let begin = part.start;
        let words = words(self.text, part, line);
        let tokens = &words.tokens;
        for at in 0..tokens.len() {
            self.note(tokens, at);
        }
        let mut at = 0;
        while at < tokens.len() {
            at += self.place(tokens, at).max(1);
        }
        for inner in words.inner.into_iter().filter(|_| depth < DEEPEST) {
            let lines = self.text[begin..inner.start].matches('\n').count();
            self.read(inner, line + lines, depth + 1);
        }
    }

    /// `e = ENV`, `NAME = 'X'`.
    fn note(&mut self, tokens: &[Token], at: usize) {
        let (Some(Kind::Name(name)), Some(Kind::Sign("="))) = (kind(tokens, at), kind(tokens, at + 1)) else {
            return;
        };
        if at > 0 && matches!(kind(tokens, at - 1), Some(Kind::Sign("." | "&."))) {
            return;
        }
        match kind(tokens, at + 2) {
            Some(Kind::Text(Some(said))) => {
                self.constants.insert(name.clone(), said.clone());
            }
            Some(Kind::Name(_)) => {
                let (path, length) = path(tokens, at + 2);
                if matches!(kind(tokens, at + 2 + length), None | Some(Kind::Line)) {
                    self.aliases.insert(name.clone(), path);
                }
            }
            _ => {}
        }
    }

    /// Looks at what begins at a word, and says how many words it took.
    fn place(&mut self, tokens: &[Token], at: usize) -> usize {
        let is_member = at > 0 && matches!(kind(tokens, at - 1), Some(Kind::Sign("." | "&.")));
        if !matches!(kind(tokens, at), Some(Kind::Name(_))) || is_member {
            return 1;
        }
        let (path, length) = path(tokens, at);
        let path = match path.split_once('.') {
            Some((head, rest)) => self.aliases.get(head).map(|meant| format!("{meant}.{rest}")),
            None => self.aliases.get(&path).cloned(),
        }
        .unwrap_or(path);
        let next = at + length;
        if let Some(table) = by_end(&self.language.tables, &path)
            && kind(tokens, next) == Some(&Kind::Sign("["))
            && let Some(end) = closing(tokens, next)
        {
            let is_set = kind(tokens, end + 1) == Some(&Kind::Sign("="));
            let missing = table.missing == Some(Missing::Error);
            self.take(tokens, at..end, next + 1..end, (missing, false, is_set));
            return length + 1;
        }
        if let Some(getter) = by_end(&self.language.getters, &path).cloned() {
            self.call(tokens, at, next, &getter);
        }
        length
    }

    fn call(&mut self, tokens: &[Token], at: usize, next: usize, getter: &Getter) {
        let is_open = kind(tokens, next) == Some(&Kind::Sign("("));
        let (from, end) = if is_open {
            let Some(end) = closing(tokens, next) else { return };
            (next + 1, end)
        } else {
            let is_end = |token: &Token| {
                matches!(&token.kind, Kind::Line | Kind::Sign("{" | "||" | ")" | "]" | "}"))
                    || matches!(&token.kind, Kind::Name(name) if matches!(&**name, "do" | "or" | "if" | "unless"))
            };
            let length = tokens[next..].iter().position(is_end).unwrap_or(tokens.len() - next);
            (next, next + length)
        };
        let comma = tokens[from..end].iter().position(|token| token.kind == Kind::Sign(","));
        let name = from..comma.map_or(end, |comma| from + comma);
        if name.is_empty() {
            return;
        }
        let last = if is_open { end } else { end - 1 };
        let default = comma.filter(|_| getter.default.is_some()).map(|comma| &tokens[from + comma + 1..end]);
        let is_nothing = default.is_some_and(|default| match default {
            [one] => self.language.nothing.iter().any(|nothing| *nothing == self.text[one.range.clone()]),
            _ => false,
        });
        let has_block = match kind(tokens, last + 1) {
            Some(Kind::Sign("{")) => true,
            Some(Kind::Name(name)) => name == "do",
            _ => false,
        };
        let missing = getter.missing == Some(Missing::Error) && default.is_none();
        self.take(tokens, at..last, name, (missing, has_block || default.is_some() && !is_nothing, false));
    }

    /// A place from a word to another one, whose name is in some of them.
    fn take(
        &mut self,
        tokens: &[Token],
        place: Range<usize>,
        name: Range<usize>,
        (missing, has_default, is_set): (bool, bool, bool),
    ) {
        let line = tokens[place.start].line;
        let name = match &tokens[name] {
            [Token { kind: Kind::Text(Some(said)), .. }] => Some(said.clone()),
            [Token { kind: Kind::Name(name), .. }] => self.constants.get(name).cloned(),
            _ => None,
        };
        let Some(name) = name else {
            let last = tokens.get(place.end).unwrap_or(&tokens[place.start]);
            let text = shown(&self.text[tokens[place.start].range.start..last.range.end]);
            self.found.unknown.push(Unknown { line, text, test: false });
            return;
        };
        if !is_variable_name(&name) {
            return;
        }
        if is_set {
            self.found.sets.push((name, line));
            return;
        }
        let behind = kind(tokens, place.end + 1);
        let has_other = matches!(behind, Some(Kind::Sign("||" | "||=")))
            || matches!(behind, Some(Kind::Name(word)) if word == "or");
        let need = match (has_default || has_other, missing) {
            (true, _) => Need::Default,
            (false, true) => Need::Required,
            (false, false) => Need::Optional,
        };
        self.found.finds.push(Find { name, line, need, build: false, test: false });
    }
}

fn kind(tokens: &[Token], at: usize) -> Option<&Kind> {
    tokens.get(at).map(|token| &token.kind)
}

/// The names from a word on, joined by dots, and how many words they are.
fn path(tokens: &[Token], at: usize) -> (String, usize) {
    let mut path = String::new();
    let mut length = 0;
    while let Some(Kind::Name(name)) = kind(tokens, at + length) {
        path.push_str(name);
        length += 1;
        let is_joined = matches!(kind(tokens, at + length), Some(Kind::Sign("." | "&." | "::")));
        if !is_joined || !matches!(kind(tokens, at + length + 1), Some(Kind::Name(_))) {
            break;
        }
        path.push('.');
        length += 1;
    }
    (path, length)
}

/// Where what opens at a word is closed.
fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open).take(200) {
        match token.kind {
            Kind::Sign("[" | "(" | "{") => depth += 1,
            Kind::Sign("]" | ")" | "}") => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}
