//! The open merge requests of a project with a staging request, and the state of each in the bot's words.

use futures_util::StreamExt as _;

use super::ProgressOptions;
use super::find::{FoundStaging, find};
use crate::model::staging::{AnswerRow, PipelineStatus};
use crate::ops::shared::outside_text::{shown, web_address};
use crate::ops::stage::StageError;
use crate::systems::gitlab::{GitLab, ListedMergeRequest};

/// Maximum number of merge requests to look at, the last changed ones first.
const MOST: usize = 100;
/// Maximum number of merge requests to ask about at once.
const AT_ONCE: usize = 4;

/// The stagings of a project.
#[derive(Debug, Clone)]
pub struct StagingList {
    /// The project.
    pub project: String,
    /// The merge requests with a request, the last changed ones first.
    pub rows: Vec<ListedStaging>,
    /// Number of open merge requests that were looked at.
    pub open: usize,
    /// There are more open merge requests.
    pub is_cut: bool,
    /// Facts that could not be read, one sentence each.
    pub unread: Vec<String>,
}

/// The staging of an open merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedStaging {
    /// Its number.
    pub iid: u64,
    /// Its title.
    pub title: String,
    /// Address of its page.
    pub url: Option<String>,
    /// User name of the requester, if there is a comment that asks.
    pub requested_by: Option<String>,
    /// The time of the request (ISO 8601).
    pub requested_at: Option<String>,
    /// The request is for an older commit.
    pub is_outdated: bool,
    /// Statuses of its pipelines.
    pub pipelines: Vec<PipelineStatus>,
}

/// Returns the stagings of a project. `options` has the merge request number 0.
///
/// # Errors
/// Fails when the merge requests cannot be read, or the server does not answer.
pub async fn list(gitlab: &GitLab, options: &ProgressOptions) -> Result<StagingList, StageError> {
    let open = gitlab.all_open_merge_requests(&options.project, 1).await?;
    let is_cut = open.len() >= MOST;
    let looked_at = open.len();
    let mut asked = futures_util::stream::iter(open.into_iter().take(MOST))
        .map(|one| async move {
            let options = ProgressOptions { merge_request: one.iid, ..options.clone() };
            let found = find(gitlab, &options).await;
            (one, found)
        })
        .buffered(AT_ONCE);
    let mut list = StagingList {
        project: options.project.clone(),
        rows: Vec::new(),
        open: looked_at,
        is_cut,
        unread: Vec::new(),
    };
    while let Some((one, found)) = asked.next().await {
        let found = match found {
            // It has no commits yet, or was deleted since.
            Err(StageError::NoCommits { .. }) => continue,
            Err(StageError::GitLab(error)) if error.is_not_found() => continue,
            found => found?,
        };
        for unread in &found.unread {
            if !list.unread.contains(unread) && list.unread.len() < 5 {
                list.unread.push(unread.clone());
            }
        }
        list.rows.extend(row(&one, &found));
    }
    Ok(list)
}

fn row(one: &ListedMergeRequest, found: &FoundStaging) -> Option<ListedStaging> {
    let located = &found.located;
    let request = located.current.as_ref().or(located.outdated.as_ref());
    if request.is_none() && found.rows.is_empty() {
        return None;
    }
    Some(ListedStaging {
        iid: one.iid,
        title: shown(&one.title, 300),
        url: web_address(&one.web_url),
        requested_by: request.map(|request| request.found.author.clone()),
        requested_at: request.map(|request| request.found.comment.created_at.clone()),
        is_outdated: located.current.is_none() && located.outdated.is_some(),
        pipelines: found.rows.iter().map(status_of).collect(),
    })
}

fn status_of(row: &AnswerRow) -> PipelineStatus {
    if row.is_not_found() { PipelineStatus::Failed } else { row.status.clone() }
}
