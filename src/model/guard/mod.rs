//! The guard: no value of a local run may name a host of production or look like a real credential,
//! unless the user allows that variable for that run. Pure rules: the reaction to a finding belongs in
//! the caller.

mod address;
mod build_fetch;
mod bytes;
mod credential;
mod decodings;
mod deny;
mod gate;
mod host;
mod host_pattern;
mod replaced;

use std::collections::HashSet;
use std::sync::Arc;

use crate::base::text;
use crate::model::environment::{Environment, SecretNames, ValueOrigin, is_secret};
use crate::model::inventory::{EnvVarDecl, Inventory, Secrecy};
pub use build_fetch::{FetchLimits, RefusedFetch};
pub use credential::{CredentialError, Credentials};
pub use deny::{DenyList, DenyRule};
pub use gate::{Gate, GatePass, GateSubject, Startable};
pub use host::NumberMeaning;
pub use host_pattern::is_host_pattern;
pub use replaced::{check_replaced, replaced_variable};

/// Name that stands for a command's arguments in place of a variable; no variable can have this name.
pub const COMMAND: &str = "@command";

/// Rules for hosts and credentials.
#[derive(Debug)]
pub struct Guard {
    /// Hosts of production.
    pub hosts: DenyList,
    /// Forms of credentials.
    pub credentials: Credentials,
    /// Names of variables with secrets.
    names: SecretNames,
}

/// Reason for refusing a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The value names a host of production.
    Production {
        /// The host.
        host: String,
        /// The pattern that matches it.
        pattern: String,
        /// `file:line` of the pattern.
        place: String,
    },
    /// The value looks like a real credential.
    Credential {
        /// Kind of credential.
        kind: String,
        /// File with the rules.
        place: String,
    },
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Production { host, pattern, place } if host == pattern => {
                write!(f, "names `{host}`, which belongs to production ({place})")
            }
            Self::Production { host, pattern, place } => {
                write!(f, "names `{host}`, which belongs to production (`{pattern}`, {place})")
            }
            Self::Credential { kind, place } => {
                write!(f, "looks like a real credential: {kind} ({place})")
            }
        }
    }
}

/// A value that must not be in a local run. The finding never contains the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardFinding {
    /// Component with the value.
    pub component: String,
    /// The variable, or [`COMMAND`].
    pub name: String,
    /// Source of the value, in words.
    pub source: String,
    /// Marks a value that the inventory locks, so that the user cannot allow it.
    pub locked: bool,
    /// Reasons for the refusal.
    pub reasons: Vec<Reason>,
}

impl GuardFinding {
    /// Returns a finding if there are reasons for one. `source` describes the source of the value.
    #[must_use]
    pub fn new(component: &str, name: &str, source: &str, reasons: Vec<Reason>) -> Option<Self> {
        let (component, name, source) = (component.to_owned(), name.to_owned(), source.to_owned());
        (!reasons.is_empty()).then_some(Self { component, name, source, locked: false, reasons })
    }
}

impl std::fmt::Display for GuardFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = if self.name == COMMAND { "the command".to_owned() } else { format!("`{}`", self.name) };
        let reasons: Vec<String> = self.reasons.iter().map(ToString::to_string).collect();
        write!(f, "{what} of `{}` ({}) {}", self.component, self.source, text::join_and(&reasons))
    }
}

impl Guard {
    /// Returns the guard of an inventory.
    #[must_use]
    pub fn new(inventory: &Inventory, credentials: Credentials) -> Self {
        Self { hosts: DenyList::from(inventory), credentials, names: SecretNames::none() }
    }

    /// Sets the rules for names of variables with secrets.
    #[must_use]
    pub fn with_names(self, names: SecretNames) -> Self {
        Self { names, ..self }
    }

    /// Returns whether the value of a variable must be masked: it looks like a real credential, its name is one
    /// of a secret, or a part of it is a login. None of that refuses the value.
    #[must_use]
    pub fn is_secret(&self, name: &str, value: &str) -> bool {
        self.credentials.find(Some(name), value).is_some() || is_secret(name, value, &self.names)
    }

    /// Returns whether the default of a declared variable must be masked: its entry says so, or, unless the entry says
    /// the contrary, the rules do.
    #[must_use]
    pub fn hides(&self, variable: &EnvVarDecl) -> bool {
        let is_known =
            || variable.default.as_deref().is_some_and(|text| self.is_secret(&variable.name, text));
        variable.secret.map_or_else(is_known, Secrecy::is_hidden)
    }

    /// Returns the reasons to refuse a value; `name` is the variable that holds it.
    #[must_use]
    pub fn reasons(&self, name: Option<&str>, value: &str) -> Vec<Reason> {
        let host = self.hosts.find(value, NumberMeaning::of(name)).map(|(host, rule)| Reason::Production {
            host,
            pattern: rule.pattern.clone(),
            place: rule.place(),
        });
        let credential = self.credentials.find(name, value).map(|kind| Reason::Credential {
            kind: kind.to_owned(),
            place: self.credentials.file().to_owned(),
        });
        host.into_iter().chain(credential).collect()
    }

    /// Returns the findings in a component's environment.
    #[must_use]
    pub fn environment(&self, component: &str, environment: &Environment) -> Vec<GuardFinding> {
        let with_value = environment.variables.iter().filter_map(|one| Some((one, one.value.as_ref()?)));
        let findings = with_value.filter_map(|(variable, value)| {
            let source = match variable.origin.place() {
                Some(place) => format!("{}, {place}", variable.origin.reason()),
                None => variable.origin.reason(),
            };
            let reasons = self.reasons(Some(&variable.name), value.expose());
            let finding = GuardFinding::new(component, &variable.name, &source, reasons)?;
            Some(GuardFinding { locked: matches!(variable.origin, ValueOrigin::Locked { .. }), ..finding })
        });
        findings.collect()
    }

    /// Returns the findings like [`Self::environment`], and marks values that look like real credentials
    /// as the user's own secrets, so that they are masked even if the user allows them.
    #[must_use]
    pub fn inspect(&self, component: &str, environment: &mut Environment) -> Vec<GuardFinding> {
        let findings = self.environment(component, environment);
        let is_credential = |reason: &Reason| matches!(reason, Reason::Credential { .. });
        for finding in findings.iter().filter(|finding| finding.reasons.iter().any(is_credential)) {
            let variables = environment.variables.iter_mut();
            variables
                .filter(|one| one.name == finding.name)
                .for_each(|one| (one.secret, one.own) = (true, true));
        }
        findings
    }

    /// Returns the finding about a command's arguments. `source` describes the source of the command.
    #[must_use]
    pub fn command(&self, component: &str, command: &[String], source: &str) -> Option<GuardFinding> {
        self.words(component, command.iter().map(String::as_str), source)
    }

    /// Checks words from several lists like [`Self::command`].
    fn words<'a>(
        &self,
        component: &str,
        words: impl IntoIterator<Item = &'a str>,
        source: &str,
    ) -> Option<GuardFinding> {
        let mut reasons: Vec<Reason> = Vec::new();
        for reason in words.into_iter().flat_map(|word| self.reasons(None, word)) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        GuardFinding::new(component, COMMAND, source, reasons)
    }
}

/// Maximum refused values to report one by one; the rest are counted.
const TOLD: usize = 20;

/// Refusal of a run.
#[derive(Debug, thiserror::Error)]
pub enum PolicyViolation {
    /// Refused values that are not allowed.
    #[error("{first}")]
    Values {
        /// First finding.
        first: Box<GuardFinding>,
        /// Refusal for the next finding, if any.
        #[source]
        next: Option<Box<PolicyViolation>>,
        /// Names to allow; empty if one of them cannot be allowed.
        names: Arc<[String]>,
    },
    /// Number of further values.
    #[error("{} must not be in a local run either", text::plural(*.0, "more value"))]
    More(usize),
    /// The user tries to allow a locked variable.
    #[error("`{name}` cannot be allowed: the inventory fixes its value in every local run ({place})")]
    Locked {
        /// The variable.
        name: String,
        /// `file:line` of the lock.
        place: String,
    },
    /// A locked variable is missing or has another value.
    #[error("`{component}` would start with `{variable}` {}, and it must be `{wanted}`", found.as_ref().map_or("unset".to_owned(), |found| format!("set to `{found}`")))]
    Unlocked {
        /// The component.
        component: String,
        /// The variable.
        variable: String,
        /// The required value.
        wanted: String,
        /// The value found.
        found: Option<String>,
    },
    /// A command replaces a locked variable.
    #[error("a command of `{component}` sets or unsets `{variable}`, which must be `{wanted}`")]
    Replaced {
        /// The component.
        component: String,
        /// The variable.
        variable: String,
        /// The required value.
        wanted: String,
    },
    /// The name of a variable differs from a locked one in its case only.
    #[error(
        "`{component}` would start with `{variable}`, which differs from the locked `{locked}` in its case only"
    )]
    LikeLocked {
        /// The component.
        component: String,
        /// The variable.
        variable: String,
        /// The locked variable.
        locked: String,
    },
    /// The name to allow is not a variable.
    #[error("`{0}` cannot be allowed: it is neither the name of a variable nor `{COMMAND}`")]
    Name(String),
}

/// Refuses findings that the user does not allow for this run.
///
/// # Errors
/// Fails when a finding is not allowed, or a locked variable is named.
pub fn enforce(
    findings: &[GuardFinding],
    allowed: &[String],
    inventory: &Inventory,
) -> Result<(), PolicyViolation> {
    for name in allowed {
        if inventory.production.environment.contains_key(name) {
            let place = inventory.source_map.place(&format!("production.environment.{name}"));
            return Err(PolicyViolation::Locked { name: name.clone(), place });
        }
        if name != COMMAND && !crate::model::environment::is_environment_name(name) {
            return Err(PolicyViolation::Name(text::safe_line(name).into_owned()));
        }
    }
    let allowed: HashSet<&str> = allowed.iter().map(String::as_str).collect();
    let is_allowed = |finding: &&GuardFinding| !finding.locked && allowed.contains(finding.name.as_str());
    let refused: Vec<&GuardFinding> = findings.iter().filter(|finding| !is_allowed(finding)).collect();
    let mut seen = HashSet::new();
    let names = refused.iter().map(|finding| &finding.name).filter(|name| seen.insert(*name));
    let names: Arc<[String]> = match refused.iter().any(|finding| finding.locked) {
        true => Arc::default(),
        false => names.cloned().collect(),
    };
    let (told, rest) = refused.split_at(refused.len().min(TOLD));
    let more = (!rest.is_empty()).then(|| Box::new(PolicyViolation::More(rest.len())));
    let refusal = told.iter().rev().fold(more, |next, finding| {
        let (first, names) = (Box::new((*finding).clone()), Arc::clone(&names));
        Some(Box::new(PolicyViolation::Values { first, next, names }))
    });
    refusal.map_or(Ok(()), |refusal| Err(*refusal))
}

/// Returns warnings about the values that the user allows.
#[must_use]
pub fn allow_warnings(findings: &[GuardFinding], allowed: &[String]) -> Vec<String> {
    let used = used(findings, allowed);
    let found: HashSet<&str> = findings.iter().map(|finding| finding.name.as_str()).collect();
    let unused = allowed.iter().filter(|name| !found.contains(name.as_str()));
    let unused = unused.map(|name| format!("`--allow {name}` allows nothing: nothing is wrong with it."));
    used.chain(unused).collect()
}

/// Describes each value that the user allowed.
pub fn used<'a>(findings: &'a [GuardFinding], allowed: &'a [String]) -> impl Iterator<Item = String> + 'a {
    let allowed: HashSet<&str> = allowed.iter().map(String::as_str).collect();
    let used = findings.iter().filter(move |finding| allowed.contains(finding.name.as_str()));
    used.map(|finding| format!("Allowed by `--allow {}`: {finding}.", finding.name))
}

#[cfg(test)]
mod tests;
