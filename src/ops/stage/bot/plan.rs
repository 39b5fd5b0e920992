//! A request to the bot, before the comment is posted.

use crate::model::inventory::ProjectPatterns;
use crate::model::staging::{AnswerForm, Marker, StageParameter, StagingRequest};
use crate::ops::stage::CommentRef;

/// A request to the bot, and how to write it.
#[derive(Debug, Clone)]
pub struct BotOptions {
    /// The request to the bot.
    pub request: StagingRequest,
    /// The parameters that the entry declares.
    pub declared: Vec<StageParameter>,
    /// The template of the comment.
    pub template: String,
    /// The form of the bot's answers.
    pub form: AnswerForm,
    /// The projects whose pipelines are followed; the first one named is that of an answer without links.
    pub pipelines: ProjectPatterns,
}

/// The planned comment.
#[derive(Debug, Clone)]
pub struct BotPlan {
    /// The request to the bot.
    pub request: StagingRequest,
    /// The text of the comment.
    pub comment: String,
    /// The marker in the comment.
    pub marker: Marker,
    /// An earlier comment of the same user with the same request for the same commit.
    pub earlier: Option<CommentRef>,
    /// The form of the bot's answers.
    pub form: AnswerForm,
    /// The projects whose pipelines are followed; the first one named is that of an answer without links.
    pub pipelines: ProjectPatterns,
}
