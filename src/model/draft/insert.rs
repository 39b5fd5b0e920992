//! Insertion of an entry into the text of an inventory that is one file. The rest of the text stays as it is.

use crate::base::yaml::YamlError;
use crate::base::yaml::tree::{self, MapEntry, Node};

/// Failed insertion.
#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    /// The file is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// The list is not written with one line for each entry.
    #[error("{file}:{line}: `components` is not a list with `-` at the beginning of each entry")]
    NoList {
        /// File.
        file: String,
        /// Line of the list.
        line: usize,
    },
}

/// Returns the text of an inventory with an entry at the end of `components`, or in place of one there, and the line of
/// the entry. `at` is the index of the entry to replace.
///
/// # Errors
/// Fails if the text is not YAML, or the list is written in one line.
pub fn with_entry(
    file: &str,
    text: &str,
    entry: &str,
    at: Option<usize>,
) -> Result<(String, usize), InsertError> {
    let documents = tree::long_documents(file, text)?.nodes;
    let entries = documents.first().map_or(&[][..], Node::entries);
    // Line ends stay: a line of a file from Windows ends with `\r`.
    let lines: Vec<&str> =
        text.split_inclusive('\n').map(|line| line.strip_suffix('\n').unwrap_or(line)).collect();
    let list = entries.iter().position(|one| one.key == "components");
    let Some(list) = list.map(|at| &entries[at]) else {
        return Ok(joined(&lines, lines.len(), lines.len(), &["components:".to_owned()], &item(entry, 2)));
    };
    let no_list = || InsertError::NoList { file: file.to_owned(), line: list.spot.position.line };
    let items = list.node.items();
    let line_of = |node: &Node| node.spot.position.line.saturating_sub(1);
    let indent = match items.first() {
        Some(first) => {
            let line = lines.get(line_of(first)).copied().unwrap_or_default();
            let rest = line.trim_start();
            if !rest.starts_with("- ") {
                return Err(no_list());
            }
            line.len() - rest.len()
        }
        None if list.node.is_null() => 2,
        None => return Err(no_list()),
    };
    let end = end_of_list(list, entries, &lines);
    let from = at.and_then(|at| items.get(at)).map_or(end, line_of);
    let next = at.and_then(|at| items.get(at + 1)).map(line_of);
    let to = if from == end { end } else { next.unwrap_or(end) };
    Ok(joined(&lines, from, to, &[], &item(entry, indent)))
}

/// Returns the number of lines up to the end of a list, without the blank lines and comments before the next key.
fn end_of_list(list: &MapEntry, entries: &[MapEntry], lines: &[&str]) -> usize {
    let own = list.spot.position.line;
    let next = entries.iter().map(|one| one.spot.position.line).filter(|line| *line > own).min();
    let mut end = next.map_or(lines.len(), |line| line - 1);
    while end > own && lines.get(end - 1).is_some_and(|line| line.trim().is_empty() || line.starts_with('#'))
    {
        end -= 1;
    }
    end
}

/// Returns the lines of an entry as an item of a list.
fn item(entry: &str, indent: usize) -> Vec<String> {
    let margin = " ".repeat(indent);
    let line = |(at, line): (usize, &str)| format!("{margin}{}{line}", if at == 0 { "- " } else { "  " });
    entry.lines().enumerate().map(line).collect()
}

fn joined(lines: &[&str], from: usize, to: usize, before: &[String], new: &[String]) -> (String, usize) {
    let end = if lines.first().is_some_and(|line| line.ends_with('\r')) { "\r\n" } else { "\n" };
    let mut all: Vec<&str> = lines[..from.min(lines.len())].to_vec();
    all.extend(before.iter().map(String::as_str));
    let line = all.len() + 1;
    all.extend(new.iter().map(String::as_str));
    all.extend(lines.iter().skip(to));
    let ended = |line: &&str| if line.ends_with('\r') { format!("{line}\n") } else { format!("{line}{end}") };
    (all.iter().map(ended).collect(), line)
}
