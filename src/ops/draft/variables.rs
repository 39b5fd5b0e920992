//! The variables of a draft: those that the README describes and the sources read, and the backing services that
//! they imply. The components come from `draft`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::drafting::Drafting;
use super::error::DraftError;
use super::files::{self, FoundFiles};
use super::named_hosts::known_values;
use crate::base::assets::Assets;
use crate::host::Env;
use crate::model::draft::{
    DocumentedVariable, DraftedComponent, DraftedVariable, documented_variables, first_sentence, title,
};
use crate::model::environment::{Environment, is_environment_name};
use crate::model::event::Task;
use crate::model::inventory::{Inventory, Secrecy};
use crate::ops::env::run_arguments;
use crate::ops::scan::{ScanRequest, Scanner};
use crate::ops::shared::deployment::{Judges, load_judged_if_there};
use crate::ops::shared::run_policy::masking_guard;
use crate::ops::shared::workspace::Workspace;

/// Maximum number of variables of an entry.
const VARIABLES: usize = 100;

impl Drafting<'_> {
    /// Adds the variables that the README describes and the sources read, and the backing services that they
    /// imply, to the components that have none yet. A deployment that cannot be read becomes a finding.
    pub(super) fn variables(
        &mut self,
        found: &FoundFiles,
        assets: &Assets,
        env: &Env,
        task: &Task,
    ) -> Result<(), DraftError> {
        let readme = found.readme.as_deref();
        let described = readme.and_then(|path| files::text(&self.sources, path));
        let is_alone = self.is_alone;
        let mut built = self.components.iter_mut().filter(|one| one.is_built);
        if let (true, Some(one), Some(text)) = (is_alone, built.next(), &described) {
            one.description = first_sentence(text).or_else(|| title(text));
        }
        let described = described.map(|text| documented_variables(&text)).unwrap_or_default();
        let inventory = self.inventory(&self.text())?;
        let workspace = self.workspace(env);
        let scanner = Scanner::new(assets)?;
        // Without rules, every value may be a secret.
        let guard = masking_guard(assets, &inventory).ok();
        let is_secret =
            |name: &str, value: &str| guard.as_ref().is_none_or(|guard| guard.is_secret(name, value));
        for at in std::mem::replace(&mut self.scanned, self.components.len())..self.components.len() {
            let name = self.components[at].name.clone();
            let Some(component) = inventory.components.iter().find(|one| one.name() == name) else {
                continue;
            };
            let mut given: BTreeSet<String> = BTreeSet::new();
            if !component.deployment.is_empty() {
                match load_judged_if_there(component, &inventory, &workspace, assets, &Judges::default()) {
                    Ok((Some(deployed), _)) => {
                        given.extend(deployed.container.variables.iter().map(|one| one.name.clone()));
                        self.given.insert(name.clone(), known_values(&deployed.container));
                    }
                    Ok((None, _)) => {}
                    Err(error) => {
                        self.components[at].has_probe = false;
                        let dropped = std::mem::take(&mut self.components[at].deployment);
                        let path = dropped.first().map_or_else(String::new, |(path, _)| path.clone());
                        self.note(path, format!("not used for `{name}`: {error}"));
                    }
                }
            }
            self.named_hosts(at);
            // There are no sources of an image.
            if !self.components[at].is_built {
                continue;
            }
            let (path, own) = self.own_readme(at).unzip();
            self.components[at].readme = path.or_else(|| readme.map(|path| path.display().to_string()));
            if let Some(text) = own.as_deref().filter(|_| self.components[at].description.is_none()) {
                self.components[at].description = first_sentence(text).or_else(|| title(text));
            }
            let own = own.map(|text| documented_variables(&text)).unwrap_or_default();
            task.detail(format!("scanning the sources of `{name}`"));
            let environment = Environment::default();
            let request = ScanRequest {
                component,
                inventory: &inventory,
                workspace: &workspace,
                assets,
                environment: &environment,
                deployed: None,
                revision: None,
            };
            let scanned = scanner.scan(request)?;
            let required: BTreeMap<String, String> = scanned
                .comparison
                .lacking()
                .map(|one| {
                    let place = one.places.iter().max_by_key(|place| place.need);
                    (one.name.clone(), place.map(|at| format!("{}:{}", at.file, at.line)).unwrap_or_default())
                })
                .collect();
            let reads: BTreeMap<String, String> = scanned.comparison.reads().collect();
            // The table is complete, so that a comparison with the deployment finds what changes.
            let is_listed = |name: &&String| {
                is_environment_name(name) && self.rules.is_of_component(name) && !scanner.is_of_others(name)
            };
            let listed: Vec<String> = given.iter().filter(is_listed).cloned().collect();
            self.take_variables(at, (&own, &described), &reads, &required, (&given, &listed), &is_secret);
        }
        Ok(())
    }

    /// Returns the path and the text of the README in the directory of a component, if that is not the root.
    fn own_readme(&self, at: usize) -> Option<(String, String)> {
        let one = &self.components[at];
        let directory = one.source.as_ref().or(Some(&one.directory)).filter(|path| !path.is_empty())?;
        ["README.md", "readme.md", "Readme.md"]
            .iter()
            .map(|name| Path::new(directory).join(name))
            .find_map(|path| Some((path.display().to_string(), files::text(&self.sources, &path)?)))
    }

    fn take_variables(
        &mut self,
        at: usize,
        (own, described): (&[DocumentedVariable], &[DocumentedVariable]),
        reads: &BTreeMap<String, String>,
        required: &BTreeMap<String, String>,
        (given, listed): (&BTreeSet<String>, &[String]),
        is_secret: &dyn Fn(&str, &str) -> bool,
    ) {
        let mut names: BTreeMap<&str, Option<&DocumentedVariable>> = BTreeMap::new();
        for name in reads.keys().filter(|name| is_environment_name(name) && self.rules.is_of_component(name))
        {
            names.insert(name, None);
        }
        // The README is about all components together.
        for one in described {
            if names.contains_key(one.name.as_str()) || self.is_alone {
                names.insert(&one.name, Some(one));
            }
        }
        for one in own {
            names.insert(&one.name, Some(one));
        }
        for name in listed {
            names.entry(name).or_insert(None);
        }
        let is_required = |name: &str| {
            let documented = names.get(name).copied().flatten();
            required.contains_key(name) || documented.is_some_and(|known| known.required == Some(true))
        };
        // What a Compose file lacks is optional, unless the sources require it.
        let counts = |name: &str| !self.is_of_compose(at) || is_required(name);
        let mut implied = Vec::new();
        for (service, variables) in &self.provided {
            let mut lacking = names.keys().filter(|name| variables.contains(name) && !given.contains(**name));
            let is_implied = lacking.any(|name| counts(name))
                || given.iter().any(|name| variables.contains(name) && reads.contains_key(name));
            if is_implied && !self.is_answered(at, service) {
                implied.push(service.clone());
            }
        }
        self.components[at].needs.extend(implied);
        let needs = &mut self.components[at].needs;
        needs.sort();
        needs.dedup();
        let needs = needs.clone();
        let is_provided = |name: &str| {
            needs.iter().any(|need| self.provided.get(need).is_some_and(|all| all.contains(name)))
        };
        let kept = std::mem::take(&mut self.components[at].environment);
        let has_value = |name: &str| given.contains(name);
        let suggests = |name: &str| self.names.as_ref().is_none_or(|names| names.suggests(name));
        let variable = |(name, known): (&&str, &Option<&DocumentedVariable>)| {
            let known = known.cloned().unwrap_or_default();
            // A value of the deployment comes first in a run, and needs no other.
            let default = known.default.filter(|_| !has_value(name));
            // A document may show a real secret: it is not copied.
            let (secret, default) = match default {
                Some(value) if is_secret(name, &value) => (Some(Secrecy::Replaced), None),
                // A document does not decide that what is called a secret is none.
                default => {
                    (known.secret.filter(|secret| *secret || !suggests(name)).map(Secrecy::from), default)
                }
            };
            let is_read = required.contains_key(*name) && !has_value(name) && default.is_none();
            DraftedVariable {
                name: (*name).to_owned(),
                description: Some(known.description).filter(|text| !text.is_empty()),
                required: known.required.unwrap_or(is_read),
                default,
                secret: match kept.iter().find(|one| one.name == **name).and_then(|one| one.secret) {
                    Some(Secrecy::Kept) => Some(Secrecy::Kept),
                    of_compose => secret.or(of_compose),
                },
            }
        };
        let mut environment: Vec<DraftedVariable> =
            names.iter().filter(|(name, _)| !is_provided(name)).take(VARIABLES).map(variable).collect();
        let more =
            kept.iter().filter(|one| !names.contains_key(one.name.as_str()) && !is_provided(&one.name));
        environment.extend(more.cloned());
        let unknown = required.iter().filter(|(name, _)| !is_provided(name) && !given.contains(*name));
        let has_default =
            |name: &str| environment.iter().any(|one| one.name == name && one.default.is_some());
        let unknown: Vec<(String, String)> = unknown
            .filter(|(name, _)| !has_default(name))
            .map(|(name, place)| (name.clone(), place.clone()))
            .collect();
        let component = self.components[at].name.clone();
        for (name, place) in unknown {
            self.note(
                place,
                format!("`{component}` requires `{name}`, which has no value: `-e {name}=VALUE`"),
            );
        }
        self.components[at].environment = environment;
    }

    /// Returns the command line, without `cki`, that runs the first component with a web page, or else the first one:
    /// with a place for each value that the run demands.
    pub(super) fn next(&self, inventory: &Inventory, assets: &Assets, env: &Env) -> Vec<String> {
        // A database may be built, too, and may come first in a Compose file.
        let is_needed = |one: &DraftedComponent| {
            self.components.iter().any(|other| other.name != one.name && other.needs.contains(&one.name))
        };
        let has_page = |one: &DraftedComponent| one.ports.iter().any(|port| port.is_http);
        let worth = |one: &DraftedComponent| match (one.is_built, has_page(one)) {
            (true, true) => 0,
            (true, false) if !is_needed(one) => 1,
            (false, true) => 2,
            (true, false) => 3,
            (false, false) => 4 + u8::from(is_needed(one)),
        };
        let Some(name) = self.components.iter().min_by_key(|one| worth(one)).map(|one| one.name.clone())
        else {
            return Vec::new();
        };
        let mut words = vec!["run-local".to_owned()];
        match inventory.components.iter().find(|one| one.name() == name) {
            Some(component) => {
                words.extend(run_arguments(component, inventory, assets, env, &self.workspace(env)));
            }
            None => words.push(name.clone()),
        }
        if self.components.iter().any(|one| one.name == name && !one.files.is_empty()) {
            words.push("--watch".to_owned());
        }
        words
    }

    /// Returns the repository as the only working tree.
    fn workspace(&self, env: &Env) -> Workspace {
        Workspace::new(self.root.join(".cki-no-clones"), env.clone())
            .with_trees_around(vec![self.root.to_owned()])
    }
}
