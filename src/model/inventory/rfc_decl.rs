//! `rfcs` in the head of an inventory: the facts about a group's requests for comments. The rules are in `model::rfc`.

use schemars::JsonSchema;
use serde::Deserialize;

/// Requests for comments of a group.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct RfcDecl {
    /// Repository with the documents, by its name in the inventory.
    pub repo: String,
    /// Directory in the repository.
    pub directory: String,
    /// Beginning of each ID: `CKI` of `CKI-001`.
    pub prefix: String,
    /// Minimum number of digits of a number; 3 by default.
    pub digits: Option<u8>,
    /// Name of a document, with `{number}` and `{slug}`; `PREFIX-{number}-{slug}.md` in lower case by default.
    pub file: Option<String>,
    /// Sections that each document has, in their order.
    #[serde(default)]
    pub sections: Vec<String>,
    /// Days for feedback, from the creation of the merge request; 7 by default.
    pub window_days: Option<u32>,
    /// Project on the GitLab server, if it differs from the path in the address of the repository.
    pub project: Option<String>,
    /// Key of the author in the front matter; `author` by default.
    pub author_key: Option<String>,
    /// Key of the merge request in the front matter; `merge_request` by default.
    pub merge_request_key: Option<String>,
    /// Key of the status in the front matter; `status` by default.
    pub status_key: Option<String>,
}
