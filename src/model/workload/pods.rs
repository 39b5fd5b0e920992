//! The pods of a workload, and the digests of the images that they run.

use serde_json::Value;

/// Returns the pods of a workload, the oldest first.
pub(super) fn pods_of<'a>(workload: &Value, pods: &'a [Value]) -> Vec<&'a Value> {
    let mut own: Vec<&Value> = pods.iter().filter(|pod| is_of(workload, pod)).collect();
    own.sort_by_key(|pod| pod["metadata"]["creationTimestamp"].as_str().unwrap_or_default());
    own
}

fn is_of(workload: &Value, pod: &Value) -> bool {
    if workload["kind"] == "CronJob" {
        // A Job of a CronJob is named after it and the minute in which it was due.
        let name = workload["metadata"]["name"].as_str().unwrap_or_default();
        let job = pod["metadata"]["labels"]["job-name"].as_str().and_then(|job| job.rsplit_once('-'));
        return job.is_some_and(|(owner, _)| !name.is_empty() && owner == name);
    }
    let selector = &workload["spec"]["selector"];
    // That of a DeploymentConfig is the map of labels itself.
    let of_map = (workload["kind"] == "DeploymentConfig").then_some(selector);
    let wanted = of_map.unwrap_or(&selector["matchLabels"]).as_object();
    wanted.is_some_and(|wanted| {
        !wanted.is_empty() && wanted.iter().all(|(key, value)| pod["metadata"]["labels"][key] == *value)
    })
}

/// Returns the digests that a container of some pods runs, the newest pod's first.
pub(super) fn digests(pods: &[&Value], container: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for pod in pods.iter().rev() {
        for status in pod["status"]["containerStatuses"].as_array().into_iter().flatten() {
            let digest = status["imageID"].as_str().and_then(digest_of);
            if let Some(digest) =
                digest.filter(|digest| status["name"] == container && !found.contains(digest))
            {
                found.push(digest);
            }
        }
    }
    found
}

/// Returns the digest in the name of an image: `sha256:…`.
#[must_use]
pub fn digest_of(image: &str) -> Option<String> {
    let digest = image.rsplit_once('@')?.1;
    is_digest(digest).then(|| digest.to_owned())
}

/// Returns whether a text is a digest: `sha256:` and 64 digits.
#[must_use]
pub fn is_digest(text: &str) -> bool {
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(is_digit))
}
