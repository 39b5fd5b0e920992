//! The pipelines that a bot's answers link to. A link alone proves nothing: a pipeline is taken if it is in a configured
//! project and runs on the staged commit, or, in a project with other commits, was created after the request. Finding
//! the answers is up to the callers.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::pick::{LinkPick, pick_all};
use crate::model::inventory::ProjectPatterns;
use crate::model::staging::{AnswerRow, PipelineLink, PipelineStatus, pipeline_links};
use crate::ops::shared::outside_text::shown;
use crate::ops::stage::{CommentRef, MergeRequestFacts, PipelineOutcome};
use crate::systems::gitlab::{Discussion, GitLab, GitLabError, Note, Pipeline};

/// Number of tries to find a missing pipeline, which may have just been created.
const LOOKS: u32 = 3;

/// A request whose answers link to pipelines.
pub(in crate::ops::stage) struct LinkScope<'a> {
    pub(in crate::ops::stage) gitlab: &'a GitLab,
    pub(in crate::ops::stage) facts: &'a MergeRequestFacts,
    pub(in crate::ops::stage) request: &'a CommentRef,
    /// User name of the bot.
    pub(in crate::ops::stage) bot: &'a str,
    /// The projects whose pipelines are followed; without any, that of the merge request.
    pub(in crate::ops::stage) projects: &'a ProjectPatterns,
}

/// The links so far.
#[derive(Debug, Default)]
pub(in crate::ops::stage) struct LinkedPipelines {
    known: BTreeSet<(String, u64)>,
    /// Links that are not decided, with the number of tries.
    waiting: Vec<(PipelineLink, u32)>,
    /// Pipelines of the request that nobody has taken yet, as rows of a table.
    found: Vec<AnswerRow>,
    /// Pipelines that nobody here may read.
    hidden: Vec<HiddenPipeline>,
    /// Sentences about links that are not followed.
    refused: Vec<String>,
    /// An answer has more links than are read.
    pub(in crate::ops::stage) is_cut: bool,
}

/// A linked pipeline that cannot be read.
#[derive(Debug, Clone)]
struct HiddenPipeline {
    link: PipelineLink,
    url: String,
    why: String,
}

/// The decision about a link.
enum LinkFate {
    Ours(Box<Pipeline>),
    Refused(String),
    Hidden(String),
    Missing(String),
}

impl LinkScope<'_> {
    /// Returns whether a comment has a link to a followed project.
    pub(in crate::ops::stage) fn is_answer(&self, note: &Note) -> bool {
        let found = pipeline_links(&note.body, self.gitlab.server());
        found.links.iter().any(|link| self.is_followed(&link.project))
    }

    /// Searches the comments for the answers.
    pub(in crate::ops::stage) fn pick(&self, notes: &[Note], threads: Option<&[Discussion]>) -> LinkPick {
        pick_all(notes, self.request.id, self.bot, &|note| self.is_answer(note), threads)
    }

    fn is_followed(&self, project: &str) -> bool {
        match self.projects.is_empty() {
            true => project.eq_ignore_ascii_case(&self.facts.project),
            false => self.projects.has(project),
        }
    }

    async fn decide(&self, link: &PipelineLink) -> Result<LinkFate, GitLabError> {
        let found = match self.gitlab.pipeline(&link.project, link.id).await {
            Ok(found) => found,
            Err(error) if error.is_not_found() => return Ok(LinkFate::Missing(error.to_string())),
            Err(error) if error.is_hidden() => return Ok(LinkFate::Hidden(error.to_string())),
            Err(error) => return Err(error),
        };
        let why = match self.has_our_commits(&link.project).await? {
            _ if self.is_head(found.sha.as_deref()) => None,
            true if self.is_merge_of_head(&link.project, &found).await? => None,
            true => Some("it runs on another commit"),
            false if self.is_new(&found) => None,
            false => Some("it is older than the request"),
        };
        Ok(match why {
            None => LinkFate::Ours(Box::new(found)),
            Some(why) => LinkFate::Refused(format!(
                "Pipeline {} of `{}`, which an answer of @{} links to, is not followed: {why}.",
                link.id, link.project, self.bot
            )),
        })
    }

    fn is_head(&self, sha: Option<&str>) -> bool {
        sha.is_some_and(|sha| sha.eq_ignore_ascii_case(&self.facts.head))
    }

    /// Returns whether commits of a project can be compared with the staged one: it is the project of the merge request,
    /// or that of its source branch.
    async fn has_our_commits(&self, project: &str) -> Result<bool, GitLabError> {
        if project.eq_ignore_ascii_case(&self.facts.project) {
            return Ok(true);
        }
        let Some(fork) = self.facts.fork else { return Ok(false) };
        match self.gitlab.project_path(fork).await {
            Ok(path) => Ok(project.eq_ignore_ascii_case(&path)),
            Err(error) if error.is_hidden() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns whether a pipeline runs on the merge that GitLab has made of the merge request.
    async fn is_merge_of_head(&self, project: &str, found: &Pipeline) -> Result<bool, GitLabError> {
        let merge = format!("refs/merge-requests/{}/merge", self.facts.iid);
        let Some(sha) = found.sha.as_deref().filter(|_| found.branch.as_ref() == Some(&merge)) else {
            return Ok(false);
        };
        match self.gitlab.commit(project, sha).await {
            Ok(commit) => Ok(commit.parent_ids.iter().any(|parent| self.is_head(Some(parent)))),
            Err(error) if error.is_hidden() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn is_new(&self, found: &Pipeline) -> bool {
        let time = |text: &str| text.parse::<Timestamp>().ok();
        let created = found.created_at.as_deref().and_then(time);
        created.zip(time(&self.request.created_at)).is_some_and(|(created, asked)| created >= asked)
    }
}

impl LinkedPipelines {
    /// Adds the links of answers, the oldest answer first.
    pub(in crate::ops::stage) fn add(&mut self, scope: &LinkScope<'_>, answers: &[&Note]) {
        let mut answers = answers.to_vec();
        answers.sort_by_key(|note| note.id);
        for note in answers {
            let found = pipeline_links(&note.body, scope.gitlab.server());
            self.is_cut |= found.is_cut;
            for link in found.links {
                if !self.known.insert((link.project.to_lowercase(), link.id)) {
                    continue;
                }
                if scope.is_followed(&link.project) {
                    self.waiting.push((link, 0));
                } else {
                    self.refused.push(format!(
                        "Pipeline {} of `{}`, which an answer of @{} links to, is not followed: \
                         `stage.pipelines` does not name its project.",
                        link.id, link.project, scope.bot
                    ));
                }
            }
        }
    }

    /// Reads the pipelines that are not decided yet. A missing one is read again later, unless this is the last time.
    pub(in crate::ops::stage) async fn read(
        &mut self,
        scope: &LinkScope<'_>,
        is_last: bool,
    ) -> Result<(), GitLabError> {
        let mut at = 0;
        while at < self.waiting.len() {
            let (link, looks) = &self.waiting[at];
            let (link, looks) = (link.clone(), looks + 1);
            match scope.decide(&link).await? {
                LinkFate::Ours(found) => self.found.push(row(scope, &link, &found)),
                LinkFate::Refused(why) => self.refused.push(why),
                LinkFate::Missing(_) if looks < LOOKS && !is_last => {
                    self.waiting[at].1 = looks;
                    at += 1;
                    continue;
                }
                LinkFate::Missing(why) | LinkFate::Hidden(why) => {
                    let url = link.url(scope.gitlab.server());
                    self.hidden.push(HiddenPipeline { link, url, why });
                }
            }
            self.waiting.remove(at);
        }
        Ok(())
    }

    /// Returns the pipelines of the request that were read since, as rows of a table.
    pub(in crate::ops::stage) fn take_found(&mut self) -> Vec<AnswerRow> {
        std::mem::take(&mut self.found)
    }

    /// Returns whether every link is decided.
    pub(in crate::ops::stage) fn is_settled(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns whether a pipeline cannot be read.
    pub(in crate::ops::stage) fn has_hidden(&self) -> bool {
        !self.hidden.is_empty()
    }

    /// Returns the sentences about links that are not followed, each once.
    pub(in crate::ops::stage) fn take_refused(&mut self) -> Vec<String> {
        std::mem::take(&mut self.refused)
    }

    /// Returns the pipelines that cannot be read, whose result is unknown.
    pub(in crate::ops::stage) fn hidden(&self) -> Vec<PipelineOutcome> {
        self.hidden.iter().map(HiddenPipeline::outcome).collect()
    }
}

impl HiddenPipeline {
    fn outcome(&self) -> PipelineOutcome {
        let Self { link, url, why } = self;
        PipelineOutcome {
            group: link.project.clone(),
            branch: "–".to_owned(),
            id: Some(link.id),
            project: Some(link.project.clone()),
            status: PipelineStatus::Unknown("unknown".to_owned()),
            by_hearsay: false,
            unread: Some(format!("Pipeline {} of `{}` cannot be read: {why}.", link.id, link.project)),
            gone: false,
            ended: true,
            url: Some(url.clone()),
            duration: None,
            jobs: None,
            course: None,
            failed: Vec::new(),
        }
    }
}

fn row(scope: &LinkScope<'_>, link: &PipelineLink, found: &Pipeline) -> AnswerRow {
    AnswerRow {
        group: link.project.clone(),
        branch: shown(found.branch.as_deref().unwrap_or("–"), 100),
        id: Some(link.id),
        link: Some(link.url(scope.gitlab.server())),
        status: found.status.clone(),
    }
}
