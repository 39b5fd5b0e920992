//! Asking once: finds the comment that already asks, or posts one. A comment that may or may not
//! have arrived is looked for before it is posted again.

use std::time::Duration;

use super::facts::{CommentRef, MergeRequestFacts, is_user};
use super::{Asked, Plan, StageError};
use crate::model::event::Events;
use crate::model::staging::asks_for;
use crate::systems::gitlab::{GitLab, GitLabError, Note, User};

/// So many pages of a hundred comments are looked through.
const PAGES: usize = 20;
/// So often the comment is posted, if it did not arrive.
const TRIES: usize = 3;
/// When to look for a comment that may be on its way.
const LOOKS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// What the comments say about earlier requests.
pub(super) struct Past {
    /// The newest one that asks the same.
    pub(super) earlier: Option<CommentRef>,
    /// The number of the newest comment.
    newest: u64,
}

/// Looks for a comment of the user's that asks the same for the same commit.
pub(super) async fn past(gitlab: &GitLab, plan: &Plan, me: &User) -> Result<Past, GitLabError> {
    let facts = &plan.merge_request;
    let asks = |note: &Note| is_ours(note, plan, me);
    let found = gitlab.notes(&facts.project, facts.iid, PAGES, |notes| notes.iter().any(asks)).await?;
    Ok(Past {
        earlier: found.items.iter().find(|note| asks(note)).map(|note| facts.comment(note)),
        newest: found.items.iter().map(|note| note.id).max().unwrap_or(0),
    })
}

/// Somebody else may have copied the marker, and the user may have quoted it: it counts only in the
/// user's own words.
fn is_ours(note: &Note, plan: &Plan, me: &User) -> bool {
    is_user(note.author.as_ref(), &me.username) && asks_for(&note.body, &plan.request, &plan.marker)
}

/// What must be known before the comment is posted.
pub(super) struct Ready {
    me: User,
    past: Past,
}

/// Makes sure that the comment can be posted, and is still the right one. Nothing is changed.
pub(super) async fn prepare(gitlab: &GitLab, plan: &Plan) -> Result<Ready, StageError> {
    let facts = &plan.merge_request;
    if !gitlab.has_token() {
        return Err(StageError::NoToken {
            merge_request: facts.reference(),
            server: gitlab.server().to_owned(),
        });
    }
    let me = gitlab.user().await?;
    still_the_same(gitlab, facts).await?;
    let past = past(gitlab, plan, &me).await?;
    Ok(Ready { me, past })
}

/// Posts the comment, unless it is there.
pub(super) async fn ask(
    gitlab: &GitLab,
    plan: &Plan,
    ready: Ready,
    force: bool,
    events: &Events,
) -> Result<Asked, StageError> {
    match ready.past.earlier.clone().filter(|_| !force) {
        Some(earlier) => Ok(Asked::Found(earlier)),
        None => Ok(Asked::Posted(post(gitlab, plan, &ready, events).await?)),
    }
}

/// What was shown must still be what is asked for.
async fn still_the_same(gitlab: &GitLab, facts: &MergeRequestFacts) -> Result<(), StageError> {
    let found = gitlab.merge_request(&facts.project, facts.iid).await?;
    let now = MergeRequestFacts::of(gitlab.server(), &facts.project, &found)?;
    if now.head == facts.head {
        return Ok(());
    }
    Err(StageError::HeadMoved { merge_request: facts.reference(), was: facts.head.clone(), now: now.head })
}

async fn post(
    gitlab: &GitLab,
    plan: &Plan,
    ready: &Ready,
    events: &Events,
) -> Result<CommentRef, StageError> {
    let facts = &plan.merge_request;
    let mut tries = 1;
    loop {
        let error = match gitlab.create_note(&facts.project, facts.iid, &plan.comment).await {
            Ok(note) => return Ok(facts.comment(&note)),
            Err(error) if error.is_ambiguous() => error,
            Err(error) => return Err(error.into()),
        };
        events.note(format!("Looking whether the comment was posted all the same: {error}."));
        if let Some(note) = arrived(gitlab, plan, ready).await? {
            return Ok(note);
        }
        if tries == TRIES {
            return Err(error.into());
        }
        tries += 1;
    }
}

/// Looks for a comment that was on its way; a server may take a moment to show it.
async fn arrived(gitlab: &GitLab, plan: &Plan, ready: &Ready) -> Result<Option<CommentRef>, StageError> {
    let facts = &plan.merge_request;
    let newest = ready.past.newest;
    for pause in LOOKS {
        gitlab.clock().sleep(pause).await;
        let old = |notes: &[Note]| notes.iter().any(|note| note.id <= newest);
        let found = gitlab.notes(&facts.project, facts.iid, PAGES, old).await;
        let found =
            found.map_err(|source| StageError::Uncertain { merge_request: facts.reference(), source })?;
        let mut new = found.items.iter().filter(|note| note.id > newest);
        if let Some(note) = new.find(|note| is_ours(note, plan, &ready.me)) {
            return Ok(Some(facts.comment(note)));
        }
    }
    Ok(None)
}
