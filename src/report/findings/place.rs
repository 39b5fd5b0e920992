//! Places of findings for other programs: the path in the repository, and an identity that outlives moved lines.

use std::collections::HashMap;
use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::finding::ReportedFinding;
use crate::base::assets::BUILT_IN;
use crate::base::digest::sha256_hex;

/// Characters that a path in a URI does not have, with `:`, which could end a scheme.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b':')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Returns the path of a file in the repository; outside of one, the whole path. The built-in inventory has the paths
/// of its directory.
pub(in crate::report) fn path<'a>(file: &'a str, repository: Option<&Path>) -> &'a str {
    let below = repository.and_then(|root| Path::new(file).strip_prefix(root).ok()?.to_str());
    below.or_else(|| file.strip_prefix(BUILT_IN)).unwrap_or(file)
}

/// Returns the URI reference of a path.
pub(super) fn uri(path: &str) -> String {
    let encoded = utf8_percent_encode(path, ENCODED);
    if path.starts_with('/') { format!("file://{encoded}") } else { encoded.to_string() }
}

/// Identities of findings. One consists of rule, path, entry and message, and of a number among equal findings.
#[derive(Default)]
pub(super) struct Fingerprints(HashMap<String, usize>);

impl Fingerprints {
    pub(super) fn of(&mut self, finding: &ReportedFinding<'_>, path: &str) -> String {
        let about = finding.about.as_deref().unwrap_or_default();
        let same = sha256_hex([finding.rule, path, about, finding.message]);
        let number = self.0.entry(same.clone()).or_default();
        *number += 1;
        match *number {
            1 => same,
            number => sha256_hex([same, number.to_string()]),
        }
    }
}

/// Returns what is wrong and what to do, as sentences.
pub(super) fn told(finding: &ReportedFinding<'_>, repository: Option<&Path>) -> String {
    let related = finding.related.map(|(file, line)| format!(" (`{}:{line}`)", path(file, repository)));
    format!("{}{}. To fix it, {}.", finding.message, related.unwrap_or_default(), finding.fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::Position;
    use crate::model::rule::Severity;

    #[test]
    fn path_and_uri_are_relative_to_the_repository() {
        let root = Some(Path::new("/src/x"));
        assert_eq!(path("/src/x/i/a b.yaml", root), "i/a b.yaml");
        assert_eq!(path("/src/xy/a.yaml", root), "/src/xy/a.yaml");
        assert_eq!(path("built in: tool/a.yaml", None), "tool/a.yaml");
        assert_eq!(uri("i/a b:%#é.yaml"), "i/a%20b%3A%25%23%C3%A9.yaml");
        assert_eq!(uri("/src/a.yaml"), "file:///src/a.yaml");
    }

    #[test]
    fn fingerprint_outlives_moved_lines_and_tells_equal_findings_apart() {
        let at = |line| ReportedFinding {
            file: "/a.yaml",
            position: Position { line, column: 1 },
            rule: "missing-target",
            severity: Severity::Error,
            about: None,
            message: "there is no entry `a/b`",
            fix: "",
            related: None,
            reason: None,
        };
        let first = Fingerprints::default().of(&at(3), "a.yaml");
        let mut moved = Fingerprints::default();
        assert_eq!(moved.of(&at(7), "a.yaml"), first);
        assert_ne!(moved.of(&at(8), "a.yaml"), first);
        assert_ne!(moved.of(&at(9), "b.yaml"), first);
    }
}
