//! The report as one comment of the user on the merge request, which later reports replace.

use std::time::Duration;

use crate::ops::stage::facts::is_user;
use crate::ops::stage::{CommentRef, MergeRequestFacts};
use crate::systems::gitlab::{GitLab, GitLabError, Note, NoteOrder, User};

/// The hidden first line by which the comment is found again, and told from a request.
pub(super) const MARKER: &str = "<!-- cki:stage-report -->";
/// Maximum number of tries.
const TRIES: usize = 3;
/// Delays before looking for a comment that may have arrived.
const LOOKS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// Result of posting a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteResult {
    /// A comment was made.
    Created(CommentRef),
    /// The user's earlier comment was replaced.
    Updated(CommentRef),
    /// The user's earlier comment has the same text.
    Unchanged(CommentRef),
}

/// A report that could not be posted.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    /// GitLab failed.
    #[error(transparent)]
    GitLab(#[from] GitLabError),
    /// Commenting needs a token.
    #[error("commenting on `{merge_request}` needs a token for `{server}`")]
    NoToken {
        /// `group/project!iid`.
        merge_request: String,
        /// The server.
        server: String,
    },
    /// It is unknown whether the comment was posted.
    #[error("it is not known whether the report was posted on `{merge_request}`")]
    Uncertain {
        /// `group/project!iid`.
        merge_request: String,
        /// Underlying error.
        source: GitLabError,
    },
}

/// Creates or replaces the user's one comment with a report. `text` is safe to publish.
///
/// # Errors
/// Fails when the comment cannot be written; then there is at most one of it all the same.
pub async fn post_report(
    gitlab: &GitLab,
    facts: &MergeRequestFacts,
    text: &str,
) -> Result<NoteResult, NoteError> {
    if !gitlab.has_token() {
        return Err(NoteError::NoToken {
            merge_request: facts.reference(),
            server: gitlab.server().to_owned(),
        });
    }
    let me = gitlab.user().await?;
    let body = format!("{MARKER}\n{}", text.trim());
    let mut known = earlier(gitlab, facts, &me).await?;
    let mut tries = 0;
    loop {
        tries += 1;
        let written = match &known {
            Some(note) if note.body.trim() == body => {
                let place = facts.comment(note);
                // An update that failed without an answer has arrived.
                return Ok(if tries > 1 { NoteResult::Updated(place) } else { NoteResult::Unchanged(place) });
            }
            Some(note) => {
                let written = gitlab.update_note(&facts.project, facts.iid, note.id, &body).await;
                written.map(|note| NoteResult::Updated(facts.comment(&note)))
            }
            None => {
                let written = gitlab.create_note(&facts.project, facts.iid, &body).await;
                written.map(|note| NoteResult::Created(facts.comment(&note)))
            }
        };
        match written {
            Ok(result) => return Ok(result),
            Err(error) if !error.is_ambiguous() || tries == TRIES => return Err(error.into()),
            Err(_) => {}
        }
        // A server may take a moment to show it.
        for pause in LOOKS {
            gitlab.clock().sleep(pause).await;
            let now = earlier(gitlab, facts, &me).await;
            let now =
                now.map_err(|source| NoteError::Uncertain { merge_request: facts.reference(), source })?;
            let Some(note) = now else { continue };
            if known.is_none() && note.body.trim() == body {
                return Ok(NoteResult::Created(facts.comment(&note)));
            }
            known = Some(note);
        }
    }
}

/// Returns the user's own report; the oldest, if a person has copied it.
async fn earlier(gitlab: &GitLab, facts: &MergeRequestFacts, me: &User) -> Result<Option<Note>, GitLabError> {
    let is_report = |note: &&Note| {
        !note.system
            && is_user(note.author.as_ref(), &me.username)
            && note.body.trim_start().starts_with(MARKER)
    };
    let is_found = |notes: &[Note]| notes.iter().any(|note| is_report(&note));
    let notes = gitlab.all_notes(&facts.project, facts.iid, NoteOrder::OldestFirst, is_found).await?;
    Ok(notes.iter().filter(is_report).min_by_key(|note| note.id).cloned())
}
