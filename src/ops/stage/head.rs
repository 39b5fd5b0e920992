//! The head of a merge request: the check right before a request, and the watch over it while its pipelines
//! are followed. Every request is bound to the commit that was shown.

use super::{MergeRequestFacts, StageError};
use crate::model::event::Events;
use crate::ops::shared::outside_text::shown;
use crate::systems::gitlab::{GitLab, GitLabError, MergeRequest, Poller};

/// Fails if the merge request has changed since it was shown.
pub(super) async fn check_head(gitlab: &GitLab, facts: &MergeRequestFacts) -> Result<(), StageError> {
    let found = gitlab.merge_request(&facts.project, facts.iid).await?;
    let now = MergeRequestFacts::of(gitlab.server(), &facts.project, &found)?;
    if now.head == facts.head {
        return Ok(());
    }
    Err(StageError::HeadMoved { merge_request: facts.reference(), was: facts.head.clone(), now: now.head })
}

/// The watch over a merge request whose pipelines are followed. It warns once of each change.
pub(super) struct HeadWatch {
    reference: String,
    asked: String,
    merge_request: Poller<MergeRequest>,
    warned_head: Option<String>,
    warned_state: bool,
}

impl HeadWatch {
    pub(super) fn new(facts: &MergeRequestFacts) -> Self {
        Self {
            reference: facts.reference(),
            asked: facts.head.clone(),
            merge_request: Poller::merge_request(&facts.project, facts.iid),
            warned_head: None,
            warned_state: false,
        }
    }

    /// Polls the merge request, and warns of a push or of its end.
    pub(super) async fn look(&mut self, gitlab: &GitLab, events: &Events) -> Result<(), GitLabError> {
        gitlab.refresh(&mut self.merge_request).await?;
        let Some(found) = self.merge_request.value() else { return Ok(()) };
        let head = found.sha.as_ref().filter(|head| !head.eq_ignore_ascii_case(&self.asked));
        if head.is_some() && self.warned_head.as_ref() != head {
            events.warn(format!(
                "`{}` has a new head commit, {}; the followed pipelines were requested for {}.",
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
