//! Replacements of values that are valid only in production: those that name its hosts, and those that
//! only a cluster knows. The rules are in the template `production-values.yaml`. The check for
//! production hosts belongs in the caller.

use minijinja::context;
use regex::Regex;
use serde::Deserialize;

use super::RuleError;
use crate::base::template::{Templates, WorkBudget};
use crate::base::yaml;

#[derive(Debug, Deserialize)]
struct RawProductionRules {
    rules: Vec<RawProductionRule>,
}

#[derive(Debug, Deserialize)]
struct RawProductionRule {
    rule: String,
    field: Option<String>,
    form: Option<String>,
    value: String,
}

#[derive(Debug)]
struct ProductionRule {
    label: String,
    field: Option<Regex>,
    form: Option<Regex>,
    value: String,
}

/// Rules, in order.
#[derive(Debug)]
pub struct ProductionRules {
    file: String,
    rules: Vec<ProductionRule>,
    budget: WorkBudget,
}

/// A replaced value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplacedValue {
    /// Value.
    pub value: String,
    /// Rule that made it.
    pub rule: String,
}

impl ProductionRules {
    /// Parses the rules.
    ///
    /// # Errors
    /// Fails when the text is not a list of rules, or a pattern is invalid.
    pub fn read(file: &str, text: &str) -> Result<Self, RuleError> {
        let (raw, _) = yaml::parse::<RawProductionRules>(file, text)?;
        let compile = |rule: RawProductionRule| {
            let pattern = |text: Option<String>| {
                text.map(|text| Regex::new(&format!("^(?:{text})$"))).transpose().map_err(|source| {
                    RuleError::Pattern { file: file.to_owned(), rule: rule.rule.clone(), source }
                })
            };
            let (field, form) = (pattern(rule.field.clone())?, pattern(rule.form.clone())?);
            Ok(ProductionRule { label: rule.rule, field, form, value: rule.value })
        };
        let rules = raw.rules.into_iter().map(compile).collect::<Result<_, RuleError>>()?;
        Ok(Self { file: file.to_owned(), rules, budget: WorkBudget::default() })
    }

    /// Replaces a value that names production by the first rule that matches its form and whose result
    /// no longer names production. Returns `None` if no rule does.
    ///
    /// # Errors
    /// Fails when a template is invalid.
    pub fn replace(
        &self,
        name: &str,
        value: &str,
        names_production: &dyn Fn(&str) -> bool,
    ) -> Result<Option<ReplacedValue>, RuleError> {
        for rule in self.rules.iter().filter(|rule| rule.field.is_none()) {
            let groups: Vec<String> = match &rule.form {
                None => Vec::new(),
                Some(form) => match form.captures(value) {
                    None => continue,
                    Some(groups) => {
                        let text = |group: Option<regex::Match<'_>>| {
                            group.map_or_else(String::new, |group| group.as_str().to_owned())
                        };
                        groups.iter().map(text).collect()
                    }
                },
            };
            let made = self.render(rule, name, "", &groups)?;
            if !names_production(&made) {
                return Ok(Some(ReplacedValue { value: made, rule: rule.label.clone() }));
            }
        }
        Ok(None)
    }

    /// Returns the replacement of a field that only a cluster knows, such as `metadata.namespace`.
    ///
    /// # Errors
    /// Fails when a template is invalid.
    pub fn field(
        &self,
        name: &str,
        field: &str,
        component: &str,
    ) -> Result<Option<ReplacedValue>, RuleError> {
        let fits =
            |rule: &&ProductionRule| rule.field.as_ref().is_some_and(|pattern| pattern.is_match(field));
        let Some(rule) = self.rules.iter().find(fits) else { return Ok(None) };
        let value = self.render(rule, name, component, &[])?;
        Ok(Some(ReplacedValue { value, rule: rule.label.clone() }))
    }

    fn render(
        &self,
        rule: &ProductionRule,
        name: &str,
        component: &str,
        groups: &[String],
    ) -> Result<String, RuleError> {
        let groups = minijinja::Value::from(groups.to_vec());
        let host = name.to_lowercase().replace('_', "-");
        let host = host.trim_matches('-');
        let host = if host.is_empty() { "value" } else { host };
        Templates::new(&self.budget)
            .render(
                &rule.value,
                context! { name => name, host => host, component => component, group => groups },
            )
            .map_err(|source| RuleError::Template {
                file: self.file.clone(),
                rule: rule.label.clone(),
                source,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assets;
    use proptest::prelude::*;

    fn rules() -> ProductionRules {
        let text = assets::embedded_text("production-values.yaml").expect("is built in");
        ProductionRules::read("production-values.yaml", text).expect("are valid")
    }

    fn names_production(text: &str) -> bool {
        text.to_lowercase().contains("prod.example.org")
    }

    #[test]
    fn replacement_keeps_form_of_value() {
        for (value, made, rule) in [
            (
                "https://api.prod.example.org/v1?x=1#y",
                "https://api-url.reference.invalid/v1?x=1#y",
                "address",
            ),
            (
                "amqps://user:secret@prod.example.org:5671/%2F",
                "amqps://api-url.reference.invalid:5671/%2F",
                "address",
            ),
            ("api.prod.example.org", "api-url.reference.invalid", "host"),
            ("api.prod.example.org:443", "api-url.reference.invalid:443", "host"),
            ("me@prod.example.org", "reference@api-url.reference.invalid", "mail address"),
            ("a.prod.example.org b.prod.example.org", "api-url.reference.invalid", "anything else"),
            (
                "https://x/?to=https://prod.example.org",
                "https://api-url.reference.invalid",
                "address without path",
            ),
        ] {
            let replaced =
                rules().replace("API_URL", value, &names_production).expect("works").expect("is made");
            assert_eq!((replaced.value.as_str(), replaced.rule.as_str()), (made, rule), "{value}");
        }
        assert_eq!(rules().replace("A", "x", &|_| true).expect("works"), None);
    }

    #[test]
    fn field_values_have_local_replacements() {
        for (field, value) in [
            ("metadata.name", "web"),
            ("metadata.namespace", "local"),
            ("status.podIP", "127.0.0.1"),
            ("limits.cpu", "1"),
            ("metadata.labels['app']", "web"),
            ("something.new", "local"),
        ] {
            let replaced = rules().field("A", field, "web").expect("works").expect("is made");
            assert_eq!(replaced.value, value, "{field}");
        }
    }

    proptest! {
        #[test]
        fn replacement_removes_every_production_host(before in "[ -~]{0,20}", after in "[ -~]{0,20}") {
            let value = format!("{before}prod.example.org{after}");
            let replaced = rules().replace("X", &value, &names_production).expect("works").expect("is made");
            prop_assert!(!names_production(&replaced.value));
        }
    }
}
