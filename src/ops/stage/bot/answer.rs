//! Follows the bot's answer, which it edits in place: finds it, reads its table again and again, and adds
//! its pipelines to the followed ones.

use super::BotPlan;
use super::links::{LinkScope, LinkedPipelines};
use super::pick::{LinkPick, Pick, pick};
use super::same::pair;
use crate::base::text::{duration, plural};
use crate::model::event::{Task, TaskOutcome};
use crate::model::staging::{AnswerForm, AnswerRow, table};
use crate::ops::shared::outside_text::shown;
use crate::ops::stage::context::StageContext;
use crate::ops::stage::facts::is_user;
use crate::ops::stage::follow::{Follower, PipelineRow, RowPlace, until_the_end};
use crate::ops::stage::head::HeadWatch;
use crate::ops::stage::{CommentRef, MergeRequestFacts, StageError, StageOutcome, StagingResult};
use crate::systems::gitlab::{Discussion, Note, Poller};

/// Maximum number of pages, of a hundred comments or threads each, to search.
const PAGES: usize = 10;

/// Follows the answer to a request. The outcome has everything that was learned, however it ends.
pub(in crate::ops::stage) async fn follow(
    context: StageContext<'_>,
    plan: &BotPlan,
    request: CommentRef,
    outcome: &mut StageOutcome,
) -> StagingResult {
    let facts = outcome.merge_request.clone();
    let mut follower = AnswerFollower::new(context, plan, &facts, request);
    let ended = until_the_end(context, &mut follower, &mut outcome.pipelines).await;
    outcome.answer = follower.answer.as_ref().map(|answer| answer.place.clone()).or(follower.first_link);
    outcome.pipelines.extend(follower.links.hidden());
    ended
}

/// The bot's answer.
#[derive(Debug)]
struct Answer {
    place: CommentRef,
    watch: Poller<Note>,
    gone: bool,
}

struct AnswerFollower<'a> {
    context: StageContext<'a>,
    plan: &'a BotPlan,
    facts: &'a MergeRequestFacts,
    request: CommentRef,
    head: HeadWatch,
    notes: Poller<Vec<Note>>,
    /// The comments were read, but not searched: a request after it failed.
    has_unread: bool,
    answer: Option<Answer>,
    rows: Vec<PipelineRow>,
    /// The first answer with links, if the bot writes no table.
    first_link: Option<CommentRef>,
    links: LinkedPipelines,
    /// The answer is too long to be read completely.
    is_cut: bool,
    waiting: Option<Task>,
    /// The last comment of the bot that is not an answer.
    said: Option<String>,
    warned_others: bool,
}

impl Follower for AnswerFollower<'_> {
    async fn look(&mut self) -> Result<bool, StageError> {
        let StageContext { gitlab, events, .. } = self.context;
        self.head.look(gitlab, events).await?;
        if self.answer.is_none() {
            self.look_for_answer().await?;
        } else {
            self.look_at_answer().await?;
        }
        for row in &mut self.rows {
            row.look(gitlab, events).await?;
        }
        // A comment since the last look may link to another pipeline.
        if self.first_link.is_some() && self.is_over() {
            self.look_for_answer().await?;
        }
        if let Some(answer) = self.answer.as_ref().filter(|answer| answer.gone) {
            let blind = self.rows.iter().any(|row| !row.is_finished() && !row.is_seen());
            if blind || self.rows.is_empty() {
                return Err(StageError::AnswerDeleted { url: answer.place.url.clone() });
            }
        }
        let is_over = self.is_over();
        match self.answer.as_ref().map(|answer| &answer.place).or(self.first_link.as_ref()) {
            // An unread row may have failed.
            Some(answer) if is_over && (self.is_cut || self.links.is_cut) => {
                Err(StageError::AnswerTooLong { url: answer.url.clone(), rows: self.rows.len() })
            }
            _ => Ok(is_over),
        }
    }

    fn rows(&self) -> &[PipelineRow] {
        &self.rows
    }

    fn rows_mut(&mut self) -> &mut [PipelineRow] {
        &mut self.rows
    }

    fn give_up(&mut self) -> StagingResult {
        if let Some(task) = self.waiting.take() {
            let limit = duration(self.context.options.answer_within);
            task.finish(TaskOutcome::Failed, format!("no answer within {limit}"));
        }
        StagingResult::NoAnswer(self.said.take())
    }
}

impl<'a> AnswerFollower<'a> {
    fn new(
        context: StageContext<'a>,
        plan: &'a BotPlan,
        facts: &'a MergeRequestFacts,
        request: CommentRef,
    ) -> Self {
        let waiting = context.events.start("answered", format!("waiting for @{}", plan.request.bot()));
        Self {
            context,
            plan,
            facts,
            request,
            head: HeadWatch::of_pipelines(facts, plan.request.combined()),
            notes: Poller::notes(&facts.project, facts.iid),
            has_unread: false,
            answer: None,
            rows: Vec::new(),
            first_link: None,
            links: LinkedPipelines::default(),
            is_cut: false,
            waiting: Some(waiting),
            said: None,
            warned_others: false,
        }
    }

    /// Returns whether there are pipelines, and all have ended.
    fn is_over(&self) -> bool {
        let has_some = !self.rows.is_empty() || self.links.has_hidden();
        has_some && self.links.is_settled() && self.rows.iter().all(PipelineRow::is_finished)
    }

    /// Searches the comments since the request for the answer, and reads the pipelines of links.
    async fn look_for_answer(&mut self) -> Result<(), StageError> {
        self.search().await?;
        if self.first_link.is_some() {
            self.read_links().await?;
        }
        Ok(())
    }

    async fn search(&mut self) -> Result<(), StageError> {
        let facts = self.facts;
        let request = self.request.id;
        let reached = |notes: &[Note]| notes.iter().any(|note| note.id < request);
        self.has_unread |= self.context.gitlab.refresh_list(&mut self.notes, PAGES, reached).await?;
        if !self.has_unread {
            return Ok(());
        }
        let notes = self.notes.value().cloned().unwrap_or_default();
        if self.first_link.is_none() && !notes.iter().any(|note| note.id == request) {
            // The request may not be in the list yet.
            match self.context.gitlab.note(&facts.project, facts.iid, request).await {
                Err(error) if error.is_not_found() => {
                    return Err(StageError::RequestDeleted { url: self.request.url.clone() });
                }
                other => drop(other?),
            }
        }
        let found = match pick(&notes, request, &self.plan.request, None) {
            Pick::AskThreads => {
                let threads = self.threads().await?;
                pick(&notes, request, &self.plan.request, Some(&threads))
            }
            found => found,
        };
        if self.plan.form == AnswerForm::TableOrLinks && self.search_links(&notes, &found).await? {
            self.has_unread = false;
            return Ok(());
        }
        self.has_unread = false;
        let answer = match found {
            Pick::Answer(id) => id,
            Pick::Perhaps(id) => {
                self.warn_of_others();
                id
            }
            Pick::None | Pick::AskThreads => {
                self.listen(&notes);
                return Ok(());
            }
        };
        let Some(note) = notes.into_iter().find(|note| note.id == answer) else { return Ok(()) };
        self.answer = Some(Answer {
            place: facts.comment(&note),
            watch: Poller::note(&facts.project, facts.iid, note.id),
            gone: false,
        });
        self.read_table(&note.body);
        Ok(())
    }

    /// Searches the comments for links, unless a table comes first; returns whether there are some.
    async fn search_links(&mut self, notes: &[Note], table: &Pick) -> Result<bool, StageError> {
        let scope = link_scope(self.context, self.plan, self.facts, &self.request);
        let picked = match scope.pick(notes, None) {
            LinkPick::AskThreads => scope.pick(notes, Some(&self.threads().await?)),
            picked => picked,
        };
        let (answers, is_guess) = match picked {
            LinkPick::Answers(answers) => (answers, false),
            LinkPick::Perhaps(answers) => (answers, true),
            LinkPick::AskThreads => return Ok(false),
        };
        let Some(first) = answers.first() else { return Ok(false) };
        let is_table = matches!(table, Pick::Answer(id) | Pick::Perhaps(id) if id <= first);
        if is_table && self.first_link.is_none() {
            return Ok(false);
        }
        let answers: Vec<&Note> = notes.iter().filter(|note| answers.contains(&note.id)).collect();
        self.links.add(&scope, &answers);
        if self.first_link.is_none() {
            self.first_link = answers.iter().min_by_key(|note| note.id).map(|note| self.facts.comment(note));
        }
        if is_guess {
            self.warn_of_others();
        }
        if self.rows.is_empty() {
            self.listen(notes);
        }
        Ok(true)
    }

    /// Follows the pipelines of links that are those of the request.
    async fn read_links(&mut self) -> Result<(), StageError> {
        let StageContext { gitlab, events, .. } = self.context;
        let scope = link_scope(self.context, self.plan, self.facts, &self.request);
        let read = self.links.read(&scope, false).await;
        self.links.take_refused().into_iter().for_each(|why| events.note(why));
        let place = RowPlace { gitlab, default: &self.facts.project, followed: &self.plan.pipelines };
        self.rows.extend(self.links.take_found().into_iter().map(|row| PipelineRow::new(row, &place)));
        self.note_answer();
        Ok(read?)
    }

    /// Returns the threads; none if the user may not see them.
    async fn threads(&self) -> Result<Vec<Discussion>, StageError> {
        let facts = self.facts;
        match self.context.gitlab.discussions(&facts.project, facts.iid, PAGES).await {
            Ok(found) => Ok(found),
            Err(error) if error.is_not_found() || error.is_denied() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    fn warn_of_others(&mut self) {
        if !std::mem::replace(&mut self.warned_others, true) {
            self.context.events.warn(
                "There are other requests to the bot; what is followed is its next answer that is in no other \
                 request's thread.",
            );
        }
    }

    /// Remembers a comment of the bot that is not an answer: it may have the reason.
    fn listen(&mut self, notes: &[Note]) {
        let bot = self.plan.request.bot();
        let mut said = notes.iter().filter(|note| note.id > self.request.id && !note.system);
        let last = said.find(|note| is_user(note.author.as_ref(), bot));
        let line = last.and_then(|note| note.body.lines().find(|line| !line.trim().is_empty()));
        let line = line.map(|line| shown(line.trim(), 200));
        if line.is_some() && line != self.said {
            if let (Some(task), Some(line)) = (&self.waiting, &line) {
                task.detail(line.clone());
            }
            self.said = line;
        }
    }

    /// Reads the answer again, which the bot edits in place.
    async fn look_at_answer(&mut self) -> Result<(), StageError> {
        let Some(answer) = self.answer.as_mut().filter(|answer| !answer.gone) else { return Ok(()) };
        match self.context.gitlab.refresh(&mut answer.watch).await {
            Ok(true) => {
                let body = answer.watch.value().map(|note| note.body.clone()).unwrap_or_default();
                self.read_table(&body);
            }
            Ok(false) => {}
            Err(error) if error.is_not_found() => {
                answer.gone = true;
                self.context.events.warn("The bot's answer was deleted; its pipelines are still followed.");
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn read_table(&mut self, body: &str) {
        // An answer that has no table for a moment changes nothing.
        let Some(table) = table::read(body) else { return };
        self.is_cut |= table.is_cut;
        let default = self.plan.pipelines.first().unwrap_or(&self.facts.project);
        let place = RowPlace { gitlab: self.context.gitlab, default, followed: &self.plan.pipelines };
        let known: Vec<&AnswerRow> = self.rows.iter().map(PipelineRow::answer).collect();
        let pairs = pair(&known, &table.rows, self.context.gitlab.server());
        for (at, one) in pairs.into_iter().zip(table.rows) {
            match at {
                Some(at) => self.rows[at].update(one, &place),
                None => self.rows.push(PipelineRow::new(one, &place)),
            }
        }
        self.note_answer();
    }

    /// Reports the end of the wait for an answer.
    fn note_answer(&mut self) {
        if let Some(task) = self.waiting.take_if(|_| !self.rows.is_empty()) {
            task.finish(TaskOutcome::Done, plural(self.rows.len(), "pipeline"));
        }
    }
}

fn link_scope<'a>(
    context: StageContext<'a>,
    plan: &'a BotPlan,
    facts: &'a MergeRequestFacts,
    request: &'a CommentRef,
) -> LinkScope<'a> {
    let (bot, projects) = (plan.request.bot(), &plan.pipelines);
    LinkScope { gitlab: context.gitlab, facts, request, bot, projects }
}
