//! The rule about real credentials in an inventory, by the forms that a local run refuses.

use super::findings::Findings;
use super::rule::Rule;
use crate::base::share;
use crate::model::guard::Credentials;
use crate::model::inventory::Component;

/// Number of entries for each thread.
const SHARE: usize = 24;

pub(super) fn check(findings: &mut Findings<'_>, credentials: &Credentials) {
    let all: Vec<&Component> = findings.inventory.components.iter().collect();
    let of_entry = |component: &Component| -> Vec<(usize, String)> {
        let variables = component.environment.iter().enumerate();
        let found = variables.filter_map(|(index, variable)| {
            let kind = credentials.find(Some(&variable.name), variable.default.as_deref()?)?;
            Some((index, format!("the default of `{}` looks like a real credential: {kind}", variable.name)))
        });
        found.collect()
    };
    let found = share::map(all.clone(), SHARE, of_entry);
    for (component, found) in all.into_iter().zip(found) {
        for (index, message) in found {
            let fix = "remove it, and replace the credential where it is from: who reads the inventory has it; \
                       `secret: true` gives local runs a placeholder secret";
            let part = format!("environment.{index}.default");
            findings.of_entry(Rule::SecretDefault, component, &part, (message, fix.to_owned()));
        }
    }
}
