//! The merge requests that are staged together with another one, as the method `bot` or `pipeline` takes them: read from the
//! server, and turned into values of the request. Releases are combined in `kubernetes`.

use std::collections::BTreeMap;

use super::{CombineFault, MergeRequestFacts, StageError};
use crate::model::staging::{StagedHead, StagingError, StagingParameter, overrides};
use crate::ops::stage::merge_request::read_open;
use crate::systems::gitlab::GitLab;

/// A merge request to stage together with another one.
#[derive(Debug, Clone)]
pub struct CombinedOptions {
    /// `group/project`.
    pub project: String,
    /// Number of the merge request.
    pub merge_request: u64,
    /// The component to which it belongs; `None` if no entry names the project.
    pub entry: Option<CombinedEntry>,
}

/// The parts of an entry that combine its merge requests with others.
#[derive(Debug, Clone)]
pub struct CombinedEntry {
    /// Name of the component.
    pub component: String,
    /// Place of the entry: `file:line`.
    pub place: String,
    /// Templates of values, by parameter.
    pub overrides: BTreeMap<String, String>,
}

/// A merge request that is staged together with another one, and the values that stand for it.
#[derive(Debug, Clone)]
pub(super) struct CombinedMergeRequest {
    pub(super) facts: MergeRequestFacts,
    pub(super) values: Vec<StagingParameter>,
}

impl CombinedMergeRequest {
    /// Returns the error of a request that does not take the values.
    pub(super) fn refused(&self, first: &MergeRequestFacts, fault: StagingError) -> StageError {
        not_combined(&self.facts.reference(), &first.reference(), fault.into())
    }
}

/// Checks what can be known without the server: that each merge request has another project and an entry with overrides.
pub(super) fn check(project: &str, number: u64, all: &[CombinedOptions]) -> Result<(), StageError> {
    for (index, one) in all.iter().enumerate() {
        let own = format!("{}!{}", one.project, one.merge_request);
        let earlier = all[..index].iter().map(|other| (other.project.as_str(), other.merge_request));
        let mut earlier = [(project, number)].into_iter().chain(earlier);
        if let Some((other, with)) = earlier.find(|(other, _)| other.eq_ignore_ascii_case(&one.project)) {
            return Err(not_combined(&own, &format!("{other}!{with}"), CombineFault::SameProject));
        }
        let fault = match &one.entry {
            None => CombineFault::NoComponent,
            Some(CombinedEntry { component, place, overrides }) if overrides.is_empty() => {
                CombineFault::NoOverride { component: component.clone(), place: place.clone() }
            }
            Some(_) => continue,
        };
        return Err(not_combined(&own, &format!("{project}!{number}"), fault));
    }
    Ok(())
}

/// Reads the merge requests, and fills the templates of their overrides.
pub(super) async fn read(
    gitlab: &GitLab,
    first: &str,
    all: &[CombinedOptions],
) -> Result<Vec<CombinedMergeRequest>, StageError> {
    let one = |options: &CombinedOptions| {
        let options = options.clone();
        async move {
            let facts = read_open(gitlab, &options.project, options.merge_request).await?;
            let templates = options.entry.iter().flat_map(|entry| entry.overrides.clone()).collect();
            let url = facts.repository_url(gitlab.server());
            let values = overrides(&templates, &facts.for_templates(&url))
                .map_err(|fault| not_combined(&facts.reference(), first, fault.into()))?;
            Ok(CombinedMergeRequest { facts, values })
        }
    };
    futures_util::future::try_join_all(all.iter().map(one)).await
}

/// Returns the heads of merge requests.
pub(super) fn heads(all: &[CombinedMergeRequest]) -> Vec<StagedHead> {
    all.iter().map(|one| one.facts.staged_head()).collect()
}

fn not_combined(merge_request: &str, with: &str, fault: CombineFault) -> StageError {
    let (merge_request, with) = (merge_request.to_owned(), with.to_owned());
    StageError::NotCombined { merge_request, with, fault: Box::new(fault) }
}
