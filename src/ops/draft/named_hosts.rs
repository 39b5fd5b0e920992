//! The hosts that the deployment and the settings of a drafted component name, as its needs. The variables of backing
//! services that nothing answers are in `variables`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::addresses::needs;
use super::drafting::Drafting;
use super::files;
use crate::model::deployment::expansion::Segment;
use crate::model::deployment::{DeployedContainer, EnvVarSource};
use crate::model::draft::{DraftedComponent, DraftedVariable, names_host, settings_name_host};

/// Maximum number of files of settings to read for a component.
const SETTINGS: usize = 40;
/// Endings of files of settings.
const ENDINGS: &[&str] =
    &[".properties", ".yml", ".yaml", ".ini", ".cfg", ".conf", ".toml", ".env", ".json", ".config"];
/// Directories of settings, below that of the sources.
const DIRECTORIES: &[&str] = &["", "config", "conf", "src/main/resources", "src/config"];

impl Drafting<'_> {
    /// Adds the services of the Compose file to the needs of one of its components whose hosts its deployment or its
    /// settings name. Two that name each other need none: neither could start first.
    pub(super) fn named_hosts(&mut self, at: usize) {
        if !self.is_of_compose(at) {
            return;
        }
        let one = &self.components[at];
        // A database has the variables of its clients, too, if they share a file.
        if one.image.as_deref().is_some_and(|image| self.rules.image_port(image).is_some()) {
            return;
        }
        let own = one.name.clone();
        let values = self.given.get(&own);
        let mut texts: Option<Vec<String>> = None;
        let mut found = Vec::new();
        for service in &self.compose_services {
            let host = service.name.as_str();
            let Some(name) = self.name_of(host).filter(|name| *name != own) else { continue };
            if one.needs.contains(&name) {
                continue;
            }
            let is_in_value =
                values.is_some_and(|values| values.iter().any(|(name, value)| names_host(name, value, host)));
            let mut is_in_file = || {
                let texts = texts.get_or_insert_with(|| self.settings(one));
                texts.iter().any(|text| settings_name_host(text, host))
            };
            if is_in_value || is_in_file() {
                found.push(name);
            }
        }
        for name in found {
            let all: Vec<DraftedComponent> = self.components.iter().chain(&self.others).cloned().collect();
            if !needs(&all, &name, &own) {
                self.components[at].needs.push(name);
            }
        }
        self.components[at].needs.sort();
        self.components[at].needs.dedup();
    }

    /// Returns whether the deployment of a component is a service of the Compose file.
    pub(super) fn is_of_compose(&self, at: usize) -> bool {
        let service = self.components[at].deployment.first().and_then(|(_, service)| service.as_ref());
        service.is_some_and(|service| self.compose_services.iter().any(|one| one.name == *service))
    }

    /// Returns whether the deployment of a component answers for a backing service, by its values or by a service of the
    /// same kind that the component needs.
    pub(super) fn is_answered(&self, at: usize, service: &str) -> bool {
        let one = &self.components[at];
        if one.needs.iter().any(|need| need == service) {
            return true;
        }
        let others = || self.components.iter().chain(&self.others);
        let image = |other: &DraftedComponent| other.image.clone().or_else(|| other.base.clone());
        let is_of_kind = |image: &str| self.rules.service_of(image) == Some(service);
        let has_kind = others()
            .filter(|other| one.needs.contains(&other.name))
            .any(|other| image(other).is_some_and(|image| is_of_kind(&image)));
        let hosts: Vec<String> = self.compose_services.iter().map(|one| one.name.clone()).collect();
        let values = self.given.get(&one.name);
        let variables = self.provided.get(service);
        has_kind || values.zip(variables).is_some_and(|(values, of)| of.is_answered(service, values, &hosts))
    }

    /// Returns whether the deployment settles the address that a variable holds, so that its name tells nothing more: a
    /// Compose file gives it, it is empty, or `owner` is a backing service for which the deployment answers.
    pub(super) fn is_settled(&self, at: usize, variable: &DraftedVariable, owner: &str) -> bool {
        let values = self.given.get(&self.components[at].name);
        let value = values.and_then(|values| values.get(&variable.name));
        // `named_hosts` has looked for the services of the Compose file in its values.
        let is_known = |value: &String| value.trim().is_empty() || self.is_of_compose(at);
        let is_service = self.provided.contains_key(owner)
            && self.components.iter().chain(&self.others).all(|one| one.name != owner);
        value.is_some_and(is_known)
            || is_service
                && (value.is_some()
                    || self.is_answered(at, owner)
                    || self.is_of_compose(at) && !variable.required)
    }

    /// Returns the name, in a run, of a service of the Compose file.
    fn name_of(&self, service: &str) -> Option<String> {
        let is_it = |one: &&DraftedComponent| {
            one.deployment.first().is_some_and(|(_, name)| name.as_deref() == Some(service))
        };
        let drafted = self.components.iter().chain(&self.others).find(is_it).map(|one| one.name.clone());
        drafted.or_else(|| self.stand_in(self.compose_services.iter().find(|one| one.name == service)?))
    }

    /// Returns the texts of the files of settings of a built component.
    fn settings(&self, one: &DraftedComponent) -> Vec<String> {
        if !one.is_built {
            return Vec::new();
        }
        let directory = Path::new(one.source.as_deref().unwrap_or(&one.directory));
        let in_directory = |below: &str| -> Vec<PathBuf> {
            let path = directory.join(below);
            let names = self.sources.names(&path).unwrap_or_default();
            let names = names.into_iter().map(|name| name.to_string_lossy().into_owned());
            names.filter(|name| is_settings(name)).map(|name| path.join(name)).collect()
        };
        let paths = DIRECTORIES.iter().flat_map(|below| in_directory(below)).take(SETTINGS);
        paths.filter_map(|path| files::text(&self.sources, &path)).collect()
    }
}

/// Returns whether a file holds settings of a program, by its name. Compose files and lists of packages do not.
fn is_settings(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_other =
        ["compose", "package", "lock", "tsconfig", "inventory"].iter().any(|word| lower.contains(word));
    !is_other && ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

/// Returns the values of a container that are written in its deployment; variables of a text without a value are left
/// out of it.
pub(super) fn known_values(container: &DeployedContainer) -> BTreeMap<String, String> {
    let text = |source: &EnvVarSource| match source {
        EnvVarSource::Text(pieces) => Some(
            pieces
                .iter()
                .map(|piece| if let Segment::Text(text) = piece { text.as_str() } else { "${}" })
                .collect(),
        ),
        _ => None,
    };
    let known = container.variables.iter();
    known
        .filter_map(|one| Some((one.name.clone(), text(&one.value).or_else(|| one.draft.clone())?)))
        .collect()
}
