//! Environment files as Compose reads them: comments, quotes, and interpolation in all values but
//! those in single quotes.

use std::collections::BTreeMap;

use super::expansion::Piece;
use super::interpolation::{Budget, Known, Values, interpolate};
use super::{GivenValue, Part};
use crate::model::environment::is_variable_name;

/// A line of such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) value: GivenValue,
    /// The variables that were put into its text.
    pub(super) parts: Vec<Part>,
    /// The text without those that have no value, if it lacks nothing else.
    pub(super) draft: Option<String>,
    pub(super) number: usize,
}

impl Line {
    /// The value, for others to be made of.
    pub(super) fn known(&self) -> Option<Known> {
        Some(Known { text: only_text(&self.value)?.to_owned(), parts: self.parts.clone() })
    }
}

/// A line that is none: which, and why.
pub(super) type Trouble = (usize, String);

/// Reads a file. Names that are defined above, or known to `outer`, are put into the values; a name
/// without `=` has the value that `outer` knows. In the `raw` form, all is as it is.
pub(super) fn read(
    text: &str,
    raw: bool,
    outer: Values<'_, '_>,
    budget: &Budget,
) -> Result<Vec<Line>, Trouble> {
    let mut lines: Vec<Line> = Vec::new();
    let mut defined: BTreeMap<String, Known> = BTreeMap::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let start = number;
        let (line, more) = rest.split_once('\n').unwrap_or((rest, ""));
        rest = more;
        let line = line.trim_start().trim_end_matches('\r');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = if raw { line } else { line.strip_prefix("export ").unwrap_or(line).trim_start() };
        let (name, written) = match line.split_once('=') {
            Some((name, written)) => (name.trim().to_owned(), Some(written)),
            None => (line.trim().to_owned(), None),
        };
        let known = |wanted: &str| defined.get(wanted).or_else(|| outer(wanted));
        let fill = |text: &str| filled(text, &known, budget).map_err(|why| (start, why));
        let Filled { value, parts, draft } = match written {
            None => match outer(&name) {
                Some(value) => Filled { parts: value.parts.clone(), ..Filled::plain(value.text.as_str()) },
                None => Filled::unknown("it is passed on from whoever deploys"),
            },
            Some(written) if raw => Filled::plain(written),
            Some(written) => match written.trim_start().chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let written = &written.trim_start()[1..];
                    let (inner, more, after) = quoted(written, rest, quote).ok_or_else(|| {
                        (start, format!("the value of {} has no closing quote", shown(&name)))
                    })?;
                    number += more;
                    rest = after;
                    if quote == '"' { fill(&unescaped(&inner))? } else { Filled::plain(inner) }
                }
                _ => {
                    let end = written.find(" #").unwrap_or(written.len());
                    fill(written[..end].trim())?
                }
            },
        };
        let text = only_text(&value);
        match text {
            Some(text) => defined.insert(name.clone(), Known { text: text.to_owned(), parts: parts.clone() }),
            None => defined.remove(&name),
        };
        lines.push(Line { name, value, parts, draft, number: start });
    }
    Ok(lines)
}

/// A name; what can be none may be a part of a secret, and is not shown.
fn shown(name: &str) -> String {
    if is_variable_name(name) { format!("`{name}`") } else { "this line".to_owned() }
}

fn plain(text: impl Into<String>) -> GivenValue {
    GivenValue::Text(vec![Piece::Text(text.into())])
}

/// A value with what was put into it.
struct Filled {
    value: GivenValue,
    parts: Vec<Part>,
    draft: Option<String>,
}

impl Filled {
    fn plain(text: impl Into<String>) -> Self {
        Self { value: plain(text), parts: Vec::new(), draft: None }
    }

    fn unknown(why: &str) -> Self {
        Self { value: GivenValue::Unknown(why.to_owned()), parts: Vec::new(), draft: None }
    }
}

fn filled(text: &str, known: Values<'_, '_>, budget: &Budget) -> Result<Filled, String> {
    let made = interpolate(text, known, budget)?;
    Ok(match made.unset.first() {
        Some(name) => Filled {
            value: GivenValue::Unknown(format!("`{name}` has no value in the files")),
            parts: made.parts,
            draft: Some(made.text),
        },
        None => Filled { parts: made.parts, ..Filled::plain(made.text) },
    })
}

/// The text of a value that is nothing else.
fn only_text(value: &GivenValue) -> Option<&str> {
    match value {
        GivenValue::Text(pieces) => match pieces.as_slice() {
            [Piece::Text(text)] => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// What is in quotes, which may go over several lines: the text, how many lines more it takes, and
/// what is left behind them.
fn quoted<'a>(line: &str, rest: &'a str, quote: char) -> Option<(String, usize, &'a str)> {
    let end = |text: &str| {
        let mut escaped = false;
        text.char_indices().find_map(|(at, c)| {
            let closes = c == quote && !escaped;
            escaped = quote == '"' && c == '\\' && !escaped;
            closes.then_some(at)
        })
    };
    let line = line.trim_end_matches('\r');
    if let Some(at) = end(line) {
        return Some((line[..at].to_owned(), 0, rest));
    }
    let at = end(rest)?;
    let inner = format!("{line}\n{}", &rest[..at]);
    let after = rest[at..].split_once('\n').map_or("", |(_, after)| after);
    Some((inner, rest[..at].matches('\n').count() + 1, after))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match characters.next() {
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('t') => plain.push('\t'),
            Some('$') => plain.push_str("$$"),
            Some(same @ ('"' | '\\')) => plain.push(same),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, raw: bool) -> Result<Vec<Line>, Trouble> {
        let out = Known { text: "out".to_owned(), parts: Vec::new() };
        super::read(text, raw, &|name| (name == "OUT").then_some(&out), &Budget::default())
    }

    fn values(text: &str, raw: bool) -> Vec<(String, String, usize)> {
        let lines = read(text, raw).expect("reads");
        let value = |line: &Line| only_text(&line.value).unwrap_or("?").to_owned();
        lines.iter().map(|line| (line.name.clone(), value(line), line.number)).collect()
    }

    #[test]
    fn as_compose_reads_them() {
        let text = "# c\n\nA=a # c\nexport B = 'x # $A'\nC=\"$A \\\"q\\\" \\$A\n two\" # c\nD=${A}#d\r\nE=\nOUT\nF=${NO}\nG\n";
        let expected = [
            ("A", "a", 3),
            ("B", "x # $A", 4),
            ("C", "a \"q\" $A\n two", 5),
            ("D", "a#d", 7),
            ("E", "", 8),
            ("OUT", "out", 9),
            ("F", "?", 10),
            ("G", "?", 11),
        ];
        let expected: Vec<_> = expected.map(|(n, v, l)| (n.to_owned(), v.to_owned(), l)).into();
        assert_eq!(values(text, false), expected);
        assert_eq!(values("A='x' # $B", true), [("A".to_owned(), "'x' # $B".to_owned(), 1)]);
        assert_eq!(read("A=1\nB='x\n\n", false).expect_err("is open").0, 2);
        assert_eq!(read("A=1\nB=${C:?no}\n", false).expect_err("is required").0, 2);
    }

    #[test]
    fn it_is_known_what_a_value_is_made_of() {
        let text = "DB_PASSWORD=hunter2\nURL=x/$DB_PASSWORD\nAGAIN=<$URL>\nPLAIN=x\nOPEN=a$NO-b\n";
        let lines = read(text, false).expect("reads");
        let made_of = |line: &Line| -> Vec<String> {
            let text = line.draft.as_deref().or(only_text(&line.value)).expect("has a text");
            line.parts.iter().map(|part| format!("{}={}", part.name, &text[part.range.clone()])).collect()
        };
        let seen: Vec<Vec<String>> = lines.iter().map(made_of).collect();
        let again = ["DB_PASSWORD=hunter2", "URL=x/hunter2"];
        let expected: [&[&str]; 5] = [&[], &["DB_PASSWORD=hunter2"], &again, &[], &["NO="]];
        assert_eq!(seen, expected);
        assert_eq!(lines[4].draft.as_deref(), Some("a-b"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[A=$'\"\\\\#{}\\n\\ré ]{0,40}") {
            let _ = read(&text, false);
        }
    }
}
