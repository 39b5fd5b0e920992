//! References to variables in texts that are not code: `$X` and `${X:-…}` in templates and in
//! instructions of Dockerfiles. Code of a shell belongs in `analysis`.

use super::Requirement;
use crate::model::environment::is_variable_name;

/// Returns the references `$X` and `${X:-…}`, each with its line offset.
pub(super) fn references(text: &str) -> Vec<(String, Requirement, usize)> {
    let mut found = Vec::new();
    let mut lines = 0;
    let mut rest = text;
    while let Some(at) = rest.find(['$', '\\', '\n']) {
        let (character, after) = (rest.as_bytes()[at], &rest[at + 1..]);
        rest = after;
        match character {
            b'\n' => lines += 1,
            b'\\' => {
                let next = after.chars().next();
                lines += usize::from(next == Some('\n'));
                rest = &after[next.map_or(0, char::len_utf8)..];
            }
            _ => {
                let braced = after.strip_prefix('{');
                let inner = braced.unwrap_or(after);
                let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
                let (name, behind) = inner.split_at(end);
                let operator = braced.and(behind.trim_start_matches(':').chars().next());
                let need = match operator {
                    Some('-' | '+' | '=') => Requirement::Default,
                    Some('?') => Requirement::Required,
                    _ => Requirement::Optional,
                };
                if is_variable_name(name) {
                    found.push((name.to_owned(), need, lines));
                }
                rest = behind;
            }
        }
    }
    found
}
