//! The variables that a component reads, and those that it gets in any run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::clones::DriftClones;
use super::request::DriftRequest;
use crate::base::assets::Assets;
use crate::model::draft::DraftRules;
use crate::model::environment::{Environment, is_environment_name};
use crate::model::inventory::check::RelatedPlace;
use crate::model::inventory::check::drift::ReadFacts;
use crate::model::inventory::{Component, Inventory};
use crate::model::scan::{ReadSite, Requirement, UseState};
use crate::ops::scan::{ScanRequest, Scanner};
use crate::ops::shared::services;

/// The variables that components get whatever their entries declare.
pub(super) struct ProvidedVariables<'a> {
    inventory: &'a Inventory,
    assets: &'a Assets,
    of_services: HashMap<String, BTreeSet<String>>,
}

impl<'a> ProvidedVariables<'a> {
    pub(super) fn new(inventory: &'a Inventory, assets: &'a Assets) -> Self {
        Self { inventory, assets, of_services: HashMap::new() }
    }

    /// Returns the variables of the backing services that a component needs, and the locked ones.
    pub(super) fn of(&mut self, component: &Component) -> BTreeSet<String> {
        let mut provided: BTreeSet<String> = self.inventory.production.environment.keys().cloned().collect();
        for need in component.run.iter().flat_map(|run| &run.needs) {
            let of_service = self.of_services.entry(need.name.clone()).or_insert_with(|| {
                // Other rules report a template that cannot be read.
                let template = services::template(self.assets, self.inventory, &need.name).ok().flatten();
                template
                    .iter()
                    .flat_map(|one| one.provides().map(str::to_owned).collect::<Vec<_>>())
                    .collect()
            });
            provided.extend(of_service.iter().cloned());
        }
        provided
    }
}

/// Returns the variables that the sources of a component read, if one of them is cloned.
pub(super) fn reads(
    component: &Component,
    request: &DriftRequest<'_>,
    scanner: &Scanner,
    rules: &DraftRules,
    clones: &DriftClones,
) -> anyhow::Result<Option<ReadFacts>> {
    let DriftRequest { inventory, workspace, assets, .. } = *request;
    let environment = Environment::default();
    let scan = ScanRequest {
        component,
        inventory,
        workspace,
        assets,
        environment: &environment,
        deployed: None,
        revision: None,
    };
    let outcome = match scanner.scan(scan) {
        Ok(outcome) => outcome,
        Err(error) if error.is_absence() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut reads = BTreeMap::new();
    for one in outcome.comparison.uses.iter().filter(|one| one.state == UseState::Nowhere) {
        if !is_environment_name(&one.name) || !rules.is_of_component(&one.name) {
            continue;
        }
        if let Some(site) = one.places.iter().filter(|site| is_own(site)).max_by_key(|site| site.need) {
            let place = RelatedPlace { file: clones.file(component, &site.file), line: site.line };
            reads.insert(one.name.clone(), (site.need == Requirement::Required, place));
        }
    }
    let is_complete = outcome.not_cloned.is_empty()
        && outcome.libraries.is_empty()
        && outcome.not_read.is_empty()
        && !outcome.cut_short
        && outcome.unknown.iter().all(|(_, unknown)| unknown.test);
    let declared = component.environment.iter().map(|one| &one.name);
    let of_libraries = declared.filter(|name| scanner.is_of_others(name)).cloned().collect();
    Ok(Some(ReadFacts { reads, is_complete, of_libraries }))
}

/// Returns whether a component's own code reads a variable when it runs: not code that it shares with others, and not
/// the settings of pipelines and editors in hidden directories.
fn is_own(site: &ReadSite) -> bool {
    let is_hidden = |part: &std::ffi::OsStr| part.to_string_lossy().starts_with('.');
    site.counts() && !site.shared && !Path::new(&site.file).iter().any(is_hidden)
}
