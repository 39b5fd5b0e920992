//! Reference secrets: values that have the form of the real thing and are plainly not it, the same
//! at every run of a workspace. The rules are a template, `reference-secrets.yaml`.

use minijinja::{Environment as Templates, Value, context};
use regex::Regex;
use serde::Deserialize;

use crate::base::digest;
use crate::base::secret::Secret;
use crate::base::yaml::{self, YamlError};

/// A rule that does not work.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The file is not what it should be.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A pattern is no regular expression.
    #[error("{file}: the pattern of rule `{rule}` is no regular expression")]
    Pattern {
        /// The file.
        file: String,
        /// The rule.
        rule: String,
        /// Why.
        source: regex::Error,
    },
    /// A template does not work.
    #[error("{file}: the value of rule `{rule}` cannot be made")]
    Template {
        /// The file.
        file: String,
        /// The rule.
        rule: String,
        /// Why.
        source: minijinja::Error,
    },
    /// No rule matches.
    #[error("{file}: no rule makes a value for `{name}`; a last rule without `name` and `type` would")]
    NoRule {
        /// The file.
        file: String,
        /// The variable.
        name: String,
    },
}

#[derive(Debug, Deserialize)]
struct Written {
    rules: Vec<WrittenRule>,
}

#[derive(Debug, Deserialize)]
struct WrittenRule {
    rule: String,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    value: String,
}

#[derive(Debug)]
struct Rule {
    label: String,
    name: Option<Regex>,
    kind: Option<String>,
    value: String,
}

/// The rules, in order; the first that matches makes the value.
#[derive(Debug)]
pub struct SecretRules {
    file: String,
    rules: Vec<Rule>,
}

impl SecretRules {
    /// Reads the rules.
    ///
    /// # Errors
    /// When the text is not a list of rules, or one of the patterns is wrong.
    pub fn read(file: &str, text: &str) -> Result<Self, RuleError> {
        let (written, _) = yaml::parse::<Written>(file, text)?;
        let compile = |rule: WrittenRule| {
            let name = rule.name.map(|pattern| Regex::new(&format!("^(?:{pattern})$"))).transpose();
            let name = name.map_err(|source| RuleError::Pattern {
                file: file.to_owned(),
                rule: rule.rule.clone(),
                source,
            })?;
            Ok(Rule { label: rule.rule, name, kind: rule.kind, value: rule.value })
        };
        let rules = written.rules.into_iter().map(compile).collect::<Result<_, RuleError>>()?;
        Ok(Self { file: file.to_owned(), rules })
    }

    /// Makes the value of a variable, and names the rule that did. The same variable in the same
    /// workspace (`seed`) always has the same value.
    ///
    /// # Errors
    /// When no rule matches or its template is broken.
    pub fn make(&self, name: &str, kind: Option<&str>, seed: &str) -> Result<(Secret, String), RuleError> {
        let matches = |rule: &&Rule| {
            rule.name.as_ref().is_none_or(|pattern| pattern.is_match(name))
                && rule.kind.as_deref().is_none_or(|wanted| Some(wanted) == kind)
        };
        let rule = self
            .rules
            .iter()
            .find(matches)
            .ok_or_else(|| RuleError::NoRule { file: self.file.clone(), name: name.to_owned() })?;
        let bytes = digest::bytes_of_parts([seed, name]);
        let mut templates = Templates::new();
        templates.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        templates.add_function("hex", move |count: usize| take(&digest::hex(&bytes), count));
        templates.add_function("alnum", move |count: usize| alphanumeric(&bytes, count));
        templates.add_function("digits", move |count: usize| digits(&bytes, count));
        let value = templates
            .render_str(&rule.value, context! { name => name, variable => Value::from(name.to_lowercase()) })
            .map_err(|source| RuleError::Template {
                file: self.file.clone(),
                rule: rule.label.clone(),
                source,
            })?;
        Ok((Secret::new(value), rule.label.clone()))
    }
}

fn take(text: &str, count: usize) -> String {
    text.chars().cycle().take(count).collect()
}

fn alphanumeric(bytes: &[u8; 32], count: usize) -> String {
    const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    bytes.iter().cycle().take(count).map(|byte| char::from(ALPHABET[usize::from(*byte) % 62])).collect()
}

fn digits(bytes: &[u8; 32], count: usize) -> String {
    bytes.iter().cycle().take(count).map(|byte| char::from(b'0' + byte % 10)).collect()
}
