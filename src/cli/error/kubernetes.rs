//! Exit codes and hints for errors of releases and registries. Those of clusters are in `cluster`.

use super::cluster::{of_boundary, of_kubectl};
use super::deployment::of_deployed;
use super::diagnosis::{Diagnosis, at, hint, plain};
use super::environment::{of_refusal, of_rules};
use super::staging::of_stage;
use super::systems::of_source;
use crate::base::exit::Exit;
use crate::base::text::command_line;
use crate::ops::stage::StageError;
use crate::ops::stage::kubernetes::ReleaseStageError;
use crate::ops::unstage::RemovalChanged;
use crate::systems::registry::RegistryError;

pub(super) fn of_release(error: &ReleaseStageError) -> Diagnosis {
    match error {
        ReleaseStageError::Stage(StageError::NotRequested { merge_request, .. }) => {
            let words = ["cki", "stage", "--via", "kubernetes", "--mr", merge_request];
            let asks = command_line(&words.map(str::to_owned));
            hint(Exit::NotFound, format!("`{asks}` requests it."))
        }
        ReleaseStageError::Stage(inner) => of_stage(inner),
        ReleaseStageError::Kubectl(inner) => of_kubectl(inner),
        ReleaseStageError::Registry(inner) => of_registry(inner),
        ReleaseStageError::Release(inner) if inner.is_refusal() => hint(
            Exit::Refused,
            "nothing was applied; `staging` in the head of the inventory has the rules for staging.",
        ),
        ReleaseStageError::Release(_) | ReleaseStageError::Rule(_) => plain(Exit::Invalid),
        ReleaseStageError::Deployed(inner) => of_deployed(inner),
        ReleaseStageError::Source(inner) => of_source(inner),
        ReleaseStageError::Refused(inner) => of_refusal(inner),
        ReleaseStageError::Policy(inner) => of_rules(inner),
        ReleaseStageError::NotNamed { what } => hint(
            Exit::Refused,
            format!(
                "`cki config set stage.{what} NAME` names it, or `staging.kubernetes.{what}` in the head of the inventory."
            ),
        ),
        ReleaseStageError::Boundary(inner) => of_boundary(inner),
        ReleaseStageError::Namespace(_) => plain(Exit::Invalid),
        ReleaseStageError::NoComponent { .. } => hint(Exit::NotFound, "say which one with `--component`."),
        ReleaseStageError::NoImage { place, .. } => {
            hint(Exit::Invalid, format!("add `image` at {}.", at(place)))
        }
        ReleaseStageError::ImageCommit { stated, .. } => hint(
            Exit::Refused,
            format!(
                "wait until the pipeline of the head has published its image; `--image-commit {}` deploys this one.",
                stated.get(..8).unwrap_or(stated)
            ),
        ),
        ReleaseStageError::NotCombined { source, .. } => of_release(source),
        ReleaseStageError::Signal(signal) => plain(signal.exit()),
        ReleaseStageError::Partial { merge_request, cause, .. } => {
            let undo = command_line(&["cki", "unstage", "--mr", merge_request].map(str::to_owned));
            let undo = format!("`{undo}` removes what is there; the same request applies the rest.");
            let Diagnosis { exit, hints } = of_release(cause);
            Diagnosis { exit, hints: std::iter::once(undo).chain(hints).collect() }
        }
        ReleaseStageError::Foreign { .. } => hint(
            Exit::Refused,
            "nothing was applied; remove or rename that object, or use another namespace.",
        ),
    }
}

pub(super) fn of_removal(_: &RemovalChanged) -> Diagnosis {
    hint(Exit::Refused, "nothing was removed; the same command shows it again.")
}

pub(super) fn of_registry(error: &RegistryError) -> Diagnosis {
    match error {
        RegistryError::Name(_) => plain(Exit::Invalid),
        RegistryError::Offline { .. } => hint(Exit::Unreachable, "leave out `--offline`."),
        RegistryError::NoTag { .. } => hint(
            Exit::NotFound,
            "wait until the pipeline of the merge request has published it; `staging.image_tag` in the inventory has its form.",
        ),
        RegistryError::Unauthorised { .. } => {
            hint(Exit::Unauthorised, "only images that everybody may pull can be staged.")
        }
        RegistryError::Http(_)
        | RegistryError::Unreachable { .. }
        | RegistryError::Status { .. }
        | RegistryError::TooLong { .. }
        | RegistryError::Digest { .. } => plain(Exit::Unreachable),
    }
}
