//! Container of a Compose service: its command, ports, health check, and the services that must have
//! ended before it starts. Its variables belong in `environment`.

use std::collections::BTreeSet;

use super::super::expansion::Segment;
use super::super::texts::texts;
use super::super::{DeployedContainer, finding};
use super::document::place;
use super::environment;
use super::ports::Ports;
use super::project::{ComposeProject, is_refused};
use super::volumes;
use super::words;
use crate::base::secret::Secret;
use crate::base::yaml::tree::{MapEntry, Node};
use crate::model::inventory::InventoryFinding;
use crate::model::port::DeclaredPort;
use crate::model::probe::ReadinessProbe;

/// Keys about the container that a local run decides itself.
const NOT_APPLIED: &[&str] = &[
    "cap_add",
    "devices",
    "dns",
    "extra_hosts",
    "gpus",
    "group_add",
    "ipc",
    "network_mode",
    "pid",
    "platform",
    "post_start",
    "pre_stop",
    "privileged",
    "read_only",
    "runtime",
    "security_opt",
    "shm_size",
    "sysctls",
    "tmpfs",
    "ulimits",
    "user",
];
/// Unsupported keys that would change the container.
const NOT_DONE: &[&str] = &["secrets", "configs", "volumes_from", "provider", "credential_spec"];

/// Maximum number of names of a service.
const HOSTNAMES: usize = 50;

/// Returns the container of a service, with those services that must have succeeded before it starts:
/// <https://docs.docker.com/reference/compose-file/services/#depends_on>.
pub(super) fn container(
    project: &ComposeProject<'_>,
    name: &str,
    findings: &mut Vec<InventoryFinding>,
) -> DeployedContainer {
    let Some(service) = find(project, name) else { return DeployedContainer::default() };
    let mut container = own_container(project, service, findings);
    for before in before(project, service, findings) {
        let initial = own_container(project, before, findings);
        container.init.push(DeployedContainer { ready: None, ..initial });
    }
    container
}

fn find<'p>(project: &'p ComposeProject<'_>, name: &str) -> Option<&'p MapEntry> {
    project.services.iter().find(|service| service.key == name)
}

/// Returns the services that must have ended before a service starts, each after its own dependencies.
fn before<'p>(
    project: &'p ComposeProject<'_>,
    service: &'p MapEntry,
    findings: &mut Vec<InventoryFinding>,
) -> Vec<&'p MapEntry> {
    let mut seen = vec![service.key.as_str()];
    let mut found = Vec::new();
    // Stack of services, each with the count of dependencies already visited.
    let mut open = vec![(service, 0)];
    while let Some((one, at)) = open.pop() {
        let needs = one.node.get("depends_on").map_or(&[][..], Node::entries);
        let Some(need) = needs.get(at) else {
            if one.key != service.key {
                found.push(one);
            }
            continue;
        };
        open.push((one, at + 1));
        if need.node.text_of("condition") != Some("service_completed_successfully") {
            continue;
        }
        match find(project, &need.key) {
            Some(other) if seen.contains(&other.key.as_str()) => {}
            Some(other) => {
                seen.push(&other.key);
                open.push((other, 0));
            }
            None => {
                let message = format!("there is no service `{}` that could come before", need.key);
                findings.push(finding(&need.spot, message));
            }
        }
    }
    found
}

fn own_container(
    project: &ComposeProject<'_>,
    entry: &MapEntry,
    findings: &mut Vec<InventoryFinding>,
) -> DeployedContainer {
    let service = &entry.node;
    for key in NOT_DONE {
        if let Some(node) = service.get(key) {
            let message = format!("`{key}` of a Compose service is not known, so its values are missing");
            findings.push(finding(&node.spot, message));
        }
    }
    volumes::note(project, entry, findings);
    for key in NOT_APPLIED {
        if let Some(node) = service.get(key).filter(|node| !node.is_null()) {
            let message = format!("`{key}` of a Compose service has no effect in a local run");
            findings.push(finding(&node.spot, message));
        }
    }
    let variables = environment::variables(project, service, findings);
    let entrypoint = command(project, service, "entrypoint", findings);
    let args = command(project, service, "command", findings);
    let is_empty =
        |node: &Node| node.text().map_or(!node.is_null() && node.items().is_empty(), str::is_empty);
    let clears_entrypoint = service.get("entrypoint").is_some_and(is_empty);
    let mut text = |key: &str, blank_is_none: bool| {
        let node = service.get(key)?;
        let text = node.text()?;
        let known = !is_refused(project, node, &format!("`{key}`"), findings);
        let whole = !note_unset(project, node, &format!("`{key}`"), findings);
        (known && (whole || !blank_is_none) && !text.is_empty()).then(|| text.to_owned())
    };
    let (image, workdir) = (text("image", true), text("working_dir", true));
    let own_name = text("container_name", true);
    DeployedContainer {
        label: format!("Compose service {}", entry.key),
        place: service.spot.line(),
        hostnames: hostnames(project, entry, own_name, findings),
        image,
        command: entrypoint,
        args,
        clears_entrypoint,
        workdir,
        ports: ports(project, service, findings),
        ready: ready(project, service, findings),
        variables,
        interpolated: interpolated(project, service),
        init: Vec::new(),
    }
}

/// Returns the names by which other services reach a service: its own, that of its container, and its aliases in the
/// networks.
fn hostnames(
    project: &ComposeProject<'_>,
    entry: &MapEntry,
    container: Option<String>,
    findings: &mut Vec<InventoryFinding>,
) -> Vec<String> {
    let mut names = vec![entry.key.clone()];
    names.extend(container);
    let networks = entry.node.get("networks").map_or(&[][..], Node::entries);
    for alias in networks.iter().filter_map(|network| network.node.get("aliases")).flat_map(Node::items) {
        let is_unknown = is_refused(project, alias, "an alias", findings)
            || note_unset(project, alias, "an alias", findings);
        names.extend(alias.text().filter(|_| !is_unknown).map(str::to_owned));
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| !name.is_empty() && seen.insert(name.clone()));
    names.truncate(HOSTNAMES);
    names
}

/// Adds a finding about an unset variable in a text; returns whether there is one.
fn note_unset(
    project: &ComposeProject<'_>,
    node: &Node,
    what: &str,
    findings: &mut Vec<InventoryFinding>,
) -> bool {
    let Some(taint) = project.taints.get(&place(&node.spot)) else { return false };
    for name in &taint.unset {
        let message = format!("`{name}` in {what} has no value in the `.env` of the project");
        findings.push(finding(&node.spot, message));
    }
    !taint.unset.is_empty()
}

/// Returns the values that variables gave to command and health check, each once.
fn interpolated(project: &ComposeProject<'_>, service: &Node) -> Vec<(String, Secret)> {
    let test = service.get("healthcheck").and_then(|check| check.get("test"));
    let all = [service.get("entrypoint"), service.get("command"), test];
    let items = all.into_iter().flatten().flat_map(|node| match node.text() {
        Some(_) => std::slice::from_ref(node),
        None => node.items(),
    });
    let mut found = BTreeSet::new();
    for item in items {
        let (Some(taint), Some(text)) = (project.taints.get(&place(&item.spot)), item.text()) else {
            continue;
        };
        for part in taint.parts.iter().filter(|part| part.known) {
            if let Some(value) = text.get(part.range.clone()).filter(|value| !value.is_empty()) {
                found.insert((part.name.clone(), value.to_owned()));
            }
        }
    }
    found.into_iter().map(|(name, value)| (name, Secret::new(value))).collect()
}

/// Parses a command: a list, or a line to split.
fn command(
    project: &ComposeProject<'_>,
    service: &Node,
    key: &str,
    findings: &mut Vec<InventoryFinding>,
) -> Vec<Vec<Segment>> {
    let Some(node) = service.get(key) else { return Vec::new() };
    let what = format!("`{key}`");
    let items = if node.text().is_some() { std::slice::from_ref(node) } else { node.items() };
    if items.iter().any(|item| is_refused(project, item, &what, findings)) {
        return Vec::new();
    }
    for item in items {
        note_unset(project, item, &what, findings);
    }
    let words = match node.text() {
        Some(line) => words::split(line).unwrap_or_else(|| {
            let message =
                format!("`{key}` cannot be split into words, which Compose refuses, and is left out");
            findings.push(finding(&node.spot, message));
            Vec::new()
        }),
        None => texts(Some(node), key, findings).into_iter().map(|(text, _)| text).collect(),
    };
    words.into_iter().map(|word| vec![Segment::Text(word)]).collect()
}

fn ports(
    project: &ComposeProject<'_>,
    service: &Node,
    findings: &mut Vec<InventoryFinding>,
) -> Vec<DeclaredPort> {
    let mut ports = Ports::default();
    for key in ["ports", "expose"] {
        for item in service.get(key).map_or(&[][..], Node::items) {
            let node = if item.text().is_some() { Some(item) } else { item.get("target") };
            let Some((node, written)) = node.and_then(|node| Some((node, node.text()?))) else {
                findings.push(finding(&item.spot, "this port has no number in `target`, and is left out"));
                continue;
            };
            let what = format!("a port of `{key}`");
            if is_refused(project, node, &what, findings) || note_unset(project, node, &what, findings) {
                continue;
            }
            if let Err(message) = ports.add(written, item.text_of("protocol")) {
                findings.push(finding(&item.spot, message));
            }
        }
    }
    ports.found.into_iter().map(DeclaredPort::from).collect()
}

fn ready(
    project: &ComposeProject<'_>,
    service: &Node,
    findings: &mut Vec<InventoryFinding>,
) -> Option<ReadinessProbe> {
    let check = service.get("healthcheck")?;
    if check.get("disable").is_some_and(Node::is_true) {
        return None;
    }
    let test = check.get("test")?;
    let items = if test.text().is_some() { std::slice::from_ref(test) } else { test.items() };
    if items.iter().any(|item| is_refused(project, item, "the health check", findings)) {
        return None;
    }
    for item in items {
        note_unset(project, item, "the health check", findings);
    }
    let shell =
        |line: &str| ReadinessProbe::Exec(vec!["/bin/sh".to_owned(), "-c".to_owned(), line.to_owned()]);
    if let Some(line) = test.text() {
        return Some(shell(line));
    }
    let words: Vec<String> = texts(Some(test), "test", findings).into_iter().map(|(text, _)| text).collect();
    match words.split_first() {
        Some((kind, rest)) if kind == "CMD" && !rest.is_empty() => Some(ReadinessProbe::Exec(rest.to_vec())),
        Some((kind, [line])) if kind == "CMD-SHELL" => Some(shell(line)),
        Some((kind, _)) if kind == "NONE" => None,
        _ => {
            findings.push(finding(&test.spot, "Compose does not know this health check"));
            None
        }
    }
}
