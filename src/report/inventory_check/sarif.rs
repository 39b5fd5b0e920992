//! The findings as a SARIF 2.1.0 log. Silenced findings are in it as well, with the reason as their suppression.

use serde_json::{Value, json};

use super::place::{Fingerprints, path, told, uri};
use crate::model::inventory::check::{CheckFinding, Rule};
use crate::ops::inventory::check::CheckOutcome;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn log(outcome: &CheckOutcome) -> Value {
    let mut fingerprints = Fingerprints::default();
    let mut result = |finding: &CheckFinding| {
        let path = path(&finding.file, outcome.repository.as_deref());
        let mut location = json!({
            "physicalLocation": {
                "artifactLocation": { "uri": uri(path) },
                "region": { "startLine": finding.position.line, "startColumn": finding.position.column },
            },
        });
        if let Some(component) = &finding.component {
            location["logicalLocations"] = json!([{ "fullyQualifiedName": component.to_string() }]);
        }
        json!({
            "ruleId": finding.rule.name(),
            "ruleIndex": finding.rule.index(),
            "level": finding.rule.severity().name(),
            "message": { "text": told(finding) },
            "locations": [location],
            "partialFingerprints": { "cki/v1": fingerprints.of(finding, path) },
        })
    };
    let mut results: Vec<Value> = outcome.checked.findings.iter().map(&mut result).collect();
    results.extend(outcome.checked.silenced.iter().map(|one| {
        let mut silenced = result(&one.finding);
        silenced["suppressions"] = json!([{ "kind": "inSource", "justification": one.reason }]);
        silenced
    }));
    let rules: Vec<Value> = Rule::ALL
        .iter()
        .map(|(_, name, severity, meaning)| {
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
