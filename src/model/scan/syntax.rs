//! Queries on single nodes of a syntax tree: the text of a string, the name in an expression, the
//! arguments of a call. Their meaning for the environment belongs in `reading`.

use tree_sitter::Node;

/// Maximum length of a path in bytes.
const LONGEST: usize = 200;
/// Maximum nesting of concatenated strings.
const DEEPEST: usize = 6;

/// Returns the text of a string literal without interpolation.
pub(super) fn literal(node: Node<'_>, text: &str) -> Option<String> {
    if !node.kind().contains("string") {
        return None;
    }
    let mut said = String::new();
    collect(node, text, &mut said, 0).then_some(said)
}

fn collect(node: Node<'_>, text: &str, said: &mut String, depth: usize) -> bool {
    let kind = node.kind();
    if kind.contains("interpolation") || kind.contains("substitution") || kind.contains("escape") {
        return false;
    }
    if kind.ends_with("_content") || kind.ends_with("_fragment") {
        said.push_str(&text[node.byte_range()]);
        return node.named_child_count() == 0;
    }
    let mut cursor = node.walk();
    depth < DEEPEST && node.named_children(&mut cursor).all(|child| collect(child, text, said, depth + 1))
}

/// Returns the dotted name of an expression: `os.environ`. Returns `None` for any other expression.
pub(super) fn path(node: Node<'_>, text: &str) -> Option<String> {
    if let Some(said) = literal(node, text) {
        return Some(said);
    }
    let written = text.get(node.byte_range()).filter(|written| written.len() <= LONGEST)?;
    let path = written.split_whitespace().collect::<String>();
    let path = path.replace("::", ".").replace("?.", ".").replace("!.", ".");
    let is_name = |c: char| c.is_alphanumeric() || "_.$!?".contains(c);
    let path = path.strip_prefix('.').filter(|_| written.starts_with("::")).unwrap_or(&path);
    (!path.is_empty() && path.chars().all(is_name)).then(|| path.to_owned())
}

/// Arguments of a call, by position and by name.
#[derive(Default)]
pub(super) struct Arguments<'t> {
    pub(super) by_position: Vec<Node<'t>>,
    pub(super) by_name: Vec<(String, Node<'t>)>,
}

impl<'t> Arguments<'t> {
    pub(super) fn of(node: Node<'t>, text: &str) -> Self {
        let mut arguments = Self::default();
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            if child.kind().contains("comment") {
                continue;
            }
            match (child.kind(), child.named_child(0), child.named_child(1)) {
                ("keyword_argument" | "pair", Some(name), Some(value)) => {
                    let name = text[name.byte_range()].trim_matches(':').to_owned();
                    arguments.by_name.push((name, value));
                }
                _ => arguments.by_position.push(child),
            }
        }
        arguments
    }

    /// Returns an argument by its position, or by its name.
    pub(super) fn get(&self, position: Option<usize>, name: Option<&str>) -> Option<Node<'t>> {
        let by_name = name.and_then(|name| self.by_name.iter().find(|(other, _)| other == name));
        by_name.map(|(_, node)| *node).or_else(|| self.by_position.get(position?).copied())
    }
}

/// Returns the names of parameters, in order, each `None` if it is not a name.
pub(super) fn parameters(node: Node<'_>, text: &str) -> Vec<Option<String>> {
    let mut cursor = node.walk();
    let first_name = |mut node: Node<'_>| {
        for _ in 0..DEEPEST {
            if node.kind().ends_with("identifier") {
                return Some(text[node.byte_range()].to_owned());
            }
            node = node.named_child(0)?;
        }
        None
    };
    if node.kind() == "identifier" {
        return vec![first_name(node)];
    }
    let children = node.named_children(&mut cursor).filter(|child| !child.kind().contains("comment"));
    // A method call does not pass the first parameter.
    children.map(first_name).filter(|name| !matches!(name.as_deref(), Some("self" | "cls"))).collect()
}

/// Returns the pairs of a Go struct tag: `env:"X,required" default:"y"`.
pub(super) fn tag_pairs(tag: &str) -> Vec<(&str, &str)> {
    let mut pairs = Vec::new();
    let mut rest = tag.trim_matches('`').trim();
    while let Some((key, after)) = rest.split_once(":\"") {
        let Some((value, after)) = after.split_once('"') else { break };
        pairs.push((key.trim(), value));
        rest = after;
    }
    pairs
}
