//! The files of a directory that Compose reads when it is started there: those that `COMPOSE_FILE` in the `.env` names,
//! or else the default file and its override. Reading the files belongs in `project`.

use super::super::files::FileReader;
use super::super::{DeploymentError, finding};
use super::document::Variables;
use super::dotenv::{self, EnvFileLine};
use super::{paths, profiles};
use crate::base::yaml::Position;
use crate::base::yaml::tree::Location;
use crate::model::inventory::InventoryFinding;

/// Default files of Compose in a directory: the first existing one counts; and its override files.
const DEFAULTS: &[&str] = &["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: &[&str] = &[
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];
/// Variable with the files to read.
const FILES: &str = "COMPOSE_FILE";
/// Variable with the text between these files.
const SEPARATOR: &str = "COMPOSE_PATH_SEPARATOR";
const DEFAULT_SEPARATOR: &str = ":";

/// Returns the finding about a Compose file that is not read.
pub(super) fn unnamed(reader: &FileReader<'_>, path: &str) -> InventoryFinding {
    let spot = Location { file: reader.label(path).into(), position: Position { line: 1, column: 1 } };
    let message =
        "Compose does not read this file unless it is named, and neither does `cki`: list it in `deployment`";
    finding(&spot, message)
}

/// Files of a directory for Compose.
pub(super) struct ComposeSelection {
    /// Paths of the files that Compose reads, in its order.
    pub(super) chosen: Vec<String>,
    /// Paths of the other files with names that Compose files usually have.
    pub(super) unnamed: Vec<String>,
}

/// Selects the files that Compose reads when it is started in a directory, and removes all Compose files from the names
/// in the directory. Returns `None`, and removes nothing, if Compose finds no file there.
pub(super) fn select(
    reader: &FileReader<'_>,
    directory: &str,
    names: &mut Vec<String>,
    findings: &mut Vec<InventoryFinding>,
) -> Result<Option<ComposeSelection>, DeploymentError> {
    let chosen: Vec<String> = match from_variable(reader, directory, findings)? {
        Some(chosen) => chosen,
        None => {
            let found =
                |all: &[&'static str]| all.iter().find(|one| names.iter().any(|name| name == *one)).copied();
            let Some(first) = found(DEFAULTS) else { return Ok(None) };
            let both = [first].into_iter().chain(found(OVERRIDES));
            both.filter_map(|name| paths::joined(directory, name)).collect()
        }
    };
    let mut unnamed = Vec::new();
    names.retain(|name| {
        let path = paths::joined(directory, name).unwrap_or_default();
        let is_chosen = chosen.contains(&path);
        let is_left_out = !is_chosen && is_compose_name(name);
        if is_left_out {
            unnamed.push(path);
        }
        !is_chosen && !is_left_out
    });
    Ok(Some(ComposeSelection { chosen, unnamed }))
}

/// Returns whether a name is one that Compose files usually have.
fn is_compose_name(name: &str) -> bool {
    (name.starts_with("compose.") || name.starts_with("docker-compose."))
        && [".yaml", ".yml"].iter().any(|end| name.ends_with(end))
}

/// Returns the files that the `.env` of a directory names, or `None` if it names none.
fn from_variable(
    reader: &FileReader<'_>,
    directory: &str,
    findings: &mut Vec<InventoryFinding>,
) -> Result<Option<Vec<String>>, DeploymentError> {
    let Some(path) = paths::joined(directory, ".env") else { return Ok(None) };
    if !reader.is_file(&path)? {
        return Ok(None);
    }
    let own = profiles::working_directory(reader.working_directory(directory));
    let (label, text) = (reader.label(&path), reader.text(&path)?);
    // The project reports what is wrong with the lines.
    let (lines, _) = dotenv::read(&label, &text, &|name| own.get(name), &Variables::new(), &reader.budget());
    let Some(files) = last(&lines, FILES) else { return Ok(None) };
    let separator = last(&lines, SEPARATOR);
    let known = [Some(files), separator].into_iter().flatten().map(whole_text).collect::<Option<Vec<_>>>();
    let Some(known) = known else {
        let message = format!(
            "only a deployer knows all of `{FILES}`, so `cki` reads the files that Compose reads without it"
        );
        findings.push(finding(&files.spot, message));
        return Ok(None);
    };
    let separator = known.get(1).filter(|text| !text.is_empty()).map_or(DEFAULT_SEPARATOR, String::as_str);
    let mut chosen = Vec::new();
    for written in known[0].split(separator) {
        match within(reader, directory, written) {
            Some(path) if reader.is_file(&path)? => chosen.push(path),
            found => {
                let why = match (found, written) {
                    (_, "" | "-") => "which is no file",
                    (None, _) => "which is outside of the repository",
                    (Some(_), _) => "and there is no such file, for which Compose refuses the project",
                };
                let message = format!("`{FILES}` names `{written}`, {why}; its values are missing");
                findings.push(finding(&files.spot, message));
                reader.lose();
            }
        }
    }
    Ok(Some(chosen))
}

/// Returns the last line that sets a variable.
fn last<'a>(lines: &'a [EnvFileLine], name: &str) -> Option<&'a EnvFileLine> {
    lines.iter().rev().find(|line| line.name == name && !line.is_passed_on())
}

/// Returns the value of a line, unless a part of it is missing.
fn whole_text(line: &EnvFileLine) -> Option<String> {
    line.known().filter(|known| known.unset().next().is_none()).map(|known| known.text)
}

/// Returns the path in the repository of a file that `COMPOSE_FILE` names.
fn within(reader: &FileReader<'_>, directory: &str, written: &str) -> Option<String> {
    if !written.starts_with('/') {
        return paths::joined(directory, written);
    }
    let root = reader.working_directory("");
    let below = written.strip_prefix(root.trim_end_matches('/'))?.strip_prefix('/')?;
    paths::joined("", below)
}
