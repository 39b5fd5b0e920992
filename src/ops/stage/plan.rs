//! A staging before the request: what to stage, by which method, and its plan.

use super::bot::{BotOptions, BotPlan};
use super::facts::MergeRequestFacts;
use crate::systems::gitlab::TokenFacts;

/// What to stage, and how.
#[derive(Debug, Clone)]
pub struct StagingOptions {
    /// `group/project`.
    pub project: String,
    /// The number of the merge request.
    pub merge_request: u64,
    /// The method.
    pub method: MethodOptions,
}

/// The method of a staging, with its options.
#[derive(Debug, Clone)]
pub enum MethodOptions {
    /// A comment asks a bot.
    Bot(BotOptions),
}

/// The plan of a staging, before any change.
#[derive(Debug, Clone)]
pub struct StagePlan {
    /// The merge request as it is.
    pub merge_request: MergeRequestFacts,
    /// Facts about the token; `None` if the server does not tell them, or there is no token.
    pub token: Option<TokenFacts>,
    /// The request of the method.
    pub method: MethodPlan,
}

/// The planned request.
#[derive(Debug, Clone)]
pub enum MethodPlan {
    /// A comment that asks a bot.
    Bot(BotPlan),
}

impl StagePlan {
    /// Returns whether the same request was sent before, for the same commit.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        match &self.method {
            MethodPlan::Bot(plan) => plan.earlier.is_some(),
        }
    }
}
