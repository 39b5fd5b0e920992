//! Rules about references to entries: dependencies, infrastructure and responsible persons.

use super::findings::Findings;
use super::rule::Rule;
use crate::model::inventory::component::INFRASTRUCTURE;
use crate::model::reference::Reference;

/// Category of responsible persons and teams.
pub(super) const PEOPLE: &str = "people";

pub(super) fn check(findings: &mut Findings<'_>) {
    let inventory = findings.inventory;
    let has_people = inventory.category(PEOPLE).is_some();
    for component in &inventory.components {
        for (index, dependency) in component.dependencies.iter().enumerate() {
            if inventory.get(&dependency.target).is_some() {
                continue;
            }
            let target = dependency.target.to_string();
            let near = findings.suggestions.reference(inventory, &target);
            let told = missing(&target, near, "the reference");
            findings.of_entry(Rule::MissingTarget, component, &format!("dependencies.{index}.target"), told);
        }
        if let Some(place) = component.infrastructure_reference()
            && inventory.get(&place).is_none()
        {
            let near = findings.suggestions.in_category(inventory, INFRASTRUCTURE, &place.name);
            let told = missing(&place.to_string(), near, "the name");
            findings.of_entry(Rule::MissingInfrastructure, component, "infrastructure", told);
        }
        for (index, name) in component.people.iter().enumerate().filter(|_| has_people) {
            if inventory.get(&Reference::new(PEOPLE, name.as_str())).is_none() {
                let near = findings.suggestions.in_category(inventory, PEOPLE, name);
                let told = missing(&format!("{PEOPLE}/{name}"), near, "the name");
                findings.of_entry(Rule::MissingPerson, component, &format!("people.{index}"), told);
            }
        }
    }
}

fn missing(reference: &str, near: Option<String>, what: &str) -> (String, String) {
    let fix = match near {
        Some(near) => format!("write `{near}`, or add an entry `{reference}`"),
        None => format!("add an entry `{reference}`, or correct {what}"),
    };
    (format!("there is no entry `{reference}`"), fix)
}
