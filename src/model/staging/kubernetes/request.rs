//! The merge request and the image for which a release is made. Making it is up to `release`.

/// Facts about the merge request and its image.
#[derive(Debug, Clone)]
pub struct ReleaseRequest {
    /// Reference of the component: `category/name`.
    pub component: String,
    /// Path of the project.
    pub project: String,
    /// Number of the merge request.
    pub merge_request: u64,
    /// Head of the merge request.
    pub head: String,
    /// Address of the page of the merge request.
    pub url: String,
    /// Image by its digest.
    pub image: String,
    /// Commit that the image says it was built from, if it says one.
    pub image_commit: Option<String>,
    /// Namespace.
    pub namespace: String,
    /// User name on GitLab of the requester, if the token tells it.
    pub requested_by: Option<String>,
    /// Time of the request.
    pub requested_at: jiff::Timestamp,
    /// Time after which the release counts as expired.
    pub expires_at: jiff::Timestamp,
}
