//! Reads the progress of a staging once, completely.

use jiff::Timestamp;

use super::environments::environments;
use super::find::find;
use super::{CombinedProgress, ProgressOptions, StagingProgress};
use crate::model::event::Events;
use crate::model::staging::{AnswerRow, StagedHead};
use crate::ops::shared::outside_text::shown;
use crate::ops::stage::follow::PipelineRow;
use crate::ops::stage::kubernetes::read_releases;
use crate::ops::stage::{PipelineOutcome, StageError};
use crate::systems::gitlab::GitLab;

/// Maximum number of merge requests that a comment of somebody else can make this program read.
const MOST_COMBINED: usize = 20;

/// Reads the request, the pipelines or the releases, and the environments.
///
/// # Errors
/// Fails when the merge request cannot be read, or the server does not answer.
pub async fn read(
    gitlab: &GitLab,
    options: &ProgressOptions,
    events: &Events,
) -> Result<StagingProgress, StageError> {
    let task = events.start("gitlab", format!("asking {} for the merge request", gitlab.server()));
    let read = read_all(gitlab, options).await;
    task.dismiss();
    read
}

async fn read_all(gitlab: &GitLab, options: &ProgressOptions) -> Result<StagingProgress, StageError> {
    let found = find(gitlab, options).await?;
    let mut unread = found.unread;
    let by_bot = found.answer.is_some();
    let mut pipelines = Vec::new();
    for row in read_rows(gitlab, &found.facts.project, options, found.rows, by_bot).await? {
        let mut outcome = row.outcome(gitlab);
        if options.log_lines > 0 {
            row.add_failures(gitlab, options.log_lines, &mut outcome).await;
        }
        if outcome.by_hearsay && outcome.id.is_some() {
            let id = outcome.id.unwrap_or_default();
            unread.push(format!("Pipeline {id} cannot be read; its status is the bot's word."));
        }
        if outcome.has_ended() {
            unread.extend(outcome.unseen());
        }
        pipelines.push(outcome);
    }
    unread.extend(found.hidden.iter().flat_map(PipelineOutcome::unseen));
    pipelines.extend(found.hidden);
    let environments = match environments(gitlab, &found.facts.project, &found.facts.head).await {
        Err(error) if error.is_hidden() => Vec::new(),
        environments => environments?,
    };
    let merge_request = (found.facts.project.as_str(), found.facts.iid);
    let releases = match options.released() {
        Some(kubectl) => read_releases(kubectl, merge_request, options.log_lines, &mut unread).await?,
        None => Vec::new(),
    };
    let combined = combined(gitlab, &found.combined, &mut unread).await?;
    Ok(StagingProgress {
        combined,
        merge_request: found.facts,
        server: gitlab.server().to_owned(),
        read_at: Timestamp::try_from(gitlab.clock().wall()).unwrap_or_default(),
        request: found.located.current.map(|one| one.found),
        outdated: found.located.outdated.map(|one| one.found),
        searched: found.searched,
        answer: found.answer,
        pipelines,
        releases,
        environments,
        unread,
    })
}

/// Reads the merge requests that the newest request stages together with this one.
async fn combined(
    gitlab: &GitLab,
    staged: &[StagedHead],
    unread: &mut Vec<String>,
) -> Result<Vec<CombinedProgress>, StageError> {
    let mut all = Vec::new();
    for staged in staged.iter().take(MOST_COMBINED) {
        let sha = match gitlab.merge_request(&staged.project, staged.number).await {
            Ok(found) => found.sha,
            Err(error) if error.is_hidden() => {
                unread.push(format!("`{}` cannot be read; it may have a new head.", staged.reference()));
                None
            }
            Err(error) => return Err(error.into()),
        };
        let moved_to = sha.filter(|sha| !sha.eq_ignore_ascii_case(&staged.sha)).map(|sha| shown(&sha, 64));
        all.push(CombinedProgress { staged: staged.clone(), moved_to });
    }
    Ok(all)
}

/// Reads the pipelines of rows, with everything that they trigger.
pub(super) async fn read_rows(
    gitlab: &GitLab,
    project: &str,
    options: &ProgressOptions,
    rows: Vec<AnswerRow>,
    by_bot: bool,
) -> Result<Vec<PipelineRow>, StageError> {
    let place = options.place(gitlab, project, by_bot);
    let silent = Events::silent();
    let mut read = Vec::new();
    for row in rows {
        let mut row = PipelineRow::new(row, &place);
        row.complete(gitlab, &silent).await?;
        read.push(row);
    }
    Ok(read)
}
