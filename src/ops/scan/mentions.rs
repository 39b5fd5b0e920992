//! A search for words in all files of a clone, for names that nothing reads in a way that a scan knows. Parsing
//! sources belongs in `read`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::files::MOST;
use super::store::SourceTree;
use crate::base::share;
use crate::model::scan::ScanRules;

/// Number of files for each thread.
const SHARE: usize = 64;

/// Returns which of the wanted words the files below a directory, or their paths, mention: words of letters, digits and `_`, in small
/// letters, as they are and without separators, so that `db.url` and `dbUrl` mention `dburl`. Returns `None` if there
/// are too many files to know.
pub(super) fn mentions(
    root: &Path,
    rules: &ScanRules,
    wanted: &HashSet<String>,
    is_left_out: &(dyn Fn(&Path) -> bool + Sync),
) -> Option<HashSet<String>> {
    let store = SourceTree::of_clone(root)?;
    let mut files: Vec<PathBuf> = Vec::new();
    let mut is_complete = true;
    let walked = store.walk("", rules, &mut |file| {
        match file {
            Ok(path) if files.len() < MOST => files.push(path),
            Ok(_) | Err(_) => is_complete = false,
        }
        is_complete
    });
    if walked.is_err() || !is_complete {
        return None;
    }
    let found = share::map(files, SHARE, |path| {
        let mut found = HashSet::new();
        words(&path.to_string_lossy(), wanted, &mut found);
        if !is_left_out(&path)
            && let Ok(text) = store.text(&path)
        {
            words(&text, wanted, &mut found);
        }
        found
    });
    Some(found.into_iter().flatten().collect())
}

/// Adds the wanted words of a text.
fn words(text: &str, wanted: &HashSet<String>, found: &mut HashSet<String>) {
    let mut form = String::new();
    let mut add = |word: &str, is_kept: fn(char) -> bool| {
        form.clear();
        form.extend(word.chars().filter(|c| is_kept(*c)).map(|c| c.to_ascii_lowercase()));
        if wanted.contains(&form) && !found.contains(&form) {
            found.insert(form.clone());
        }
    };
    let is_alone = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    for whole in text.split(is_alone).filter(|word| !word.is_empty()) {
        add(whole, |c| c.is_ascii_alphanumeric());
        for word in whole.split(['.', '-']).filter(|word| !word.is_empty()) {
            if word.len() < whole.len() {
                add(word, |c| c.is_ascii_alphanumeric());
            }
            if word.starts_with('_') || word.ends_with('_') {
                add(word, |_| true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_match_without_separators_and_as_parts_of_names() {
        let wanted = ["dburl", "app_", "8080", "_url", "none"].map(str::to_owned).into();
        let found = |text: &str| {
            let mut found = HashSet::new();
            words(text, &wanted, &mut found);
            let mut found: Vec<String> = found.into_iter().collect();
            found.sort();
            found
        };
        assert_eq!(found("x.db-url=1 ${APP_}{name}"), ["app_"]);
        assert_eq!(found("db.url: http://h:8080/"), ["8080", "dburl"]);
        assert_eq!(found("dbUrl(); f'{x}_URL'; a.DB_URL"), ["_url", "dburl"]);
        assert_eq!(found("18080 DB_URLS xAPP_x"), Vec::<String>::new());
    }
}
