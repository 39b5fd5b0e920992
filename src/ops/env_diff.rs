//! `cki env --diff`: the environment of a component beside another one: that of another component,
//! that of its deployment, or its deployment at another time.

use crate::base::assets::Assets;
use crate::model::environment::Wishes;
use crate::model::environment::difference::{Differences, Side, difference};
use crate::model::inventory::{Component, Finding, Inventory};
use crate::model::service::Surroundings;
use crate::ops::deployment::{self, Deployed, DeployedError};
use crate::ops::env::resolve;
use crate::ops::workspace::Workspace;

/// What to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum With {
    /// What the deployment has.
    Deployment,
    /// The local environment of another component.
    Component(String),
    /// The deployment at one revision with that at another.
    Revisions(String, String),
}

impl With {
    /// Reads what a person writes: `deployment`, `REV..REV`, or a component.
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

/// Whose environment, and what it is resolved by.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// The component.
    pub component: &'a Component,
    /// The inventory.
    pub inventory: &'a Inventory,
    /// Where clones are.
    pub workspace: &'a Workspace,
    /// Templates.
    pub assets: &'a Assets,
    /// What differs from place to place.
    pub around: Surroundings<'a>,
}

/// Two environments beside each other.
#[derive(Debug)]
pub struct Compared {
    /// What the left one is called.
    pub left: String,
    /// What the right one is called.
    pub right: String,
    /// In what they differ.
    pub differences: Differences,
    /// What was not understood of the deployments.
    pub findings: Vec<Finding>,
}

/// Compares.
///
/// # Errors
/// When one of the two cannot be had.
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
            let mut at = |revision: &String| -> Result<Side, DeployedError> {
                let deployed =
                    deployment::load_at(revision, component, inventory, whose.workspace, whose.assets)?;
                findings.extend(deployed.findings);
                let is_secret =
                    |name: &str| component.environment.iter().any(|v| v.name == name && v.is_secret());
                Ok(Side::deployed(&deployed.container, &is_secret))
            };
            (at(left)?, at(right)?, (left.clone(), right.clone()))
        }
    };
    let differences = difference(&left, &right);
    Ok(Compared { left: names.0, right: names.1, differences, findings })
}

fn with_deployment(
    whose: Whose<'_>,
    component: &Component,
    wishes: Wishes,
    findings: &mut Vec<Finding>,
) -> anyhow::Result<crate::model::environment::Environment> {
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
) -> anyhow::Result<crate::model::environment::Environment> {
    let Whose { inventory, assets, around, .. } = whose;
    Ok(resolve(component, inventory, assets, around, deployed, wishes)?.environment)
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
