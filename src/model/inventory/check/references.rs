//! Rules about references to entries: dependencies, infrastructure and responsible persons.

use super::findings::Findings;
use super::rule::Rule;
use super::suggestions::Suggestion;
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
            // Nobody who names another entry means the own one.
            let near = findings.suggestions.reference(inventory, &target);
            let near = near.filter(|near| near.name != component.reference.to_string());
            let told = missing(&target, near.as_ref(), "the reference");
            findings.of_entry(Rule::MissingTarget, component, &format!("dependencies.{index}.target"), told);
            findings.add_repair(&target, Suggestion::certain(near.as_ref()));
        }
        if let Some(place) = component.infrastructure_reference()
            && inventory.get(&place).is_none()
        {
            let near = findings.suggestions.in_category(inventory, INFRASTRUCTURE, &place.name);
            let told = missing(&place.to_string(), near.as_ref(), "the name");
            findings.of_entry(Rule::MissingInfrastructure, component, "infrastructure", told);
            findings.add_repair(&place.name, Suggestion::certain(near.as_ref()));
        }
        for (index, name) in component.people.iter().enumerate().filter(|_| has_people) {
            if inventory.get(&Reference::new(PEOPLE, name.as_ref())).is_none() {
                let near = findings.suggestions.in_category(inventory, PEOPLE, name);
                let told = missing(&format!("{PEOPLE}/{name}"), near.as_ref(), "the name");
                findings.of_entry(Rule::MissingPerson, component, &format!("people.{index}"), told);
                findings.add_repair(name, Suggestion::certain(near.as_ref()));
            }
        }
    }
}

fn missing(reference: &str, near: Option<&Suggestion>, what: &str) -> (String, String) {
    let fix = match near {
        Some(Suggestion { name, .. }) => format!("write `{name}`, or add an entry `{reference}`"),
        None => format!("add an entry `{reference}`, or correct {what}"),
    };
    (format!("there is no entry `{reference}`"), fix)
}
