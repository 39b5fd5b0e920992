//! The findings as GitLab's code-quality report.

use std::path::Path;

use serde_json::{Value, json};

use super::finding::ReportedFinding;
use super::place::{Fingerprints, path, told};
use crate::model::rule::Severity;

pub(super) fn report(findings: &[ReportedFinding<'_>], repository: Option<&Path>) -> Value {
    let mut fingerprints = Fingerprints::default();
    let findings = findings.iter().filter(|finding| finding.reason.is_none()).map(|finding| {
        let path = path(finding.file, repository);
        json!({
            "description": told(finding, repository),
            "check_name": finding.rule,
            "fingerprint": fingerprints.of(finding, path),
            "severity": match finding.severity {
                Severity::Error => "major",
                Severity::Warning => "minor",
            },
            "location": { "path": path, "lines": { "begin": finding.position.line } },
        })
    });
    Value::Array(findings.collect())
}
