//! Errors of asking for staging and of following it.

use crate::base::text::nearest;
use crate::host::signals::Signal;
use crate::model::guard::GuardFinding;
use crate::model::staging::StagingError;
use crate::systems::gitlab::GitLabError;
use crate::systems::kubectl::KubectlError;

/// An error of staging.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// GitLab failed.
    #[error(transparent)]
    GitLab(#[from] GitLabError),
    /// The request is invalid.
    #[error(transparent)]
    Request(#[from] StagingError),
    /// The merge request is not open.
    #[error("merge request `{merge_request}` is {state}; only open ones can be staged")]
    NotOpen {
        /// `group/project!iid`.
        merge_request: String,
        /// `closed`, `merged`, …
        state: String,
    },
    /// The merge request has no commits.
    #[error("merge request `{merge_request}` has no commits yet")]
    NoCommits {
        /// `group/project!iid`.
        merge_request: String,
    },
    /// The request needs a token.
    #[error("{action} needs a token for `{server}`")]
    NoToken {
        /// The request, in words.
        action: String,
        /// The server.
        server: String,
    },
    /// The token may not send the request.
    #[error("the token for `{server}` lacks the scope `{missing}`, which {action} needs; it has: {scopes}")]
    NoScope {
        /// The request, in words.
        action: String,
        /// The server.
        server: String,
        /// The missing scope.
        missing: &'static str,
        /// The scopes of the token.
        scopes: String,
    },
    /// The head changed between showing and asking.
    #[error("merge request `{merge_request}` has a new head commit: {now} in place of {was}")]
    HeadMoved {
        /// `group/project!iid`.
        merge_request: String,
        /// The commit that was shown.
        was: String,
        /// The current commit.
        now: String,
    },
    /// The cluster failed.
    #[error(transparent)]
    Kubectl(#[from] KubectlError),
    /// The staging is a release in a cluster, which has no pipelines to cancel.
    #[error("`{merge_request}` is staged by a release, which is removed and not canceled")]
    InCluster {
        /// `group/project!iid`.
        merge_request: String,
    },
    /// Merge requests cannot be staged together.
    #[error("`{merge_request}` cannot be combined with `{with}`: {fault}")]
    NotCombined {
        /// `group/project!iid`.
        merge_request: String,
        /// The other one.
        with: String,
        /// The reason.
        fault: Box<CombineFault>,
    },
    /// It is unknown whether the comment was posted.
    #[error("it is not known whether the comment on `{merge_request}` was posted")]
    Uncertain {
        /// `group/project!iid`.
        merge_request: String,
        /// Underlying error.
        source: GitLabError,
    },
    /// It is unknown whether the pipeline was started.
    #[error("it is not known whether a pipeline of `{merge_request}` was started")]
    UncertainPipeline {
        /// `group/project!iid`.
        merge_request: String,
        /// Underlying error.
        source: Box<GitLabError>,
    },
    /// The trigger token is not set.
    #[error(
        "starting the pipeline needs a trigger token in the environment variable `{variable}`, which is not set"
    )]
    NoTriggerToken {
        /// The variable.
        variable: String,
    },
    /// There is a pipeline for the commit, and GitLab does not show its values.
    #[error(
        "there is a pipeline for this commit already, and GitLab does not show whether its values are the same: {url}"
    )]
    Incomparable {
        /// Its address.
        url: String,
    },
    /// The pipeline runs on another commit.
    #[error(
        "the started pipeline runs on commit {sha}, not on {head}, which was shown; it is not followed: {url}"
    )]
    OtherCommit {
        /// Its address.
        url: String,
        /// Its commit.
        sha: String,
        /// The commit that was shown.
        head: String,
    },
    /// A value names production, or looks like a real credential.
    #[error("{0}")]
    Production(Box<GuardFinding>),
    /// Nothing was requested for the head commit.
    #[error("{}", not_requested(.merge_request, .head, .outdated.as_deref(), *.searched))]
    NotRequested {
        /// `group/project!iid`.
        merge_request: String,
        /// The head commit.
        head: String,
        /// The commit of the newest request, if there is one for another commit.
        outdated: Option<String>,
        /// Number of searched comments, if there are older ones.
        searched: Option<usize>,
    },
    /// No job has the name or number.
    #[error("the pipelines of `{merge_request}` have no job `{name}`{}", nearest_job(.name, .names))]
    NoJob {
        /// `group/project!iid`.
        merge_request: String,
        /// The given name or number.
        name: String,
        /// The names that there are.
        names: Vec<String>,
    },
    /// No container has the name.
    #[error("the pods of `{merge_request}` have no container `{name}`{}", nearest_job(.name, .names))]
    NoContainer {
        /// `group/project!iid`.
        merge_request: String,
        /// The given name.
        name: String,
        /// The names that there are.
        names: Vec<String>,
    },
    /// There is no release of the merge request.
    #[error("the namespace `{namespace}` has no release of `{merge_request}`")]
    NoRelease {
        /// `group/project!iid`.
        merge_request: String,
        /// The namespace.
        namespace: String,
    },
    /// The request was deleted.
    #[error("the comment that asked was deleted before the bot answered: {url}")]
    RequestDeleted {
        /// Its former address.
        url: String,
    },
    /// The bot's answer was deleted.
    #[error("the bot's answer was deleted, and its pipelines cannot be read: {url}")]
    AnswerDeleted {
        /// Its former address.
        url: String,
    },
    /// The bot's answer has too many rows.
    #[error("the bot's answer is too long: {rows} of its pipelines were followed, and it has more: {url}")]
    AnswerTooLong {
        /// Its address.
        url: String,
        /// Number of followed rows.
        rows: usize,
    },
    /// A second signal came while the request was being sent.
    #[error("stopped while {action}; it may be there")]
    Stopped {
        /// The interrupted request, in words.
        action: String,
        /// The signal.
        signal: Signal,
    },
}

/// A reason why merge requests cannot be staged together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CombineFault {
    /// Both have the same project.
    #[error("both are merge requests of the same project")]
    SameProject,
    /// No entry belongs to the project.
    #[error("no component of the inventory belongs to its project")]
    NoComponent,
    /// The entry has no overrides.
    #[error("{place}: the entry of `{component}` has no `stage.override`")]
    NoOverride {
        /// The component.
        component: String,
        /// Its entry.
        place: String,
    },
    /// The request does not take a value.
    #[error(transparent)]
    Request(#[from] StagingError),
}

fn not_requested(merge_request: &str, head: &str, outdated: Option<&str>, searched: Option<usize>) -> String {
    let short = |sha: &str| sha.chars().take(7).collect::<String>();
    let head = short(head);
    match outdated.map(short) {
        _ if searched.is_some() => format!(
            "no request for the head {head} is among the newest {} comments of `{merge_request}`, and the older ones \
             were not searched",
            searched.unwrap_or_default()
        ),
        Some(old) => {
            format!("the last staging of `{merge_request}` was requested for {old}, not for its head {head}")
        }
        None => format!("no staging was requested for the head {head} of `{merge_request}`"),
    }
}

fn nearest_job(name: &str, names: &[String]) -> String {
    let near = nearest(name, names.iter().map(String::as_str));
    near.first().map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}
