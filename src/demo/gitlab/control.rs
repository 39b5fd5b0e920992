//! Controls of a stand-in that GitLab's API does not have: advance the time, lose data, misbehave. Only
//! the process that started the stand-in can use them: no request reaches this.

use std::time::Duration;

use serde::Deserialize;

use super::config::Visibility;
use super::fault::InjectedFault;
use super::script::seconds;
use super::state::ServerState;

/// One control.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum ControlFile {
    /// Advances the time.
    Advance {
        /// Seconds.
        seconds: f64,
    },
    /// Misbehaves on matching requests.
    Misbehave(InjectedFault),
    /// Cancels all misbehaviour that is still to come.
    Behave,
    /// Pushes to a merge request.
    MoveHead {
        /// Its project.
        project: String,
        /// Its number.
        iid: u64,
        /// The new commit.
        sha: String,
    },
    /// Pushes to a merge request right before the next pipeline is started, after all that was asked before.
    MoveHeadBeforePipeline {
        /// Its project.
        project: String,
        /// Its number.
        iid: u64,
        /// The new commit.
        sha: String,
    },
    /// Sets the state of a merge request, such as closed or merged.
    SetState {
        /// Its project.
        project: String,
        /// Its number.
        iid: u64,
        /// The new state.
        state: String,
    },
    /// Comments in the name of a user.
    Comment {
        /// The merge request's project.
        project: String,
        /// Its number.
        iid: u64,
        /// User name of the author.
        user: String,
        /// Text of the comment.
        body: String,
    },
    /// Deletes a comment.
    DeleteNote {
        /// Its number.
        id: u64,
    },
    /// Deletes a pipeline.
    DeletePipeline {
        /// Its number.
        id: u64,
    },
    /// Makes a pipeline the one that a job has triggered; circles are possible.
    Trigger {
        /// Number of the job.
        job: u64,
        /// Number of the pipeline.
        pipeline: u64,
    },
    /// Makes a token invalid.
    Expire {
        /// The token.
        token: String,
    },
    /// Hides the pipelines of a project from all but its members.
    HidePipelines {
        /// The project.
        project: String,
    },
    /// Silences the bot, or lets it go on.
    SilenceBot {
        /// The bot is silent.
        silent: bool,
    },
}

/// A control that names something that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stand-in has no {0}")]
pub struct ControlError(String);

impl ServerState {
    pub(super) fn control(&mut self, control: ControlFile) -> Result<(), ControlError> {
        self.settle();
        let missing = |what: String| Err(ControlError(what));
        let no_merge_request =
            |project: &str, iid: u64| ControlError(format!("merge request `{project}!{iid}`"));
        match control {
            ControlFile::Advance { seconds: span } => self.advance(seconds(span)),
            ControlFile::Misbehave(fault) => self.faults.push(fault),
            ControlFile::Behave => self.faults.clear(),
            ControlFile::MoveHead { project, iid, sha } => {
                let found = self.merge_request(&project, iid);
                found.ok_or_else(|| no_merge_request(&project, iid))?.sha = sha;
            }
            ControlFile::MoveHeadBeforePipeline { project, iid, sha } => {
                self.pushes.push((project, iid, sha));
            }
            ControlFile::SetState { project, iid, state } => {
                let found = self.merge_request(&project, iid);
                found.ok_or_else(|| no_merge_request(&project, iid))?.state = state;
            }
            ControlFile::Comment { project, iid, user, body } => {
                if self.user(&user).is_none() {
                    return missing(format!("user `{user}`"));
                }
                if self.merge_request(&project, iid).is_none() {
                    return Err(no_merge_request(&project, iid));
                }
                let note = self.add_note(&project, iid, &user, &body, None, self.time.now());
                self.bot_reads(note.id);
            }
            ControlFile::DeleteNote { id } => match self.notes.iter().position(|note| note.id == id) {
                Some(index) => drop(self.notes.remove(index)),
                None => return missing(format!("comment {id}")),
            },
            ControlFile::DeletePipeline { id } => match self.pipelines.iter().position(|one| one.id == id) {
                Some(index) => drop(self.pipelines.remove(index)),
                None => return missing(format!("pipeline {id}")),
            },
            ControlFile::Trigger { job, pipeline } => {
                match self.pipelines.iter_mut().find(|one| one.id == pipeline) {
                    Some(pipeline) => pipeline.trigger = Some(job),
                    None => return missing(format!("pipeline {pipeline}")),
                }
            }
            ControlFile::Expire { token } => {
                match self.config.tokens.iter_mut().find(|one| one.token == token) {
                    Some(token) => token.expired = true,
                    None => return missing("such token".to_owned()),
                }
            }
            ControlFile::HidePipelines { project } => {
                match self.config.projects.iter_mut().find(|one| one.path == project) {
                    Some(project) => project.pipelines = Visibility::Private,
                    None => return missing(format!("project `{project}`")),
                }
            }
            ControlFile::SilenceBot { silent } => self.bot_is_silent = silent,
        }
        Ok(())
    }

    /// Advances the time and lets the bot catch up.
    pub(super) fn advance(&mut self, span: Duration) {
        self.time.advance(span);
        self.settle();
    }
}
