//! The bot: reads comments by the rules of `model::staging`, starts pipelines, answers with a table, and
//! edits that comment as the pipelines proceed. It has no task of its own: each request to the stand-in
//! first lets the bot catch up.

use std::time::Duration;

use super::asked::{AskedPipelines, AskedRow};
use super::config_pipelines::{Earlier, StagingConfig};
use super::script::seconds;
use super::state::{PipelineStart, ServerState};
use crate::model::staging::{AnswerRow, BotCommand, PipelineLink, parse_command, slash_command, table};

impl ServerState {
    /// Records a comment that asks the bot for something.
    pub(super) fn bot_reads(&mut self, note: u64) {
        let Some(bot) = self.config.bot.clone() else { return };
        let Some(note) = self.notes.iter().find(|one| one.id == note && one.author != bot.user) else {
            return;
        };
        let is_command = bot.takes_commands && slash_command(&note.body).is_some();
        let bare = || BotCommand { parameters: Vec::new(), reruns: Vec::new(), other: Vec::new() };
        let command = parse_command(&note.body, &bot.user).or_else(|| is_command.then(bare));
        let Some(command) = command else { return };
        let due = note.created + seconds(bot.answers_after);
        self.asked.push(AskedPipelines { note: note.id, due, command, answer: None });
    }

    /// Performs all the bot's actions that are due by now.
    pub(super) fn settle(&mut self) {
        let now = self.time.now();
        if self.bot_is_silent {
            return;
        }
        for index in 0..self.asked.len() {
            if self.asked[index].answer.is_none() && self.asked[index].due <= now {
                self.answer_comment(index);
            }
            if let Some((note, mut rows)) = self.asked[index].answer.take() {
                self.look(&mut rows, now);
                let body = self.table(&rows);
                if let Some(note) = self.notes.iter_mut().find(|one| one.id == note && one.body != body) {
                    note.body = body;
                    note.updated = now;
                }
                self.asked[index].answer = Some((note, rows));
            }
        }
    }

    fn answer_comment(&mut self, index: usize) {
        let asked = self.asked[index].clone();
        let Some(bot) = self.config.bot.clone() else { return };
        // The bot does not answer a comment that was deleted in the meantime.
        let Some(request) = self.notes.iter().find(|one| one.id == asked.note).cloned() else { return };
        let rows = if asked.command.reruns.is_empty() {
            let staging: Vec<StagingConfig> = self
                .project(&request.project)
                .map(|(_, project)| project.staging.clone())
                .unwrap_or_default();
            let head = self.merge_request(&request.project, request.iid).map(|one| one.sha.clone());
            let mut rows = Vec::new();
            for one in staging {
                // In the project of the merge request, its head is tested.
                let sha = head.clone().filter(|_| one.project == request.project);
                let (project, branch, script) =
                    (one.project.as_str(), one.branch.as_str(), one.script.as_str());
                let pipeline = self.start_for(&bot.user, (project, branch, script), sha, asked.due);
                rows.push(AskedRow::new(one.group, one.branch, pipeline));
            }
            rows
        } else {
            let mut rows = Vec::new();
            for rerun in &asked.command.reruns {
                let earlier: Option<&Earlier> =
                    bot.history.iter().find(|one| one.group == rerun.group && one.id == rerun.id);
                let pipeline = earlier.and_then(|one| {
                    self.start_for(&bot.user, (&one.project, &one.branch, &one.script), None, asked.due)
                });
                rows.push(AskedRow::new(rerun.group.clone(), rerun.id.to_string(), pipeline));
            }
            rows
        };
        let body = self.table(&rows);
        let reply_to = bot.threads.then_some(asked.note);
        let note = self.add_note(&request.project, request.iid, &bot.user, &body, reply_to, asked.due);
        self.asked[index].answer = Some((note.id, rows));
    }

    fn start_for(
        &mut self,
        user: &str,
        (project, branch, script): (&str, &str, &str),
        sha: Option<String>,
        at: Duration,
    ) -> Option<u64> {
        let (source, variables) = ("trigger", Vec::new());
        self.start_pipeline(PipelineStart { project, branch, script, sha, source, user, variables }, at)
    }

    /// Updates the rows of a table. A deleted pipeline keeps its last status.
    fn look(&self, rows: &mut [AskedRow], now: Duration) {
        for row in rows {
            if let Some(pipeline) = self.pipelines.iter().find(|one| Some(one.id) == row.pipeline) {
                row.status = pipeline.at(now).status;
            }
        }
    }

    fn table(&self, rows: &[AskedRow]) -> String {
        if rows.is_empty() {
            return "There is nothing to test for this project.".to_owned();
        }
        if self.config.bot.as_ref().is_some_and(|bot| bot.takes_commands) {
            return self.links(rows);
        }
        let links = self.config.bot.as_ref().is_some_and(|bot| bot.links);
        let rows: Vec<AnswerRow> = rows
            .iter()
            .map(|row| {
                let pipeline = self.pipelines.iter().find(|one| links && Some(one.id) == row.pipeline);
                AnswerRow {
                    group: row.group.clone(),
                    branch: row.branch.clone(),
                    id: row.pipeline,
                    link: pipeline.map(|one| format!("{}/{}/-/pipelines/{}", self.url, one.project, one.id)),
                    status: row.status.clone(),
                }
            })
            .collect();
        table::render(&rows)
    }

    /// Writes an answer of links.
    fn links(&self, rows: &[AskedRow]) -> String {
        let mut text = "Started by your command:\n".to_owned();
        for row in rows {
            let Some(pipeline) = self.pipelines.iter().find(|one| Some(one.id) == row.pipeline) else {
                continue;
            };
            let link = PipelineLink { project: pipeline.project.clone(), id: pipeline.id };
            text.push_str(&format!("- {}: {}\n", row.group, link.url(&self.url)));
        }
        text
    }
}
