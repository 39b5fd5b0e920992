//! The configuration of a published image: for now, the commit that the image says it was built from. Parsing only; sending
//! is up to the parent module.

use serde_json::Value;

/// Label and annotation of the commit of an image, by the OCI image specification.
const REVISION: &str = "org.opencontainers.image.revision";
/// Platform whose image is read in an image of several platforms.
const PLATFORM: (&str, &str) = ("linux", "amd64");

/// A manifest, as far as it leads to the configuration.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ManifestKind {
    /// A list of platforms, with the digest of the manifest of one.
    Index(String),
    /// The manifest of one platform, with the digest of its configuration.
    Image(String),
}

/// Reads a manifest: the commit in its annotations, and where to read on.
pub(super) fn read_manifest(body: &[u8]) -> Option<(Option<String>, ManifestKind)> {
    let manifest: Value = serde_json::from_slice(body).ok()?;
    let revision = revision_of(&manifest["annotations"]);
    if let Some(config) = manifest["config"]["digest"].as_str() {
        return Some((revision, ManifestKind::Image(config.to_owned())));
    }
    // Attestations have the platform `unknown`.
    let all: Vec<&Value> = manifest["manifests"].as_array()?.iter().collect();
    let is_usual =
        |one: &&&Value| one["platform"]["os"] == PLATFORM.0 && one["platform"]["architecture"] == PLATFORM.1;
    let is_image = |one: &&&Value| one["platform"]["os"] != "unknown";
    let one = all.iter().find(is_usual).or_else(|| all.iter().find(is_image))?;
    Some((revision, ManifestKind::Index(one["digest"].as_str()?.to_owned())))
}

/// Returns the commit in the labels of a configuration.
pub(super) fn read_config(body: &[u8]) -> Option<String> {
    let config: Value = serde_json::from_slice(body).ok()?;
    // Docker's format has the labels there, too.
    revision_of(&config["config"]["Labels"])
}

/// Returns a commit in labels, if it can be one.
fn revision_of(labels: &Value) -> Option<String> {
    let text = labels[REVISION].as_str()?.trim().to_ascii_lowercase();
    let is_commit = (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_commit.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn manifests_lead_to_the_commit() {
        let read = |manifest: Value| read_manifest(manifest.to_string().as_bytes());
        let one = |os: &str, arch: &str, digest: &str| json!({"digest": digest, "platform": {"os": os, "architecture": arch}});
        let index = |all: Value| read(json!({"manifests": all})).map(|(_, kind)| kind);
        let (arm, amd, none) =
            (one("linux", "arm64", "a"), one("linux", "amd64", "b"), one("unknown", "unknown", "c"));
        assert_eq!(index(json!([none, arm, amd])), Some(ManifestKind::Index("b".to_owned())));
        assert_eq!(index(json!([none, arm])), Some(ManifestKind::Index("a".to_owned())));
        assert_eq!(index(json!([none])), None);
        let annotated = json!({"config": {"digest": "d"}, "annotations": {REVISION: "9C41D0E"}});
        assert_eq!(read(annotated), Some((Some("9c41d0e".to_owned()), ManifestKind::Image("d".to_owned()))));
        assert_eq!(read(json!({"schemaVersion": 1})), None);
        let config = |revision: &str| {
            read_config(json!({"config": {"Labels": {REVISION: revision}}}).to_string().as_bytes())
        };
        assert_eq!(config("9c41d0e0").as_deref(), Some("9c41d0e0"));
        for none in ["", "main", "9c41", "zzzzzzzz"] {
            assert_eq!(config(none), None, "{none}");
        }
        assert_eq!(read_config(b"{}"), None);
    }
}
