//! Merge requests that one request stages together with another one: how the request names them, and the values that
//! their components' entries put into it. Reading them from a server belongs to `ops::stage`.

use std::collections::BTreeMap;
use std::fmt;

use super::{StagingError, StagingParameter, TemplateFacts};
use crate::model::merge_request::MergeRequestName;

/// Section of an entry with the templates of its overrides.
const SECTION: &str = "stage.override";

/// The head of a merge request for which a request was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StagedHead {
    /// `group/project`.
    pub project: String,
    /// Number of the merge request.
    pub number: u64,
    /// Commit.
    pub sha: String,
}

impl StagedHead {
    /// Returns `group/project!number`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}!{}", self.project, self.number)
    }

    /// Parses `group/project!number@commit`.
    fn parse(text: &str) -> Option<Self> {
        let (reference, sha) = text.rsplit_once('@')?;
        let name = MergeRequestName::parse(reference).ok()?;
        let project = name.project.filter(|_| name.server.is_none() && is_commit(sha))?;
        Some(Self { project, number: name.number, sha: sha.to_ascii_lowercase() })
    }

    /// Parses a list of heads, separated by commas; `None` if one is invalid.
    pub(super) fn parse_list(text: &str) -> Option<Vec<Self>> {
        text.split(',').map(Self::parse).collect()
    }

    /// Returns heads as a list that [`Self::parse_list`] reads.
    pub(super) fn list(heads: &[Self]) -> String {
        heads.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

impl fmt::Display for StagedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}!{}@{}", self.project, self.number, self.sha)
    }
}

/// Returns whether a text is the id of a commit.
pub(super) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Fills the templates of an entry's overrides: the values that stand for a merge request of its component in the
/// request of another one.
///
/// # Errors
/// Fails when a template is invalid, or makes a value that cannot be sent.
pub fn overrides(
    templates: &BTreeMap<String, String>,
    facts: &TemplateFacts<'_>,
) -> Result<Vec<StagingParameter>, StagingError> {
    let fill = |(key, template): (&String, &String)| {
        StagingParameter::for_pipeline(key, &facts.fill(SECTION, key, template)?)
    };
    templates.iter().map(fill).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staged_heads_round_trip_and_refuse_other_text() {
        let sha = "9c41d0e0000000000000000000000000000000aa";
        let heads = [("group/lib", 45), ("group/sub/other", 6)].map(|(project, number)| StagedHead {
            project: project.into(),
            number,
            sha: sha.into(),
        });
        let text = StagedHead::list(&heads);
        assert_eq!(text, format!("group/lib!45@{sha},group/sub/other!6@{sha}"));
        assert_eq!(StagedHead::parse_list(&text), Some(heads.to_vec()));
        for wrong in ["", "lib!45", "group/lib!45@main", "group/lib!45", "https://h/g/p/-/merge_requests/1"] {
            assert_eq!(StagedHead::parse_list(wrong), None, "{wrong}");
        }
        assert_eq!(StagedHead::parse_list(&format!("{text},x")), None);
    }

    #[test]
    fn overrides_are_filled_with_facts_of_their_merge_request() {
        let facts = TemplateFacts {
            project: "group/lib",
            number: 45,
            sha: "abc",
            source_branch: "fix",
            target_branch: "main",
            url: "https://h/group/lib.git",
        };
        let fill =
            |template: &str| overrides(&[("lib_pip_url".to_owned(), template.to_owned())].into(), &facts);
        let filled = fill("git+{{ url }}@{{ sha }}").expect("is valid");
        assert_eq!((filled[0].key(), filled[0].value()), ("lib_pip_url", "git+https://h/group/lib.git@abc"));
        let error = fill("{{ nobody }}").expect_err("is unknown").to_string();
        assert!(
            error.starts_with("the template of `lib_pip_url` in `stage.override` cannot be used"),
            "{error}"
        );
    }
}
