//! The facts about a merge request that templates in the `stage` settings of an entry may use. What they are filled into
//! is decided by the requests.

use minijinja::context;

use super::{StagingError, shown};
use crate::base::template::{Templates, WorkBudget};

/// Facts about a merge request that the templates of an entry may use.
#[derive(Debug, Clone, Copy)]
pub struct TemplateFacts<'a> {
    /// `group/project`.
    pub project: &'a str,
    /// Number of the merge request.
    pub number: u64,
    /// Commit at its head.
    pub sha: &'a str,
    /// Source branch.
    pub source_branch: &'a str,
    /// Target branch.
    pub target_branch: &'a str,
    /// Address of the project's repository, which ends with `.git`.
    pub url: &'a str,
}

impl TemplateFacts<'_> {
    /// Fills the template of a key in a section of the entry, such as `stage.pipeline`.
    ///
    /// # Errors
    /// Fails when the template is invalid.
    pub fn fill(&self, section: &'static str, key: &str, template: &str) -> Result<String, StagingError> {
        let Self { project, number, sha, source_branch, target_branch, url } = *self;
        let context = context! { project, number, sha, source_branch, target_branch, url };
        Templates::new(&WorkBudget::default()).render(template, context).map_err(|error| {
            StagingError::FactTemplate { section, key: key.to_owned(), why: shown(&error.to_string()) }
        })
    }
}
