//! `cki env --diff`: compares the environment of a component with that of another component, or of its
//! deployment, or compares two revisions of its deployment and sources.

use std::collections::BTreeMap;

use crate::base::assets::Assets;
use crate::model::environment::difference::{Differences, Side, difference};
use crate::model::environment::{Environment, Wishes};
use crate::model::guard::Guard;
use crate::model::inventory::{Component, Finding, Inventory};
use crate::model::service::Surroundings;
use crate::ops::deployment::{self, Deployed, DeployedError};
use crate::ops::env::resolve;
use crate::ops::scan::{self, ScanError, ScanRequest};
use crate::ops::workspace::Workspace;

/// The other side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum With {
    /// The environment of the deployment.
    Deployment,
    /// The local environment of another component.
    Component(String),
    /// Two revisions of the deployment, with the variables that the sources read.
    Revisions(String, String),
}

impl With {
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
pub struct Whose<'a> {
    /// The component.
    pub component: &'a Component,
    /// The inventory.
    pub inventory: &'a Inventory,
    /// The directory of clones.
    pub workspace: &'a Workspace,
    /// Templates.
    pub assets: &'a Assets,
    /// The facts that differ between engines and machines.
    pub around: Surroundings<'a>,
    /// The guard, which recognises credentials.
    pub guard: &'a Guard,
}

/// Two compared environments.
#[derive(Debug)]
pub struct Compared {
    /// Name of the left side.
    pub left: String,
    /// Name of the right side.
    pub right: String,
    /// The differences.
    pub differences: Differences,
    /// Parts of the deployments that were not understood.
    pub findings: Vec<Finding>,
}

/// Compares two environments.
///
/// # Errors
/// Fails when one of the two is not available.
pub fn compare(whose: Whose<'_>, wishes: Wishes, with: &With) -> anyhow::Result<Compared> {
    let Whose { component, inventory, .. } = whose;
    let mut findings = Vec::new();
    let name = component.name().to_owned();
    let (left, right, names) = match with {
        With::Deployment => {
            let deployed = deployment::load(component, inventory, whose.workspace, whose.assets)?;
            let environment = local(whose, component, Some(&deployed), wishes)?;
            findings = deployed.findings;
            let names = ("deployment".to_owned(), "local".to_owned());
            (Side::production(&environment), Side::local(&environment), names)
        }
        With::Component(other) => {
            let other = inventory.find(other)?;
            let one = with_deployment(whose, component, wishes, &mut findings)?;
            let two = with_deployment(whose, other, Wishes::default(), &mut findings)?;
            (Side::local(&one), Side::local(&two), (name, other.name().to_owned()))
        }
        With::Revisions(left, right) => {
            let (one, two) = (At::read(whose, left)?, At::read(whose, right)?);
            let (left_side, right_side) = sides(whose, one, two, &mut findings)?;
            (left_side, right_side, (left.clone(), right.clone()))
        }
    };
    let differences = difference(&left, &right);
    Ok(Compared { left: names.0, right: names.1, differences, findings })
}

/// A component at a revision of its clones.
struct At {
    deployed: Result<Deployed, DeployedError>,
    /// The variables that its sources read, each with a place.
    reads: Result<BTreeMap<String, String>, ScanError>,
}

impl At {
    fn read(whose: Whose<'_>, revision: &str) -> anyhow::Result<Self> {
        let Whose { component, inventory, workspace, assets, .. } = whose;
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
fn sides(whose: Whose<'_>, left: At, right: At, findings: &mut Vec<Finding>) -> anyhow::Result<(Side, Side)> {
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
                if matches!(error, DeployedError::None { .. }) && !whose.component.sources.is_empty() =>
            {
                return Err(unread.into());
            }
            Some(_) => return Err(error.into()),
        },
    };
    let is_secret = |name: &str| whose.component.environment.iter().any(|v| v.name == name && v.is_secret());
    let (mut one, mut two) = (Side::default(), Side::default());
    if let Some((left, right)) = deployed {
        let side = |at: &Deployed| {
            Side::deployed(
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
    whose: Whose<'_>,
    component: &Component,
    wishes: Wishes,
    findings: &mut Vec<Finding>,
) -> anyhow::Result<Environment> {
    let (deployed, _) = deployment::load_if_there(component, whose.inventory, whose.workspace, whose.assets)?;
    let environment = local(whose, component, deployed.as_ref(), wishes)?;
    findings.extend(deployed.into_iter().flat_map(|deployed| deployed.findings));
    Ok(environment)
}

fn local(
    whose: Whose<'_>,
    component: &Component,
    deployed: Option<&Deployed>,
    wishes: Wishes,
) -> anyhow::Result<Environment> {
    let Whose { inventory, assets, around, .. } = whose;
    let mut environment = resolve(component, inventory, assets, around, deployed, wishes)?.environment;
    // A credential is masked here; refusing it is up to a run.
    let _ = whose.guard.inspect(component.name(), &mut environment);
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_may_write() {
        assert_eq!(With::parse("deployment"), With::Deployment);
        assert_eq!(With::parse("service/x"), With::Component("service/x".into()));
        assert_eq!(With::parse("v1..mr-213"), With::Revisions("v1".into(), "mr-213".into()));
        assert_eq!(With::parse("main.."), With::Revisions("main".into(), "HEAD".into()));
    }
}
