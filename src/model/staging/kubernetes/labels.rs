//! Labels and annotations of the objects of a release; `cki` changes and removes only objects with these labels.

use crate::base::digest::sha256_hex;

/// Label of the program that manages an object.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "cki");
/// Label of the release's name.
pub const RELEASE: &str = "cki.release";
/// Label of the project's digest, since its path is no valid label.
pub const PROJECT: &str = "cki.project";
/// Label of the merge request's number.
pub const MERGE_REQUEST: &str = "cki.merge-request";
/// Label of the merge request's head.
pub const HEAD: &str = "cki.head";
/// Annotation of the project's path.
pub const PROJECT_PATH: &str = "cki.project-path";
/// Annotation of the component's reference.
pub(super) const COMPONENT: &str = "cki.component";
/// Annotation of the address of the merge request.
pub(super) const URL: &str = "cki.merge-request-url";
/// Annotation of the deployed image.
pub const IMAGE: &str = "cki.image";
/// Annotation of the time (ISO 8601) after which the release counts as expired.
pub const EXPIRES_AT: &str = "cki.expires-at";

/// Annotation of the pods: the digest of what they are made of.
pub const TEMPLATE: &str = "cki.template";

/// Returns the digest of a project's path for [`PROJECT`].
#[must_use]
pub fn project_digest(project: &str) -> String {
    sha256_hex([project.to_lowercase()])[..12].to_owned()
}
