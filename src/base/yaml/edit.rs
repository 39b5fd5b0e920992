//! Replacement of single keys and values in the text of a YAML file: comments, layout and quotes stay. An edit is
//! compared with the trees before and after it, so that it changes what it names and nothing else.

use std::collections::HashMap;
use std::ops::Range;

use super::Position;
use super::tree::{self, Node, NodeValue};

/// Part of a file that an edit replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditedPart {
    /// The key at the position.
    Key,
    /// The value at the position, or the value of the key there.
    Value,
}

/// Replacement of a key or a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalarEdit {
    /// Position of its first character, or of its key.
    pub position: Position,
    /// The part there.
    pub part: EditedPart,
    /// Text without quotes and escapes.
    pub from: String,
    /// Text that replaces it.
    pub to: String,
}

/// A file to edit.
#[derive(Debug)]
pub struct EditableYaml {
    text: String,
    nodes: Vec<Node>,
    /// Byte at which each line begins.
    lines: Vec<usize>,
    /// Position of the value of each key.
    values: HashMap<Position, Position>,
}

impl EditableYaml {
    /// Reads a text; `None` if it is not YAML.
    #[must_use]
    pub fn read(text: String) -> Option<Self> {
        let nodes = nodes(&text)?;
        let mut lines = vec![0];
        lines.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        let mut values = HashMap::new();
        nodes.iter().for_each(|node| add_values(node, &mut values));
        Some(Self { text, nodes, lines, values })
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether the text at the place of an edit is the one that it replaces.
    #[must_use]
    pub fn has(&self, edit: &ScalarEdit) -> bool {
        self.change(edit).is_some()
    }

    /// Returns the text with edits; `None` if one of them names another text than the one at its position, or if the
    /// result would differ in more than the edits.
    #[must_use]
    pub fn edited(&self, edits: &[ScalarEdit]) -> Option<String> {
        let changes = edits.iter().map(|edit| self.change(edit));
        let mut changes: Vec<(Range<usize>, String)> = changes.collect::<Option<_>>()?;
        changes.sort_by_key(|(range, _)| range.start);
        if changes.windows(2).any(|two| two[0].0.end > two[1].0.start) {
            return None;
        }
        let (mut after, mut at) = (String::with_capacity(self.text.len()), 0);
        for (range, new) in changes {
            after.push_str(&self.text[at..range.start]);
            after.push_str(&new);
            at = range.end;
        }
        after.push_str(&self.text[at..]);
        self.differs_only_in(&after, edits).then_some(after)
    }

    /// Returns the position of the text that an edit replaces.
    fn position(&self, edit: &ScalarEdit) -> Position {
        match edit.part {
            EditedPart::Key => edit.position,
            EditedPart::Value => self.values.get(&edit.position).copied().unwrap_or(edit.position),
        }
    }

    fn change(&self, edit: &ScalarEdit) -> Option<(Range<usize>, String)> {
        let Position { line, column } = self.position(edit);
        let start = *self.lines.get(line.checked_sub(1)?)?;
        let line = self.text[start..].split('\n').next()?;
        // A mark of the byte order has no column.
        let mark = if line.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let (at, _) = line[mark..].char_indices().nth(column.checked_sub(1)?)?;
        change(&self.text, start + mark + at, edit)
    }

    /// Returns whether the documents of a text are the same, apart from the edits.
    fn differs_only_in(&self, after: &str, edits: &[ScalarEdit]) -> bool {
        let Some(after) = nodes(after) else { return false };
        let mut open: HashMap<Position, &ScalarEdit> =
            edits.iter().map(|edit| (self.position(edit), edit)).collect();
        self.nodes.len() == after.len()
            && self.nodes.iter().zip(&after).all(|(before, after)| is_same(before, after, &mut open))
            && open.is_empty()
    }
}

/// Returns the documents of a text.
fn nodes(text: &str) -> Option<Vec<Node>> {
    Some(tree::long_documents("", text.trim_start_matches('\u{feff}')).ok()?.nodes)
}

/// Adds the positions of the values below a node. The parser limits its depth.
fn add_values(node: &Node, values: &mut HashMap<Position, Position>) {
    node.items().iter().for_each(|item| add_values(item, values));
    for entry in node.entries() {
        values.insert(entry.spot.position, entry.node.spot.position);
        add_values(&entry.node, values);
    }
}

/// Returns the bytes that an edit replaces, and the new ones in the same quotes.
fn change(text: &str, at: usize, edit: &ScalarEdit) -> Option<(Range<usize>, String)> {
    let rest = &text[at..];
    let (old, new) = match rest.chars().next()? {
        '\'' => {
            let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
            (quoted(&edit.from), quoted(&edit.to))
        }
        // A text with escapes is written in more than one way.
        '"' => (json(&edit.from)?, json(&edit.to)?),
        _ if is_plain(&edit.to) => (edit.from.clone(), edit.to.clone()),
        _ => (edit.from.clone(), json(&edit.to)?),
    };
    rest.starts_with(&old).then(|| (at..at + old.len(), new))
}

fn json(text: &str) -> Option<String> {
    serde_json::to_string(text).ok()
}

/// Returns whether a text needs no quotes anywhere.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@+=".contains(c))
        && !text.ends_with(':')
}

/// Compares two trees, and takes out the edits that it meets. The parser limits their depth.
fn is_same(before: &Node, after: &Node, open: &mut HashMap<Position, &ScalarEdit>) -> bool {
    let mut is_same_text = |at: Position, before: &str, after: &str| match open.remove(&at) {
        Some(edit) => before == edit.from && after == edit.to,
        None => before == after,
    };
    match (&before.value, &after.value) {
        (NodeValue::Scalar { text: old, .. }, NodeValue::Scalar { text: new, .. }) => {
            is_same_text(before.spot.position, old, new)
        }
        (NodeValue::List(old), NodeValue::List(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| is_same(old, new, open))
        }
        (NodeValue::Map(old), NodeValue::Map(new)) => {
            let keys = old.iter().zip(new).all(|(old, new)| {
                let at = old.spot.position;
                match open.remove(&at) {
                    Some(edit) => old.key == edit.from && new.key == edit.to,
                    None => old.key == new.key,
                }
            });
            old.len() == new.len()
                && keys
                && old.iter().zip(new).all(|(old, new)| is_same(&old.node, &new.node, open))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edit(line: usize, column: usize, from: &str, to: &str) -> ScalarEdit {
        let (position, part) = (Position { line, column }, EditedPart::Value);
        ScalarEdit { position, part, from: from.into(), to: to.into() }
    }

    fn key(line: usize, column: usize, from: &str, to: &str) -> ScalarEdit {
        ScalarEdit { part: EditedPart::Key, ..edit(line, column, from, to) }
    }

    fn edited(text: &str, edits: &[ScalarEdit]) -> Option<String> {
        EditableYaml::read(text.to_owned())?.edited(edits)
    }

    #[test]
    fn edited_keeps_comments_layout_and_quotes() {
        let text = "# é\r\na:   [x, 'y''s' , \"z\"] # about y\r\nkind: b\n";
        let edits = [edit(2, 7, "x", "x: 1"), edit(2, 10, "y's", "it's"), key(3, 1, "kind", "mode")];
        assert_eq!(
            edited(text, &edits).as_deref(),
            Some("# é\r\na:   [\"x: 1\", 'it''s' , \"z\"] # about y\r\nmode: b\n")
        );
        assert_eq!(edited("\u{feff}a: b\n", &[edit(1, 1, "b", "c")]).as_deref(), Some("\u{feff}a: c\n"));
        assert_eq!(edited("é: [é, b]\n", &[edit(1, 8, "b", "c")]).as_deref(), Some("é: [é, c]\n"));
    }

    #[test]
    fn edited_refuses_what_it_cannot_do_alone() {
        for (text, edit) in [
            ("a: bc\n", edit(1, 4, "b", "x")),
            ("a: b\n", edit(1, 4, "c", "x")),
            ("a: b\n", edit(7, 4, "b", "x")),
            ("a: b\n", edit(1, 99, "b", "x")),
            ("a: b c\n", edit(1, 4, "b", "x")),
            ("a: &q b\nc: *q\n", edit(1, 4, "b", "x")),
            ("a: \"\\x62\"\n", edit(1, 4, "b", "x")),
            ("a: |\n  b\n", edit(1, 4, "b", "x")),
            ("a: 1\nb: 2\n", key(1, 1, "a", "b")),
            ("a: [b]\n", edit(1, 1, "b", "x")),
            ("a: [\n", key(1, 1, "a", "b")),
        ] {
            assert_eq!(edited(text, std::slice::from_ref(&edit)), None, "{text:?}");
        }
        let twice = [edit(1, 4, "b", "x"), edit(1, 4, "b", "y")];
        assert_eq!(edited("a: b\n", &twice), None);
    }

    proptest! {
        /// Whatever is replaced by whatever: the result reads the same apart from it, and each comment is there.
        #[test]
        fn edited_changes_one_value_only(
            values in proptest::collection::vec("[a-z][a-z0-9 ]{0,8}[a-z]", 1..6),
            quote in "['\"]?",
            comment in "[ -~]{0,12}",
            to in "[ -~é]{1,12}",
            at in any::<prop::sample::Index>(),
        ) {
            let at = at.index(values.len());
            let lines: Vec<String> = values
                .iter()
                .enumerate()
                .map(|(number, value)| format!("k{number}: {quote}{value}{quote}   # {comment}\n"))
                .collect();
            let text = lines.concat();
            let after = edited(&text, &[edit(at + 1, 5, &values[at], &to)]).expect("is edited");
            let nodes = tree::documents("", &after).expect("reads");
            for (number, value) in values.iter().enumerate() {
                let wanted = if number == at { &to } else { value };
                let node = &nodes[0].entries()[number].node;
                let NodeValue::Scalar { text: found, .. } = &node.value else { panic!("is a scalar") };
                prop_assert_eq!(found, wanted);
            }
            let ending = format!("   # {comment}");
            prop_assert!(after.split_terminator('\n').all(|line| line.ends_with(&ending)), "{}", after);
        }
    }
}
