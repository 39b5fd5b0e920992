//! Exit codes and hints for errors of staging.

use super::cluster::of_kubectl;
use super::diagnosis::{Diagnosis, at, hint, plain};
use super::systems::{of_file, of_git, of_gitlab};
use crate::base::exit::Exit;
use crate::base::text::command_line;
use crate::model::staging::StagingError;
use crate::ops::stage::{CancelError, CombineFault, NoteError, StageError, TargetError};
use crate::report::staging::PageError;

pub(super) fn of_stage(error: &StageError) -> Diagnosis {
    match error {
        StageError::GitLab(inner) => of_gitlab(inner),
        StageError::Request(inner) => of_staging(inner),
        StageError::NotOpen { .. } | StageError::NoCommits { .. } => {
            hint(Exit::Failed, "only an open merge request with commits can be tried.")
        }
        StageError::NoToken { server, .. } => login_hint(server),
        StageError::NoScope { server, missing, .. } => hint(
            Exit::Unauthorised,
            format!("nothing was sent; make a token with `{missing}`, and `cki login {server}` keeps it."),
        ),
        StageError::NotCombined { fault, .. } => match &**fault {
            CombineFault::SameProject => hint(Exit::Usage, "merge one of them into the branch of the other."),
            CombineFault::NoComponent => {
                hint(Exit::NotFound, "name its component, as `--mr COMPONENT!N`; nothing was sent.")
            }
            CombineFault::NoOverride { place, .. } => {
                hint(Exit::Invalid, format!("add `stage.override` at {}; nothing was sent.", at(place)))
            }
            CombineFault::Request(inner) => of_staging(inner),
        },
        StageError::Kubectl(inner) => of_kubectl(inner),
        StageError::InCluster { merge_request } => {
            let removes = command_line(&["cki", "unstage", "--mr", merge_request].map(str::to_owned));
            hint(Exit::Usage, format!("`{removes}` removes it."))
        }
        StageError::NoRelease { merge_request, .. } => {
            let words = ["cki", "stage", "--via", "kubernetes", "--mr", merge_request];
            let asks = command_line(&words.map(str::to_owned));
            hint(Exit::NotFound, format!("`{asks}` makes one."))
        }
        StageError::NoContainer { .. } => hint(Exit::NotFound, "`--all` shows the logs of all containers."),
        StageError::HeadMoved { .. } => hint(Exit::Failed, "look at it again and ask again."),
        StageError::Uncertain { source, .. } => Diagnosis {
            exit: of_gitlab(source).exit,
            hints: vec!["the same command finds the comment if it is there.".to_owned()],
        },
        StageError::UncertainPipeline { source, .. } => Diagnosis {
            exit: of_gitlab(source).exit,
            hints: vec!["the same command finds the pipeline if it is there.".to_owned()],
        },
        StageError::NoTriggerToken { variable } => hint(
            Exit::Unauthorised,
            format!(
                "a maintainer of the project makes one under Settings, CI/CD; `export {variable}=…` sets it."
            ),
        ),
        StageError::Incomparable { .. } => {
            hint(Exit::Refused, "look at that pipeline; `--force` starts another one.")
        }
        StageError::OtherCommit { .. } => {
            hint(Exit::Failed, "look at the merge request again, and ask again.")
        }
        StageError::Production(_) => {
            hint(Exit::Refused, "nothing was sent; staging never gets such a value.")
        }
        StageError::NotRequested { merge_request, .. } => {
            let asks = command_line(&["cki", "stage", "--mr", merge_request].map(str::to_owned));
            hint(Exit::NotFound, format!("`{asks}` requests it."))
        }
        StageError::NoJob { merge_request, .. } => {
            let lists = command_line(&["cki", "stage", "status", "--mr", merge_request].map(str::to_owned));
            hint(Exit::NotFound, format!("`{lists}` lists the pipelines."))
        }
        StageError::RequestDeleted { .. }
        | StageError::AnswerDeleted { .. }
        | StageError::AnswerTooLong { .. } => plain(Exit::Failed),
        StageError::Stopped { signal, .. } => plain(signal.exit()),
    }
}

pub(super) fn of_cancel(error: &CancelError) -> Diagnosis {
    match error {
        CancelError::Stage(inner) => of_stage(inner),
        CancelError::NoToken { server, .. } => login_hint(server),
        CancelError::NotYours { .. } => hint(Exit::Refused, "nothing was canceled."),
        CancelError::Unclear { .. } => {
            hint(Exit::Refused, "nothing was canceled; cancel the pipelines on their pages.")
        }
        CancelError::Pipeline { source, .. } => of_gitlab(source),
    }
}

pub(super) fn of_note(error: &NoteError) -> Diagnosis {
    match error {
        NoteError::GitLab(inner) => of_gitlab(inner),
        NoteError::NoToken { server, .. } => login_hint(server),
        NoteError::Uncertain { source, .. } => Diagnosis {
            exit: of_gitlab(source).exit,
            hints: vec!["the same command finds the comment if it is there.".to_owned()],
        },
    }
}

pub(super) fn login_hint(server: &str) -> Diagnosis {
    hint(Exit::Unauthorised, format!("`cki login {server}` keeps one; `CKI_GITLAB_TOKEN` sets one."))
}

pub(super) fn of_page(error: &PageError) -> Diagnosis {
    match error {
        PageError::Template(_) => plain(Exit::Invalid),
        PageError::File(inner) => of_file(inner),
    }
}

pub(super) fn of_staging(error: &StagingError) -> Diagnosis {
    match error {
        StagingError::UnknownKey { .. }
        | StagingError::Mismatch { .. }
        | StagingError::WrongType { .. }
        | StagingError::NotAllowed { .. } => {
            hint(Exit::Usage, "`cki show COMPONENT` lists what can be set; nothing was sent.")
        }
        StagingError::QuickAction { .. } => {
            hint(Exit::Refused, "nothing was posted; take the line out of the template of the comment.")
        }
        StagingError::BadPattern { .. }
        | StagingError::BadBot { .. }
        | StagingError::Incomplete { .. }
        | StagingError::TokenVariable { .. }
        | StagingError::FactTemplate { .. }
        | StagingError::Environment { .. } => plain(Exit::Invalid),
        StagingError::Secret { .. } => {
            hint(Exit::Refused, "nothing was sent; let the pipeline take it from a variable of the project.")
        }
        StagingError::Forced { .. } => hint(Exit::Refused, "leave it out; nothing was sent."),
        StagingError::NoVariables => hint(
            Exit::Usage,
            "the kinds `branch` and `trigger` take them (`stage.pipeline.kind`); nothing was sent.",
        ),
        StagingError::NoParameters { .. } => hint(Exit::Usage, "leave it out; nothing was sent."),
        StagingError::NotAPair { .. }
        | StagingError::BadKey { .. }
        | StagingError::BadValue { .. }
        | StagingError::Repeated { .. }
        | StagingError::BadRerun { .. }
        | StagingError::BadCommit { .. }
        | StagingError::Template { .. }
        | StagingError::Unfaithful { .. } => hint(Exit::Usage, "nothing was sent."),
    }
}

pub(super) fn of_target(error: &TargetError) -> Diagnosis {
    let flags = "say which with `--component` or `--project`.";
    match error {
        TargetError::NoProject { place, .. } => {
            hint(Exit::Invalid, format!("add `stage.project` at {}, or use `--project`.", at(place)))
        }
        TargetError::NoRepository(_) | TargetError::NoRemotes(_) | TargetError::NoRemote { .. } => {
            hint(Exit::Usage, flags)
        }
        TargetError::Git(inner) => of_git(inner),
    }
}
