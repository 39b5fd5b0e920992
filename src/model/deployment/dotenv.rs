//! Environment files as Compose reads them: comments, quotes, and interpolation in all values but
//! those in single quotes.

use std::collections::BTreeMap;

use super::GivenValue;
use super::expansion::Piece;
use super::interpolation::{Budget, Known, Values, interpolate};
use crate::model::environment::is_secret_by_name;

/// A line of such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) value: GivenValue,
    /// Whether it is secret by its name, or made of what is.
    pub(super) secret: bool,
    pub(super) number: usize,
}

impl Line {
    /// The value, for others to be made of.
    pub(super) fn known(&self) -> Option<Known> {
        Some(Known { text: only_text(&self.value)?.to_owned(), secret: self.secret })
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
        let (value, tainted) = match written {
            None => match outer(&name) {
                Some(value) => (plain(value.text.as_str()), value.secret),
                None => (GivenValue::Unknown("it is passed on from whoever deploys".to_owned()), false),
            },
            Some(written) if raw => (plain(written), false),
            Some(written) => match written.trim_start().chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let written = &written.trim_start()[1..];
                    let (inner, more, after) = quoted(written, rest, quote)
                        .ok_or_else(|| (start, format!("the value of `{name}` has no closing quote")))?;
                    number += more;
                    rest = after;
                    if quote == '"' { fill(&unescaped(&inner))? } else { (plain(inner), false) }
                }
                _ => {
                    let end = written.find(" #").unwrap_or(written.len());
                    fill(written[..end].trim())?
                }
            },
        };
        let text = only_text(&value);
        let secret = tainted || text.is_some_and(|text| is_secret_by_name(&name, text));
        match text {
            Some(text) => defined.insert(name.clone(), Known { text: text.to_owned(), secret }),
            None => defined.remove(&name),
        };
        lines.push(Line { name, value, secret, number: start });
    }
    Ok(lines)
}

fn plain(text: impl Into<String>) -> GivenValue {
    GivenValue::Text(vec![Piece::Text(text.into())])
}

fn filled(text: &str, known: Values<'_, '_>, budget: &Budget) -> Result<(GivenValue, bool), String> {
    let made = interpolate(text, known, budget)?;
    let value = match made.unset.first() {
        Some(name) => GivenValue::Unknown(format!("`{name}` has no value in the files")),
        None => plain(made.text),
    };
    Ok((value, made.secret))
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
        let out = Known { text: "out".to_owned(), secret: true };
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
    fn what_is_made_of_a_secret_is_one() {
        let text = "DB_PASSWORD=hunter2\nURL=x/$DB_PASSWORD\nAGAIN=$URL\nOUT\nPLAIN=x\nAUTH_ENABLED=true\n";
        let lines = read(text, false).expect("reads");
        let hidden: Vec<&str> = lines.iter().filter(|l| l.secret).map(|l| l.name.as_str()).collect();
        assert_eq!(hidden, ["DB_PASSWORD", "URL", "AGAIN", "OUT"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[A=$'\"\\\\#{}\\n\\ré ]{0,40}") {
            let _ = read(&text, false);
        }
    }
}
