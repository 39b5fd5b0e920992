//! Types of the scalars and keys of a Compose file, as Compose reads them: `False` is a truth value and `010` the
//! number 8, `!!binary` is decoded, and a key is a text. What Compose refuses becomes a finding. The types that a
//! field may have belong in `schema`.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::plain::{self, Scalar};
use super::document::place;
use crate::base::yaml::Position;
use crate::base::yaml::tree::{Location, Node, NodeValue, Tags};

/// Type of a scalar other than a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScalarType {
    Integer,
    Float,
    Truth,
}

/// Types by the position of the scalar, each with its text: a node made of the scalar has another one.
#[derive(Debug, Default)]
pub(super) struct ScalarTypes(HashMap<(Arc<str>, Position), (ScalarType, String)>);

impl ScalarTypes {
    /// Returns the type of a scalar; `None` for a text.
    pub(super) fn of(&self, spot: &Location, text: &str) -> Option<ScalarType> {
        self.0.get(&place(spot)).filter(|(_, known)| known == text).map(|(kind, _)| *kind)
    }
}

/// A part of a file that Compose refuses.
pub(super) type Refusal = (Location, String);

/// Prefix of the tags of YAML itself.
const CORE: &str = "tag:yaml.org,2002:";

/// Converts the scalars of a document to Compose's reading and records their types. Returns what Compose refuses.
pub(super) fn read(document: &mut Node, tags: &Tags, types: &mut ScalarTypes) -> Vec<Refusal> {
    let mut reader = TypeReader { tags, types, refused: Vec::new() };
    reader.node(document, "");
    reader.refused
}

struct TypeReader<'a> {
    tags: &'a Tags,
    types: &'a mut ScalarTypes,
    refused: Vec<Refusal>,
}

impl TypeReader<'_> {
    /// Reads a node. The depth of nodes is bounded.
    fn node(&mut self, node: &mut Node, path: &str) {
        match &mut node.value {
            NodeValue::Scalar { text, plain } => self.scalar(&node.spot, text, plain, path),
            NodeValue::List(items) => items.iter_mut().for_each(|item| self.node(item, path)),
            NodeValue::Map(entries) => {
                for entry in entries {
                    self.key(&entry.spot, &entry.key, path);
                    let below =
                        if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
                    self.node(&mut entry.node, &below);
                }
            }
        }
    }

    fn key(&mut self, spot: &Location, key: &str, path: &str) {
        let is_text = match self.tags.get(&spot.position).map(String::as_str) {
            Some("") => plain::read(key) == Scalar::Text,
            Some(tag) => !tag.strip_prefix(CORE).is_some_and(|tag| TYPED.contains(&tag)),
            None => true,
        };
        if !is_text {
            let place = if path.is_empty() { String::new() } else { format!(" in `{path}`") };
            let message =
                format!("the key `{key}`{place} is no text, for which Compose refuses the project: quote it");
            self.refused.push((spot.clone(), message));
        }
    }

    fn scalar(&mut self, spot: &Location, text: &mut String, is_plain: &mut bool, path: &str) {
        let tag = self.tags.get(&spot.position).map_or("", String::as_str);
        let typed = tag.strip_prefix(CORE).filter(|tag| TYPED.contains(tag));
        if tag.strip_prefix(CORE) == Some("binary") {
            return self.binary(spot, text, path);
        }
        if !*is_plain && typed.is_none() {
            return;
        }
        let mut kind = None;
        let read = plain::read(text);
        let is_integer = plain::is_integer(text);
        let is_of_tag = match (typed, &read) {
            (None, _) | (Some("null"), Scalar::Null) | (Some("bool"), Scalar::Truth(_)) => true,
            (Some("float"), Scalar::Number(_)) | (Some("timestamp"), Scalar::Date(_)) => true,
            (Some(tag), Scalar::Number(_)) => tag == "int" && is_integer,
            _ => false,
        };
        if !is_of_tag {
            let tag = typed.unwrap_or_default();
            let message = format!(
                "`{path}` has the tag `!!{tag}` and no such value, for which Compose refuses the project"
            );
            self.refused.push((spot.clone(), message));
            return;
        }
        // The merge into `environment` converts a date to a text; elsewhere, Compose refuses it.
        *is_plain = matches!(read, Scalar::Null | Scalar::Date(_));
        match read {
            Scalar::Truth(truth) => {
                *text = truth.to_string();
                kind = Some(ScalarType::Truth);
            }
            Scalar::Number(number) if typed == Some("float") => {
                *text = plain::as_float(&number).unwrap_or(number);
                kind = Some(ScalarType::Float);
            }
            Scalar::Number(number) => {
                *text = number;
                kind = Some(if is_integer { ScalarType::Integer } else { ScalarType::Float });
            }
            Scalar::Null | Scalar::Text | Scalar::Date(_) => {}
        }
        if let Some(kind) = kind {
            self.types.0.insert(place(spot), (kind, text.clone()));
        }
    }

    /// Decodes a value of `!!binary`, in which line ends do not count.
    fn binary(&mut self, spot: &Location, text: &mut String, path: &str) {
        let written: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        let message = match STANDARD.decode(written).map(String::from_utf8) {
            Ok(Ok(decoded)) => return *text = decoded,
            Ok(Err(_)) => format!("the value of `{path}` is no text in UTF-8, so `cki` leaves it out"),
            Err(_) => format!("`{path}` is no Base64, for which Compose refuses the project"),
        };
        text.clear();
        self.refused.push((spot.clone(), message));
    }
}

/// Tags of scalars other than texts.
const TYPED: &[&str] = &["bool", "float", "int", "null", "timestamp"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::tagged_documents;

    /// Returns the values of a mapping with their types, and the refusals.
    fn read_values(text: &str) -> (Vec<String>, Vec<String>) {
        let mut documents = tagged_documents("c.yaml", text).expect("parses");
        let mut types = ScalarTypes::default();
        let node = &mut documents.nodes[0];
        let refused = read(node, &documents.tags, &mut types);
        let shown = |node: &Node| match &node.value {
            NodeValue::Scalar { text, .. } => match types.of(&node.spot, text) {
                Some(kind) => format!("{kind:?} {text}"),
                None if node.is_null() => "null".to_owned(),
                None => text.clone(),
            },
            _ => "?".to_owned(),
        };
        let values = node.entries().iter().map(|entry| shown(&entry.node)).collect();
        let refused = refused.iter().map(|(spot, message)| format!("{}: {message}", spot.position.column));
        (values, refused.collect())
    }

    /// Each result is that of `docker-compose config`.
    #[test]
    fn scalars_are_read_by_their_tags() {
        let text = "{a: False, b: 010, c: '010', d: !!int '010', e: !!float 16777217, f: !!bool 'True', g: !!str 5, h: !!null '', i: !!binary aGVsbG8=, j: !own yes, k: yes, l: 1.50, m: !!omap 010}";
        let (values, refused) = read_values(text);
        let wanted = "Truth false|Integer 8|010|Integer 8|Float 1.6777217e+07|Truth true|5|null|hello|yes|yes|Float 1.5|010";
        assert_eq!(values.join("|"), wanted);
        assert_eq!(refused, [""; 0]);
    }

    #[test]
    fn scalars_of_another_type_than_their_tag_are_refused() {
        for (text, wanted) in [
            ("{a: !!bool yes}", "12: `a` has the tag `!!bool`"),
            ("{a: !!int 1.5}", "11: `a` has the tag `!!int`"),
            ("{a: !!float x}", "`!!float`"),
            ("{a: !!null x}", "`!!null`"),
            ("{a: !!binary '*'}", "`a` is no Base64"),
            ("{a: !!binary /w==}", "is no text in UTF-8"),
            ("{a: {1: b}}", "the key `1` in `a` is no text"),
            ("{true: b}", "2: the key `true` is no text"),
            ("{x-a: {~: b}}", "the key `~` in `x-a`"),
            ("{a: {!!int '1': b}}", "the key `1` in `a`"),
        ] {
            let (_, refused) = read_values(text);
            assert!(refused.len() == 1 && refused[0].contains(wanted), "{text}: {refused:?}");
        }
        assert_eq!(read_values("{yes: a, '1': b, !!str 2: c}").1, [""; 0]);
    }
}
