//! The heads of merge requests: the check right before a request, and the watch over them while its pipelines
//! or its release are followed. Every request is bound to the commits that were shown.

use super::{MergeRequestFacts, StageError};
use crate::model::event::Events;
use crate::model::staging::StagedHead;
use crate::ops::shared::outside_text::shown;
use crate::systems::gitlab::{GitLab, GitLabError, MergeRequest, Pipeline, Poller};

/// Fails if the merge request, or one that is combined with it, has changed since it was shown.
pub(super) async fn check_heads(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    combined: &[StagedHead],
) -> Result<(), StageError> {
    let check = |head: StagedHead| async move {
        let found = gitlab.merge_request(&head.project, head.number).await?;
        let now = MergeRequestFacts::of(gitlab.server(), &head.project, &found)?;
        if now.head == head.sha {
            return Ok(());
        }
        Err(StageError::HeadMoved { merge_request: head.reference(), was: head.sha, now: now.head })
    };
    check(facts.staged_head()).await?;
    futures_util::future::try_join_all(combined.iter().cloned().map(check)).await?;
    Ok(())
}

/// Returns whether a pipeline is one of the merge request for its head: on that commit, or on the merge of it that GitLab
/// made for a pipeline of merged results. A pipeline of the branch is none.
pub(super) async fn is_of_head(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    one: &Pipeline,
) -> Result<bool, GitLabError> {
    let kind = one.branch.as_deref().and_then(|name| {
        name.strip_prefix("refs/merge-requests/")?.strip_prefix(&facts.iid.to_string())?.strip_prefix('/')
    });
    match (kind, &one.sha) {
        (Some(_), Some(sha)) if sha.eq_ignore_ascii_case(&facts.head) => Ok(true),
        (Some("merge"), Some(sha)) => match gitlab.commit(&facts.project, sha).await {
            Ok(commit) => Ok(commit.parent_ids.iter().any(|parent| parent.eq_ignore_ascii_case(&facts.head))),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        },
        _ => Ok(false),
    }
}

/// The watch over the merge requests whose pipelines or releases are followed. It warns once of each change.
pub(super) struct HeadWatch {
    heads: Vec<WatchedHead>,
    /// The followed thing with a verb, for messages.
    followed: &'static str,
}

struct WatchedHead {
    reference: String,
    asked: String,
    merge_request: Poller<MergeRequest>,
    warned_head: Option<String>,
    warned_state: bool,
}

impl HeadWatch {
    /// Watches a merge request whose pipelines are followed, and those that are combined with it.
    pub(super) fn of_pipelines(facts: &MergeRequestFacts, combined: &[StagedHead]) -> Self {
        Self::new(facts, combined, "pipelines were")
    }

    /// Watches a merge request whose release is followed, and those that are combined with it.
    pub(super) fn of_release(facts: &MergeRequestFacts, combined: &[StagedHead]) -> Self {
        Self::new(facts, combined, "release was")
    }

    /// Watches nothing: what is followed belongs to no merge request.
    pub(super) fn none() -> Self {
        Self { heads: Vec::new(), followed: "" }
    }

    fn new(facts: &MergeRequestFacts, combined: &[StagedHead], followed: &'static str) -> Self {
        let heads = std::iter::once(facts.staged_head()).chain(combined.iter().cloned());
        Self { heads: heads.map(WatchedHead::new).collect(), followed }
    }

    /// Polls the merge requests, and warns of a push or of an end.
    pub(super) async fn look(&mut self, gitlab: &GitLab, events: &Events) -> Result<(), GitLabError> {
        for one in &mut self.heads {
            one.look(gitlab, self.followed, events).await?;
        }
        Ok(())
    }
}

impl WatchedHead {
    fn new(head: StagedHead) -> Self {
        Self {
            reference: head.reference(),
            merge_request: Poller::merge_request(&head.project, head.number),
            asked: head.sha,
            warned_head: None,
            warned_state: false,
        }
    }

    async fn look(&mut self, gitlab: &GitLab, followed: &str, events: &Events) -> Result<(), GitLabError> {
        gitlab.refresh(&mut self.merge_request).await?;
        let Some(found) = self.merge_request.value() else { return Ok(()) };
        let head = found.sha.as_ref().filter(|head| !head.eq_ignore_ascii_case(&self.asked));
        if head.is_some() && self.warned_head.as_ref() != head {
            events.warn(format!(
                "`{}` has a new head commit, {}; the followed {followed} requested for {}.",
                self.reference,
                shown(head.map_or("", String::as_str), 12),
                shown(&self.asked, 12),
            ));
            self.warned_head = head.cloned();
        }
        if found.state != "opened" && !self.warned_state {
            let state = shown(&found.state, 20);
            events.warn(format!("`{}` is {state} now.", self.reference));
            self.warned_state = true;
        }
        Ok(())
    }
}
