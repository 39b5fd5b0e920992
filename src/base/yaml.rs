//! The only place where YAML is parsed or written. Parsing is typed, refuses duplicate keys and
//! alias bombs, and reports keys that nothing read; every error and finding has line and column.
//! The parser behind the name `serde_yaml` is `serde-saphyr`; see `docs/decisions/`.

pub mod tree;

use std::fmt;

use granit_parser::{Event, Parser};
use serde::de::DeserializeOwned;

/// A place in a text, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// A text that is not what it should be.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{file}{}: {message}", At(.position))]
pub struct YamlError {
    /// The name of the text: a path.
    pub file: String,
    /// Where, if the parser knows.
    pub position: Option<Position>,
    /// Why, on one line.
    pub message: String,
}

struct At<'a>(&'a Option<Position>);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |at| write!(f, ":{}:{}", at.line, at.column))
    }
}

/// A key that nothing read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// The path to it, as `environment.2.nmae`.
    pub path: String,
    /// Where it stands.
    pub position: Option<Position>,
}

impl UnknownKey {
    /// The key itself, without the path to it.
    #[must_use]
    pub fn key(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }
}

/// Parses one document into a type, and lists the keys that the type does not know.
///
/// # Errors
/// When the text is not YAML, or not of this type.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<(T, Vec<UnknownKey>), YamlError> {
    // An empty text, or one of comments only, is an empty mapping.
    let text = if is_blank(text) { "{}" } else { text };
    let mut unknown = Vec::new();
    let parsed = serde_yaml::with_deserializer_from_str(text, |deserializer| {
        serde_ignored::deserialize(deserializer, |path| unknown.push(path.to_string()))
    });
    let value = parsed.map_err(|error| {
        let error = error.without_snippet();
        let position = error.location().filter(|at| at.line() > 0).map(|at| Position {
            line: usize::try_from(at.line()).unwrap_or(0),
            column: usize::try_from(at.column()).unwrap_or(0),
        });
        YamlError { file: file.to_owned(), position, message: one_line(&message(error)) }
    })?;
    let unknown = unknown
        .into_iter()
        // An option that is present shows as `?` in the path.
        .map(|path| path.replace(".?", "").trim_start_matches("?.").to_owned())
        .map(|path| UnknownKey { position: position(text, &path), path })
        .collect();
    Ok((value, unknown))
}

/// Writes a value as a YAML document that readers of YAML 1.1 and 1.2 read alike.
#[must_use]
pub fn to_string<T: serde::Serialize>(value: &T) -> String {
    // What is written is made of strings, numbers, truth values, lists and maps with string keys.
    serde_yaml::to_string(value).unwrap_or_default()
}

/// Where the node of a path such as `environment.2.name` stands: the key of a mapping, or the
/// first character of an item.
#[must_use]
pub fn position(text: &str, path: &str) -> Option<Position> {
    positions(text).into_iter().find(|(found, _)| found == path).map(|(_, at)| at)
}

/// The path and place of every key and item, in order.
#[must_use]
pub fn positions(text: &str) -> Vec<(String, Position)> {
    /// A collection that is open, and what its next node is.
    enum Open {
        Mapping { path: String, key: Option<String> },
        Sequence { path: String, next: usize },
    }
    let join =
        |path: &str, last: &str| if path.is_empty() { last.to_owned() } else { format!("{path}.{last}") };
    let mut found = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        let at = Position { line: span.start.line(), column: span.start.col() + 1 };
        match &event {
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
                continue;
            }
            Event::Scalar(..) | Event::Alias(..) | Event::MappingStart(..) | Event::SequenceStart(..) => {}
            _ => continue,
        }
        // The path of this node; `None` when it is the key of a mapping.
        let path = match open.last_mut() {
            None => Some(String::new()),
            Some(Open::Sequence { path, next }) => {
                let path = join(path, &next.to_string());
                *next += 1;
                found.push((path.clone(), at));
                Some(path)
            }
            Some(Open::Mapping { path, key }) => match key.take() {
                Some(name) => Some(join(path, &name)),
                None => {
                    let name = match &event {
                        Event::Scalar(text, ..) => text.to_string(),
                        _ => "?".to_owned(),
                    };
                    found.push((join(path, &name), at));
                    *key = Some(name);
                    None
                }
            },
        };
        match (&event, path) {
            (Event::MappingStart(..), path) => {
                open.push(Open::Mapping { path: path.unwrap_or_default(), key: None });
            }
            (Event::SequenceStart(..), path) => {
                open.push(Open::Sequence { path: path.unwrap_or_default(), next: 0 });
            }
            _ => {}
        }
    }
    found
}

fn is_blank(text: &str) -> bool {
    text.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---"
    })
}

/// What is wrong, for the person who wrote the text.
fn message(error: &serde_yaml::Error) -> String {
    use serde_yaml::Error;
    match error {
        Error::AliasError { error, .. } => message(error),
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            "it is too large, or its aliases make it so".to_owned()
        }
        Error::Unexpected { expected: "sequence start", .. } => "a list is wanted here".to_owned(),
        Error::Unexpected { expected: "mapping start", .. } => "a mapping is wanted here".to_owned(),
        Error::InvalidScalar { ty: "u16", .. } => "a whole number from 0 to 65535 is wanted here".to_owned(),
        Error::InvalidScalar { ty: "u32", .. } => "a whole number is wanted here".to_owned(),
        other => other.render_with_formatter(&serde_yaml::UserMessageFormatter),
    }
}

fn one_line(message: &str) -> String {
    let first = message.lines().find(|line| !line.trim().is_empty()).unwrap_or(message).trim();
    // The parser ends its message with the place, which is already at the front of ours.
    let end = first.rfind(" at line ").unwrap_or(first.len());
    first[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Sample {
        name: String,
        #[serde(default)]
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    struct Item {
        port: Option<u16>,
    }

    #[test]
    fn unknown_keys_have_a_place() {
        let (sample, unknown) =
            parse::<Sample>("x.yaml", "name: a\nitems:\n  - port: 1\n  - prot: 2\ncolour: red\n")
                .expect("parses");
        assert_eq!((sample.name.as_str(), sample.items.len(), sample.items[0].port), ("a", 2, Some(1)));
        let places: Vec<_> =
            unknown.iter().map(|u| (u.path.as_str(), u.position.map(|p| (p.line, p.column)))).collect();
        assert_eq!(places, [("items.1.prot", Some((4, 5))), ("colour", Some((5, 1)))]);
        assert_eq!(unknown[0].key(), "prot");
    }

    #[test]
    fn errors_have_file_line_and_column() {
        let error = parse::<Sample>("x.yaml", "name: a\nitems:\n  - port: http\n").expect_err("is no number");
        assert!(error.to_string().starts_with("x.yaml:3:11: "), "{error}");
        let error = parse::<Sample>("x.yaml", "name: a\nname: b\n").expect_err("is a duplicate");
        assert!(error.to_string().starts_with("x.yaml:2:1: duplicate"), "{error}");
    }

    #[test]
    fn bombs_are_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert!(parse::<serde_json::Value>("x", &bomb).is_err());
        assert!(parse::<serde_json::Value>("x", &"[".repeat(100_000)).is_err());
    }

    #[test]
    fn comments_alone_are_an_empty_mapping() {
        let (value, _) =
            parse::<serde_json::Map<String, serde_json::Value>>("x", "# nothing\n").expect("parses");
        assert!(value.is_empty());
    }
}
