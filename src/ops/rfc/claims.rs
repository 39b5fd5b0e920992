//! Requests for comments on the server: the numbers of the default branch, and those that open merge requests claim by
//! the files that they add, their titles or their branches.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use jiff::Timestamp;

use crate::model::event::Events;
use crate::model::rfc::{FeedbackWindow, RfcClaim, RfcProcess};
use crate::ops::shared::outside_text::{shown, web_address};
use crate::systems::gitlab::{FileChange, GitLab, GitLabError, ListedMergeRequest};

/// Maximum pages of merge requests, and of names, of a hundred each.
const PAGES: usize = 20;
/// Maximum pages of changes of one merge request.
const PAGES_OF_CHANGES: usize = 5;
/// Maximum number of merge requests whose changes are read.
const MOST: usize = 200;
/// Merge requests whose changes are read at the same time.
const AT_ONCE: usize = 8;

/// Answer of a server.
#[derive(Debug, Default, Clone)]
pub struct OpenClaims {
    /// Server.
    pub server: String,
    /// Project: `group/project`.
    pub project: String,
    /// Numbers on the default branch.
    pub merged: BTreeSet<u32>,
    /// Claims, sorted by number and merge request.
    pub claims: Vec<RfcClaim>,
    /// Number of open merge requests.
    pub merge_requests: usize,
    /// Number of those whose changes were not read; only their titles and branches count.
    pub unread: usize,
}

/// The server's part of the facts.
#[derive(Debug)]
pub enum ServerAnswer {
    /// It answered.
    Asked(OpenClaims),
    /// It was not asked, or did not answer: the reason, as a sentence without a period.
    Silent(String),
}

impl ServerAnswer {
    /// Returns the answer, if there is one.
    #[must_use]
    pub fn claims(&self) -> Option<&OpenClaims> {
        match self {
            Self::Asked(claims) => Some(claims),
            Self::Silent(_) => None,
        }
    }
}

/// Asks a server.
///
/// # Errors
/// Fails if it refuses or does not answer. A merge request whose changes alone cannot be read is counted.
pub async fn ask(
    gitlab: &GitLab,
    project: &str,
    process: &RfcProcess,
    events: &Events,
) -> Result<OpenClaims, GitLabError> {
    let task = events.start("gitlab", format!("asking {} for merge requests", gitlab.server()));
    let asked = read(gitlab, project, process).await;
    task.dismiss();
    asked
}

async fn read(gitlab: &GitLab, project: &str, process: &RfcProcess) -> Result<OpenClaims, GitLabError> {
    let (names, open) = tokio::try_join!(
        gitlab.names(project, &process.directory, PAGES),
        gitlab.all_open_merge_requests(project, PAGES)
    )?;
    let merged: BTreeSet<u32> = names.iter().filter_map(|name| process.number_of_name(name)).collect();
    // Those that name an ID come first, then the last changed ones.
    let mut order: Vec<&ListedMergeRequest> = open.iter().collect();
    order.sort_by_key(|one| mentioned(one, process).is_empty());
    let read = order.iter().take(MOST).map(|one| gitlab.changes(project, one.iid, PAGES_OF_CHANGES));
    let read: Vec<Result<Vec<FileChange>, GitLabError>> =
        futures_util::stream::iter(read).buffered(AT_ONCE).collect().await;
    let mut unread = open.len() - read.len();
    let mut claims = Vec::new();
    let none = || Ok(Vec::new());
    for (one, changes) in order.iter().zip(read.into_iter().chain(std::iter::repeat_with(none))) {
        let changes = changes.unwrap_or_else(|_| {
            unread += 1;
            Vec::new()
        });
        let added = changes.iter().filter(|change| change.new_file || change.renamed_file);
        let mut numbers: Vec<(u32, Option<String>)> = Vec::new();
        for change in added {
            let Some(number) = process.number_of_path(&change.new_path) else { continue };
            if numbers.iter().all(|(known, _)| *known != number) {
                numbers.push((number, Some(shown(&change.new_path, 300))));
            }
        }
        for number in mentioned(one, process) {
            if !merged.contains(&number) && numbers.iter().all(|(known, _)| *known != number) {
                numbers.push((number, None));
            }
        }
        let claim = |(number, path)| claim(number, path, one, gitlab.server(), project, process);
        claims.extend(numbers.into_iter().map(claim));
    }
    claims.sort_by_key(|one| (one.number, one.merge_request));
    Ok(OpenClaims {
        server: gitlab.server().to_owned(),
        project: project.to_owned(),
        merged,
        claims,
        merge_requests: open.len(),
        unread,
    })
}

/// Returns the numbers that the title or the branch of a merge request names.
fn mentioned(one: &ListedMergeRequest, process: &RfcProcess) -> Vec<u32> {
    let mut numbers = process.mentions(&one.source_branch);
    numbers.extend(process.mentions(&one.title));
    numbers
}

fn claim(
    number: u32,
    path: Option<String>,
    one: &ListedMergeRequest,
    server: &str,
    project: &str,
    process: &RfcProcess,
) -> RfcClaim {
    let title = ["Draft:", "WIP:", "[Draft]", "(Draft)"]
        .iter()
        .find_map(|mark| one.title.trim().strip_prefix(mark))
        .unwrap_or(&one.title);
    let author = one.author.as_ref().map(|user| match user.name.trim() {
        "" => shown(&user.username, 100),
        name => shown(name, 100),
    });
    let created = one.created_at.parse::<Timestamp>().ok();
    RfcClaim {
        number,
        title: shown(process.split_title(title).1, 300),
        merge_request: one.iid,
        author,
        path,
        window: created.and_then(|created| FeedbackWindow::new(created, process.window_days)),
        is_draft: one.draft,
        has_open_threads: one.blocking_discussions_resolved == Some(false),
        url: web_address(&one.web_url)
            .unwrap_or_else(|| format!("{server}/{project}/-/merge_requests/{}", one.iid)),
    }
}
