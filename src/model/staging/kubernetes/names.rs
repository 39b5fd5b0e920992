//! Names of a release's objects: those of the files with the number of the merge request, within the limits of
//! Kubernetes.

use crate::base::digest::sha256_hex;

/// Maximum length of a label's value, and of the names of Services and of objects whose Pods have their name.
pub(super) const LABEL: usize = 63;
/// Maximum length of the name of a CronJob, which gives its name to Jobs.
const CRON_JOB: usize = 52;
/// Maximum length of other names.
const OTHER: usize = 253;

/// Returns the name of the release of a component.
#[must_use]
pub fn release_name(component: &str, merge_request: u64) -> String {
    let plain: String =
        component.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    suffixed(plain.trim_matches('-'), &suffix(merge_request), CRON_JOB)
}

/// Returns the suffix of all names of a release.
pub(super) fn suffix(merge_request: u64) -> String {
    format!("-mr-{merge_request}")
}

/// Returns the name of an object in a release.
pub(super) fn object_name(kind: &str, name: &str, suffix: &str) -> String {
    let limit = match kind {
        "CronJob" => CRON_JOB,
        "ConfigMap" => OTHER,
        _ => LABEL,
    };
    suffixed(name, suffix, limit)
}

/// Adds a suffix to a name or a label's value. A part of its digest stands for the end of a name that is too long.
pub(super) fn suffixed(name: &str, suffix: &str, limit: usize) -> String {
    if name.is_empty() {
        return suffix.trim_start_matches('-').to_owned();
    }
    if name.len() + suffix.len() <= limit {
        return format!("{name}{suffix}");
    }
    let digest = &sha256_hex([name])[..6];
    let mut end = limit.saturating_sub(suffix.len() + digest.len() + 1).min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let kept = name[..end].trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    format!("{kept}-{digest}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_have_suffix_of_merge_request() {
        assert_eq!(release_name("service/pipeline_herder", 213), "service-pipeline-herder-mr-213");
        assert_eq!(object_name("Service", "web", "-mr-213"), "web-mr-213");
        assert_eq!(suffixed("", "-mr-213", LABEL), "mr-213");
        let long = "a".repeat(60);
        let (one, other) = (suffixed(&long, "-mr-1", LABEL), suffixed(&format!("{long}b"), "-mr-1", LABEL));
        assert_eq!((one.len(), other.len()), (63, 63));
        assert_ne!(one, other, "a digest keeps them apart");
        assert_eq!(object_name("CronJob", &long, "-mr-1").len(), 52);
    }

    proptest! {
        #[test]
        fn suffixed_stays_within_limit(name in "[a-z0-9][a-z0-9.-]{0,80}", number in 1u64..100_000) {
            let made = suffixed(&name, &suffix(number), LABEL);
            prop_assert!(made.len() <= LABEL && made.ends_with(&suffix(number)), "{}", made);
        }
    }
}
