//! Facts from a document in Markdown: its first sentence, and the variables in its tables.

use crate::base::text::truth;
use crate::model::environment::is_variable_name;

/// Maximum number of variables of one document.
const VARIABLES: usize = 200;
/// Maximum characters of a description.
const DESCRIPTION: usize = 160;

/// A variable that a document describes in a row of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentedVariable {
    /// Name.
    pub name: String,
    /// Line in the document.
    pub line: usize,
    /// Description; may be empty.
    pub description: String,
    /// States that it is required or not; `None` if the table does not say.
    pub required: Option<bool>,
    /// Default value.
    pub default: Option<String>,
    /// States that its value is secret or not; `None` if the table does not say.
    pub secret: Option<bool>,
}

/// Meaning of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Description,
    Required,
    Default,
    Secret,
    Other,
}

impl Column {
    /// Returns the meaning of a heading.
    fn of(heading: &str) -> Self {
        let heading = plain(heading).to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| heading.contains(word));
        match () {
            () if says(&["default"]) => Self::Default,
            () if says(&["required", "mandatory", "optional"]) => Self::Required,
            () if says(&["secret", "sensitive"]) => Self::Secret,
            () if says(&["description", "meaning", "purpose", "explanation", "notes", "details"]) => {
                Self::Description
            }
            () => Self::Other,
        }
    }
}

/// Returns the variables whose names, in backticks or bare, are the first cell of a row. The headings of the table
/// tell which cells are the description, the default, and whether the variable is required or secret; without a
/// heading of a description, the longest other cell is it.
#[must_use]
pub fn documented_variables(text: &str) -> Vec<DocumentedVariable> {
    let mut found: Vec<DocumentedVariable> = Vec::new();
    let mut columns: Vec<(Column, bool)> = Vec::new();
    let mut is_in_table = false;
    for (index, line) in text.lines().enumerate() {
        let Some(row) = line.trim().strip_prefix('|') else {
            is_in_table = false;
            continue;
        };
        let cells: Vec<&str> = row.trim_end_matches('|').split('|').map(str::trim).collect();
        if !std::mem::replace(&mut is_in_table, true) {
            // A column of what is optional says the contrary of one of what is required.
            columns = cells
                .iter()
                .map(|cell| (Column::of(cell), cell.to_lowercase().contains("optional")))
                .collect();
        }
        let name = plain(cells.first().copied().unwrap_or_default());
        let is_constant = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if !is_constant || name.len() < 3 || !is_variable_name(name) {
            continue;
        }
        if found.len() < VARIABLES && found.iter().all(|known| known.name != name) {
            found.push(variable(name, index + 1, &cells, &columns));
        }
    }
    found
}

fn variable(name: &str, line: usize, cells: &[&str], columns: &[(Column, bool)]) -> DocumentedVariable {
    let of = |wanted: Column| {
        let is_it = |(_, column): &(&&str, &(Column, bool))| column.0 == wanted;
        cells.iter().zip(columns).skip(1).find(is_it).map(|(cell, column)| (*cell, column.1))
    };
    let others = || {
        let is_other = |(at, _): &(usize, &&str)| {
            columns.get(*at).is_none_or(|column| matches!(column.0, Column::Other | Column::Description))
        };
        cells.iter().enumerate().skip(1).filter(is_other).map(|(_, cell)| *cell).max_by_key(|cell| cell.len())
    };
    let description = of(Column::Description).map(|(cell, _)| cell).or_else(others).unwrap_or_default();
    let (default, required) = (of(Column::Default), of(Column::Required));
    let required = required.and_then(|(cell, is_optional)| Some(says(cell)? != is_optional));
    let is_marked = default.is_some_and(|(cell, _)| plain(cell).eq_ignore_ascii_case("required"));
    DocumentedVariable {
        name: name.to_owned(),
        line,
        description: shortened(description),
        required: required.or(is_marked.then_some(true)),
        default: default.and_then(|(cell, _)| value(cell)),
        // An empty cell may have been forgotten.
        secret: of(Column::Secret)
            .filter(|(cell, _)| !plain(cell).is_empty())
            .and_then(|(cell, _)| says(cell)),
    }
}

/// Returns the text of a cell without its marks of emphasis and code.
fn plain(cell: &str) -> &str {
    cell.trim().trim_matches(|c| c == '`' || c == '*').trim()
}

/// Returns the truth that a cell states; an empty one states that it is not so.
fn says(cell: &str) -> Option<bool> {
    let cell = plain(cell);
    let word = cell.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase();
    match cell {
        "" | "-" | "–" | "—" | "✗" | "✘" | "❌" | ":x:" => Some(false),
        "✓" | "✔" | "✅" | "✔️" | "x" | "X" | ":white_check_mark:" | ":heavy_check_mark:" => {
            Some(true)
        }
        _ => match word.as_str() {
            "required" | "mandatory" | "secret" | "always" => Some(true),
            "optional" | "never" => Some(false),
            word => truth(word),
        },
    }
}

/// Returns the default value in a cell: code, a quoted text or a single word. Anything longer describes it.
fn value(cell: &str) -> Option<String> {
    let cell = cell.trim();
    let inner =
        cell.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).filter(|one| !one.contains('`'));
    let text = inner.unwrap_or(cell).trim();
    let quoted = ['"', '\''].iter().find_map(|mark| text.strip_prefix(*mark)?.strip_suffix(*mark));
    let is_none = ["", "-", "–", "—", "none", "n/a", "null", "nil", "unset", "empty", "required", "not set"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    let text = match (quoted, inner) {
        (Some(""), _) => return None,
        (Some(text), _) => text,
        _ if is_none => return None,
        (None, Some(text)) => text,
        (None, None) if text.contains([' ', '(', '[', '*', '<']) => return None,
        (None, None) => text,
    };
    let is_short = text.chars().count() <= DESCRIPTION && !text.chars().any(char::is_control);
    is_short.then(|| text.to_owned())
}

/// Returns the first sentence of a document that is neither a heading, a badge, a list, a table nor HTML.
#[must_use]
pub fn first_sentence(text: &str) -> Option<String> {
    let mut paragraph = String::new();
    let mut is_code = false;
    for line in text.lines().map(str::trim) {
        let is_fence = line.starts_with("```") || line.starts_with("~~~");
        is_code ^= is_fence;
        let is_link = line.starts_with('[') && !line.starts_with("[!") && !line.contains("]:");
        let is_prose = is_link || line.starts_with(|c: char| c.is_alphanumeric() || "*_`\"'(".contains(c));
        let is_item = line.starts_with("* ") || line.starts_with("- ");
        let is_title = line.chars().all(|c| c == '=' || c == '-') && !line.is_empty();
        match is_code || is_fence || !is_prose || is_item {
            // The line above was a heading.
            _ if is_title => paragraph.clear(),
            true if paragraph.len() >= 20 => break,
            true => paragraph.clear(),
            false => {
                paragraph.push_str(line);
                paragraph.push(' ');
                if paragraph.len() > 4 * DESCRIPTION {
                    break;
                }
            }
        }
    }
    let text = without_links(paragraph.trim());
    let end = text.find(". ").map_or(text.len(), |at| at + 1);
    Some(shortened(&text[..end])).filter(|sentence| sentence.len() >= 20)
}

/// Returns the title of a document: its first heading.
#[must_use]
pub fn title(text: &str) -> Option<String> {
    let heading = text.lines().find_map(|line| line.strip_prefix("# "))?;
    Some(shortened(&without_links(heading.trim()))).filter(|title| !title.is_empty() && !title.contains('<'))
}

/// Returns a text with each link, `[text](address)` or `[text][reference]`, replaced by its text.
fn without_links(text: &str) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        let Some((inner, after)) = rest[at + 1..].split_once(']') else { break };
        made.push_str(&rest[..at]);
        made.push_str(inner);
        let end = after.strip_prefix('(').and_then(|more| more.split_once(')'));
        let end = end.or_else(|| after.strip_prefix('[').and_then(|more| more.split_once(']')));
        rest = end.map_or(after, |(_, after)| after);
    }
    made.push_str(rest);
    made
}

/// Returns a text without code marks and control characters, in a bounded length.
fn shortened(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control() && *c != '`').collect();
    if text.chars().count() <= DESCRIPTION {
        return text.trim().to_owned();
    }
    let cut: String = text.chars().take(DESCRIPTION - 1).collect();
    format!("{}…", cut.trim_end())
}
