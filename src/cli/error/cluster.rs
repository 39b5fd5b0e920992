//! Exit codes and hints for errors of `kubectl`.

use super::diagnosis::{Diagnosis, hint, plain};
use crate::base::exit::Exit;
use crate::ops::shared::cluster_boundary::ClusterBoundaryError;
use crate::systems::kubectl::KubectlError;

pub(super) fn of_boundary(error: &ClusterBoundaryError) -> Diagnosis {
    match error {
        ClusterBoundaryError::IsProduction { .. } | ClusterBoundaryError::IsStaging { .. } => hint(
            Exit::Refused,
            "`stage.context` and `stage.namespace` name a place for tests, `production.context` and `production.namespace` another one; a half alone counts for all that it names.",
        ),
        ClusterBoundaryError::Host { host, .. } => hint(
            Exit::Refused,
            format!(
                "if staging is on that server, too, add `{host}` to `staging.hosts` in the head of the inventory."
            ),
        ),
        ClusterBoundaryError::Unknown { context, .. } => hint(
            Exit::Refused,
            format!(
                "`kubectl config get-contexts` lists its contexts; name the right one in place of `{context}`."
            ),
        ),
        ClusterBoundaryError::Kubectl(inner) => of_kubectl(inner),
    }
}

pub(super) fn of_kubectl(error: &KubectlError) -> Diagnosis {
    match error {
        KubectlError::Missing(_) => hint(
            Exit::NotFound,
            "install `kubectl` or `oc`; `cki config set stage.kubectl PROGRAM` names another one.",
        ),
        KubectlError::Start { .. } | KubectlError::Output(_) => plain(Exit::Unreachable),
        KubectlError::NoContext { .. } => hint(
            Exit::NotFound,
            "log in to that cluster first, or name another context with `cki config set stage.context NAME`.",
        ),
        KubectlError::Unauthorised { context, .. } => hint(
            Exit::Unauthorised,
            format!("log in again, with `oc login` or your usual way to `{context}`."),
        ),
        KubectlError::Forbidden { .. } => {
            hint(Exit::Unauthorised, "ask the owners of the namespace for this right, or use another one.")
        }
        KubectlError::NoNamespace { .. } => hint(
            Exit::NotFound,
            "`cki config set stage.namespace NAME` names another one; `cki` creates none.",
        ),
        KubectlError::Conflict { .. } => {
            hint(Exit::Refused, "nothing was overwritten; unstage the merge request, and stage it again.")
        }
        KubectlError::Changed { .. } => hint(Exit::Refused, "nothing was changed; look at it again."),
        KubectlError::Invalid { .. } | KubectlError::Other(_) | KubectlError::Silent(_) => {
            plain(Exit::Failed)
        }
        KubectlError::Unreachable { .. } => {
            hint(Exit::Unreachable, "`kubectl cluster-info` with the same context says more.")
        }
        KubectlError::NotFound { .. } => plain(Exit::NotFound),
        KubectlError::TimedOut { .. } => hint(
            Exit::TimedOut,
            "`kubectl get pods` with the same context shows what it waits for; it may want a login, and has no terminal here.",
        ),
    }
}
