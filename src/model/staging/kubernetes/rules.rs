//! The staging rules of an inventory, ready to be applied: how names and values of production become those of
//! staging.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

use crate::base::text::safe_line;
use crate::model::inventory::{Inventory, NameRuleDecl, StagingDecl};

/// Maximum bytes of a compiled pattern.
const PATTERN: usize = 1 << 20;
/// Default limits of a container.
const LIMITS: [(&str, &str); 2] = [("cpu", "1"), ("memory", "1Gi")];
/// Default number of days, and the maximum.
const DAYS: (u16, u16) = (3, 60);

/// A staging rule that cannot be applied.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{place}: {message}")]
pub struct RuleFault {
    /// `file:line` of the rule.
    pub place: String,
    /// The fault.
    pub message: String,
}

/// Rules.
#[derive(Debug)]
pub struct StagingRules {
    values: Vec<ValueRule>,
    variables: Vec<NameRule>,
    secrets: Vec<NameRule>,
    secret_keys: Vec<NameRule>,
    /// Variables with a fixed value.
    pub(super) fixed: BTreeMap<String, String>,
    hosts: Vec<String>,
    pub(super) limits: Vec<(&'static str, String)>,
    tag: String,
    days: u16,
}

#[derive(Debug)]
struct ValueRule {
    variable: Option<Regex>,
    rule: NameRule,
}

#[derive(Debug)]
struct NameRule {
    pattern: Regex,
    replacement: String,
}

impl NameRule {
    fn apply(&self, text: &str) -> Option<String> {
        let groups = self.pattern.captures(text)?;
        let mut made = String::new();
        groups.expand(&self.replacement, &mut made);
        Some(made)
    }
}

impl StagingRules {
    /// Compiles the rules of an inventory.
    ///
    /// # Errors
    /// Fails when a pattern is no regular expression, or a value is out of its range.
    pub fn new(inventory: &Inventory) -> Result<Self, RuleFault> {
        let none = StagingDecl::default();
        let decl = inventory.staging.as_ref().unwrap_or(&none);
        let place = |path: &str| inventory.source_map.place(&format!("staging.{path}"));
        let pattern = |path: String, text: &str| {
            let built = RegexBuilder::new(&format!("^(?:{text})$")).size_limit(PATTERN).build();
            built.map_err(|_| RuleFault {
                place: place(&path),
                message: format!("`{}` is no regular expression", safe_line(text)),
            })
        };
        let names = |list: &str, rules: &[NameRuleDecl]| -> Result<Vec<NameRule>, RuleFault> {
            let rules = rules.iter().enumerate().map(|(index, rule)| {
                let pattern = pattern(format!("{list}.{index}.pattern"), &rule.pattern)?;
                Ok(NameRule { pattern, replacement: rule.replacement.clone() })
            });
            rules.collect()
        };
        let values = decl.values.iter().enumerate().map(|(index, rule)| {
            let variable = rule.variable.as_ref();
            let variable =
                variable.map(|text| pattern(format!("values.{index}.variable"), text)).transpose()?;
            let value = pattern(format!("values.{index}.pattern"), &rule.pattern)?;
            Ok(ValueRule {
                variable,
                rule: NameRule { pattern: value, replacement: rule.replacement.clone() },
            })
        });
        let days = decl.days.unwrap_or(DAYS.0);
        if !(1..=DAYS.1).contains(&days) {
            let message = format!("`days` is a number from 1 to {}", DAYS.1);
            return Err(RuleFault { place: place("days"), message });
        }
        let tag = decl.image_tag.clone().unwrap_or_else(|| "mr-{n}".to_owned());
        if !tag.contains("{n}") {
            let message = "`image_tag` needs `{n}` for the number of the merge request".to_owned();
            return Err(RuleFault { place: place("image_tag"), message });
        }
        let mut fixed = inventory.production.environment.clone();
        fixed.extend(decl.environment.clone());
        let limit = |(name, default): (&'static str, &str)| {
            let given = if name == "cpu" { &decl.limits.cpu } else { &decl.limits.memory };
            (name, given.clone().unwrap_or_else(|| default.to_owned()))
        };
        Ok(Self {
            values: values.collect::<Result<_, RuleFault>>()?,
            variables: names("variables", &decl.variables)?,
            secrets: names("secrets", &decl.secrets)?,
            secret_keys: names("secret_keys", &decl.secret_keys)?,
            fixed,
            hosts: decl.hosts.clone(),
            limits: LIMITS.map(limit).to_vec(),
            tag,
            days,
        })
    }

    /// Returns the tag of a merge request's image.
    #[must_use]
    pub fn image_tag(&self, merge_request: u64) -> String {
        self.tag.replace("{n}", &merge_request.to_string())
    }

    /// Returns the days until a release counts as expired.
    #[must_use]
    pub fn days(&self) -> u16 {
        self.days
    }

    /// Returns the value of a variable in staging.
    pub(super) fn value(&self, variable: &str, value: &str) -> Option<String> {
        let mut rules = self.values.iter();
        let fits = |rule: &ValueRule| rule.variable.as_ref().is_none_or(|name| name.is_match(variable));
        rules.find_map(|rule| fits(rule).then(|| rule.rule.apply(value)).flatten())
    }

    /// Returns the name of a variable in staging, if it differs.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.variables.iter().find_map(|rule| rule.apply(name)).filter(|made| made != name)
    }

    /// Returns the name of a Secret in staging; `None` if no rule names it.
    pub(super) fn secret(&self, name: &str) -> Option<String> {
        self.secrets.iter().find_map(|rule| rule.apply(name))
    }

    /// Returns the key of a Secret in staging.
    pub(super) fn secret_key(&self, key: &str) -> String {
        self.secret_keys.iter().find_map(|rule| rule.apply(key)).unwrap_or_else(|| key.to_owned())
    }

    /// Returns a text without the hosts of production that staging uses, too.
    pub(super) fn without_shared_hosts(&self, text: &str) -> String {
        self.hosts.iter().fold(text.to_owned(), |text, host| without(&text, host))
    }
}

/// Replaces a host in a text where it stands as a whole name.
fn without(text: &str, host: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let host = host.to_ascii_lowercase();
    let is_part = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b));
    let (mut made, mut from) = (String::new(), 0);
    while let Some(at) = lower[from..].find(&host).filter(|_| !host.is_empty()).map(|at| from + at) {
        let end = at + host.len();
        let before = at.checked_sub(1).and_then(|at| lower.as_bytes().get(at));
        made.push_str(&text[from..at]);
        let is_whole = !is_part(before) && !is_part(lower.as_bytes().get(end));
        made.push_str(if is_whole { "staging.invalid" } else { &text[at..end] });
        from = end;
    }
    made.push_str(&text[from..]);
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::InventoryDocument;

    fn rules(head: &str) -> Result<StagingRules, RuleFault> {
        let document =
            InventoryDocument { file: "i.yaml".into(), text: head.to_owned().into(), reference: None };
        StagingRules::new(&Inventory::read("i", vec![document]).expect("is valid"))
    }

    #[test]
    fn rules_of_built_in_inventory_follow_conventions() {
        let text = crate::base::assets::embedded_text("inventory/inventory.yaml").expect("is built in");
        let rules = rules(text).expect("are valid");
        for (variable, value, made) in [
            ("RABBITMQ_VIRTUAL_HOST", "/", "/cki-staging"),
            ("RABBITMQ_VIRTUAL_HOST", "cki", "/cki-staging"),
            ("RABBITMQ_VIRTUAL_HOST", "/datawarehouse-celery", "/datawarehouse-celery-staging"),
            ("RABBITMQ_VIRTUAL_HOST", "/cki-staging", "/cki-staging"),
            ("RABBITMQ_USER", "cki.amqp-bridge", "cki-staging.amqp-bridge"),
        ] {
            assert_eq!(rules.value(variable, value).as_deref(), Some(made), "{variable} {value}");
        }
        for same in [("RABBITMQ_USER", "cki-staging.x"), ("RABBITMQ_QUEUE", "cki.queue.x"), ("OTHER", "/")] {
            assert_eq!(rules.value(same.0, same.1), None, "{same:?}");
        }
        assert_eq!(rules.variable("RABBITMQ_CKI_HERDER").as_deref(), Some("RABBITMQ_CKI_STAGING_HERDER"));
        assert_eq!(rules.variable("RABBITMQ_CKI_STAGING_HERDER"), None);
        assert_eq!(rules.secret_key("RABBITMQ_CKI_X"), "RABBITMQ_CKI_STAGING_X");
        assert_eq!(rules.secret("cki-secrets"), None, "no public page names one");
        assert_eq!(rules.fixed["CKI_DEPLOYMENT_ENVIRONMENT"], "staging");
        assert_eq!(rules.fixed["IS_PRODUCTION"], "false", "stays locked");
        assert_eq!((rules.image_tag(213), rules.days()), ("mr-213".to_owned(), 3));
    }

    #[test]
    fn rules_name_their_fault() {
        for (head, message) in [
            (
                "staging:\n  secrets: [{pattern: '(', replacement: x}]\n",
                "i.yaml:2: `(` is no regular expression",
            ),
            ("staging:\n  days: 0\n", "i.yaml:2: `days` is a number from 1 to 60"),
            (
                "staging:\n  image_tag: mr\n",
                "i.yaml:2: `image_tag` needs `{n}` for the number of the merge request",
            ),
        ] {
            assert_eq!(rules(head).expect_err(head).to_string(), message);
        }
    }

    #[test]
    fn shared_hosts_count_as_whole_names_only() {
        let rules = rules("staging: {hosts: [mq.prod.example]}").expect("are valid");
        for (text, left) in [
            ("amqps://MQ.prod.example:5671/", "amqps://staging.invalid:5671/"),
            ("a.mq.prod.example", "a.mq.prod.example"),
            ("mq.prod.example.org", "mq.prod.example.org"),
            ("mq.prod.example,db.prod.example", "staging.invalid,db.prod.example"),
        ] {
            assert_eq!(rules.without_shared_hosts(text), left);
        }
    }
}
