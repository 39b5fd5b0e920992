//! The gate before every start: functions that start something accept only a [`GatePass`]. The check of
//! single values belongs in the parent module, and reports before the start belong in
//! the planning operations.

use std::collections::HashMap;
use std::ops::Deref;

use super::{Guard, GuardFinding, PolicyViolation, check_replaced, enforce};
use crate::base::variable::differ_by_case_only;
use crate::model::container::ContainerInspect;
use crate::model::inventory::Inventory;

/// A value that has passed the gate.
#[derive(Debug, Clone)]
pub struct GatePass<T>(T);

impl<T> GatePass<T> {
    /// Returns the value, which has to pass again before a later start.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for GatePass<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl GatePass<Vec<String>> {
    /// Wraps a command that the user types into a running component.
    #[must_use]
    pub fn typed(command: Vec<String>) -> Self {
        Self(command)
    }

    /// Wraps a command of `cki` itself, which no file can change.
    #[must_use]
    pub fn own(command: Vec<String>) -> Self {
        Self(command)
    }

    /// Wraps a command from the label of a container, which passed when the container was started.
    #[must_use]
    pub fn recorded(command: Vec<String>) -> Self {
        Self(command)
    }
}

/// Something that can be started, in its final form.
pub trait Startable {
    /// Returns its environment; `None` for a command in a container or process that has passed.
    fn variables(&self) -> Option<Vec<(&str, &str)>>;
    /// Returns every word that is executed or probed without being typed by the user.
    fn words(&self) -> Vec<&str>;
}

impl Startable for Vec<String> {
    fn variables(&self) -> Option<Vec<(&str, &str)>> {
        None
    }

    fn words(&self) -> Vec<&str> {
        self.iter().map(String::as_str).collect()
    }
}

impl Startable for ContainerInspect {
    fn variables(&self) -> Option<Vec<(&str, &str)>> {
        Some(self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect())
    }

    fn words(&self) -> Vec<&str> {
        let all = [&self.entrypoint, &self.command, &self.health].into_iter().flatten();
        all.map(String::as_str).collect()
    }
}

/// Description of the container or process to start, for a refusal.
#[derive(Debug, Clone, Copy)]
pub struct GateSubject<'a> {
    /// Its name.
    pub name: &'a str,
    /// Source of its values.
    pub source: &'a str,
    /// Marks a component, which needs the variables that keep it away from production.
    pub is_component: bool,
}

/// The guard with the variables that the user allows for this run.
#[derive(Debug, Clone, Copy)]
pub struct Gate<'a> {
    guard: &'a Guard,
    inventory: &'a Inventory,
    allowed: &'a [String],
}

impl<'a> Gate<'a> {
    /// Returns the gate of one run.
    #[must_use]
    pub fn new(guard: &'a Guard, inventory: &'a Inventory, allowed: &'a [String]) -> Self {
        Self { guard, inventory, allowed }
    }

    /// Returns the guard.
    #[must_use]
    pub fn guard(&self) -> &'a Guard {
        self.guard
    }

    /// Returns the names of the allowed variables.
    #[must_use]
    pub fn allowed(&self) -> &'a [String] {
        self.allowed
    }

    /// Checks a value and lets it pass if it may be started now.
    ///
    /// # Errors
    /// Fails when a refused value is not allowed, or a locked variable is missing or different.
    pub fn pass<T: Startable>(
        &self,
        what: T,
        starting: GateSubject<'_>,
    ) -> Result<GatePass<T>, PolicyViolation> {
        let environment = what.variables();
        let must_have = starting.is_component && environment.is_some();
        let variables = environment.unwrap_or_default();
        let locked = &self.inventory.production.environment;
        // Of several values of one name, the last counts.
        let given: HashMap<&str, &str> = variables.iter().copied().collect();
        for (name, wanted) in locked.iter().filter(|_| must_have) {
            let found = given.get(name.as_str()).copied();
            if found != Some(wanted) {
                return Err(PolicyViolation::Unlocked {
                    component: starting.name.to_owned(),
                    variable: name.clone(),
                    wanted: wanted.clone(),
                    found: found.map(str::to_owned),
                });
            }
        }
        for (name, _) in variables.iter().filter(|_| starting.is_component) {
            if let Some(like) = locked.keys().find(|locked| differ_by_case_only(locked, name)) {
                return Err(PolicyViolation::LikeLocked {
                    component: starting.name.to_owned(),
                    variable: (*name).to_owned(),
                    locked: like.clone(),
                });
            }
        }
        if starting.is_component {
            check_replaced(starting.name, &what.words(), locked)?;
        }
        let mut findings: Vec<GuardFinding> = Vec::new();
        for (name, value) in &variables {
            let reasons = self.guard.reasons(Some(name), value);
            let finding = GuardFinding::new(starting.name, name, starting.source, reasons);
            let is_locked = locked.contains_key(*name);
            findings.extend(finding.map(|finding| GuardFinding { locked: is_locked, ..finding }));
        }
        findings.extend(self.guard.words(starting.name, what.words(), starting.source));
        enforce(&findings, self.allowed, self.inventory)?;
        Ok(GatePass(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::guard::{COMMAND, Credentials};
    use crate::model::inventory::InventoryDocument;

    fn parts() -> (Inventory, Guard) {
        let text = "production: {environment: {IS_PRODUCTION: 'false'}, hosts: [prod.example]}\n";
        let head = InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None };
        let inventory = Inventory::read("here", vec![head]).expect("reads");
        let credentials = Credentials::read("c.yaml", "{marks: [], rules: []}").expect("reads");
        let guard = Guard::new(&inventory, credentials);
        (inventory, guard)
    }

    fn inside(pairs: &[(&str, &str)]) -> ContainerInspect {
        let environment = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        ContainerInspect { environment: environment.collect(), ..ContainerInspect::default() }
    }

    const APP: GateSubject<'static> = GateSubject { name: "app", source: "image x", is_component: true };

    #[test]
    fn gate_checks_actual_environment_of_container() {
        let (inventory, guard) = parts();
        let none = Gate::new(&guard, &inventory, &[]);
        assert!(none.pass(inside(&[("IS_PRODUCTION", "false"), ("A", "b")]), APP).is_ok());
        for (pairs, said) in [
            (vec![("A", "b")], "`app` would start with `IS_PRODUCTION` unset, and it must be `false`"),
            (vec![("IS_PRODUCTION", "true")], "`app` would start with `IS_PRODUCTION` set to `true`"),
            (
                vec![("IS_PRODUCTION", "false"), ("URL", "http://prod.example/")],
                "`URL` of `app` (image x) names `prod.example`",
            ),
            (
                vec![("IS_PRODUCTION", "false"), ("Is_Production", "true")],
                "`app` would start with `Is_Production`, which differs from the locked `IS_PRODUCTION`",
            ),
        ] {
            let refusal = none.pass(inside(&pairs), APP).expect_err("is refused").to_string();
            assert!(refusal.starts_with(said), "{refusal}");
        }
    }

    #[test]
    fn gate_checks_command_entrypoint_and_health_check() {
        let (inventory, guard) = parts();
        let words = || vec!["wget".to_owned(), "prod.example".to_owned()];
        let base = || inside(&[("IS_PRODUCTION", "false")]);
        let command = [COMMAND.to_owned()];
        for one in [
            ContainerInspect { command: words(), ..base() },
            ContainerInspect { entrypoint: words(), ..base() },
            ContainerInspect { health: words(), ..base() },
        ] {
            assert!(Gate::new(&guard, &inventory, &[]).pass(one.clone(), APP).is_err());
            assert!(Gate::new(&guard, &inventory, &command).pass(one, APP).is_ok());
        }
        assert!(Gate::new(&guard, &inventory, &[]).pass(words(), APP).is_err());
        // A command inside needs no environment, and replaces no locked variable, as little as the first one.
        let passes = |script: &str| {
            let words = || ["sh", "-c", script].map(str::to_owned).to_vec();
            let gate = Gate::new(&guard, &inventory, &[]);
            let inner = gate.pass(words(), APP).is_ok();
            for outer in [
                ContainerInspect { command: words(), ..base() },
                ContainerInspect { entrypoint: words(), ..base() },
                ContainerInspect { health: words(), ..base() },
            ] {
                assert_eq!(gate.pass(outer, APP).is_ok(), inner, "{script}");
            }
            assert!(gate.pass(words(), GateSubject { is_component: false, ..APP }).is_ok(), "{script}");
            inner
        };
        assert!(passes("[ $IS_PRODUCTION = false ]") && !passes("IS_PRODUCTION=true env"));
    }
}
