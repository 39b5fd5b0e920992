//! Rules about ports: those of an entry against those of its build file and its deployment.

use std::collections::BTreeSet;

use super::super::finding::RelatedPlace;
use super::super::findings::Findings;
use super::super::rule::Rule;
use super::{BuildFileState, ComponentFacts};
use crate::base::text;
use crate::model::inventory::Component;

pub(super) fn check_entry(
    findings: &mut Findings<'_>,
    component: &Component,
    own: &ComponentFacts,
    is_mentioned: &dyn Fn(&[String]) -> Option<bool>,
) {
    let run = component.run.as_deref();
    let declared: Vec<u16> = run.iter().flat_map(|run| &run.ports).map(|port| port.number).collect();
    let debugger = run.and_then(|run| run.debug.as_ref()).map(|debugger| debugger.port);
    let is_declared = |port: u16| declared.contains(&port) || debugger == Some(port);
    let deployment = own.deployment.as_ref().and_then(|read| read.as_ref().ok());
    let deployed = deployment.map_or(&[][..], |one| one.ports.as_slice());
    let exposed = exposed(component, own);
    let mut found: Vec<(u16, Option<&RelatedPlace>, &str)> = Vec::new();
    // Without ports of its own, an entry has those of its deployment.
    if !declared.is_empty() {
        let place = deployment.and_then(|one| one.place.as_ref());
        found.extend(deployed.iter().map(|port| (*port, place, "the deployment")));
    }
    if !declared.is_empty() || deployed.is_empty() {
        found.extend(exposed.iter().map(|(port, place)| (*port, Some(place), "the build file")));
    }
    let mut seen = BTreeSet::new();
    for (port, place, origin) in found.into_iter().filter(|(port, ..)| !is_declared(*port)) {
        if seen.insert(port) {
            let message = format!("{origin} has the port {port}, which the entry lacks");
            let fix = format!("add `{port}` to `run.ports`");
            let part = if declared.is_empty() { "run" } else { "run.ports" };
            findings.of_entry(Rule::UndeclaredPort, component, part, (message, fix));
            findings.add_related(place);
        }
    }
    let known: BTreeSet<u16> =
        deployed.iter().copied().chain(exposed.iter().map(|(port, _)| *port)).collect();
    if known.is_empty() {
        return;
    }
    let names: Vec<String> = known.iter().map(|port| format!("`{port}`")).collect();
    for (index, port) in declared.iter().enumerate().filter(|(_, port)| !known.contains(port)) {
        if is_mentioned(&[port.to_string()]) == Some(false) {
            let others = text::join_some(names.iter().cloned());
            let message = format!("the port {port} is nowhere in the clone, which has {others}");
            let fix = "correct the port, or remove it".to_owned();
            findings.of_entry(Rule::MissingPort, component, &format!("run.ports.{index}"), (message, fix));
            let place = deployment.and_then(|one| one.place.as_ref());
            findings.add_related(exposed.first().map(|(_, place)| place).or(place));
        }
    }
}

/// Returns the exposed ports of a build file that are those of the component: its command is that of the image, and
/// the image is its own.
fn exposed<'a>(component: &Component, own: &'a ComponentFacts) -> &'a [(u16, RelatedPlace)] {
    let Some(BuildFileState::Read { command, exposed, is_template: false }) = &own.build_file else {
        return &[];
    };
    let run = component.run.as_deref();
    let has_command =
        run.is_some_and(|run| !run.once.is_empty() || !run.command.is_empty() && run.command != *command);
    let is_replaced = matches!(&own.deployment, Some(Ok(one)) if one.has_command);
    let is_staged = component.build.as_ref().is_some_and(|build| build.target.is_some());
    if has_command || is_replaced || is_staged || own.shares_build_file { &[] } else { exposed }
}
