//! The pipelines of a merge request's head commit that a project shows: those of the merge request itself, and those of
//! the project that runs the staging. Without a token, they are all that can be seen.

use crate::model::staging::AnswerRow;
use crate::ops::shared::outside_text::{shown, web_address};
use crate::ops::stage::MergeRequestFacts;
use crate::systems::gitlab::{GitLab, GitLabError, ListedPipeline};

/// Group of the merge request's own pipelines.
const OWN: &str = "merge request";
/// Group of pipelines in another project.
const OTHER: &str = "pipelines";

/// Returns the newest pipelines of the head commit, one for each branch and source, as rows of a table; and facts that
/// could not be read.
///
/// # Errors
/// Fails if the server does not answer.
pub(super) async fn pipelines(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    pipelines_project: Option<&str>,
) -> Result<(Vec<AnswerRow>, Vec<String>), GitLabError> {
    let mut unread = Vec::new();
    let own = gitlab.pipelines_of_merge_request(&facts.project, facts.iid).await;
    let own = allowed(own, &format!("the pipelines of `{}`", facts.reference()), &mut unread)?;
    let mut rows = rows(OWN, &own, &facts.head);
    if let Some(project) = pipelines_project.filter(|project| *project != facts.project) {
        let other = gitlab.pipelines_of_commit(project, &facts.head).await;
        let other = allowed(other, &format!("the pipelines of `{project}`"), &mut unread)?;
        rows.extend(self::rows(OTHER, &other, &facts.head));
    }
    Ok((rows, unread))
}

fn allowed(
    listed: Result<Vec<ListedPipeline>, GitLabError>,
    what: &str,
    unread: &mut Vec<String>,
) -> Result<Vec<ListedPipeline>, GitLabError> {
    match listed {
        Err(error) if error.is_hidden() => {
            unread.push(format!("Without a token that may see them, {what} are not shown."));
            Ok(Vec::new())
        }
        listed => listed,
    }
}

/// Returns the newest pipeline of each branch and source. A pipeline of another commit is never taken.
fn rows(group: &str, listed: &[ListedPipeline], head: &str) -> Vec<AnswerRow> {
    let mut taken: Vec<(Option<&str>, Option<&str>)> = Vec::new();
    let mut rows = Vec::new();
    for one in listed.iter().filter(|one| one.sha.eq_ignore_ascii_case(head)) {
        let key = (one.branch.as_deref(), one.source.as_deref());
        // A pipeline that another one has triggered is part of that one.
        let is_child = matches!(one.source.as_deref(), Some("pipeline" | "parent_pipeline"));
        if is_child || taken.contains(&key) {
            continue;
        }
        taken.push(key);
        rows.push(AnswerRow {
            group: group.to_owned(),
            branch: shown(one.branch.as_deref().unwrap_or("–"), 100),
            id: Some(one.id),
            link: web_address(&one.web_url),
            status: one.status.clone(),
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::staging::PipelineStatus;

    #[test]
    fn a_pipeline_of_another_commit_is_never_taken() {
        let listed = |id: u64, sha: &str, source: &str| ListedPipeline {
            id,
            project_id: None,
            sha: sha.to_owned(),
            status: PipelineStatus::Running,
            branch: Some("refs/merge-requests/3/head".to_owned()),
            source: Some(source.to_owned()),
            web_url: String::new(),
        };
        let event = "merge_request_event";
        let all = [
            listed(9, "bbb", event),
            listed(8, "AAA", event),
            listed(7, "aaa", event),
            listed(6, "aaa", "parent_pipeline"),
            listed(5, "aaa", "push"),
        ];
        let ids: Vec<Option<u64>> = rows(OWN, &all, "aaa").iter().map(|row| row.id).collect();
        assert_eq!(ids, [Some(8), Some(5)]);
    }
}
