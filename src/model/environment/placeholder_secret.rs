//! Placeholder secrets: values in the form of a real secret that are recognizably not one, the same at
//! every run of a workspace. The rules are in the template `placeholder-secrets.yaml`. The selection of
//! variables belongs in `layers::placeholders` and `replace`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::{ErrorKind, Value, context};
use percent_encoding::percent_decode_str;
use regex::Regex;
use serde::Deserialize;

use super::digest_text::{alphanumeric, bounded, digits, take};
use super::error::RuleError;
use super::lazy_seed::{LazySeed, StoredSecrets};
use super::secret_name::SecretNames;
use crate::base::digest;
use crate::base::secret::Secret;
use crate::base::template::{Templates, WorkBudget};
use crate::base::x509::TestPki;
use crate::base::yaml::{self};

/// Directory for files with placeholder secrets, in a container.
pub const DIRECTORY: &str = "/run/secrets/cki-reference";
/// Maximum nesting of secrets that are made from other secrets; deeper nesting is a loop.
const DEEPEST: usize = 4;

#[derive(Debug, Deserialize)]
struct RawGenerators {
    rules: Vec<RawGeneratorRule>,
}

#[derive(Debug, Deserialize)]
struct RawGeneratorRule {
    rule: String,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    form: Option<String>,
    #[serde(default)]
    shared: bool,
    #[serde(default)]
    public: bool,
    value: String,
    file: Option<String>,
    #[serde(default)]
    demands: Vec<String>,
    #[serde(default)]
    names_variables: bool,
}

#[derive(Debug)]
struct GeneratorRule {
    name: Option<Regex>,
    form: Option<Regex>,
    raw: RawGeneratorRule,
}

/// Rules, in order; the first match makes the value.
#[derive(Debug, Clone)]
pub struct SecretRules(Arc<GeneratorRules>, SecretNames);

#[derive(Debug)]
struct GeneratorRules {
    file: String,
    rules: Vec<GeneratorRule>,
}

/// Inputs of values. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct GeneratorContext {
    /// Stored inputs of the workspace.
    pub stored: LazySeed,
    /// Hosts of the inventory's repositories, without those of production.
    pub hosts: Arc<[String]>,
    /// Variables and `host` of each service of the run.
    pub services: Arc<BTreeMap<String, BTreeMap<String, String>>>,
    /// Work that the templates of the run may do together.
    pub budget: WorkBudget,
}

impl GeneratorContext {
    /// Returns inputs with only a seed.
    #[must_use]
    pub fn of(seed: &str) -> Self {
        Self { stored: LazySeed::of(seed, None), ..Self::default() }
    }
}

/// A secret of a deployment that a placeholder replaces.
#[derive(Debug, Clone)]
pub struct GeneratorSource {
    /// Name that selects the form: that of the variable, or of the interpolated one in Compose.
    pub name: String,
    /// Name of the place that holds the secret, shared by all variables with that secret.
    pub store_key: String,
    /// Value in production, if known.
    pub value: Option<Secret>,
    /// Marks a variable that the component's table declares secret.
    pub declared: bool,
    /// Reason for the replacement, in a few words.
    pub why: String,
}

impl GeneratorSource {
    /// Returns the seed of the placeholder: the value, if known, so that all holders of a secret get the
    /// same placeholder.
    fn seed(&self) -> String {
        match self.decoded() {
            Some(value) => format!("value {value}"),
            None => format!("source {}", self.store_key),
        }
    }

    /// Returns the known value; one that is percent-encoded, as in an address, is the same secret as its plain form.
    fn decoded(&self) -> Option<Cow<'_, str>> {
        let value = self.value.as_ref()?.expose();
        Some(percent_decode_str(value).decode_utf8().unwrap_or(Cow::Borrowed(value)))
    }
}

/// A value made by a rule.
#[derive(Debug, Clone)]
pub struct GeneratedSecret {
    /// Value.
    pub value: Secret,
    /// Rule.
    pub rule: String,
    /// Content of the file whose path is the value.
    pub file: Option<Secret>,
    /// Variables that must exist too.
    pub demands: Vec<String>,
}

impl SecretRules {
    /// Parses the rules.
    ///
    /// # Errors
    /// Fails when the text is not a list of rules, or a pattern is invalid.
    pub fn read(file: &str, text: &str) -> Result<Self, RuleError> {
        let (written, _) = yaml::parse::<RawGenerators>(file, text)?;
        let compile = |rule: RawGeneratorRule| {
            let whole = |pattern: &Option<String>| {
                let regex = pattern.as_ref().map(|pattern| Regex::new(&format!("^(?:{pattern})$")));
                regex.transpose().map_err(|source| RuleError::Pattern {
                    file: file.to_owned(),
                    rule: rule.rule.clone(),
                    source,
                })
            };
            let (name, form) = (whole(&rule.name)?, whole(&rule.form)?);
            Ok(GeneratorRule { name, form, raw: rule })
        };
        let rules = written.rules.into_iter().map(compile).collect::<Result<_, RuleError>>()?;
        Ok(Self(Arc::new(GeneratorRules { file: file.to_owned(), rules }), SecretNames::none()))
    }

    /// Returns rules that make the same value of every secret, to show where secrets are.
    #[must_use]
    pub fn always(value: &str) -> Self {
        let raw = RawGeneratorRule {
            rule: "mask".to_owned(),
            name: None,
            kind: None,
            form: None,
            shared: false,
            public: false,
            value: value.to_owned(),
            file: None,
            demands: Vec::new(),
            names_variables: false,
        };
        let rules = vec![GeneratorRule { name: None, form: None, raw }];
        Self(Arc::new(GeneratorRules { file: String::new(), rules }), SecretNames::none())
    }

    /// Adds the rules that tell which variables hold secrets.
    #[must_use]
    pub fn with_names(self, names: SecretNames) -> Self {
        Self(self.0, names)
    }

    /// Returns the rules that tell which variables hold secrets.
    #[must_use]
    pub fn names(&self) -> &SecretNames {
        &self.1
    }

    /// Makes the placeholder for a secret of a deployment. The same secret always gets the same
    /// placeholder in a workspace, in every variable that holds it.
    ///
    /// # Errors
    /// Fails when no rule matches, or the rule's template is invalid.
    pub fn make_for(
        &self,
        kind: Option<&str>,
        source: &GeneratorSource,
        context: &GeneratorContext,
    ) -> Result<GeneratedSecret, RuleError> {
        let name = source.name.as_str();
        let decoded = source.decoded();
        let form = decoded.as_deref();
        let mut rules = self.0.rules.iter().filter(|rule| {
            let fits_form = match (&rule.form, form) {
                (Some(wanted), Some(value)) => wanted.is_match(value),
                (Some(_), None) => false,
                // A known value keeps its own form, not one that its name suggests.
                (None, Some(_)) if !source.declared => rule.raw.shared,
                (None, _) => true,
            };
            fits_form && rule.fits(name, kind)
        });
        match rules.next() {
            Some(rule) if rule.form.is_some() || rule.raw.shared => {
                let facts = Facts { name, seed: &source.seed(), length: form.map_or(0, str::len) };
                self.apply(rule, facts, context, 0)
            }
            Some(rule) => self.apply(rule, Facts::of(name), context, 0),
            None => self.make(name, kind, context),
        }
    }

    /// Makes the value of a secret variable. The same variable always gets the same value in a
    /// workspace.
    ///
    /// # Errors
    /// Fails when no rule matches, or the rule's template is invalid.
    pub fn make(
        &self,
        name: &str,
        kind: Option<&str>,
        context: &GeneratorContext,
    ) -> Result<GeneratedSecret, RuleError> {
        let mut rules = self.fitting(name, kind);
        let rule = rules.next().ok_or_else(|| self.none_for(name))?;
        self.apply(rule, Facts::of(name), context, 0)
    }

    /// Makes the value of a variable that is not secret, if a rule for such variables matches.
    ///
    /// # Errors
    /// Fails when the rule's template is invalid.
    pub fn make_public(
        &self,
        name: &str,
        kind: Option<&str>,
        context: &GeneratorContext,
    ) -> Result<Option<GeneratedSecret>, RuleError> {
        let rule = self.fitting(name, kind).find(|rule| rule.raw.public);
        rule.map(|rule| self.apply(rule, Facts::of(name), context, 0)).transpose()
    }

    /// Returns whether the value of a variable is a JSON object whose values are names of variables.
    #[must_use]
    pub fn names_variables(&self, name: &str, kind: Option<&str>) -> bool {
        self.fitting(name, kind).next().is_some_and(|rule| rule.raw.names_variables)
    }

    fn fitting(&self, name: &str, kind: Option<&str>) -> impl Iterator<Item = &GeneratorRule> {
        let general = self.0.rules.iter().filter(|rule| rule.form.is_none() && !rule.raw.shared);
        general.filter(move |rule| rule.fits(name, kind))
    }

    fn none_for(&self, name: &str) -> RuleError {
        RuleError::NoRule { file: self.0.file.clone(), name: name.to_owned() }
    }

    fn apply(
        &self,
        rule: &GeneratorRule,
        facts: Facts<'_>,
        context: &GeneratorContext,
        depth: usize,
    ) -> Result<GeneratedSecret, RuleError> {
        let Facts { name, length, .. } = facts;
        let templates =
            self.templates(facts.seed, context.stored.open().map_err(RuleError::Keep)?, context, depth);
        let written = &rule.raw;
        let fill = |text: &str| {
            let facts = context! {
                name => name,
                variable => Value::from(name.to_lowercase()),
                directory => DIRECTORY,
                length => length,
                hosts => context.hosts.to_vec(),
            };
            templates.render(text, facts).map_err(|source| RuleError::Template {
                file: self.0.file.clone(),
                rule: written.rule.clone(),
                source,
            })
        };
        let value = fill(&written.value)?;
        let file = written.file.as_deref().map(&fill).transpose()?;
        if file.is_some() && !is_in_directory(&value) {
            let (file, rule) = (self.0.file.clone(), written.rule.clone());
            return Err(RuleError::Path { file, rule, path: value, directory: DIRECTORY });
        }
        let demands = written.demands.iter().map(|name| fill(name)).collect::<Result<_, _>>()?;
        Ok(GeneratedSecret {
            value: Secret::new(value),
            rule: written.rule.clone(),
            file: file.map(Secret::new),
            demands,
        })
    }

    /// The functions that a rule may use.
    fn templates(
        &self,
        seed: &str,
        (own, material): &StoredSecrets,
        context: &GeneratorContext,
        depth: usize,
    ) -> Templates {
        let bytes = digest::bytes_of_parts([&**own, seed]);
        let mut templates = Templates::new(&context.budget);
        templates.add_function("hex", move |count: usize| {
            bounded(count).map(|count| take(&digest::hex(&bytes), count))
        });
        templates.add_function("alnum", move |count: usize| {
            bounded(count).map(|count| alphanumeric(&bytes, count))
        });
        templates
            .add_function("digits", move |count: usize| bounded(count).map(|count| digits(&bytes, count)));
        let services = context.services.clone();
        templates.add_function("service", move |name: &str| {
            services.get(name).map_or_else(|| Value::from(()), |facts| Value::from_pairs(facts.clone()))
        });
        let (rules, below) = (self.clone(), context.clone());
        templates.add_function("secret", move |name: &str| {
            if depth >= DEEPEST {
                let message = format!("the secret of `{name}` is made from itself");
                return Err(minijinja::Error::new(ErrorKind::InvalidOperation, message));
            }
            let rule = rules.fitting(name, None).next().ok_or_else(|| rules.none_for(name));
            let made = rule.and_then(|rule| rules.apply(rule, Facts::of(name), &below, depth + 1));
            made.map(|made| made.value.expose().to_owned()).map_err(|error| {
                let message = format!("the secret of `{name}` cannot be made");
                minijinja::Error::new(ErrorKind::InvalidOperation, message).with_source(error)
            })
        });
        for (what, of) in PARTS {
            let material = material.clone();
            templates.add_function(what, move || {
                material.as_deref().map(of).ok_or_else(|| {
                    minijinja::Error::new(ErrorKind::InvalidOperation, "there are no certificates here")
                })
            });
        }
        templates
    }
}

impl GeneratorRule {
    fn fits(&self, name: &str, kind: Option<&str>) -> bool {
        self.name.as_ref().is_none_or(|pattern| pattern.is_match(name))
            && self.raw.kind.as_deref().is_none_or(|wanted| Some(wanted) == kind)
    }
}

/// Facts about the variable of a value.
#[derive(Clone, Copy)]
struct Facts<'a> {
    name: &'a str,
    /// Seed of the value within the workspace.
    seed: &'a str,
    /// Length in bytes of the replaced value.
    length: usize,
}

impl<'a> Facts<'a> {
    fn of(name: &'a str) -> Self {
        Self { name, seed: name, length: 0 }
    }
}

type PartOf = fn(&TestPki) -> String;

/// Certificates and keys that rules may put into files.
const PARTS: &[(&str, PartOf)] = &[
    ("ca_certificate", |material| material.authority.clone()),
    ("server_certificate", |material| material.server.certificate.clone()),
    ("server_key", |material| material.server.key.expose().to_owned()),
    ("client_certificate", |material| material.client.certificate.clone()),
    ("client_key", |material| material.client.key.expose().to_owned()),
    ("signing_key", |material| material.signing_key.expose().to_owned()),
];

/// Returns whether a path is that of a file directly in the directory for placeholder files.
fn is_in_directory(path: &str) -> bool {
    let name = path.strip_prefix(DIRECTORY).and_then(|rest| rest.strip_prefix('/'));
    name.is_some_and(crate::model::reference::is_name)
}
