//! Variables of a Compose service: those of its environment files, overridden by its own. The syntax of
//! environment files belongs in `dotenv`.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::error::no_value;
use super::super::expansion::Segment;
use super::super::files::resolved;
use super::super::interpolation::InterpolationVar;
use super::super::limits::is_full_at;
use super::super::{DeploymentPart, EnvEntry, EnvVarSource, finding};
use super::document::{Taint, Variables, place};
use super::dotenv::{self, NO_ASSIGNMENT, PASSED_ON, usable_text};
use super::models;
use super::project::{ComposeProject, is_refused};
use crate::base::variable::is_like_key;
use crate::base::yaml::tree::{Location, MapEntry, Node, NodeValue};
use crate::model::environment::is_environment_name;
use crate::model::inventory::InventoryFinding;

/// Words in file names that mark an example of a file that is not committed.
const EXAMPLES: &[&str] = &["example", "sample", "template", "dist"];

/// A variable of `environment`.
struct Own {
    name: String,
    spot: Location,
    /// Value; `None` if only the name is given.
    value: Option<(String, Rc<Taint>)>,
}

/// An item of `env_file`.
struct File {
    path: String,
    spot: Location,
    is_required: bool,
    format: Option<String>,
}

/// Returns the variables of a service in the order of their definition.
pub(super) fn variables(
    project: &ComposeProject<'_>,
    service: &Node,
    findings: &mut Vec<InventoryFinding>,
) -> Vec<EnvEntry> {
    let mut own: Vec<Own> = Vec::new();
    if let Some(environment) = service.get("environment") {
        read_own(project, environment, &mut own, findings);
    }
    let mut given: Vec<EnvEntry> = Vec::new();
    for one in &own {
        let (name, place) = (one.name.clone(), one.spot.line());
        given.push(match &one.value {
            Some((text, taint)) => {
                EnvEntry { name, place, ..value_of(&one.name, text, taint, &one.spot, findings) }
            }
            None => match project.variables.get(&one.name) {
                Some(known) => {
                    let taint = Taint {
                        unset: known.unset().map(str::to_owned).collect(),
                        text: known.text.clone(),
                        parts: known.parts.clone(),
                        ..Taint::default()
                    };
                    let value = value_of(&one.name, &known.text, &taint, &one.spot, findings);
                    EnvEntry { name, place, ..value }
                }
                None => {
                    let message = format!(
                        "`{name}` is passed on from the environment of the deployment: no value is known here"
                    );
                    findings.push(no_value(&one.spot, &name, message));
                    EnvEntry { name, place, ..unnamed(EnvVarSource::Unknown(PASSED_ON.to_owned())) }
                }
            },
        });
    }
    let defined: Variables = given.iter().filter_map(known).collect();
    let mut all = CollectedEnv::default();
    for file in files(project, service, findings) {
        read_file(project, &file, &defined, &mut all, findings);
    }
    for (given, own) in given.into_iter().zip(&own) {
        all.give(given, &own.spot, findings);
    }
    for (given, spot) in models::variables(project, service, findings) {
        all.give(given, &spot, findings);
    }
    all.variables()
}

/// Variables by name; a later definition replaces an earlier one.
#[derive(Default)]
struct CollectedEnv {
    given: Vec<Option<EnvEntry>>,
    index: BTreeMap<String, usize>,
    count: usize,
    is_full: bool,
}

impl CollectedEnv {
    fn give(&mut self, given: EnvEntry, spot: &Location, findings: &mut Vec<InventoryFinding>) {
        if !is_environment_name(&given.name) || is_like_key(&given.name) {
            findings.push(finding(spot, "this cannot be the name of a variable, and is left out"));
            return;
        }
        match self.index.get(&given.name) {
            Some(&at) => self.given[at] = None,
            None if self.is_full || is_full_at(self.count, spot, findings) => {
                self.is_full = true;
                return;
            }
            None => self.count += 1,
        }
        self.index.insert(given.name.clone(), self.given.len());
        self.given.push(Some(given));
    }

    fn variables(self) -> Vec<EnvEntry> {
        self.given.into_iter().flatten().collect()
    }
}

fn text(text: impl Into<String>) -> EnvVarSource {
    EnvVarSource::Text(vec![Segment::Text(text.into())])
}

/// Returns the value of a variable for the interpolation of environment files.
fn known(given: &EnvEntry) -> Option<(String, InterpolationVar)> {
    let text = usable_text(&given.value, given.draft.as_deref())?.to_owned();
    Some((given.name.clone(), InterpolationVar { text, parts: given.parts.clone() }))
}

fn unnamed(value: EnvVarSource) -> EnvEntry {
    EnvEntry { name: String::new(), place: String::new(), value, parts: Vec::new(), draft: None }
}

/// Returns a variable's interpolated value, without its name and place.
fn value_of(
    name: &str,
    written: &str,
    taint: &Taint,
    spot: &Location,
    findings: &mut Vec<InventoryFinding>,
) -> EnvEntry {
    if let Some(wrong) = &taint.wrong {
        findings.push(no_value(spot, name, format!("`{name}` has no value: {wrong}")));
        return unnamed(EnvVarSource::Unknown(wrong.clone()));
    }
    let parts = parts_of(written, taint);
    let value = match (&taint.required, taint.unset.first()) {
        (Some(required), _) => {
            findings.push(no_value(spot, name, format!("`{name}` is not known: {required}")));
            EnvVarSource::Required(required.clone())
        }
        (None, Some(unset)) => {
            let why = format!("`{unset}` has no value in the `.env` of the project");
            findings.push(no_value(spot, name, format!("`{name}` is not known: {why}")));
            EnvVarSource::Unknown(why)
        }
        (None, None) => return EnvEntry { parts, ..unnamed(text(written)) },
    };
    EnvEntry { parts, draft: Some(written.to_owned()), ..unnamed(value) }
}

/// Returns the interpolated parts of a value. An item of a list has the name before the value in the
/// same text.
fn parts_of(value: &str, taint: &Taint) -> Vec<DeploymentPart> {
    let before = taint.text.len().saturating_sub(value.len());
    let within = |part: &DeploymentPart| {
        let start = part.range.start.checked_sub(before)?;
        Some(DeploymentPart { range: start..part.range.end.checked_sub(before)?, ..part.clone() })
    };
    taint.parts.iter().filter_map(within).collect()
}

fn read_own(
    project: &ComposeProject<'_>,
    environment: &Node,
    own: &mut Vec<Own>,
    findings: &mut Vec<InventoryFinding>,
) {
    let taint = |node: &Node| project.taints.get(&place(&node.spot)).cloned().unwrap_or_default();
    for MapEntry { key, spot, node } in environment.entries() {
        if is_like_key(key) {
            findings.push(finding(spot, NO_ASSIGNMENT));
            continue;
        }
        let value = match &node.value {
            NodeValue::Scalar { .. } if node.is_null() => None,
            NodeValue::Scalar { text, .. } => Some((text.clone(), taint(node))),
            _ => {
                findings.push(finding(spot, format!("the value of `{key}` is no text, and is left out")));
                continue;
            }
        };
        own.push(Own { name: key.clone(), spot: spot.clone(), value });
    }
    for item in environment.items() {
        let Some(written) = item.text() else {
            findings.push(finding(&item.spot, NO_ASSIGNMENT));
            continue;
        };
        let (name, value) = match written.split_once('=') {
            Some((name, value)) => (name, Some((value.to_owned(), taint(item)))),
            None => (written, None),
        };
        // An invalid name may be a part of a secret, so it is not shown.
        if !is_environment_name(name) || is_like_key(name) {
            findings.push(finding(&item.spot, NO_ASSIGNMENT));
            continue;
        }
        own.push(Own { name: name.to_owned(), spot: item.spot.clone(), value });
    }
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    last.extend(own.iter().enumerate().map(|(at, one)| (one.name.clone(), at)));
    let mut at = 0;
    own.retain(|one| {
        at += 1;
        last.get(&one.name) == Some(&(at - 1))
    });
}

/// Returns the environment files of a service. A repeated file moves to its later position.
fn files(project: &ComposeProject<'_>, service: &Node, findings: &mut Vec<InventoryFinding>) -> Vec<File> {
    let Some(node) = service.get("env_file") else { return Vec::new() };
    let items = match &node.value {
        NodeValue::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut files: Vec<File> = Vec::new();
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    for item in items {
        let path = if item.text().is_some() { Some(item) } else { item.get("path") };
        let Some((path, written)) = path.and_then(|path| Some((path, path.text()?))) else {
            findings.push(finding(&item.spot, "this item of `env_file` names no file"));
            continue;
        };
        if is_refused(project, path, "this file of `env_file`", findings) {
            continue;
        }
        let file = File {
            path: written.to_owned(),
            spot: item.spot.clone(),
            is_required: item.text_of("required") != Some("false"),
            format: item.text_of("format").map(str::to_owned),
        };
        match index.get(written) {
            Some(&at) => files[at] = file,
            None => {
                index.insert(written.to_owned(), files.len());
                files.push(file);
            }
        }
    }
    files
}

fn read_file(
    project: &ComposeProject<'_>,
    file: &File,
    own: &Variables,
    all: &mut CollectedEnv,
    findings: &mut Vec<InventoryFinding>,
) {
    let reader = &project.reader;
    let written = &file.path;
    let path = resolved(&project.directory, written);
    let path = path.filter(|path| reader.is_file(path).unwrap_or(false));
    let Some(path) = path else {
        if file.is_required {
            let message = format!(
                "the file `{written}` is not in the repository: only the deployment knows its content"
            );
            findings.push(finding(&file.spot, message));
            read_example(project, file, all, findings);
        }
        return;
    };
    let content = match reader.text(&path) {
        Ok(content) => content,
        Err(error) => {
            findings.push(finding(&file.spot, format!("{error}, so its values are missing")));
            return;
        }
    };
    let outer = |name: &str| project.variables.get(name).or_else(|| own.get(name));
    let label = reader.label(&path);
    let (lines, more) = match file.format.as_deref() {
        Some("raw") => dotenv::read_raw(&label, &content, &outer),
        None | Some(".env" | "") => {
            let mut earlier: Variables = all.given.iter().flatten().filter_map(known).collect();
            earlier.extend(own.iter().map(|(name, known)| (name.clone(), known.clone())));
            dotenv::read(&label, &content, &outer, &earlier, &reader.budget())
        }
        Some(other) => {
            findings.push(finding(
                &file.spot,
                format!("the format `{other}` of an environment file is not known"),
            ));
            return;
        }
    };
    findings.extend(more);
    for line in lines {
        if line.is_passed_on() {
            let message = format!(
                "`{}` is passed on from the environment of the deployment: no value is known here",
                line.name
            );
            findings.push(no_value(&line.spot, &line.name, message));
            if all.index.contains_key(&line.name) {
                continue;
            }
        } else if let EnvVarSource::Unknown(why) = &line.value {
            let message = format!("`{}` is not known: {why}", line.name);
            findings.push(no_value(&line.spot, &line.name, message));
        }
        let given = EnvEntry {
            name: line.name,
            place: line.spot.line(),
            value: line.value,
            parts: line.parts,
            draft: line.draft,
        };
        all.give(given, &line.spot, findings);
    }
}

/// Reads the names of variables from the example of a missing file: `.env.example`.
fn read_example(
    project: &ComposeProject<'_>,
    file: &File,
    all: &mut CollectedEnv,
    findings: &mut Vec<InventoryFinding>,
) {
    let is_there = |path: &String| project.reader.is_file(path).unwrap_or(false);
    let path = EXAMPLES.iter().find_map(|end| {
        let with_end = resolved(&project.directory, &format!("{}.{end}", file.path)).filter(is_there);
        let before = file.path.strip_suffix(".env").map(|start| format!("{start}.{end}.env"));
        with_end.or_else(|| resolved(&project.directory, &before?).filter(is_there))
    });
    let Some(path) = path else { return };
    let Ok(content) = project.reader.text(&path) else { return };
    let label = project.reader.label(&path);
    let (lines, _) = dotenv::read(&label, &content, &|_| None, &Variables::new(), &project.reader.budget());
    for line in lines {
        let why = format!("the file `{}` is not in the repository", file.path);
        let value = EnvVarSource::Unknown(why);
        let given = EnvEntry { name: line.name, place: line.spot.line(), ..unnamed(value) };
        all.give(given, &line.spot, findings);
    }
}
