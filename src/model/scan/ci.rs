//! Pipelines in YAML: of their scripts, only the formats of `envsubst` are read, since a job gets the
//! variables that it reads from its pipeline, while templates become the configuration of a component.

use std::collections::BTreeMap;

use super::analysis;
use super::error::ScanRulesError;
use super::grammar::Grammar;
use super::rules::Language;
use super::{EnvRead, FileScan};
use crate::base::yaml::tree::{Node, NodeValue, documents};

/// Command that replaces references in templates.
const COMMAND: &str = "envsubst";

/// Scans one file.
pub(super) fn scan(language: &Language, text: &str) -> Result<FileScan, ScanRulesError> {
    let mut found = FileScan::default();
    if !text.contains(COMMAND) {
        return Ok(found);
    }
    let roots = match documents("", text) {
        Ok(roots) => roots,
        Err(error) => {
            found.errors.push(error.position.map_or(1, |position| position.line));
            return Ok(found);
        }
    };
    let lines: Vec<&str> = text.lines().collect();
    let mut next: Vec<&Node> = roots.iter().collect();
    while let Some(node) = next.pop() {
        next.extend(node.items());
        next.extend(node.entries().iter().map(|entry| &entry.node));
        let NodeValue::Scalar { text: script, .. } = &node.value else { continue };
        if !script.contains(COMMAND) {
            continue;
        }
        let mut scan = analysis::scan(language, Grammar::Bash, script, &BTreeMap::new())?;
        let is_format =
            |find: &EnvRead| script.lines().nth(find.line - 1).is_some_and(|line| line.contains(COMMAND));
        scan.finds.retain(is_format);
        scan.unknown.retain(|one| one.text.contains(COMMAND));
        for find in &mut scan.finds {
            find.build = true;
        }
        // The text of a block begins below its indicator.
        let line = node.spot.position.line;
        let has_first = script.lines().next().zip(lines.get(line - 1));
        let is_block = has_first.is_some_and(|(first, line)| !line.contains(first.trim()));
        found.include(scan, if is_block { line } else { line - 1 });
    }
    Ok(found)
}
