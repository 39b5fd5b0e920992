//! Asks the bot once: finds an existing request, or posts a comment.

use super::BotPlan;
use crate::model::event::Events;
use crate::model::staging::asks_for;
use crate::ops::stage::delivery::{Delivery, deliver};
use crate::ops::stage::facts::is_user;
use crate::ops::stage::head::check_heads;
use crate::ops::stage::{AskResult, CommentRef, MergeRequestFacts, StageError};
use crate::systems::gitlab::{GitLab, GitLabError, Note, NoteOrder, User};

/// Earlier requests among the comments.
pub(super) struct Past {
    /// The newest identical request.
    pub(super) earlier: Option<CommentRef>,
    /// The number of the newest comment.
    newest: u64,
}

/// Looks for a comment of the user with the same request for the same commit.
pub(super) async fn find_previous(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &BotPlan,
    me: &User,
) -> Result<Past, GitLabError> {
    let asks = |note: &Note| is_ours(note, plan, me);
    let is_found = |notes: &[Note]| notes.iter().any(asks);
    let found = gitlab.all_notes(&facts.project, facts.iid, NoteOrder::NewestFirst, is_found).await?;
    Ok(Past {
        earlier: found.iter().find(|note| asks(note)).map(|note| facts.comment(note)),
        newest: found.iter().map(|note| note.id).max().unwrap_or(0),
    })
}

/// Returns whether a comment is the user's own request. The marker must be outside of quotes in the
/// user's own comment, since anybody can copy it.
fn is_ours(note: &Note, plan: &BotPlan, me: &User) -> bool {
    is_user(note.author.as_ref(), &me.username) && asks_for(&note.body, &plan.request, &plan.marker)
}

/// The facts to know before the comment is posted.
pub(super) struct PostContext {
    me: User,
    past: Past,
}

/// Checks that the comment can be posted, and is still the right one. Changes nothing.
pub(super) async fn prepare(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &BotPlan,
) -> Result<PostContext, StageError> {
    if !gitlab.has_token() {
        return Err(StageError::NoToken {
            action: format!("commenting on `{}`", facts.reference()),
            server: gitlab.server().to_owned(),
        });
    }
    let me = gitlab.user().await?;
    check_heads(gitlab, facts, plan.request.combined()).await?;
    let past = find_previous(gitlab, facts, plan, &me).await?;
    Ok(PostContext { me, past })
}

/// Posts the comment, unless it exists.
pub(super) async fn ask(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &BotPlan,
    ready: PostContext,
    force: bool,
    events: &Events,
) -> Result<AskResult, StageError> {
    match ready.past.earlier.clone().filter(|_| !force) {
        Some(earlier) => Ok(AskResult::Found(earlier)),
        None => Ok(AskResult::Posted(post(gitlab, facts, plan, &ready, events).await?)),
    }
}

async fn post(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &BotPlan,
    ready: &PostContext,
    events: &Events,
) -> Result<CommentRef, StageError> {
    let send = async || gitlab.create_note(&facts.project, facts.iid, &plan.comment).await;
    let find = async || arrived(gitlab, facts, plan, ready).await;
    match deliver(gitlab, events, "whether the comment was posted", send, find).await? {
        Delivery::Answered(note) => Ok(facts.comment(&note)),
        Delivery::Found(comment) => Ok(comment),
    }
}

/// Looks for a comment that may have arrived.
async fn arrived(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    plan: &BotPlan,
    ready: &PostContext,
) -> Result<Option<CommentRef>, StageError> {
    let newest = ready.past.newest;
    let old = |notes: &[Note]| notes.iter().any(|note| note.id <= newest);
    let found = gitlab.all_notes(&facts.project, facts.iid, NoteOrder::NewestFirst, old).await;
    let found = found.map_err(|source| StageError::Uncertain { merge_request: facts.reference(), source })?;
    let mut new = found.iter().filter(|note| note.id > newest);
    Ok(new.find(|note| is_ours(note, plan, &ready.me)).map(|note| facts.comment(note)))
}
