//! Facts from a document in Markdown: its first sentence, and the variables in its tables.

use pulldown_cmark::{Event, Parser};

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

/// Maximum number of paragraphs in which a description is looked for.
const PARAGRAPHS: usize = 8;

/// Returns the first sentence of a document: of a paragraph that is neither a heading, a list, a table nor HTML. Badges
/// are left out, and so are fragments: rows of links, and introductions of what follows.
#[must_use]
pub fn first_sentence(text: &str) -> Option<String> {
    let mut paragraph = String::new();
    let mut tried = 0;
    let mut is_code = false;
    // An empty line ends the last paragraph.
    for line in text.lines().map(str::trim).chain([""]) {
        let is_fence = line.starts_with("```") || line.starts_with("~~~");
        is_code ^= is_fence;
        let line = without_images(line);
        let line = line.trim();
        let is_link = line.starts_with('[') && !line.contains("]:");
        let is_prose = is_link || line.starts_with(|c: char| c.is_alphanumeric() || "*_`\"'(".contains(c));
        let is_item = line.starts_with("* ") || line.starts_with("- ") || is_numbered(line);
        let is_title = line.chars().all(|c| c == '=' || c == '-') && !line.is_empty();
        if is_title && !is_code {
            // The line above was a heading.
            paragraph.clear();
        } else if is_code || is_fence || !is_prose || is_item {
            if let Some(sentence) = sentence_of(&paragraph, is_item || is_fence) {
                return Some(sentence);
            }
            tried += usize::from(!paragraph.is_empty());
            paragraph.clear();
            if tried > PARAGRAPHS {
                return None;
            }
        } else if paragraph.len() <= 4 * DESCRIPTION {
            paragraph.push_str(line);
            paragraph.push(' ');
        }
    }
    None
}

/// Returns the first sentence of a paragraph, unless it is a fragment. `goes_on`: a list or code follows it at once.
fn sentence_of(paragraph: &str, goes_on: bool) -> Option<String> {
    let text = without_links(paragraph.trim());
    let end = sentence_end(&text);
    let sentence = text[..end.unwrap_or(text.len())].trim();
    let is_begun = sentence
        .trim_start_matches(|c: char| "*_`\"'(".contains(c))
        .starts_with(|c: char| c.is_uppercase() || c.is_numeric())
        || sentence.starts_with('`');
    let is_whole = !sentence.ends_with([':', ',', ';']) && (end.is_some() || !goes_on);
    let is_row = sentence.contains(" | ") || sentence.contains(" • ") || sentence.contains(" · ");
    let is_long = sentence.len() >= 20 && sentence.split_whitespace().count() >= 4;
    (is_begun && is_whole && !is_row && is_long).then(|| shortened(sentence))
}

/// Returns the end of the first sentence: behind a full stop that is not part of an abbreviation.
fn sentence_end(text: &str) -> Option<usize> {
    let ends = text.match_indices(['.', '!', '?']).map(|(at, _)| at + 1);
    let is_end = |end: &usize| {
        let (before, after) = (&text[..*end], &text[*end..]);
        let word = before.rsplit(' ').next().unwrap_or_default().trim_start_matches('(').to_lowercase();
        let is_short = ["e.g.", "i.e.", "etc.", "vs.", "cf.", "resp.", "approx."].contains(&word.as_str());
        (after.is_empty() || after.starts_with(' ')) && !is_short
    };
    ends.into_iter().find(is_end)
}

/// Returns whether a line is an item of a numbered list.
fn is_numbered(line: &str) -> bool {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < line.len() && (rest.starts_with(". ") || rest.starts_with(") "))
}

/// Returns a line without its images, `![text](address)`, and without links that have an image for a text: badges.
fn without_images(line: &str) -> String {
    let mut made = line.to_owned();
    while let Some(at) = made.find("![") {
        // The link around an image begins before it.
        let is_linked = made[..at].ends_with('[');
        let Some(end) = end_of_link(&made[at + 1..]).map(|end| at + 1 + end) else { break };
        let (from, to) = match made[end..].strip_prefix(']').filter(|_| is_linked) {
            Some(after) => {
                let target = after.starts_with('(').then(|| after.find(')')).flatten();
                let target = target.or_else(|| after.starts_with('[').then(|| after.find(']')).flatten());
                (at - 1, end + 1 + target.map_or(0, |end| end + 1))
            }
            None => (at, end),
        };
        made.replace_range(from..to, "");
    }
    made
}

/// Returns the length of a link, `[text](address)` or `[text][reference]`, at the beginning of a text.
fn end_of_link(text: &str) -> Option<usize> {
    let inner = text.find(']')? + 1;
    let after = &text[inner..];
    let target = match after.chars().next() {
        Some('(') => after.find(')').map(|end| end + 1),
        Some('[') => after.find(']').map(|end| end + 1),
        _ => Some(0),
    };
    target.map(|target| inner + target)
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

/// Returns the text of a piece of Markdown, without its marks and without HTML.
fn unmarked(text: &str) -> String {
    let mut plain = String::new();
    for event in Parser::new(text) {
        match event {
            Event::Text(text) | Event::Code(text) => plain.push_str(&text),
            Event::SoftBreak | Event::HardBreak => plain.push(' '),
            _ => {}
        }
    }
    plain
}

/// Returns a text without marks and control characters, in a bounded length.
fn shortened(text: &str) -> String {
    let text: String = unmarked(text).chars().filter(|c| !c.is_control()).collect();
    if text.chars().count() <= DESCRIPTION {
        return text.trim().to_owned();
    }
    let cut: String = text.chars().take(DESCRIPTION - 1).collect();
    format!("{}…", cut.trim_end())
}
