//! Exit codes and hints for errors of the way back.

use super::cluster::{of_boundary, of_kubectl};
use super::diagnosis::{Diagnosis, hint, plain};
use super::kubernetes::of_registry;
use super::staging::{login_hint, of_staging};
use super::systems::of_gitlab;
use crate::base::exit::Exit;
use crate::base::text::command_line;
use crate::ops::rollback::{ImageError, RollbackError};
use crate::ops::shared::production_cluster::ProductionClusterError;
use crate::systems::registry::RegistryError;

pub(super) fn of_rollback(error: &RollbackError) -> Diagnosis {
    match error {
        RollbackError::GitLab(inner) => of_gitlab(inner),
        RollbackError::Text(inner) => of_staging(inner),
        RollbackError::Quiet(_) => hint(
            Exit::Invalid,
            "`cki config set production.quiet 'fri, 16:00-09:00'` sets it; nothing was changed.",
        ),
        RollbackError::NotDeployed { component, .. } => hint(
            Exit::NotFound,
            format!("add a merge request or a commit to `{}`.", command(component, &["--revert"])),
        ),
        RollbackError::Several { component, choices, .. } => {
            let each = choices.iter().map(|(environment, what)| {
                format!("`{}` reverts what `{environment}` runs.", command(component, &["--revert", what]))
            });
            Diagnosis { exit: Exit::Usage, hints: each.collect() }
        }
        RollbackError::NotMerged { .. } => hint(Exit::Failed, "nothing was sent."),
        RollbackError::NoBranch { .. } => plain(Exit::NotFound),
        RollbackError::Reverted { .. } => hint(
            Exit::Refused,
            "`cki status` shows whether it is deployed; name another commit after `--revert`.",
        ),
        RollbackError::Conflict { branch, .. } => hint(
            Exit::Failed,
            format!(
                "revert it by hand on the branch `{branch}`, which exists now, and run the same command; or delete that branch."
            ),
        ),
        RollbackError::NoToken { server } => login_hint(server),
        RollbackError::NoScope { server, missing, .. } => hint(
            Exit::Unauthorised,
            format!("nothing was sent; make a token with `{missing}`, and `cki login {server}` keeps it."),
        ),
        RollbackError::Uncertain { source, .. } => Diagnosis {
            exit: of_gitlab(source).exit,
            hints: vec!["the same command continues where it stopped.".to_owned()],
        },
    }
}

pub(super) fn of_image(error: &ImageError) -> Diagnosis {
    match error {
        ImageError::Cluster(ProductionClusterError::NotNamed { what }) => hint(
            Exit::Refused,
            format!("nothing was changed; `cki config set production.{what} NAME` names it."),
        ),
        ImageError::Cluster(ProductionClusterError::Namespace(_)) => plain(Exit::Invalid),
        ImageError::Cluster(ProductionClusterError::Kubectl(inner)) | ImageError::Kubectl(inner) => {
            of_kubectl(inner)
        }
        ImageError::Boundary(inner) => of_boundary(inner),
        ImageError::Registry(RegistryError::NoTag { .. }) => {
            hint(Exit::NotFound, "nothing was changed; check the digest.")
        }
        ImageError::Registry(inner) => of_registry(inner),
        ImageError::GitLab(inner) => of_gitlab(inner),
        ImageError::Text(inner) => of_staging(inner),
        ImageError::NoWorkload { .. } | ImageError::NoStream { .. } => plain(Exit::NotFound),
        ImageError::Several { .. } => hint(Exit::Usage, "name one with `--workload KIND/NAME`."),
        ImageError::Container { .. } => hint(Exit::Usage, "name one with `--container NAME`."),
        ImageError::NoPrevious { component, .. } => hint(
            Exit::NotFound,
            format!(
                "name an image by its digest, as `--to sha256:…`; `{}` is the lasting way.",
                command(component, &["--revert"])
            ),
        ),
        ImageError::NotInStream { .. } => {
            hint(Exit::NotFound, "only an image that the ImageStream has had can be set.")
        }
        ImageError::Same { .. } => hint(Exit::Failed, "nothing was changed."),
        ImageError::Changed { .. } => hint(Exit::Refused, "nothing was changed; look at it again."),
        ImageError::NoRecord => {
            hint(Exit::Refused, "nothing was changed; name the merge request for the record with `--mr N`.")
        }
        ImageError::Unconfirmed { component } => hint(
            Exit::Refused,
            format!("nothing was changed; `--confirm {component}` confirms it where nobody can be asked."),
        ),
        ImageError::QuietTime { .. } => hint(
            Exit::Refused,
            "nothing was changed; `--in-quiet-time` changes it all the same, and `--revert` prepares the lasting way.",
        ),
    }
}

/// Returns the command of the way back of a component.
fn command(component: &str, rest: &[&str]) -> String {
    let words = ["cki", "rollback", component].into_iter().chain(rest.iter().copied());
    command_line(&words.map(str::to_owned).collect::<Vec<_>>())
}
