//! Candidates for the values of flags: formats, variables, parameters of staging, the other side of a comparison.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use clap_complete::CompletionCandidate;

use super::candidate::candidate;
use super::inventory::components;
use super::typed::TypedLine;
use crate::cli::format;
use crate::config::{KEYS, SettingKind};
use crate::model::inventory::EnvVarDecl;
use crate::model::staging::StageParameter;
use crate::ops::stage::target;

/// Returns the formats of the typed command.
pub(in crate::cli) fn formats() -> Vec<CompletionCandidate> {
    let Some(typed) = TypedLine::current() else { return Vec::new() };
    // Before the command, nobody knows which one it will be.
    let command = if typed.commands.is_empty() { "list".to_owned() } else { typed.commands.join(" ") };
    let formats = format::formats(&command);
    formats.iter().map(|format| CompletionCandidate::new(format.name())).collect()
}

/// Returns the variables of the typed components, as `NAME=`.
pub(in crate::cli) fn variables() -> Vec<CompletionCandidate> {
    let is_given =
        |typed: &TypedLine, name: &str| typed.texts("set").any(|given| given.split('=').next() == Some(name));
    declared(is_given).into_iter().map(|one| candidate(format!("{}=", one.name), help_of(one))).collect()
}

/// Returns the variables of the typed components that can be removed.
pub(in crate::cli) fn unset() -> Vec<CompletionCandidate> {
    let variables = declared(|typed, name| typed.texts("unset").any(|given| given == name));
    variables.into_iter().map(|one| candidate(&one.name, help_of(one))).collect()
}

/// Returns the names of `--allow`.
pub(in crate::cli) fn allowed() -> Vec<CompletionCandidate> {
    let variables = declared(|typed, name| typed.texts("allow").any(|given| given == name));
    let variables = variables.into_iter().map(|one| candidate(&one.name, help_of(one)));
    variables.chain([candidate("@command", Some("The command and its arguments"))]).collect()
}

/// Returns the declared variables of the typed components that are not given yet, each once.
fn declared(is_given: impl Fn(&TypedLine, &str) -> bool) -> Vec<&'static EnvVarDecl> {
    let Some(typed) = TypedLine::current() else { return Vec::new() };
    let Some(inventory) = typed.inventory() else { return Vec::new() };
    let all = typed.components(inventory).into_iter().flat_map(|component| &component.environment);
    let all: BTreeMap<&str, &EnvVarDecl> = all.map(|one| (one.name.as_str(), one)).collect();
    all.into_values().filter(|one| !is_given(typed, &one.name)).collect()
}

fn help_of(one: &EnvVarDecl) -> Option<&str> {
    one.description.as_deref().or_else(|| one.is_secret().then_some("secret"))
}

/// Returns what `--diff` compares with.
pub(in crate::cli) fn compared() -> Vec<CompletionCandidate> {
    let deployment = candidate("deployment", Some("The values of the deployment"));
    [deployment].into_iter().chain(components()).collect()
}

/// Returns the parameters of staging as `KEY=`, and the values of one after it.
pub(in crate::cli) fn parameters(current: &OsStr) -> Vec<CompletionCandidate> {
    staging_parameters(current).unwrap_or_default()
}

fn staging_parameters(current: &OsStr) -> Option<Vec<CompletionCandidate>> {
    let current = current.to_str()?;
    let typed = TypedLine::current()?;
    let inventory = typed.inventory()?;
    let component = typed.components(inventory).first().copied();
    let project = typed.texts("project").last();
    let target = target(inventory, component, project, &typed.host.cwd).ok()?;
    let declared = &target.component?.stage.as_deref()?.parameters;
    if let Some((key, wanted)) = current.split_once('=') {
        let parameter = StageParameter::from_inventory(declared.iter().find(|one| one.name == key)?).ok()?;
        let values = parameter.few_values().into_iter().filter(|value| value.starts_with(wanted));
        return Some(values.map(|value| candidate(format!("{key}={value}"), None)).collect());
    }
    let is_given = |name: &str| typed.texts("set").any(|given| given.split('=').next() == Some(name));
    let free = declared.iter().filter(|one| one.name.starts_with(current) && !is_given(&one.name));
    Some(free.map(|one| candidate(format!("{}=", one.name), one.description.as_deref())).collect())
}

/// Returns the commands with a manual page, below the typed ones.
pub(in crate::cli) fn manual_pages() -> Vec<CompletionCandidate> {
    let Some(typed) = TypedLine::current() else { return Vec::new() };
    let mut command = (typed.tree)();
    for name in typed.texts("command") {
        let Some(below) = command.find_subcommand(name) else { return Vec::new() };
        command = below.clone();
    }
    let shown = command.get_subcommands().filter(|below| !below.is_hide_set());
    shown
        .map(|below| candidate(below.get_name(), below.get_about().map(ToString::to_string).as_deref()))
        .collect()
}

/// Returns the settings.
pub(in crate::cli) fn settings() -> Vec<CompletionCandidate> {
    KEYS.iter().map(|key| candidate(key.name, Some(key.help))).collect()
}

/// Returns the values of the typed setting, if they are few.
pub(in crate::cli) fn setting_values() -> Vec<CompletionCandidate> {
    let typed = TypedLine::current();
    let name = typed.and_then(|typed| typed.texts("name").next());
    let values = match KEYS.iter().find(|key| Some(key.name) == name).map(|key| key.kind) {
        Some(SettingKind::Choice(values)) => values,
        Some(SettingKind::Bool) => &["true", "false"],
        _ => &[],
    };
    values.iter().map(CompletionCandidate::new).collect()
}
