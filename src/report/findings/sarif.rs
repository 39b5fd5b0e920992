//! The findings as a SARIF 2.1.0 log. Silenced findings are in it as well, with the reason as their suppression.

use std::path::Path;

use serde_json::{Value, json};

use super::finding::{ReportedFinding, RuleSummary};
use super::place::{Fingerprints, path, told, uri};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn log(
    findings: &[ReportedFinding<'_>],
    rules: &[RuleSummary],
    repository: Option<&Path>,
) -> Value {
    let mut fingerprints = Fingerprints::default();
    let mut result = |finding: &ReportedFinding<'_>| {
        let path = path(finding.file, repository);
        let mut location = json!({
            "physicalLocation": {
                "artifactLocation": { "uri": uri(path) },
                "region": { "startLine": finding.position.line, "startColumn": finding.position.column },
            },
        });
        if let Some(about) = &finding.about {
            location["logicalLocations"] = json!([{ "fullyQualifiedName": about }]);
        }
        let mut result = json!({
            "ruleId": finding.rule,
            "ruleIndex": rules.iter().position(|(name, ..)| *name == finding.rule),
            "level": finding.severity.name(),
            "message": { "text": told(finding, repository) },
            "locations": [location],
            "partialFingerprints": { "cki/v1": fingerprints.of(finding, path) },
        });
        if let Some((file, line)) = finding.related {
            let uri = uri(self::path(file, repository));
            let region = json!({ "startLine": line });
            let physical = json!({ "artifactLocation": { "uri": uri }, "region": region });
            result["relatedLocations"] = json!([{ "physicalLocation": physical }]);
        }
        if let Some(reason) = finding.reason {
            result["suppressions"] = json!([{ "kind": "inSource", "justification": reason }]);
        }
        result
    };
    let results: Vec<Value> = findings.iter().map(&mut result).collect();
    let rules: Vec<Value> = rules
        .iter()
        .map(|(name, severity, meaning)| {
            json!({
                "id": name,
                "shortDescription": { "text": meaning },
                "defaultConfiguration": { "level": severity.name() },
            })
        })
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "cki", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}
