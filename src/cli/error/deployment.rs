//! Exit codes and hints for errors of deployments.

use super::{Diagnosis, hint, of_file, of_git, plain};
use crate::base::exit::Exit;
use crate::model::deployment::DeploymentError;
use crate::ops::shared::deployment::DeployedError;

pub(super) fn of_deployed(error: &DeployedError) -> Diagnosis {
    match error {
        DeployedError::Deployment(inner) => of_deployment(inner),
        DeployedError::Rule(_) | DeployedError::Credentials(_) => plain(Exit::Invalid),
        DeployedError::File(inner) => of_file(inner),
        DeployedError::Git(inner) => of_git(inner),
        DeployedError::NoRevision { .. } => hint(
            Exit::NotFound,
            "name a branch, a tag or a commit of the clone; `git fetch` in it gets new ones.",
        ),
        DeployedError::NotCloned { component, .. } => {
            hint(Exit::NotFound, format!("`cki clone {component}` clones it."))
        }
        DeployedError::None { .. } => {
            hint(Exit::NotFound, "add `deployment: [{repo: NAME, path: PATH}]` to the entry.")
        }
    }
}

fn of_deployment(error: &DeploymentError) -> Diagnosis {
    match error {
        DeploymentError::Ambiguous { .. } | DeploymentError::NoSuch { .. } => hint(
            Exit::Invalid,
            "say which with `container: CONTAINER`, `WORKLOAD/CONTAINER` or \
             `NAMESPACE/KIND/WORKLOAD/CONTAINER`, beside the path.",
        ),
        DeploymentError::Missing { .. } => hint(
            Exit::NotFound,
            "the clone may be older than the entry: `git pull` in it, or correct the path.",
        ),
        DeploymentError::Yaml(_)
        | DeploymentError::File(_)
        | DeploymentError::Outside { .. }
        | DeploymentError::TooMuch { .. }
        | DeploymentError::Cycle { .. }
        | DeploymentError::Wrong { .. }
        | DeploymentError::NoContainer { .. } => plain(Exit::Invalid),
    }
}
