//! The objects of releases that a cluster has: which belong together, and which are expired. Removing them is up to
//! `ops::unstage`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::labels::{
    COMPONENT, EXPIRES_AT, HEAD, IMAGE, IMAGE_COMMIT, MANAGED_BY, MERGE_REQUEST, PROJECT, PROJECT_PATH,
    RELEASE, REQUESTED_AT, REQUESTED_BY,
};

/// Kind of a volume claim.
const CLAIM: &str = "PersistentVolumeClaim";

/// An object of a release in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemainingObject {
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
}

impl RemainingObject {
    /// Returns whether it is a volume claim, which may outlive its release.
    #[must_use]
    pub fn is_claim(&self) -> bool {
        self.kind == CLAIM
    }
}

/// The objects of a release in a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseRemains {
    /// Name of the release.
    pub name: String,
    /// Digest of the project.
    pub project: String,
    /// Path of the project.
    pub project_path: Option<String>,
    /// Reference of the component; `None` without the owner.
    pub component: Option<String>,
    /// Number of the merge request.
    pub merge_request: Option<u64>,
    /// Head of the merge request.
    pub head: String,
    /// Deployed image; `None` without the owner.
    pub image: Option<String>,
    /// Commit that the image says it was built from, if it says one.
    pub image_commit: Option<String>,
    /// User name on GitLab of the last requester, if it is known.
    pub requested_by: Option<String>,
    /// Time of the last request; `None` without the owner.
    pub requested_at: Option<jiff::Timestamp>,
    /// Time after which it counts as expired.
    pub expires_at: Option<jiff::Timestamp>,
    /// Name of the owner, if it is there.
    pub owner: Option<String>,
    /// Objects that belong to the release, the owner first.
    pub objects: Vec<RemainingObject>,
    /// Objects with the labels of the release that something else owns: they are left alone.
    pub foreign: Vec<RemainingObject>,
}

impl ReleaseRemains {
    /// Returns whether the release is expired, or nothing but its volume claims is left of it.
    #[must_use]
    pub fn is_expired(&self, now: jiff::Timestamp) -> bool {
        let is_orphaned = !self.objects.is_empty() && self.objects.iter().all(RemainingObject::is_claim);
        is_orphaned || self.expires_at.is_some_and(|at| at <= now)
    }
}

/// Groups the items of a list of objects by their release. Objects that `cki` does not manage are left out.
#[must_use]
pub fn remains(items: &[Value]) -> Vec<ReleaseRemains> {
    let mut releases: BTreeMap<String, ReleaseRemains> = BTreeMap::new();
    for item in items {
        let label = |key: &str| item["metadata"]["labels"][key].as_str().unwrap_or_default().to_owned();
        let name = label(RELEASE);
        let kind = item["kind"].as_str().unwrap_or_default();
        // The controller of a StatefulSet makes its claims.
        let is_claim = kind == CLAIM;
        if name.is_empty() || (label(MANAGED_BY.0) != MANAGED_BY.1 && !is_claim) {
            continue;
        }
        let found = releases
            .entry(name.clone())
            .or_insert_with(|| ReleaseRemains { name: name.clone(), ..Default::default() });
        let object = RemainingObject {
            kind: kind.to_owned(),
            name: item["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        };
        let owner = format!("cki-stage-{name}");
        let is_owner = kind == "ConfigMap" && object.name == owner;
        if !is_owner && !is_claim && !is_owned_by(item, &owner) {
            found.foreign.push(object);
            continue;
        }
        let newer = |known: &str, told: String| if told.is_empty() { known.to_owned() } else { told };
        found.project = newer(&found.project, label(PROJECT));
        found.head = newer(&found.head, label(HEAD));
        found.merge_request = found.merge_request.or(label(MERGE_REQUEST).parse().ok());
        let annotation = |key: &str| item["metadata"]["annotations"][key].as_str().map(str::to_owned);
        let expires_at: Option<jiff::Timestamp> = annotation(EXPIRES_AT).and_then(|text| text.parse().ok());
        found.expires_at = found.expires_at.max(expires_at);
        found.project_path = found.project_path.take().or_else(|| annotation(PROJECT_PATH));
        if is_owner {
            found.component = annotation(COMPONENT);
            found.image = annotation(IMAGE);
            found.image_commit = annotation(IMAGE_COMMIT);
            found.requested_by = annotation(REQUESTED_BY);
            // An owner that an earlier version has applied says only when it was made.
            let made = || item["metadata"]["creationTimestamp"].as_str()?.parse().ok();
            found.requested_at = annotation(REQUESTED_AT).and_then(|text| text.parse().ok()).or_else(made);
            found.owner = Some(owner);
            found.objects.insert(0, object);
        } else {
            found.objects.push(object);
        }
    }
    releases.into_values().collect()
}

fn is_owned_by(item: &Value, owner: &str) -> bool {
    let references = item["metadata"]["ownerReferences"].as_array();
    references.is_some_and(|references| {
        references.iter().any(|one| one["kind"] == "ConfigMap" && one["name"] == owner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(kind: &str, name: &str, owner: Option<&str>) -> Value {
        let owners: Vec<Value> =
            owner.iter().map(|name| json!({"kind": "ConfigMap", "name": name})).collect();
        json!({"kind": kind, "metadata": {
            "name": name,
            "ownerReferences": owners,
            "labels": {MANAGED_BY.0: "cki", RELEASE: "web-mr-1", PROJECT: "p", MERGE_REQUEST: "1", HEAD: "abc"},
        }})
    }

    #[test]
    fn remains_group_objects_by_owner() {
        let mut owner = object("ConfigMap", "cki-stage-web-mr-1", None);
        owner["metadata"]["annotations"] = json!({EXPIRES_AT: "2026-11-22T10:00:00Z", PROJECT_PATH: "a/b"});
        let claim = json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "data-web-mr-1-0", "labels": {RELEASE: "web-mr-1"}}});
        let foreign = object("Service", "other", Some("somebody"));
        let mut unmanaged = object("Service", "x", Some("cki-stage-web-mr-1"));
        unmanaged["metadata"]["labels"][MANAGED_BY.0] = "helm".into();
        let items =
            [object("Deployment", "web-mr-1", Some("cki-stage-web-mr-1")), claim, foreign, unmanaged, owner];
        let found = remains(&items);
        let [one] = found.as_slice() else { panic!("{found:?}") };
        let names: Vec<&str> = one.objects.iter().map(|object| object.name.as_str()).collect();
        assert_eq!(names, ["cki-stage-web-mr-1", "web-mr-1", "data-web-mr-1-0"]);
        assert_eq!(one.foreign.len(), 1);
        assert_eq!((one.merge_request, one.project_path.as_deref()), (Some(1), Some("a/b")));
        let at = |text: &str| text.parse::<jiff::Timestamp>().expect("is a time");
        assert!(one.is_expired(at("2026-11-22T10:00:00Z")) && !one.is_expired(at("2026-11-22T09:59:59Z")));
        // Half of it is gone.
        let found = remains(&items[..2]);
        assert_eq!((found[0].owner.as_deref(), found[0].objects.len()), (None, 2));
        assert!(!found[0].is_expired(at("2030-01-01T00:00:00Z")), "nothing says when");
        // Only a claim is left, which says itself to what it belongs.
        let mut claim = object("PersistentVolumeClaim", "data-web-mr-1-0", None);
        claim["metadata"]["annotations"] = json!({PROJECT_PATH: "a/b"});
        let found = remains(&[claim]);
        let facts = (found[0].project.as_str(), found[0].merge_request, found[0].project_path.as_deref());
        assert_eq!(facts, ("p", Some(1), Some("a/b")));
        assert!(found[0].is_expired(at("2026-11-22T10:00:00Z")), "its release is gone");
    }
}
