//! The variables of a draft: those that the README describes and the sources read, and the backing services that
//! they imply. The components come from `draft`.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Drafting;
use super::files::{self, FoundFiles};
use super::outcome::InitError;
use crate::base::assets::Assets;
use crate::host::Env;
use crate::model::draft::{DraftedVariable, documented_variables, inventory_text};
use crate::model::environment::{Environment, is_environment_name};
use crate::ops::scan::{self, ScanRequest};
use crate::ops::shared::deployment::{Judges, load_judged_if_there};
use crate::ops::shared::workspace::Workspace;

/// Maximum number of variables of an entry.
const VARIABLES: usize = 100;

impl Drafting<'_> {
    /// Adds the variables that the README describes and the sources read, and the backing services that they
    /// imply. A deployment that cannot be read becomes a finding.
    pub(super) fn variables(
        &mut self,
        found: &FoundFiles,
        assets: &Assets,
        env: &Env,
    ) -> Result<(), InitError> {
        let readme = found.readme.as_deref();
        let described = readme.and_then(|path| files::text(&self.sources, path));
        let described = described.map(|text| documented_variables(&text)).unwrap_or_default();
        let text = inventory_text(&self.repo, &self.address, &self.components);
        let inventory = self.inventory(&text)?;
        let workspace = Workspace::new(self.root.join(".cki-no-clones"), env.clone())
            .with_trees_around(vec![self.root.to_owned()]);
        for at in 0..self.components.len() {
            let name = self.components[at].name.clone();
            let Some(component) = inventory.components.iter().find(|one| one.name() == name) else {
                continue;
            };
            let mut given: BTreeSet<String> = BTreeSet::new();
            if !component.deployment.is_empty() {
                match load_judged_if_there(component, &inventory, &workspace, assets, &Judges::default()) {
                    Ok((Some(deployed), _)) => {
                        given.extend(deployed.container.variables.iter().map(|one| one.name.clone()));
                    }
                    Ok((None, _)) => {}
                    Err(error) => {
                        let dropped = std::mem::take(&mut self.components[at].deployment);
                        let path = dropped.first().map_or_else(String::new, |(path, _)| path.clone());
                        self.note(path, format!("not used for `{name}`: {error}"));
                    }
                }
            }
            let environment = Environment::default();
            let request = ScanRequest {
                component,
                inventory: &inventory,
                workspace: &workspace,
                assets,
                environment: &environment,
                revision: None,
            };
            let scanned = scan::scan(request)?;
            let required: BTreeMap<String, String> = scanned
                .comparison
                .lacking()
                .map(|one| {
                    let place = one.places.iter().max_by_key(|place| place.need);
                    (one.name.clone(), place.map(|at| format!("{}:{}", at.file, at.line)).unwrap_or_default())
                })
                .collect();
            let reads: BTreeMap<String, String> = scanned.comparison.reads().collect();
            self.take_variables(at, &described, &reads, &required, &given);
        }
        Ok(())
    }

    fn take_variables(
        &mut self,
        at: usize,
        described: &[(String, usize, String)],
        reads: &BTreeMap<String, String>,
        required: &BTreeMap<String, String>,
        given: &BTreeSet<String>,
    ) {
        let mut names: BTreeMap<&str, Option<String>> = BTreeMap::new();
        for name in reads.keys().filter(|name| is_environment_name(name)) {
            names.insert(name, None);
        }
        // The README is about all components together.
        for (name, _, text) in described {
            if names.contains_key(name.as_str()) || self.components.len() == 1 {
                names.insert(name, Some(text.clone()).filter(|text| !text.is_empty()));
            }
        }
        for (service, variables) in &self.provided {
            let is_implied = names.keys().any(|name| variables.contains(*name) && !given.contains(*name))
                || given.iter().any(|name| variables.contains(name) && reads.contains_key(name));
            if is_implied && !self.components[at].needs.contains(service) {
                self.components[at].needs.push(service.clone());
            }
        }
        let needs = &mut self.components[at].needs;
        needs.sort();
        needs.dedup();
        let needs = needs.clone();
        let is_provided = |name: &str| {
            needs.iter().any(|need| self.provided.get(need).is_some_and(|all| all.contains(name)))
        };
        let environment = names
            .iter()
            .filter(|(name, _)| !is_provided(name))
            .take(VARIABLES)
            .map(|(name, text)| DraftedVariable { name: (*name).to_owned(), description: text.clone() });
        let environment: Vec<DraftedVariable> = environment.collect();
        let unknown = required.iter().filter(|(name, _)| !is_provided(name) && !given.contains(*name));
        let unknown: Vec<(String, String)> =
            unknown.map(|(name, place)| (name.clone(), place.clone())).collect();
        let component = self.components[at].name.clone();
        for (name, place) in unknown {
            self.note(
                place,
                format!("`{component}` requires `{name}`, which has no value: `-e {name}=VALUE`"),
            );
        }
        self.components[at].environment = environment;
    }
}
