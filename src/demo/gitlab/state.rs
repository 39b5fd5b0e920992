//! The state of the stand-in: its configuration, and every change since the start. Permissions are in
//! `api`, the actions of the bot in `bot`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::asked::AskedPipelines;
use super::config::{MergeRequestConfig, ProjectConfig, StandInConfig, UserEntry};
use super::config_pipelines::Script;
use super::fault::InjectedFault;
use super::script::{self, PipelineSnapshot};
use super::time::Time;
use crate::base::digest;

/// Maximum number of requests to remember.
const REMEMBERED: usize = 10_000;

/// The state of the stand-in.
#[derive(Debug)]
pub(super) struct ServerState {
    pub(super) config: StandInConfig,
    /// The address, without a slash at the end.
    pub(super) url: String,
    pub(super) time: Time,
    pub(super) notes: Vec<StoredNote>,
    pub(super) pipelines: Vec<StoredPipeline>,
    /// Comments that the bot has not yet answered.
    pub(super) asked: Vec<AskedPipelines>,
    pub(super) bot_is_silent: bool,
    /// Pushes to merge requests that happen right before the next pipeline is started: project, number, commit.
    pub(super) pushes: Vec<(String, u64, String)>,
    /// Heads of merge requests, by the merges that GitLab made of them.
    pub(super) merges: BTreeMap<String, String>,
    /// Branches that requests have created.
    pub(super) branches: Vec<CreatedBranch>,
    pub(super) faults: Vec<InjectedFault>,
    /// Requests of each token in the current window.
    pub(super) counted: BTreeMap<String, (u64, u64)>,
    pub(super) requests: Vec<String>,
    next_note: u64,
    next_pipeline: u64,
    next_job: u64,
}

/// A comment.
#[derive(Debug, Clone)]
pub(super) struct StoredNote {
    pub(super) id: u64,
    pub(super) project: String,
    pub(super) iid: u64,
    pub(super) author: String,
    pub(super) body: String,
    pub(super) created: Duration,
    pub(super) updated: Duration,
    pub(super) discussion: String,
    /// The comment is part of a thread.
    pub(super) threaded: bool,
}

/// A pipeline.
#[derive(Debug, Clone)]
pub(super) struct StoredPipeline {
    pub(super) id: u64,
    pub(super) iid: u64,
    pub(super) project: String,
    pub(super) branch: String,
    pub(super) sha: String,
    /// GitLab's word for what started it.
    pub(super) source: &'static str,
    /// Name of the user who started it.
    pub(super) user: String,
    pub(super) variables: Vec<(String, String)>,
    pub(super) created: Duration,
    pub(super) script: Script,
    pub(super) first_job: u64,
    /// The job of another pipeline that triggers it.
    pub(super) trigger: Option<u64>,
    /// The time at which it was canceled.
    pub(super) canceled: Option<Duration>,
}

/// A branch that a request has created.
#[derive(Debug, Clone)]
pub(super) struct CreatedBranch {
    pub(super) project: String,
    pub(super) name: String,
    /// Commit at its head.
    pub(super) head: String,
}

/// A pipeline to start.
#[derive(Debug)]
pub(super) struct PipelineStart<'a> {
    pub(super) project: &'a str,
    pub(super) branch: &'a str,
    pub(super) script: &'a str,
    /// The commit; that of the branch, if absent.
    pub(super) sha: Option<String>,
    pub(super) source: &'static str,
    pub(super) user: &'a str,
    pub(super) variables: Vec<(String, String)>,
}

impl StoredPipeline {
    pub(super) fn at(&self, now: Duration) -> PipelineSnapshot {
        let age = now.saturating_sub(self.created);
        match self.canceled.map(|then| then.saturating_sub(self.created)) {
            Some(then) if then <= age => script::canceled(&self.script, then),
            _ => script::at(&self.script, age),
        }
    }
}

impl ServerState {
    pub(super) fn new(config: StandInConfig, url: String, time: Time) -> Self {
        let next_pipeline = config.bot.as_ref().map_or(1, |bot| bot.first_pipeline);
        let mut state = Self {
            config,
            url,
            time,
            notes: Vec::new(),
            pipelines: Vec::new(),
            asked: Vec::new(),
            bot_is_silent: false,
            pushes: Vec::new(),
            merges: BTreeMap::new(),
            branches: Vec::new(),
            faults: Vec::new(),
            counted: BTreeMap::new(),
            requests: Vec::new(),
            next_note: 1_830_041,
            next_pipeline,
            next_job: 9_000_001,
        };
        state.start_merge_request_pipelines();
        state
    }

    /// Remembers a request.
    pub(super) fn remember(&mut self, request: String) {
        if self.requests.len() < REMEMBERED {
            self.requests.push(request);
        }
    }

    /// Returns a project by its number or path, with its number.
    pub(super) fn project(&self, id: &str) -> Option<(u64, &ProjectConfig)> {
        let mut numbered = (101..).zip(&self.config.projects);
        numbered.find(|(number, project)| project.path == id || number.to_string() == id)
    }

    /// Returns a user by name, with its number.
    pub(super) fn user(&self, name: &str) -> Option<(u64, &UserEntry)> {
        (1..).zip(&self.config.users).find(|(_, user)| user.username == name)
    }

    pub(super) fn merge_request(&mut self, project: &str, iid: u64) -> Option<&mut MergeRequestConfig> {
        let project = self.config.projects.iter_mut().find(|one| one.path == project)?;
        project.merge_requests.iter_mut().find(|one| one.iid == iid)
    }

    /// Adds a comment on its own, or in the thread of another one.
    pub(super) fn add_note(
        &mut self,
        project: &str,
        iid: u64,
        author: &str,
        body: &str,
        reply_to: Option<u64>,
        at: Duration,
    ) -> StoredNote {
        let id = self.next_note;
        self.next_note += 1;
        let parent = self.notes.iter_mut().find(|note| Some(note.id) == reply_to);
        let thread = parent.map(|parent| {
            parent.threaded = true;
            parent.discussion.clone()
        });
        let threaded = thread.is_some();
        let discussion = thread.unwrap_or_else(|| digest::sha256_hex([id.to_string()])[..40].to_owned());
        let note = StoredNote {
            id,
            project: project.to_owned(),
            iid,
            author: author.to_owned(),
            body: body.to_owned(),
            created: at,
            updated: at,
            discussion,
            threaded,
        };
        self.notes.push(note.clone());
        note
    }

    /// Returns the number of a new pipeline.
    pub(super) fn number_pipeline(&mut self, jobs: usize) -> (u64, u64) {
        let numbers = (self.next_pipeline, self.next_job);
        self.next_pipeline += 1;
        self.next_job += jobs as u64;
        numbers
    }
}
