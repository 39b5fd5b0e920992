//! The bot's own words on a merge request: its first comment that is no answer, which explains what it does.

use crate::model::staging::table;
use crate::ops::shared::outside_text::shown;
use crate::ops::stage::facts::is_user;
use crate::ops::stage::{CommentRef, MergeRequestFacts, StageError};
use crate::systems::gitlab::{GitLab, Note, NoteOrder};

/// Maximum number of pages, of a hundred comments each, to search.
const PAGES: usize = 20;
/// Maximum number of lines, and of characters in each.
const LIMITS: (usize, usize) = (200, 500);

/// The bot's first comment.
#[derive(Debug, Clone)]
pub struct BotWelcome {
    /// The merge request.
    pub merge_request: MergeRequestFacts,
    /// User name of the bot.
    pub bot: String,
    /// The comment; `None` if the bot wrote nothing but answers.
    pub comment: Option<CommentRef>,
    /// Its lines, safe to show and of bounded length.
    pub lines: Vec<String>,
}

/// Returns the bot's first comment on a merge request that is no answer.
///
/// # Errors
/// Fails without a token, since GitLab shows comments to users only, or if the merge request cannot be read.
pub(in crate::ops::stage) async fn welcome(
    gitlab: &GitLab,
    facts: MergeRequestFacts,
    bot: &str,
) -> Result<BotWelcome, StageError> {
    if !gitlab.has_token() {
        let action = format!("reading the comments of `{}`", facts.reference());
        return Err(StageError::NoToken { action, server: gitlab.server().to_owned() });
    }
    let is_welcome = |note: &&Note| {
        is_user(note.author.as_ref(), bot) && !note.system && table::parse(&note.body).is_none()
    };
    let is_found = |notes: &[Note]| notes.iter().any(|note| is_welcome(&note));
    let notes = gitlab.notes(&facts.project, facts.iid, NoteOrder::OldestFirst, PAGES, is_found).await?;
    let first = notes.iter().filter(is_welcome).min_by_key(|note| note.id);
    let comment = first.map(|note| facts.comment(note));
    let lines = first.map_or(Vec::new(), |note| {
        note.body.lines().take(LIMITS.0).map(|line| shown(line.trim_end(), LIMITS.1)).collect()
    });
    Ok(BotWelcome { merge_request: facts, bot: bot.to_owned(), comment, lines })
}
