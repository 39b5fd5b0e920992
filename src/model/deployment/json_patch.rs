//! JSON patches (RFC 6902) on YAML trees, applied like the library that kustomize uses: `replace`
//! creates an absent key, and a negative index counts from the end. The selection of targets belongs in
//! `patch`.

use super::object::check_size;
use super::scalar::{other_kind, patch_values};
use super::{DeploymentError, wrong};
use crate::base::yaml::tree::{MapEntry, Node, NodeValue};

/// Maximum number of operations of a patch.
const OPERATIONS: usize = 1000;

/// Applies the operations of a patch, in order.
pub(super) fn apply(target: &mut Node, operations: &Node) -> Result<(), DeploymentError> {
    for (index, operation) in operations.items().iter().enumerate() {
        if index >= OPERATIONS {
            return Err(wrong(&operation.spot, format!("the patch has more than {OPERATIONS} operations")));
        }
        one(target, operation)?;
        check_size(target, &operation.spot)?;
    }
    Ok(())
}

/// Returns whether a node is a list of operations.
pub(super) fn is_one(node: &Node) -> bool {
    matches!(node.value, NodeValue::List(_))
}

fn one(target: &mut Node, operation: &Node) -> Result<(), DeploymentError> {
    let spot = &operation.spot;
    let required = |key: &str| {
        operation.text_of(key).ok_or_else(|| wrong(spot, format!("this operation of a patch has no `{key}`")))
    };
    let path = required("path")?;
    let missing = |path: &str| wrong(spot, format!("the patch cannot find `{path}`"));
    // `null` is a value here.
    let value = || -> Result<Node, DeploymentError> {
        let entry = operation.entries().iter().find(|entry| entry.key == "value");
        let mut value = entry
            .map(|entry| entry.node.clone())
            .ok_or_else(|| wrong(spot, "this operation has no `value`"))?;
        patch_values(&mut value);
        Ok(value)
    };
    match required("op")? {
        "add" => insert(target, path, value()?).ok_or_else(|| missing(path)),
        "remove" => take(target, path).map(|_| ()).ok_or_else(|| missing(path)),
        "replace" => set(target, path, value()?).ok_or_else(|| missing(path)),
        "test" => {
            let wanted = value()?;
            let is_met = match find(target, path) {
                Some(found) => is_same(found, &wanted),
                // A missing node counts as null if its parent exists.
                None => {
                    wanted.is_null()
                        && matches!(parent(target, path), Some((Node { value: NodeValue::Map(_), .. }, _)))
                }
            };
            if is_met {
                return Ok(());
            }
            Err(wrong(spot, format!("the patch expects another value at `{path}`")))
        }
        "move" => {
            let from = required("from")?;
            let value = take(target, from).ok_or_else(|| missing(from))?;
            insert(target, path, value).ok_or_else(|| missing(path))
        }
        "copy" => {
            let from = required("from")?;
            let value = find(target, from).ok_or_else(|| missing(from))?.clone();
            insert(target, path, value).ok_or_else(|| missing(path))
        }
        other => Err(wrong(spot, format!("`{other}` is no operation of a patch"))),
    }
}

fn parts(path: &str) -> Option<Vec<String>> {
    if path.is_empty() {
        return Some(Vec::new());
    }
    let inner = path.strip_prefix('/')?;
    Some(inner.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect())
}

fn find<'a>(node: &'a mut Node, path: &str) -> Option<&'a mut Node> {
    parts(path)?.iter().try_fold(node, |node, part| child(node, part))
}

fn child<'a>(node: &'a mut Node, part: &str) -> Option<&'a mut Node> {
    match &mut node.value {
        NodeValue::Map(entries) => {
            entries.iter_mut().find(|entry| entry.key == part).map(|entry| &mut entry.node)
        }
        NodeValue::List(items) => {
            let index = index(part, items.len())?;
            items.get_mut(index)
        }
        NodeValue::Scalar { .. } => None,
    }
}

/// Parses an index of a list of this length; a negative index counts from the end.
fn index(part: &str, length: usize) -> Option<usize> {
    let number = part.parse::<isize>().ok()?;
    let index = if number < 0 { number.checked_add_unsigned(length)? } else { number };
    usize::try_from(index).ok().filter(|index| *index < length)
}

/// Sets the node at a path: an existing item, or a key, existing or not.
fn set(target: &mut Node, path: &str, value: Node) -> Option<()> {
    if path.is_empty() {
        *target = value;
        return Some(());
    }
    let (parent, last) = parent(target, path)?;
    if let NodeValue::Map(_) = parent.value {
        let spot = value.spot.clone();
        super::object::put(parent, &last, &spot, value);
        return Some(());
    }
    *child(parent, &last)? = value;
    Some(())
}

fn parent<'a>(node: &'a mut Node, path: &str) -> Option<(&'a mut Node, String)> {
    let mut parts = parts(path)?;
    let last = parts.pop()?;
    let parent = parts.iter().try_fold(node, |node, part| child(node, part))?;
    Some((parent, last))
}

fn insert(target: &mut Node, path: &str, value: Node) -> Option<()> {
    if path.is_empty() {
        *target = value;
        return Some(());
    }
    let (parent, last) = parent(target, path)?;
    match &mut parent.value {
        NodeValue::Map(_) => {
            let spot = value.spot.clone();
            super::object::put(parent, &last, &spot, value);
        }
        NodeValue::List(items) if last == "-" => items.push(value),
        NodeValue::List(items) => {
            let index = index(&last, items.len() + 1)?;
            items.insert(index, value);
        }
        NodeValue::Scalar { .. } => return None,
    }
    Some(())
}

fn take(target: &mut Node, path: &str) -> Option<Node> {
    let (parent, last) = parent(target, path)?;
    match &mut parent.value {
        NodeValue::Map(entries) => {
            let at = entries.iter().position(|entry| entry.key == last)?;
            Some(entries.remove(at).node)
        }
        NodeValue::List(items) => {
            let index = index(&last, items.len())?;
            Some(items.remove(index))
        }
        NodeValue::Scalar { .. } => None,
    }
}

fn is_same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (NodeValue::Scalar { text: a, .. }, NodeValue::Scalar { text: b, .. }) => {
            a == b && other_kind(one).is_none() == other_kind(other).is_none()
        }
        (NodeValue::List(a), NodeValue::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (NodeValue::Map(a), NodeValue::Map(b)) => {
            let same = |entry: &MapEntry| {
                b.iter().find(|other| other.key == entry.key).is_some_and(|o| is_same(&entry.node, &o.node))
            };
            a.len() == b.len() && a.iter().all(same)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::documents;

    fn patched(patch: &str) -> Result<Vec<String>, String> {
        let read = |file: &str, text: &str| documents(file, text).expect("parses").remove(0);
        let mut node = read("b", "{a: {b/c: 1}, l: [{n: x}, {n: y}]}");
        apply(&mut node, &read("p", patch)).map_err(|error| error.to_string())?;
        let list = node.get("l").map_or(&[][..], Node::items);
        let mut seen: Vec<String> = list.iter().filter_map(|i| i.text_of("n").map(str::to_owned)).collect();
        seen.extend(node.get("a").map_or(&[][..], Node::entries).iter().map(|entry| entry.key.clone()));
        Ok(seen)
    }

    #[test]
    fn json_patch_applies_each_operation() {
        let ok = |patch: &str, wanted: &[&str]| assert_eq!(patched(patch).expect(patch), wanted, "{patch}");
        ok(
            "[{op: add, path: /l/-, value: {n: z}}, {op: add, path: /l/0, value: {n: w}}]",
            &["w", "x", "y", "z", "b/c"],
        );
        ok("[{op: remove, path: /a/b~1c}, {op: remove, path: /l/1}]", &["x"]);
        ok("[{op: replace, path: /l/0/n, value: q}]", &["q", "y", "b/c"]);
        ok(
            "[{op: test, path: /l/0, value: {n: x}}, {op: move, from: /a/b~1c, path: /a/d}]",
            &["x", "y", "d"],
        );
        ok("[{op: copy, from: /l/0, path: /l/-}]", &["x", "y", "x", "b/c"]);
        ok("[{op: replace, path: /a/new, value: 1}]", &["x", "y", "b/c", "new"]);
        ok(
            "[{op: replace, path: /l/-1/n, value: z}, {op: add, path: /l/-2, value: {n: w}}]",
            &["x", "w", "z", "b/c"],
        );
        ok("[{op: test, path: /a/none, value: null}, {op: remove, path: /l/-2}]", &["y", "b/c"]);
    }

    #[test]
    fn json_patch_reports_impossible_operations() {
        assert_eq!(
            patched("[{op: remove, path: /l/7}]"),
            Err("p:1: the patch cannot find `/l/7`".to_owned())
        );
        for wrong in [
            "[{op: test, path: /l/0/n, value: y}]",
            "[{op: add, path: /l/9, value: 1}]",
            "[{op: add, path: nowhere, value: 1}]",
            "[{op: replace, path: /x/y, value: 1}]",
            "[{op: replace, path: /l/-, value: 1}]",
            "[{op: fly, path: /a}]",
            "[{op: add, path: /a/x}]",
            "[{path: /a}]",
        ] {
            assert!(patched(wrong).is_err(), "{wrong}");
        }
        let bomb = vec!["{op: copy, from: /l, path: /l/-}"; 100].join(", ");
        assert!(patched(&format!("[{bomb}]")).expect_err("is refused").contains("too large"));
    }
}
