//! A YAML document as a sequence of tokens, without positions, from which typed values are deserialised.
//! Tokens come from a text in simple YAML ([`super::simple`]), or from a file in compact form ([`write()`],
//! [`read`]). Errors are reported by the full parser.

use std::borrow::Cow;

use super::tree::{Node, NodeValue};

/// Part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum YamlToken<'a> {
    /// A scalar without quotes.
    Plain(Cow<'a, str>),
    /// A scalar that is always a string.
    Quoted(Cow<'a, str>),
    /// Start of a list, with the number of items if known.
    List(Option<usize>),
    /// Start of a mapping: keys and values alternate.
    Map,
    /// End of the innermost list or mapping.
    End,
}

/// Writes a document in a form that [`read`] need not search: each scalar comes after its length.
pub(super) fn write(name: &str, node: &Node) -> String {
    fn scalar(out: &mut String, mark: char, text: &str) {
        out.push_str(&format!("{mark}{} {text}\n", text.len()));
    }
    // Nodes still to be written; `None` is an end.
    let mut todo: Vec<Option<&Node>> = vec![Some(node)];
    let mut keys: Vec<(usize, &str)> = Vec::new();
    let mut out = String::new();
    scalar(&mut out, 'd', name);
    while let Some(next) = todo.pop() {
        if let Some((_, key)) = keys.pop_if(|(at, _)| *at == todo.len()) {
            scalar(&mut out, 'k', key);
        }
        match next.map(|node| &node.value) {
            None => out.push_str("e\n"),
            Some(NodeValue::Scalar { text, plain }) => scalar(&mut out, if *plain { 'p' } else { 'q' }, text),
            Some(NodeValue::List(items)) => {
                out.push_str("l\n");
                todo.push(None);
                todo.extend(items.iter().rev().map(Some));
            }
            Some(NodeValue::Map(entries)) => {
                out.push_str("m\n");
                todo.push(None);
                for entry in entries.iter().rev() {
                    keys.push((todo.len(), &entry.key));
                    todo.push(Some(&entry.node));
                }
            }
        }
    }
    out
}

/// A document with its name.
type TokenDocument<'a> = (&'a str, Vec<YamlToken<'a>>);

/// Reads any number of documents that [`write()`] has written; `None` for any other text.
pub(super) fn read(text: &str) -> Option<Vec<TokenDocument<'_>>> {
    let mut documents: Vec<TokenDocument<'_>> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (mark, after) = rest.split_at_checked(1)?;
        rest = after;
        let mut scalar = || {
            let (length, after) = rest.split_once(' ')?;
            let (scalar, after) = after.split_at_checked(length.parse().ok()?)?;
            rest = after;
            Some(scalar)
        };
        let token = match mark {
            "d" => {
                documents.push((scalar()?, Vec::new()));
                None
            }
            "l" => Some(YamlToken::List(None)),
            "m" => Some(YamlToken::Map),
            "e" => Some(YamlToken::End),
            "p" => Some(YamlToken::Plain(scalar()?.into())),
            "k" | "q" => Some(YamlToken::Quoted(scalar()?.into())),
            _ => return None,
        };
        if let Some(token) = token {
            documents.last_mut()?.1.push(token);
        }
        rest = rest.strip_prefix('\n')?;
    }
    Some(documents)
}
