//! Secrets on the command line, as an error would repeat them: somebody may type `DB_PASSWORD=…` where a component is
//! expected. Which variables are secret in a run belongs in `model::environment`.

use std::ffi::OsString;

use crate::base::assets::embedded_text;
use crate::base::redact::{Redactor, without_tokens};
use crate::base::secret::{MASK, Secret};
use crate::model::environment::SecretNames;

/// The secrets among the words of a command line.
pub(super) struct TypedSecrets {
    /// Each with the name and the sign before it.
    found: Vec<(String, Secret)>,
    redactor: Redactor,
}

impl TypedSecrets {
    /// Finds the values behind `=` or `:` whose name is one of a secret.
    pub(super) fn of(args: &[OsString]) -> Self {
        let words: Vec<String> =
            args.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        let mut found = Vec::new();
        if words.iter().any(|word| word.contains(['=', ':'])) {
            let names = embedded_text("secret-names.yaml")
                .and_then(|text| SecretNames::read("secret-names.yaml", text).ok())
                .unwrap_or_else(SecretNames::none);
            for word in &words {
                // The value of an option may be an assignment, too.
                let value = word.strip_prefix("--").and_then(|option| option.split_once('='));
                let parts = [Some(word.as_str()), value.map(|(_, value)| value)];
                found.extend(parts.into_iter().flatten().filter_map(|text| secret(text, &names)));
            }
        }
        let redactor = Redactor::new(found.iter().map(|(_, value)| value));
        Self { found, redactor }
    }

    /// Masks them in a message, and all tokens of known forms.
    pub(super) fn mask(&self, text: &str) -> String {
        let masked = self.found.iter().fold(text.to_owned(), |text, (before, value)| {
            text.replace(&format!("{before}{}", value.expose()), &format!("{before}{MASK}"))
        });
        without_tokens(&self.redactor.text(&masked)).into_owned()
    }
}

/// Returns the secret of a word, with all before it.
fn secret(word: &str, names: &SecretNames) -> Option<(String, Secret)> {
    let at = word.find(['=', ':'])?;
    let (before, value) = word.split_at(at + 1);
    let name = before[..at].trim_start_matches('-');
    (!value.is_empty() && names.judge(name, value).hide).then(|| (before.to_owned(), Secret::new(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_do_not_repeat_typed_secrets() {
        for (word, shown) in [
            ("DB_PASSWORD=hunter22x", "DB_PASSWORD=••••••••"),
            ("DB_PASSWORD:hunter22x", "DB_PASSWORD:••••••••"),
            ("-eDB_PASSWORD:hunter22x", "-eDB_PASSWORD:••••••••"),
            ("--env=DB_PASSWORD:two words", "--env=DB_PASSWORD:••••••••"),
            ("--password=abc", "--password=••••••••"),
            ("glpat-abcdefghij0123456789", "••••••••"),
            ("kind=service", "kind=service"),
            ("team-a/api", "team-a/api"),
            ("DB_PASSWORD_FILE=/run/secrets/db", "DB_PASSWORD_FILE=/run/secrets/db"),
        ] {
            let typed = TypedSecrets::of(&["cki", "env", "a", word].map(OsString::from));
            assert_eq!(typed.mask(&format!("there is no `{word}`.")), format!("there is no `{shown}`."));
        }
        let typed = TypedSecrets::of(&["cki", "DB_PASSWORD=hunter22x"].map(OsString::from));
        assert_eq!(typed.mask("no `hunter22x`"), "no `••••••••`");
    }
}
