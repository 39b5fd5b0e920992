//! A tree as text with one node per line, so that a line of the text has one origin. Typed readers parse the text as
//! any other; what they say about a line is about its origin.

use serde::de::DeserializeOwned;

use super::tree::{Location, Node, NodeValue};
use super::{UnknownKey, YamlError};

/// Text of a tree, with the origin of each line.
#[derive(Debug, Clone, Default)]
pub struct FlatText {
    /// The text: YAML in flow style.
    pub text: String,
    /// Origin of each line.
    pub lines: Vec<Location>,
}

impl FlatText {
    /// Writes a tree. The depth of a parsed tree is bounded, and so is that of this function.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        let mut flat = Self::default();
        flat.node(node, "");
        flat
    }

    /// Parses the text into a type, and returns the keys that the type does not have.
    ///
    /// # Errors
    /// Fails if the tree does not match the type, with the origin of the part that does not.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<(T, Vec<UnknownKey>), YamlError> {
        super::parse("", &self.text).map_err(|error| {
            let line = error.position.map_or(0, |at| at.line.saturating_sub(1));
            let spot = self.lines.get(line);
            let file = spot.map(|spot| spot.file.to_string()).unwrap_or_default();
            YamlError { file, position: spot.map(|spot| spot.position), message: error.message }
        })
    }

    fn line(&mut self, text: &str, end: &str, spot: &Location) {
        self.text.push_str(text);
        self.text.push_str(end);
        self.text.push('\n');
        self.lines.push(spot.clone());
    }

    fn node(&mut self, node: &Node, end: &str) {
        match &node.value {
            NodeValue::Scalar { text, plain } => {
                let written = if *plain && is_plain(text) { text.clone() } else { quoted(text) };
                let written = if node.is_null() { "null".to_owned() } else { written };
                self.line(&written, end, &node.spot);
            }
            NodeValue::List(items) => {
                self.line("[", "", &node.spot);
                items.iter().for_each(|item| self.node(item, ","));
                self.line("]", end, &node.spot);
            }
            NodeValue::Map(entries) => {
                self.line("{", "", &node.spot);
                for entry in entries {
                    self.line(&quoted(&entry.key), ":", &entry.spot);
                    self.node(&entry.node, ",");
                }
                self.line("}", end, &node.spot);
            }
        }
    }
}

/// Returns whether a scalar may stand without quotes in flow style. One that may not is a text to every reader: numbers
/// and truth values have none of the other characters.
fn is_plain(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.' | '_' | '~');
    !text.is_empty() && text != "-" && !text.starts_with("---") && text != "..." && text.chars().all(fits)
}

/// Returns a text in double quotes on one line.
fn quoted(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for c in text.chars() {
        match c {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            '\r' => written.push_str("\\r"),
            // These break lines, or are no part of a text, for some readers.
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                written.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c if c.is_control() => written.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::{Places, tree};
    use proptest::prelude::*;

    fn tree(text: &str) -> Node {
        tree::documents("f", text).expect("parses").remove(0)
    }

    /// Returns a tree without its positions.
    fn bare(node: &Node) -> String {
        match &node.value {
            NodeValue::Scalar { text, plain } => {
                // A text that needs quotes means the same with them.
                let plain = *plain && (is_plain(text) || node.is_null());
                if node.is_null() { "null".to_owned() } else { format!("{plain}:{text:?}") }
            }
            NodeValue::List(items) => format!("[{}]", items.iter().map(bare).collect::<Vec<_>>().join(",")),
            NodeValue::Map(entries) => {
                let entry = |one: &tree::MapEntry| format!("{:?}={}", one.key, bare(&one.node));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
            }
        }
    }

    #[test]
    fn flat_text_keeps_the_origin_of_each_node() {
        let text = "a:\n  - {b: 1, c: 'null'}\n  - ~\nd: |\n  two\n  lines\n";
        let flat = FlatText::of(&tree(text));
        for path in ["a", "a.0", "a.0.b", "a.0.c", "a.1", "d"] {
            let line = Places::new("").position(&flat.text, path).expect(path).line;
            assert_eq!(
                Some(flat.lines[line - 1].position),
                Places::new("").position(text, path),
                "{path}\n{}",
                flat.text
            );
        }
    }

    proptest! {
        #[test]
        fn flat_text_means_the_same(text in "[-a-c:{}\\[\\],&*<!|>?'\"#~\\n \\t%@é0-9.]{0,80}") {
            if let Some(node) = tree::documents("f", &text).ok().and_then(|mut all| (!all.is_empty()).then(|| all.remove(0))) {
                let flat = FlatText::of(&node);
                let again = tree::documents("g", &flat.text);
                prop_assert!(again.is_ok(), "{:?}\n{}", again, flat.text);
                let again = again.unwrap_or_default();
                prop_assert_eq!(again.first().map(bare), Some(bare(&node)));
                prop_assert_eq!(flat.text.lines().count(), flat.lines.len());
            }
        }
    }
}
