//! Paths to fields of an object in kustomize's syntax: `spec.containers.[name=web].env.0.value`. The
//! values to set belong in `replacement` and `variable`.

use regex::RegexBuilder;

use crate::base::yaml::tree::{Location, MapEntry, Node, NodeValue};

/// Maximum number of parts of a path.
const PARTS: usize = 100;

/// Splits a path into parts: `\.` is a literal dot, and so is a dot in brackets.
pub(super) fn parts(path: &str) -> Vec<String> {
    let mut split: Vec<String> = Vec::new();
    let mut pieces = path.split('.').peekable();
    // A path may begin with the separator.
    if path.starts_with('.') && path.len() > 1 {
        pieces.next();
    }
    for piece in pieces {
        match split.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('.');
                last.push_str(piece);
            }
            _ => split.push(piece.to_owned()),
        }
    }
    let mut parts = Vec::new();
    let mut split = split.into_iter();
    while let Some(mut part) = split.next() {
        if part.starts_with('[') && !part.ends_with(']') {
            for more in split.by_ref() {
                part.push('.');
                part.push_str(&more);
                if more.ends_with(']') {
                    break;
                }
            }
            if !part.contains('=') {
                part = part.trim_matches(['[', ']']).to_owned();
            }
        }
        parts.push(part);
    }
    parts.truncate(PARTS);
    parts
}

/// Splits the path of a `vars` variable, in which an index follows a field: `spec.ports[0].port`.
pub(super) fn of_variable(path: &str) -> Vec<String> {
    let mut all = Vec::new();
    for part in parts(path) {
        match part.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
            Some((field, index)) if !field.is_empty() => {
                all.push(field.to_owned());
                all.push(if index.contains('=') { format!("[{index}]") } else { index.to_owned() });
            }
            _ => all.push(part),
        }
    }
    all
}

/// Parses `[key=value]`.
fn condition(part: &str) -> Option<(&str, &str)> {
    part.strip_prefix('[')?.strip_suffix(']')?.split_once('=')
}

/// Returns the node at a path that selects a single one, such as the source of a value.
pub(super) fn find<'a>(node: &'a Node, parts: &[String]) -> Option<&'a Node> {
    parts.iter().try_fold(node, |node, part| match &node.value {
        NodeValue::Map(_) => node.get(part),
        NodeValue::List(items) => match condition(part) {
            Some((key, wanted)) => items.iter().find(|item| {
                let value = if key.is_empty() { item.text() } else { item.text_of(key) };
                value == Some(wanted)
            }),
            None if part == "-" => items.last(),
            None => items.get(part.parse::<usize>().ok()?),
        },
        NodeValue::Scalar { .. } => None,
    })
}

/// Node kind of a missing target to create.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NewNodeKind {
    Scalar,
    List,
    Map,
}

impl NewNodeKind {
    pub(super) fn of(node: &Node) -> Self {
        match node.value {
            NodeValue::Scalar { .. } => Self::Scalar,
            NodeValue::List(_) => Self::List,
            NodeValue::Map(_) => Self::Map,
        }
    }

    fn node(self, spot: &Location) -> Node {
        let value = match self {
            Self::List => NodeValue::List(Vec::new()),
            Self::Map => NodeValue::Map(Vec::new()),
            Self::Scalar => NodeValue::Scalar { text: String::new(), plain: true },
        };
        Node { spot: spot.clone(), value }
    }
}

/// Changes every node that a path matches, and returns their number. A missing node is created as the
/// kind in `make`, if given. `set` gets each node, and whether it was created.
pub(super) fn change(
    node: &mut Node,
    parts: &[String],
    make: Option<NewNodeKind>,
    spot: &Location,
    set: &mut dyn FnMut(&mut Node, bool) -> Result<(), String>,
) -> Result<usize, String> {
    change_below(node, parts, make, spot, false, set)
}

fn change_below(
    node: &mut Node,
    parts: &[String],
    make: Option<NewNodeKind>,
    spot: &Location,
    is_new: bool,
    set: &mut dyn FnMut(&mut Node, bool) -> Result<(), String>,
) -> Result<usize, String> {
    let Some((part, rest)) = parts.split_first() else {
        set(node, is_new)?;
        return Ok(1);
    };
    // A missing field is created as the kind that the next part needs.
    let next = || match (rest.first(), make) {
        (None, make) => make,
        (Some(part), Some(_)) => Some(if condition(part).is_some() || is_index(part) {
            NewNodeKind::List
        } else {
            NewNodeKind::Map
        }),
        (Some(_), None) => None,
    };
    if part == "*" {
        let NodeValue::List(items) = &mut node.value else { return Err("`*` stands for no list".to_owned()) };
        return items
            .iter_mut()
            .try_fold(0, |sum, item| Ok(sum + change_below(item, rest, make, spot, false, set)?));
    }
    if let Some((key, wanted)) = condition(part) {
        let NodeValue::List(items) = &mut node.value else {
            return Err(format!("`{part}` stands for no list"));
        };
        // In a target, the value is a regular expression, which may match a part.
        let pattern = RegexBuilder::new(wanted).size_limit(1 << 20).build();
        let pattern = pattern.map_err(|_| format!("`{wanted}` is no regular expression"))?;
        let fits = |item: &Node| {
            let value = if key.is_empty() { item.text() } else { item.text_of(key) };
            value.is_some_and(|value| pattern.is_match(value))
        };
        if make.is_some() && !items.iter().any(fits) {
            let text = Node::text_at(spot, wanted);
            items.push(match key {
                "" => text,
                key => super::transform::map_of(key, spot, text),
            });
        }
        let fitting = items.iter_mut().filter(|item| fits(item));
        return fitting
            .into_iter()
            .try_fold(0, |sum, item| Ok(sum + change_below(item, rest, make, spot, false, set)?));
    }
    if is_index(part) {
        let index = part.parse::<usize>().map_err(|_| format!("`{part}` is no index"))?;
        let NodeValue::List(items) = &mut node.value else {
            return Err(format!("`{part}` stands for no list"));
        };
        let mut is_new = false;
        if index == items.len()
            && let Some(made) = next()
        {
            items.push(made.node(spot));
            is_new = true;
        }
        let item = items.get_mut(index).ok_or_else(|| format!("there is no item {part}"))?;
        return change_below(item, rest, make, spot, is_new, set);
    }
    match &mut node.value {
        NodeValue::Map(entries) => {
            let at = entries.iter().position(|entry| entry.key == *part);
            let (at, is_new) = match (at, next()) {
                (Some(at), _) => (at, false),
                (None, Some(made)) => {
                    entries.push(MapEntry { key: part.clone(), spot: spot.clone(), node: made.node(spot) });
                    (entries.len() - 1, true)
                }
                (None, None) => return Ok(0),
            };
            change_below(&mut entries[at].node, rest, make, spot, is_new, set)
        }
        NodeValue::Scalar { .. } => Err(format!("`{part}` is in a text, which `cki` does not take apart")),
        NodeValue::List(_) => Err(format!("`{part}` is a field of a list")),
    }
}

fn is_index(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::documents;
    use proptest::prelude::*;

    #[test]
    fn parts_splits_field_path_at_dots() {
        let shown = |path: &str| parts(path).join("|");
        assert_eq!(shown("a.b.0"), "a|b|0");
        assert_eq!(shown(r"data.x\.yaml"), "data|x.yaml");
        assert_eq!(shown("a.[name=b.c].d"), "a|[name=b.c]|d");
        assert_eq!(shown("metadata.annotations.[a.b/c]"), "metadata|annotations|a.b/c");
        assert_eq!(of_variable("spec.ports[0].port").join("|"), "spec|ports|0|port");
    }

    #[test]
    fn change_sets_all_matches_and_creates_fields() {
        let read = |text: &str| documents("f", text).expect("parses").remove(0);
        let mut node = read("{c: [{n: web, v: 1}, {n: web2, v: 2}, {n: db}]}");
        let spot = node.spot.clone();
        let mut put = |path: &str, make| {
            let set = &mut |node: &mut Node, _: bool| {
                *node = Node::text_at(&spot, "x");
                Ok(())
            };
            change(&mut node, &parts(path), make, &spot, set)
        };
        assert_eq!(put("c.[n=web].v", None), Ok(2), "it is a pattern");
        assert_eq!(put("c.*.v", None), Ok(2));
        assert_eq!(put("c.[n=none].v", None), Ok(0));
        assert_eq!(put("c.[n=^new$].v", None), Ok(0));
        assert_eq!(put("c.[n=new].v", Some(NewNodeKind::Scalar)), Ok(1));
        assert_eq!(put("a.b.c", Some(NewNodeKind::Scalar)), Ok(1));
        assert!(put("c.9", None).is_err() && put("c.n", None).is_err() && put("c.0.n.x", None).is_err());
        assert_eq!(find(&node, &parts("c.[n=new].v")).and_then(Node::text), Some("x"));
        assert_eq!(find(&node, &parts("a.b.c")).and_then(Node::text), Some("x"));
        assert_eq!(find(&node, &parts("c.-.n")).and_then(Node::text), Some("new"));
    }

    proptest! {
        #[test]
        fn field_paths_never_panic(path in "[a.\\[\\]=\\\\0*-]{0,20}") {
            let mut node = documents("f", "{a: [{a: 0}, 0], '0': [a]}").expect("parses").remove(0);
            let spot = node.spot.clone();
            let parts = parts(&path);
            let _ = find(&node, &parts);
            let _ = change(&mut node, &parts, Some(NewNodeKind::Scalar), &spot, &mut |_, _| Ok(()));
        }
    }
}
