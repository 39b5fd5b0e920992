//! Labels and annotations of the objects of a release; `cki` changes and removes only objects with these labels.

use serde_json::{Map, Value};

use super::request::ReleaseRequest;
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
pub const COMPONENT: &str = "cki.component";
/// Annotation of the address of the merge request.
pub(super) const URL: &str = "cki.merge-request-url";
/// Annotation of the deployed image.
pub const IMAGE: &str = "cki.image";
/// Annotation of the time (ISO 8601) after which the release counts as expired.
pub const EXPIRES_AT: &str = "cki.expires-at";

/// Annotation of the commit that the image says it was built from.
pub const IMAGE_COMMIT: &str = "cki.image-commit";
/// Annotation of the user name on GitLab of the last requester.
pub const REQUESTED_BY: &str = "cki.requested-by";
/// Annotation of the time (ISO 8601) of the last request.
pub const REQUESTED_AT: &str = "cki.requested-at";

/// Kinds of the objects of a release, and of the volume claims that a controller makes for it.
pub const RELEASED_KINDS: &str =
    "configmaps,services,deployments.apps,statefulsets.apps,cronjobs.batch,jobs.batch,persistentvolumeclaims";

/// Annotation of the pods: the digest of what they are made of.
pub const TEMPLATE: &str = "cki.template";

/// Returns the labels of an object of a release.
pub(super) fn own_labels(request: &ReleaseRequest, release: &str) -> Map<String, Value> {
    let mut labels = claim_labels(request, release);
    labels.insert(HEAD.to_owned(), request.head.clone().into());
    labels
}

/// Returns the labels of a volume claim, whose template cannot change with each commit.
pub(super) fn claim_labels(request: &ReleaseRequest, release: &str) -> Map<String, Value> {
    let (managed, by) = MANAGED_BY;
    let number = request.merge_request.to_string();
    let digest = project_digest(&request.project);
    let all = [(managed, by), (RELEASE, release), (PROJECT, &digest), (MERGE_REQUEST, &number)];
    all.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
}

/// Returns the digest of a project's path for [`PROJECT`].
#[must_use]
pub fn project_digest(project: &str) -> String {
    sha256_hex([project.to_lowercase()])[..12].to_owned()
}
