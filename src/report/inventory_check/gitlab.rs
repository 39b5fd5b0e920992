//! The findings as GitLab's code-quality report.

use serde_json::{Value, json};

use super::place::{Fingerprints, path, told};
use crate::model::inventory::check::Severity;
use crate::ops::inventory::check::CheckOutcome;

pub(super) fn report(outcome: &CheckOutcome) -> Value {
    let mut fingerprints = Fingerprints::default();
    let findings = outcome.checked.findings.iter().map(|finding| {
        let path = path(&finding.file, outcome.repository.as_deref());
        json!({
            "description": told(finding),
            "check_name": finding.rule.name(),
            "fingerprint": fingerprints.of(finding, path),
            "severity": match finding.rule.severity() {
                Severity::Error => "major",
                Severity::Warning => "minor",
            },
            "location": { "path": path, "lines": { "begin": finding.position.line } },
        })
    });
    Value::Array(findings.collect())
}
