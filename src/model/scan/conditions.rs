//! Branches whose condition depends on the environment: a variable that is read in one is needed only with a certain value
//! of another one. Which reads there are belongs in `analysis`.

use std::collections::{HashMap, HashSet};

use tree_sitter::Node;

use super::EnvRead;

/// Maximum levels of an expression between a read and the name that gets its value.
const LEVELS: usize = 12;
/// Maximum nodes of a condition to look at.
const WORDS: usize = 400;
/// Fields of a conditional statement that run in any case.
const CERTAIN: [&str; 3] = ["condition", "initializer", "value"];

/// A read of the environment: its node, and its place in the list of finds.
pub(super) type ReadNode<'t> = (Node<'t>, usize);

/// Returns the finds, of those that `is_wanted`, that are read in a branch whose condition depends on another variable.
pub(super) fn conditional(
    reads: &[ReadNode<'_>],
    finds: &[EnvRead],
    is_wanted: impl Fn(&EnvRead) -> bool,
    text: &str,
) -> Vec<usize> {
    let mut names: Option<HashMap<&str, HashSet<&str>>> = None;
    let wanted = reads.iter().filter(|(_, at)| is_wanted(&finds[*at]));
    wanted
        .filter(|(node, at)| {
            let own = finds[*at].name.as_str();
            conditions(*node).any(|condition| {
                let names = names.get_or_insert_with(|| names_from_environment(reads, finds, text));
                let is_read = reads.iter().any(|(read, other)| {
                    finds[*other].name != own && condition.byte_range().contains(&read.start_byte())
                });
                let is_other = |word: &str| names.get(word).is_some_and(|variables| !variables.contains(own));
                is_read || words(condition, text).any(is_other)
            })
        })
        .map(|(_, at)| *at)
        .collect()
}

/// Returns the conditions of the branches around a node.
fn conditions(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let around = std::iter::successors(Some(node), Node::parent);
    let parents = around.clone().skip(1);
    around.zip(parents).filter_map(|(child, parent)| {
        let is_branching = ["if", "unless", "elif", "conditional", "ternary"]
            .iter()
            .any(|word| parent.kind().split('_').any(|part| part == *word));
        if !is_branching {
            return None;
        }
        let is_certain = |field: &&str| parent.child_by_field_name(field) == Some(child);
        // Python's `a if b else c` has no fields.
        let condition = parent.child_by_field_name("condition").or_else(|| parent.named_child(1))?;
        (!CERTAIN.iter().any(is_certain) && condition != child).then_some(condition)
    })
}

/// Returns the names that get values of the environment, each with the variables that it depends on.
fn names_from_environment<'a>(
    reads: &[ReadNode<'_>],
    finds: &'a [EnvRead],
    text: &'a str,
) -> HashMap<&'a str, HashSet<&'a str>> {
    let mut names: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (node, at) in reads {
        if let Some(target) = target(*node) {
            names.entry(&text[target.byte_range()]).or_default().insert(&finds[*at].name);
        }
    }
    names
}

/// Returns the name to which an expression is assigned.
fn target(read: Node<'_>) -> Option<Node<'_>> {
    let around = std::iter::successors(Some(read), Node::parent).take(LEVELS);
    let parents = std::iter::successors(read.parent(), Node::parent);
    around.zip(parents).find_map(|(child, parent)| {
        let is_value =
            ["right", "value"].iter().any(|field| parent.child_by_field_name(field) == Some(child));
        let is_argument = parent.kind().contains("argument") || parent.kind().contains("pair");
        if !is_value || is_argument {
            return None;
        }
        ["left", "name", "pattern"].iter().find_map(|field| parent.child_by_field_name(field))
    })
}

/// Returns the texts of the names in a condition.
fn words<'a>(condition: Node<'_>, text: &'a str) -> impl Iterator<Item = &'a str> {
    let mut open = vec![condition];
    let mut found = Vec::new();
    while let Some(node) = open.pop().filter(|_| found.len() < WORDS) {
        found.push(&text[node.byte_range()]);
        let mut cursor = node.walk();
        open.extend(node.named_children(&mut cursor));
    }
    found.into_iter()
}
