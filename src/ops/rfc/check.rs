//! `cki rfc check`: the findings about the documents of a clone. The rules are in `model::rfc`.

use std::path::{Path, PathBuf};

use super::error::RfcError;
use super::shelf::RfcShelf;
use crate::base::source_dir::SourceDir;
use crate::model::rfc::{self, CheckedDocument, RfcFinding};
use crate::systems::git::Tree;

/// Result of a check.
#[derive(Debug)]
pub struct RfcCheckOutcome {
    /// Findings, sorted by place.
    pub findings: Vec<RfcFinding>,
    /// Number of documents.
    pub documents: usize,
    /// Directory of the clone.
    pub clone: PathBuf,
}

/// Checks all documents of a clone, or only reports those of some numbers.
///
/// # Errors
/// Fails if a number is unknown, or the clone has no directory of documents.
pub fn check(
    shelf: &RfcShelf,
    project: Option<&str>,
    numbers: &[String],
) -> Result<RfcCheckOutcome, RfcError> {
    shelf.require_directory()?;
    let mut chosen = Vec::new();
    for text in numbers {
        chosen.extend(shelf.find(text)?.into_iter().map(|one| one.file.display().to_string()));
    }
    let documents: Vec<CheckedDocument<'_>> = shelf
        .documents
        .iter()
        .map(|one| CheckedDocument {
            file: one.file.display().to_string(),
            path: &one.path,
            number: one.number,
            content: one.content.as_ref().map_err(String::as_str),
        })
        .collect();
    let files = SourceDir::new(&shelf.clone)?;
    let tree = Tree::open(&shelf.clone, "HEAD").ok().flatten();
    let exists = |path: &str| {
        let is_file = files.kind(Path::new(path)).is_ok_and(|kind| kind.is_some());
        let is_committed =
            || tree.as_ref().is_some_and(|tree| matches!(tree.is_directory(path), Ok(Some(_))));
        is_file || is_committed()
    };
    let mut findings = rfc::check(&documents, &shelf.process, project, &exists);
    let count = if numbers.is_empty() { documents.len() } else { chosen.len() };
    findings.retain(|finding| numbers.is_empty() || chosen.contains(&finding.file));
    Ok(RfcCheckOutcome { findings, documents: count, clone: shelf.clone.clone() })
}
