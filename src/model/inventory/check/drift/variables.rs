//! Rules about variables: those of an entry against those that its sources read and its deployment sets.

use std::collections::{BTreeMap, BTreeSet};

use super::super::finding::RelatedPlace;
use super::super::findings::Findings;
use super::super::rule::Rule;
use super::ComponentFacts;
use super::mention::mention_forms;
use crate::model::inventory::Component;

pub(super) fn check_entry(
    findings: &mut Findings<'_>,
    component: &Component,
    own: &ComponentFacts,
    is_mentioned: &dyn Fn(&[String]) -> Option<bool>,
) {
    let Some(reads) = &own.reads else { return };
    let none = BTreeMap::new();
    let deployed = match &own.deployment {
        Some(Ok(deployment)) => &deployment.variables,
        _ => &none,
    };
    let declared: BTreeSet<&str> = component.environment.iter().map(|one| one.name.as_str()).collect();
    let is_known = |name: &str| declared.contains(name) || own.provided.contains(name);
    let mut lacking: BTreeMap<&str, (&'static str, &RelatedPlace)> = BTreeMap::new();
    // An entry without a table says nothing about variables; its deployment has them, or a run fails.
    let has_table = !declared.is_empty();
    for (name, place) in deployed.iter().filter(|_| has_table) {
        lacking.insert(name, ("the deployment sets", place));
    }
    for (name, (is_required, place)) in &reads.reads {
        if has_table || *is_required && !deployed.contains_key(name) {
            lacking.insert(name, ("the sources read", place));
        }
    }
    for (name, (what, place)) in lacking.into_iter().filter(|(name, _)| !is_known(name)) {
        let message = format!("{what} `{name}`, which the entry lacks");
        let part = if has_table { "environment" } else { "" };
        let fix = format!("add `{{name: {name}}}` to `environment`");
        findings.of_entry(Rule::UndeclaredVariable, component, part, (message, fix));
        findings.add_related(Some(place));
    }
    if !reads.is_complete || matches!(own.deployment, Some(Err(_))) {
        return;
    }
    for (index, one) in component.environment.iter().enumerate() {
        let is_used = deployed.contains_key(&one.name)
            || own.provided.contains(&one.name)
            || reads.reads.contains_key(&one.name)
            || reads.of_libraries.contains(&one.name);
        if !is_used && is_mentioned(&mention_forms(&one.name)) == Some(false) {
            let message = format!("nothing in the clone mentions the variable `{}`", one.name);
            let fix = "correct the name, or remove the variable".to_owned();
            findings.of_entry(
                Rule::MissingVariable,
                component,
                &format!("environment.{index}"),
                (message, fix),
            );
        }
    }
}
