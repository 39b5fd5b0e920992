//! Paths of a service: relative to the directory of its file, and rebased to that of the project if
//! another file extends or includes it. Reading the files belongs in `project`.

use super::super::files::resolved;
use crate::base::yaml::tree::{Node, NodeValue};

/// Returns the relative path between two directories, both given from the root: `../common`, or `.`.
pub(super) fn relative(from: &str, to: &str) -> String {
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (from, to) = (parts(from), parts(to));
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[same..].iter().map(|_| "..".to_owned());
    let path: Vec<String> = up.chain(to[same..].iter().cloned()).collect();
    if path.is_empty() { ".".to_owned() } else { path.join("/") }
}

/// Joins a path to a directory, from the root; returns `None` if the path leads out.
pub(super) fn joined(directory: &str, path: &str) -> Option<String> {
    resolved(directory, path)
}

/// Joins two paths without `.`, and with `..` only at the start.
fn cleaned(directory: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// Puts a directory before the paths of a service: those of `env_file` and `extends`.
pub(super) fn rebase(service: &mut Node, directory: &str) {
    let NodeValue::Map(fields) = &mut service.value else { return };
    for field in fields {
        match field.key.as_str() {
            "env_file" => for_each_path(&mut field.node, "path", directory),
            "extends" => {
                if let NodeValue::Map(_) = field.node.value {
                    for_each_path(&mut field.node, "file", directory);
                }
            }
            _ => {}
        }
    }
}

fn for_each_path(node: &mut Node, key: &str, directory: &str) {
    match &mut node.value {
        NodeValue::Scalar { text, plain: false } if !text.starts_with('/') && !text.is_empty() => {
            *text = cleaned(directory, text);
        }
        NodeValue::Scalar { .. } => {}
        NodeValue::List(items) => items.iter_mut().for_each(|item| for_each_path(item, key, directory)),
        NodeValue::Map(entries) => {
            let path = entries.iter_mut().filter(|entry| entry.key == key);
            path.for_each(|entry| for_each_path(&mut entry.node, "", directory));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_rebases_paths_between_directories() {
        for (from, to, path) in [("a/b", "a/c", "../c"), ("", "x", "x"), ("a", "a", "."), ("a", "", "..")] {
            assert_eq!(relative(from, to), path, "{from} {to}");
        }
        for (directory, path, whole) in
            [(".", "./a.env", "a.env"), ("../c", "../d/x", "../d/x"), ("..", "../x", "../../x")]
        {
            assert_eq!(cleaned(directory, path), whole, "{directory} {path}");
        }
    }
}
