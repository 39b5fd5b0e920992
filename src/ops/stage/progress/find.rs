//! Finds a staging from the server alone: the merge request, the newest request for its head, the bot's answer, and the
//! rows of its pipelines. Everything that reads or follows a staging begins here.

use super::ProgressOptions;
use super::locate::{Located, LocatedRequest, locate};
use super::marked::{self, MarkedPipelines};
use super::public;
use crate::model::inventory::StageVia;
use crate::model::staging::{AnswerForm, AnswerRow, StagedHead, StagingRequest, table};
use crate::ops::stage::bot::{LinkPick, LinkScope, LinkedPipelines, Pick, pick};
use crate::ops::stage::merge_request::read_any;
use crate::ops::stage::{CommentRef, MergeRequestFacts, PipelineOutcome, StageError};
use crate::systems::gitlab::{GitLab, Note, NoteOrder};

/// Maximum number of pages, of a hundred comments or threads each, to search.
const PAGES: usize = 20;

/// A staging as it was found.
pub(super) struct FoundStaging {
    pub(super) facts: MergeRequestFacts,
    pub(super) located: Located,
    /// User name of the bot that the located request asks.
    pub(super) bot: String,
    /// Number of comments among which no request for the head is, if there are older ones that were not searched.
    pub(super) searched: Option<usize>,
    /// Merge requests that the newest request stages together with this one.
    pub(super) combined: Vec<StagedHead>,
    pub(super) answer: Option<CommentRef>,
    /// The answer may be one to another request.
    pub(super) is_guess: bool,
    /// Rows of its pipelines, in the bot's words.
    pub(super) rows: Vec<AnswerRow>,
    /// The rows are pipelines that the method `pipeline` has started.
    pub(super) is_started: bool,
    /// Pipelines of the answer that cannot be read.
    pub(super) hidden: Vec<PipelineOutcome>,
    /// Facts that could not be read, one sentence each.
    pub(super) unread: Vec<String>,
}

/// Finds a staging.
pub(super) async fn find(gitlab: &GitLab, options: &ProgressOptions) -> Result<FoundStaging, StageError> {
    let facts = read_any(gitlab, &options.project, options.merge_request).await?;
    let mut found = FoundStaging {
        facts,
        located: Located::default(),
        bot: options.bots.first().cloned().unwrap_or_default(),
        searched: None,
        combined: Vec::new(),
        answer: None,
        is_guess: false,
        rows: Vec::new(),
        is_started: false,
        hidden: Vec::new(),
        unread: Vec::new(),
    };
    if options.via == StageVia::Kubernetes {
        // The state of a release is in the cluster.
        return Ok(found);
    }
    let has_comments = options.via == StageVia::Bot && find_request(gitlab, options, &mut found).await?;
    if !has_comments {
        let seen = pipelines(gitlab, &found.facts, options).await?;
        (found.rows, found.combined, found.is_started) = (seen.rows, seen.combined, seen.is_requested);
        found.unread.extend(seen.unread);
    }
    Ok(found)
}

/// Returns the pipelines of a staging that no comment has requested: those that the method `pipeline` has started, else all
/// of the head commit that can be seen.
pub(super) async fn pipelines(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    options: &ProgressOptions,
) -> Result<MarkedPipelines, StageError> {
    let mut found = match &options.pipeline {
        Some(decl) if options.via == StageVia::Pipeline => marked::pipelines(gitlab, facts, decl).await?,
        _ => MarkedPipelines::default(),
    };
    found.is_requested = !found.rows.is_empty();
    if found.rows.is_empty() {
        let (rows, unread) = public::pipelines(gitlab, facts, options.pipelines.first()).await?;
        found.rows = rows;
        found.unread.extend(unread);
    }
    Ok(found)
}

/// Searches the comments; returns `false` if they cannot be read.
async fn find_request(
    gitlab: &GitLab,
    options: &ProgressOptions,
    found: &mut FoundStaging,
) -> Result<bool, StageError> {
    let facts = &found.facts;
    if !gitlab.has_token() {
        found.unread.push(format!(
            "Without a token for {}, comments cannot be read; these are the pipelines that everybody may see.",
            gitlab.server()
        ));
        return Ok(false);
    }
    // Asked where there is a further page.
    let mut cut_at = None;
    let mut pages = 0;
    let is_found = |notes: &[Note]| {
        pages += 1;
        let is_found = options.bots.iter().any(|bot| locate(notes, facts, bot).current.is_some());
        cut_at = (pages == PAGES && !is_found).then_some(notes.len());
        is_found
    };
    let notes = match gitlab.notes(&facts.project, facts.iid, NoteOrder::NewestFirst, PAGES, is_found).await {
        Err(error) if error.is_hidden() => {
            found
                .unread
                .push("The token may not read comments; these are the pipelines that it may see.".to_owned());
            return Ok(false);
        }
        notes => notes?,
    };
    let facts = &found.facts;
    // The newest request counts, whatever bot it asks.
    let number = |one: &Option<LocatedRequest>| one.as_ref().map(|one| one.found.comment.id);
    let located = options.bots.iter().map(|bot| (locate(&notes, facts, bot), bot));
    let newest = located.max_by_key(|(one, _)| (number(&one.current), number(&one.outdated)));
    let Some((located, bot)) = newest else { return Ok(true) };
    (found.located, found.bot) = (located, bot.clone());
    found.searched = cut_at;
    if let Some(count) = cut_at {
        let reference = found.facts.reference();
        found
            .unread
            .push(format!("Only the newest {count} comments of `{reference}` were searched for a request."));
    }
    let Some(current) = &found.located.current else { return Ok(true) };
    found.combined = current.found.combined.clone();
    let answer = answer(gitlab, facts, &notes, current, &found.bot).await?;
    if options.form == AnswerForm::TableOrLinks {
        let request = current.found.comment.clone();
        let table = answer.as_ref().map(|(note, _)| note.id);
        if find_links(gitlab, options, found, &notes, &request, table).await? {
            return Ok(true);
        }
    }
    let Some((answer, is_guess)) = answer else { return Ok(true) };
    found.answer = Some(found.facts.comment(&answer));
    found.note_guess(is_guess);
    if let Some(table) = table::read(&answer.body) {
        if table.is_cut {
            let rows = table.rows.len();
            found
                .unread
                .push(format!("The bot's answer is too long: only {rows} of its pipelines are shown."));
        }
        found.rows = table.rows;
    }
    Ok(true)
}

impl FoundStaging {
    fn note_guess(&mut self, is_guess: bool) {
        self.is_guess = is_guess;
        if is_guess {
            let text = "There are other requests to the bot: its answer may be one to another of them.";
            self.unread.push(text.to_owned());
        }
    }
}

/// Finds the pipelines that the bot's answers link to, unless a table comes first; returns whether there is an answer.
async fn find_links(
    gitlab: &GitLab,
    options: &ProgressOptions,
    found: &mut FoundStaging,
    notes: &[Note],
    request: &CommentRef,
    table: Option<u64>,
) -> Result<bool, StageError> {
    let (facts, bot) = (found.facts.clone(), found.bot.clone());
    let scope = LinkScope { gitlab, facts: &facts, request, bot: &bot, projects: &options.pipelines };
    let picked = match scope.pick(notes, None) {
        LinkPick::AskThreads => match gitlab.discussions(&facts.project, facts.iid, PAGES).await {
            Ok(threads) => scope.pick(notes, Some(&threads)),
            Err(error) if error.is_hidden() => scope.pick(notes, Some(&[])),
            Err(error) => return Err(error.into()),
        },
        picked => picked,
    };
    let (answers, is_guess) = match picked {
        LinkPick::Answers(answers) => (answers, false),
        LinkPick::Perhaps(answers) => (answers, true),
        LinkPick::AskThreads => return Ok(false),
    };
    let Some(first) = answers.first().filter(|first| table.is_none_or(|table| table > **first)) else {
        return Ok(false);
    };
    let mut links = LinkedPipelines::default();
    let answers: Vec<&Note> = notes.iter().filter(|note| answers.contains(&note.id)).collect();
    links.add(&scope, &answers);
    links.read(&scope, true).await?;
    found.answer = answers.iter().find(|note| note.id == *first).map(|note| facts.comment(note));
    found.note_guess(is_guess);
    found.rows = links.take_found();
    found.hidden = links.hidden();
    found.unread.extend(links.take_refused());
    if links.is_cut {
        found.unread.push("The bot's answer has more links than are read.".to_owned());
    }
    Ok(true)
}

/// Returns the bot's answer to a request, and whether it may be one to another request.
async fn answer(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    notes: &[Note],
    current: &LocatedRequest,
    bot: &str,
) -> Result<Option<(Note, bool)>, StageError> {
    // A person can write what this program would not send.
    let Ok(asked) = request_of(current, bot) else { return Ok(None) };
    let id = current.found.comment.id;
    let picked = match pick(notes, id, &asked, None) {
        Pick::AskThreads => match gitlab.discussions(&facts.project, facts.iid, PAGES).await {
            Ok(threads) => pick(notes, id, &asked, Some(&threads)),
            Err(error) if error.is_hidden() => pick(notes, id, &asked, Some(&[])),
            Err(error) => return Err(error.into()),
        },
        picked => picked,
    };
    let (wanted, is_guess) = match picked {
        Pick::Answer(wanted) => (wanted, false),
        Pick::Perhaps(wanted) => (wanted, true),
        Pick::None | Pick::AskThreads => return Ok(None),
    };
    Ok(notes.iter().find(|note| note.id == wanted).map(|note| (note.clone(), is_guess)))
}

/// Returns the request that a comment makes.
pub(super) fn request_of(located: &LocatedRequest, bot: &str) -> Result<StagingRequest, StageError> {
    let command = &located.command;
    let mut request = StagingRequest::new(bot, command.parameters.clone(), command.reruns.clone(), &[])?;
    for head in &located.found.combined {
        request = request.combine(head.clone(), &[], &[])?;
    }
    Ok(request)
}
