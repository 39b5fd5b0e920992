//! The open merge requests of a project with a staging request, and the state of each in the bot's words; and the releases of
//! its merge requests, open or not.

use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;

use super::ProgressOptions;
use super::find::{FoundStaging, find};
use crate::model::inventory::StageVia;
use crate::model::staging::kubernetes::{ReleaseRemains, Rollout};
use crate::model::staging::{AnswerRow, PipelineStatus};
use crate::ops::shared::outside_text::{shown, web_address};
use crate::ops::stage::StageError;
use crate::ops::stage::kubernetes::list_releases;
use crate::systems::gitlab::{GitLab, ListedMergeRequest};

/// Maximum number of merge requests to look at, the last changed ones first.
const MOST: usize = 100;
/// Maximum number of merge requests to ask about at once.
const AT_ONCE: usize = 4;
/// Time for a cluster to list its releases: many a list needs none of them.
const PATIENCE: Duration = Duration::from_secs(20);

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
    /// The release, in a row for one.
    pub release: Option<ListedRelease>,
}

/// A release of a merge request, which need not be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRelease {
    /// Its name.
    pub name: String,
    /// Its commit.
    pub head: String,
    /// The state of its rollout.
    pub rollout: Rollout,
    /// Time after which it counts as expired.
    pub expires_at: Option<Timestamp>,
    /// The merge request is no longer open.
    pub is_orphaned: bool,
}

/// Returns the stagings of a project, with the releases in the staging namespace. `options` has the merge request number 0.
///
/// # Errors
/// Fails when the merge requests cannot be read, or the server does not answer.
pub async fn list(gitlab: &GitLab, options: &ProgressOptions) -> Result<StagingList, StageError> {
    let mut unread = Vec::new();
    let (open, releases) =
        tokio::join!(gitlab.all_open_merge_requests(&options.project, 1), releases(options, &mut unread));
    let open = open?;
    let is_cut = open.len() >= MOST;
    let looked_at = open.len();
    let titles = open.clone();
    // Without pipelines, there is nothing to ask about each.
    let open = if options.via == StageVia::Kubernetes { Vec::new() } else { open };
    let mut asked = futures_util::stream::iter(open.into_iter().take(MOST))
        .map(|one| async move {
            let options = ProgressOptions { merge_request: one.iid, ..options.clone() };
            let found = find(gitlab, &options).await;
            (one, found)
        })
        .buffered(AT_ONCE);
    let mut list =
        StagingList { project: options.project.clone(), rows: Vec::new(), open: looked_at, is_cut, unread };
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
    drop(asked);
    match releases {
        Ok(releases) => list.rows.extend(releases.into_iter().filter_map(|one| {
            let open = titles.iter().find(|open| Some(open.iid) == one.0.merge_request);
            release_row(one, open, is_cut)
        })),
        Err(why) => list.unread.push(why),
    }
    Ok(list)
}

/// Reads the releases of the project, or tells why they cannot be read, in a sentence.
async fn releases(
    options: &ProgressOptions,
    unread: &mut Vec<String>,
) -> Result<Vec<(ReleaseRemains, Rollout)>, String> {
    let Some(kubectl) = &options.cluster else { return Ok(Vec::new()) };
    match tokio::time::timeout(PATIENCE, list_releases(kubectl, &options.project, unread)).await {
        Ok(found) => {
            found.map_err(|error| format!("Releases are not read: {}.", shown(&error.to_string(), 500)))
        }
        Err(_) => Err(format!(
            "Releases are not read: the cluster of the context `{}` did not answer within {} s.",
            shown(&kubectl.target().context, 200),
            PATIENCE.as_secs()
        )),
    }
}

/// Returns the row of a release. A merge request that was not looked at may be open.
fn release_row(
    (remains, rollout): (ReleaseRemains, Rollout),
    open: Option<&ListedMergeRequest>,
    is_cut: bool,
) -> Option<ListedStaging> {
    Some(ListedStaging {
        iid: remains.merge_request?,
        title: open.map(|one| shown(&one.title, 300)).unwrap_or_default(),
        url: open.and_then(|one| web_address(&one.web_url)),
        requested_by: remains.requested_by,
        requested_at: remains.requested_at.map(|at| at.to_string()),
        is_outdated: false,
        pipelines: Vec::new(),
        release: Some(ListedRelease {
            name: shown(&remains.name, 100),
            head: remains.head,
            rollout,
            expires_at: remains.expires_at,
            is_orphaned: open.is_none() && !is_cut,
        }),
    })
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
        release: None,
    })
}

fn status_of(row: &AnswerRow) -> PipelineStatus {
    if row.is_not_found() { PipelineStatus::Failed } else { row.status.clone() }
}
