//! Rules about facts that an entry should have.

use super::findings::Findings;
use super::references::PEOPLE;
use super::rule::Rule;
use crate::model::inventory::{Category, Component, Inventory};

pub(super) fn check(findings: &mut Findings<'_>) {
    let inventory = findings.inventory;
    for component in &inventory.components {
        let mut lacks = |rule: Rule, what: &str, fix: &str| {
            let told = (format!("`{}` has no {what}", component.reference), fix.to_owned());
            findings.of_entry(rule, component, "", told);
        };
        if component.reference.category == PEOPLE {
            continue;
        }
        if component.description.is_none() {
            lacks(Rule::NoDescription, "description", "say in `description` what it is for");
        }
        if !is_own(inventory, component) {
            continue;
        }
        if component.people.is_empty() {
            lacks(Rule::NoOwner, "owner", "name the responsible persons or teams in `people`");
        }
        if is_program(component) && component.sources.is_empty() && component.build.is_none() {
            lacks(Rule::NoSource, "source", "name the repository of its code in `sources`");
        }
        if component.documentation.is_empty() {
            lacks(Rule::NoDocumentation, "documentation", "add a link in `documentation`");
        }
    }
}

/// Returns whether an entry belongs to the people who write the inventory: it is outside of the categories whose
/// hosts belong to production, which others run.
fn is_own(inventory: &Inventory, component: &Component) -> bool {
    !inventory.category(&component.reference.category).is_some_and(Category::is_production)
}

/// Returns whether an entry has code: it has a kind, or can be run.
fn is_program(component: &Component) -> bool {
    component.kind.is_some() || component.is_runnable()
}
