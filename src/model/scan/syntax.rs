//! Queries on single nodes of a syntax tree: the text of a string, the name in an expression, the
//! arguments of a call. Their meaning for the environment belongs in `analysis`.

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

/// Returns the dotted name of an expression: `os.environ`, `(process as any)['env']`. Returns `None` for
/// any other expression.
pub(super) fn path(node: Node<'_>, text: &str) -> Option<String> {
    if let Some(said) = literal(node, text) {
        return Some(said);
    }
    if matches!(node.kind(), "as_expression" | "satisfies_expression") {
        return composed(node, text, 0);
    }
    let written = text.get(node.byte_range()).filter(|written| written.len() <= LONGEST)?;
    let plain = written.split_whitespace().collect::<String>();
    let plain = plain.replace("::", ".").replace("?.", ".").replace("!.", ".");
    let is_name = |c: char| c.is_alphanumeric() || "_.$!?".contains(c);
    let plain = plain.strip_prefix('.').filter(|_| written.starts_with("::")).unwrap_or(&plain);
    let is_plain = !plain.is_empty() && plain.chars().all(is_name);
    if is_plain { Some(plain.to_owned()) } else { composed(node, text, 0) }
}

/// Returns the dotted name of an expression with parentheses, casts, subscripts or imports in it.
fn composed(node: Node<'_>, text: &str, depth: usize) -> Option<String> {
    if depth > DEEPEST {
        return None;
    }
    let last = u32::try_from(node.named_child_count()).ok()?.checked_sub(1)?;
    let (first, last) = (node.named_child(0)?, node.named_child(last)?);
    let part = |node: Node<'_>| match composed(node, text, depth + 1) {
        Some(path) => Some(path),
        None => path_of_leaf(node, text),
    };
    match node.kind() {
        "parenthesized_expression" | "as_expression" | "satisfies_expression" | "non_null_expression" => {
            part(first)
        }
        "type_assertion" => part(last),
        "member_expression" | "attribute" | "selector_expression" => {
            Some(format!("{}.{}", part(first)?, text.get(last.byte_range())?))
        }
        "subscript_expression" | "subscript" => Some(format!("{}.{}", part(first)?, literal(last, text)?)),
        "call" | "call_expression" => {
            let function = text.get(first.byte_range())?;
            let imports = ["require", "__import__", "importlib.import_module"];
            if function == "getattr" {
                let (object, name) = (last.named_child(0)?, last.named_child(1)?);
                return Some(format!("{}.{}", part(object)?, literal(name, text)?));
            }
            imports.contains(&function).then(|| literal(last.named_child(0)?, text)).flatten()
        }
        _ => None,
    }
}

fn path_of_leaf(node: Node<'_>, text: &str) -> Option<String> {
    let written = text.get(node.byte_range())?;
    let is_name = |c: char| c.is_alphanumeric() || "_.$".contains(c);
    (!written.is_empty() && written.len() <= LONGEST && written.chars().all(is_name))
        .then(|| written.to_owned())
}

/// Returns whether a word names a shell.
pub(super) fn is_shell(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    matches!(name, "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh")
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
