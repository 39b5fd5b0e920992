//! Forms in which files may mention a variable or a port, for the rules about what an entry has and its clone lacks.

/// Minimum number of letters of a form that is only a part of a name.
const SHORTEST: usize = 6;

/// Returns the forms of a name in files: without case and separators (`dbUrl`, `db.url` and `DB_URL` are the same), and
/// the parts of it that programs add to a prefix or a suffix at run time: `APP_` and `_URL` of `APP_DB_URL`, and all
/// that follows its first words.
#[must_use]
pub fn mention_forms(name: &str) -> Vec<String> {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let mut forms = vec![plain(name)];
    for (at, _) in name.match_indices('_') {
        forms.push(name[..=at].to_ascii_lowercase());
        forms.push(name[at..].to_ascii_lowercase());
        let rest = &name[at + 1..];
        if rest.contains('_') && plain(rest).len() >= SHORTEST {
            forms.push(plain(rest));
        }
    }
    forms.retain(|form| form.chars().any(|c| c.is_ascii_alphanumeric()));
    forms
}

/// Returns the form of the file name of a script.
#[must_use]
pub fn script_form(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mention_forms_cover_prefixes_and_other_spellings() {
        assert_eq!(mention_forms("8080"), ["8080"]);
        assert_eq!(mention_forms("HOST"), ["host"]);
        assert_eq!(mention_forms("APP_DB_URL"), ["appdburl", "app_", "_db_url", "app_db_", "_url"]);
        assert!(mention_forms("MYAPP_DATABASE_URL").contains(&"databaseurl".to_owned()));
    }
}
