//! `cki env --diff`: compares the environment of a component with that of another component, or of its
//! deployment, or compares two revisions of its deployment and sources.

use std::collections::BTreeMap;

use crate::base::assets::Assets;
use crate::model::environment::difference::{Differences, EnvSnapshot, difference};
use crate::model::environment::{EnvOverrides, Environment};
use crate::model::guard::Guard;
use crate::model::inventory::{Component, Inventory, InventoryFinding};
use crate::model::service::TemplateContext;
use crate::ops::env::resolve;
use crate::ops::scan::{self, ScanError, ScanRequest};
use crate::ops::shared::deployment::{self, DeployedComponents, DeployedError};
use crate::ops::shared::workspace::Workspace;

/// The other side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiffTarget {
    /// The environment of the deployment.
    Deployment,
    /// The local environment of another component.
    Component(String),
    /// Two revisions of the deployment, with the variables that the sources read.
    Revisions(String, String),
}

impl DiffTarget {
    /// Parses `deployment`, `REV..REV`, or the name of a component.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let or_head =
            |revision: &str| if revision.is_empty() { "HEAD".to_owned() } else { revision.to_owned() };
        match text.split_once("..") {
            Some((left, right)) => Self::Revisions(or_head(left), or_head(right)),
            None if text == "deployment" => Self::Deployment,
            None => Self::Component(text.to_owned()),
        }
    }
}

/// The subject of a comparison and the inputs that resolve it.
#[derive(Debug, Clone, Copy)]
pub struct DiffContext<'a> {
    /// The component.
    pub component: &'a Component,
    /// The inventory.
    pub inventory: &'a Inventory,
    /// The directory of clones.
    pub workspace: &'a Workspace,
    /// Templates.
    pub assets: &'a Assets,
    /// The facts that differ between engines and machines.
    pub ctx: TemplateContext<'a>,
    /// The guard, which recognises credentials.
    pub guard: &'a Guard,
}

/// Two compared environments.
#[derive(Debug)]
pub struct ComparedEnvironments {
    /// Name of the left side.
    pub left: String,
    /// Name of the right side.
    pub right: String,
    /// The differences.
    pub differences: Differences,
    /// Parts of the deployments that were not understood.
    pub findings: Vec<InventoryFinding>,
}

/// Compares two environments.
///
/// # Errors
/// Fails when one of the two is not available.
pub fn compare(
    diff: DiffContext<'_>,
    overrides: EnvOverrides,
    with: &DiffTarget,
) -> anyhow::Result<ComparedEnvironments> {
    let DiffContext { component, inventory, .. } = diff;
    let mut findings = Vec::new();
    let name = component.name().to_owned();
    let (left, right, names) = match with {
        DiffTarget::Deployment => {
            let deployed = deployment::load(component, inventory, diff.workspace, diff.assets)?;
            let environment = local(diff, component, Some(&deployed), overrides)?;
            findings = deployed.findings;
            let names = ("deployment".to_owned(), "local".to_owned());
            (EnvSnapshot::production(&environment), EnvSnapshot::local(&environment), names)
        }
        DiffTarget::Component(other) => {
            let other = inventory.find(other)?;
            let one = with_deployment(diff, component, overrides, &mut findings)?;
            let two = with_deployment(diff, other, EnvOverrides::default(), &mut findings)?;
            (EnvSnapshot::local(&one), EnvSnapshot::local(&two), (name, other.name().to_owned()))
        }
        DiffTarget::Revisions(left, right) => {
            let (one, two) = (RevisionState::read(diff, left)?, RevisionState::read(diff, right)?);
            let (left_side, right_side) = sides(diff, one, two, &mut findings)?;
            (left_side, right_side, (left.clone(), right.clone()))
        }
    };
    let differences = difference(&left, &right);
    Ok(ComparedEnvironments { left: names.0, right: names.1, differences, findings })
}

/// A component at a revision of its clones.
struct RevisionState {
    deployed: Result<DeployedComponents, DeployedError>,
    /// The variables that its sources read, each with a place.
    reads: Result<BTreeMap<String, String>, ScanError>,
}

impl RevisionState {
    fn read(diff: DiffContext<'_>, revision: &str) -> anyhow::Result<Self> {
        let DiffContext { component, inventory, workspace, assets, .. } = diff;
        let deployed = match deployment::load_at(revision, component, inventory, workspace, assets) {
            // The other revision may have a deployment.
            Err(error) if !error.is_absence() => return Err(error.into()),
            other => other,
        };
        let environment = Environment::default();
        let request = ScanRequest {
            component,
            inventory,
            workspace,
            assets,
            environment: &environment,
            deployed: None,
            revision: Some(revision),
        };
        let reads = match scan::scan(request).map(|outcome| outcome.comparison.reads().collect()) {
            Err(error) if !error.is_absence() => return Err(error.into()),
            other => other,
        };
        Ok(Self { deployed, reads })
    }
}

/// Compares two revisions of a component, limited to the facts that both have.
fn sides(
    diff: DiffContext<'_>,
    left: RevisionState,
    right: RevisionState,
    findings: &mut Vec<InventoryFinding>,
) -> anyhow::Result<(EnvSnapshot, EnvSnapshot)> {
    let (reads, unread) = match (left.reads, right.reads) {
        (Ok(left), Ok(right)) => (Some((left, right)), None),
        (Err(error), _) | (_, Err(error)) => (None, Some(error)),
    };
    let deployed = match (left.deployed, right.deployed) {
        (Ok(left), Ok(right)) => Some((left, right)),
        (Err(error), _) | (_, Err(error)) => match unread {
            None => None,
            // Without any deployment, the user means the sources.
            Some(unread)
                if matches!(error, DeployedError::None { .. }) && !diff.component.sources.is_empty() =>
            {
                return Err(unread.into());
            }
            Some(_) => return Err(error.into()),
        },
    };
    let is_secret = |name: &str| diff.component.environment.iter().any(|v| v.name == name && v.is_secret());
    let (mut one, mut two) = (EnvSnapshot::default(), EnvSnapshot::default());
    if let Some((left, right)) = deployed {
        let side = |at: &DeployedComponents| {
            EnvSnapshot::deployed(
                &at.container,
                &is_secret,
                &|name, value| at.is_credential(name, value),
                at.names(),
            )
        };
        (one, two) = (side(&left), side(&right));
        findings.extend(left.findings.into_iter().chain(right.findings));
    }
    if let Some((left, right)) = reads {
        one.add_reads(left);
        two.add_reads(right);
    }
    Ok((one, two))
}

fn with_deployment(
    diff: DiffContext<'_>,
    component: &Component,
    overrides: EnvOverrides,
    findings: &mut Vec<InventoryFinding>,
) -> anyhow::Result<Environment> {
    let (deployed, _) = deployment::load_if_there(component, diff.inventory, diff.workspace, diff.assets)?;
    let environment = local(diff, component, deployed.as_ref(), overrides)?;
    findings.extend(deployed.into_iter().flat_map(|deployed| deployed.findings));
    Ok(environment)
}

fn local(
    diff: DiffContext<'_>,
    component: &Component,
    deployed: Option<&DeployedComponents>,
    overrides: EnvOverrides,
) -> anyhow::Result<Environment> {
    let DiffContext { inventory, assets, ctx, .. } = diff;
    let mut environment = resolve(component, inventory, assets, ctx, deployed, overrides)?.environment;
    // A credential is masked here; refusing it is up to a run.
    let _ = diff.guard.inspect(component.name(), &mut environment);
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diff_target_parses_every_form() {
        assert_eq!(DiffTarget::parse("deployment"), DiffTarget::Deployment);
        assert_eq!(DiffTarget::parse("service/x"), DiffTarget::Component("service/x".into()));
        assert_eq!(DiffTarget::parse("v1..mr-213"), DiffTarget::Revisions("v1".into(), "mr-213".into()));
        assert_eq!(DiffTarget::parse("main.."), DiffTarget::Revisions("main".into(), "HEAD".into()));
    }
}
