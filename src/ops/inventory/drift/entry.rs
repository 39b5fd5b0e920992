//! Facts of the deployment of a component. Its variables from sources are in `variables`.

use super::request::DriftRequest;
use crate::model::draft::DraftRules;
use crate::model::environment::is_environment_name;
use crate::model::inventory::Component;
use crate::model::inventory::check::RelatedPlace;
use crate::model::inventory::check::drift::DeploymentFacts;
use crate::ops::scan::Scanner;
use crate::ops::shared::deployment::{DeployedError, Judges, load_judged_if_there};

/// Returns the facts of a deployment, if it is cloned, or why it cannot be read.
pub(super) fn deployment(
    component: &Component,
    request: &DriftRequest<'_>,
    judges: &Judges,
    scanner: &Scanner,
    rules: &DraftRules,
) -> anyhow::Result<Option<Result<DeploymentFacts, String>>> {
    let DriftRequest { inventory, workspace, assets, .. } = *request;
    let deployed = match load_judged_if_there(component, inventory, workspace, assets, judges) {
        Ok((Some(deployed), _)) => deployed,
        // The clones of some of its files cannot be used.
        Ok((None, _)) | Err(DeployedError::Git(_)) => return Ok(None),
        Err(DeployedError::Deployment(error)) => return Ok(Some(Err(error.to_string()))),
        Err(error) => return Err(error.into()),
    };
    let container = &deployed.container;
    let is_of_component =
        |name: &str| is_environment_name(name) && rules.is_of_component(name) && !scanner.is_of_others(name);
    let variables = container.variables.iter().filter(|one| is_of_component(&one.name));
    Ok(Some(Ok(DeploymentFacts {
        place: related(&container.place),
        ports: container.ports.iter().map(|port| port.number).collect(),
        has_command: !container.command.is_empty() || !container.args.is_empty(),
        variables: variables.filter_map(|one| Some((one.name.clone(), related(&one.place)?))).collect(),
    })))
}

/// Returns the place of `file:line`.
pub(super) fn related(place: &str) -> Option<RelatedPlace> {
    let (file, line) = place.rsplit_once(':')?;
    Some(RelatedPlace { file: file.to_owned(), line: line.parse().ok()? })
}
