//! Variables in the tables of a document in Markdown: the names, and their descriptions.

use crate::model::environment::is_variable_name;

/// Maximum number of variables of one document.
const VARIABLES: usize = 200;
/// Maximum characters of a description.
const DESCRIPTION: usize = 160;

/// Returns the variables whose names, in backticks or bare, are the first cell of a row: each with its line and
/// the longest other cell.
#[must_use]
pub fn documented_variables(text: &str) -> Vec<(String, usize, String)> {
    let mut found: Vec<(String, usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(row) = line.trim().strip_prefix('|') else { continue };
        let mut cells = row.trim_end_matches('|').split('|').map(str::trim);
        let name = cells.next().unwrap_or_default().trim_matches(|c| c == '`' || c == '*');
        let is_constant = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if !is_constant || name.len() < 3 || !is_variable_name(name) {
            continue;
        }
        let text = cells.max_by_key(|cell| cell.len()).unwrap_or_default().replace('`', "");
        let text = text.chars().filter(|c| !c.is_control()).take(DESCRIPTION).collect();
        if found.len() < VARIABLES && found.iter().all(|(known, ..)| known != name) {
            found.push((name.to_owned(), index + 1, text));
        }
    }
    found
}
