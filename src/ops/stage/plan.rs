//! A staging before the request: what to stage, by which method, and its plan.

use super::bot::{BotOptions, BotPlan};
use super::combined::CombinedOptions;
use super::environment::EnvironmentPlan;
use super::facts::MergeRequestFacts;
use super::outcome::SentRequest;
use super::pipeline::{PipelineOptions, PipelinePlan};
use crate::systems::gitlab::TokenFacts;

/// The target of a staging, and its method.
#[derive(Debug, Clone)]
pub struct StagingOptions {
    /// `group/project`.
    pub project: String,
    /// The number of the merge request.
    pub merge_request: u64,
    /// Merge requests of other components to stage together with it.
    pub combined: Vec<CombinedOptions>,
    /// The method.
    pub method: MethodOptions,
}

/// The method of a staging, with its options.
#[derive(Debug, Clone)]
pub enum MethodOptions {
    /// A comment asks a bot.
    Bot(BotOptions),
    /// A pipeline is started.
    Pipeline(PipelineOptions),
}

/// The plan of a staging, before any change.
#[derive(Debug, Clone)]
pub struct StagePlan {
    /// The merge request as it is.
    pub merge_request: MergeRequestFacts,
    /// The merge requests that are staged together with it.
    pub combined: Vec<MergeRequestFacts>,
    /// Facts about the token; `None` if the server does not tell them, or there is no token.
    pub token: Option<TokenFacts>,
    /// The request of the method.
    pub method: MethodPlan,
}

/// The planned request.
#[derive(Debug, Clone)]
pub enum MethodPlan {
    /// A comment that asks a bot.
    Bot(Box<BotPlan>),
    /// A call that starts a pipeline.
    Pipeline(Box<PipelinePlan>),
}

impl StagePlan {
    /// Returns whether the same request was sent before, for the same commit.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        match &self.method {
            MethodPlan::Bot(plan) => plan.earlier.is_some(),
            MethodPlan::Pipeline(plan) => plan.earlier.is_some(),
        }
    }

    /// Returns the request as it is sent.
    #[must_use]
    pub fn request(&self) -> SentRequest {
        match &self.method {
            MethodPlan::Bot(plan) => SentRequest::Comment(plan.comment.clone()),
            MethodPlan::Pipeline(plan) => SentRequest::Call(plan.preview.clone()),
        }
    }

    /// Returns the environment that gets the result.
    #[must_use]
    pub fn environment(&self) -> Option<&EnvironmentPlan> {
        match &self.method {
            MethodPlan::Bot(_) => None,
            MethodPlan::Pipeline(plan) => plan.environment.as_ref(),
        }
    }

    /// Returns what the user's token is needed for, in words; `None` if it is not needed.
    #[must_use]
    pub fn action(&self) -> Option<String> {
        let merge_request = self.merge_request.reference();
        match &self.method {
            MethodPlan::Bot(_) => Some(format!("commenting on `{merge_request}`")),
            MethodPlan::Pipeline(plan) if plan.is_trigger() => None,
            MethodPlan::Pipeline(_) => Some(format!("starting a pipeline of `{merge_request}`")),
        }
    }
}
