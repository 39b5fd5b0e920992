//! Detection of real credentials, by rules from the template `credentials.yaml`. A placeholder secret
//! has the same form and is recognized by its mark.

use regex::Regex;
use serde::Deserialize;

use super::decodings::decoded_variants;
use crate::base::yaml::{self, YamlError};

/// Invalid credential rules.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The file is not YAML of the expected form.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A pattern is not a regular expression.
    #[error("{file}: the pattern `{pattern}` is no regular expression")]
    Pattern {
        /// The file.
        file: String,
        /// The pattern.
        pattern: String,
        /// Underlying error.
        source: regex::Error,
    },
}

#[derive(Debug, Deserialize)]
struct RawCredentials {
    marks: Vec<String>,
    #[serde(default)]
    local: Vec<String>,
    rules: Vec<RawCredentialRule>,
}

#[derive(Debug, Deserialize)]
struct RawCredentialRule {
    rule: String,
    name: Option<String>,
    pattern: String,
}

#[derive(Debug)]
struct CredentialRule {
    label: String,
    name: Option<Regex>,
    pattern: Regex,
}

/// Forms of credentials, and marks of placeholder secrets.
#[derive(Debug)]
pub struct Credentials {
    file: String,
    marks: Vec<Regex>,
    local: Vec<Regex>,
    rules: Vec<CredentialRule>,
}

impl Credentials {
    /// Reads the rules.
    ///
    /// # Errors
    /// Fails when the text is not of the expected form, or a pattern is invalid.
    pub fn read(file: &str, text: &str) -> Result<Self, CredentialError> {
        let (raw, _) = yaml::parse::<RawCredentials>(file, text)?;
        let compile = |pattern: &str, whole: bool| {
            let regex = if whole { Regex::new(&format!("^(?:{pattern})$")) } else { Regex::new(pattern) };
            regex.map_err(|source| CredentialError::Pattern {
                file: file.to_owned(),
                pattern: pattern.to_owned(),
                source,
            })
        };
        let all = |patterns: &[String], whole| {
            patterns.iter().map(|pattern| compile(pattern, whole)).collect::<Result<Vec<_>, _>>()
        };
        let rules = raw.rules.iter().map(|rule| {
            let name = rule.name.as_deref().map(|name| compile(name, true)).transpose()?;
            Ok(CredentialRule { label: rule.rule.clone(), name, pattern: compile(&rule.pattern, false)? })
        });
        Ok(Self {
            file: file.to_owned(),
            marks: all(&raw.marks, false)?,
            local: all(&raw.local, true)?,
            rules: rules.collect::<Result<_, CredentialError>>()?,
        })
    }

    /// Returns the name of the file with the rules.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the name of the rule that matches the first credential in a text. Placeholder secrets and
    /// credentials that only this machine accepts do not count. `name` is the variable that holds the
    /// text.
    #[must_use]
    pub fn find(&self, name: Option<&str>, text: &str) -> Option<&str> {
        let rules: Vec<&CredentialRule> = self
            .rules
            .iter()
            .filter(|rule| {
                rule.name.as_ref().is_none_or(|wanted| name.is_some_and(|name| wanted.is_match(name)))
            })
            .collect();
        decoded_variants(text).iter().find_map(|view| {
            let found = rules.iter().find(|rule| {
                rule.pattern.captures_iter(view).any(|found| {
                    let host = found.name("host").map(|host| host.as_str());
                    !host.is_some_and(|host| self.is_local(host)) && !self.is_ours(&found[0])
                })
            });
            found.map(|rule| rule.label.as_str())
        })
    }

    fn is_local(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_lowercase();
        self.local.iter().any(|local| local.is_match(&host))
    }

    fn is_ours(&self, text: &str) -> bool {
        decoded_variants(text).iter().any(|view| self.marks.iter().any(|mark| mark.is_match(view)))
    }
}
