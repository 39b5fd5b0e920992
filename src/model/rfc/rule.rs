//! The rules of `cki rfc check` by name, with their severity and meaning. The checks are in `check`.

use crate::model::inventory::check::Severity;
use crate::model::inventory::check::Severity::{Error, Warning};

/// A rule about documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RfcRule {
    /// A document cannot be read.
    UnreadDocument,
    /// The name of a file has no valid number.
    InvalidName,
    /// Two documents have the same number.
    DuplicateNumber,
    /// The front matter is no YAML.
    InvalidFrontMatter,
    /// A document has no title.
    NoTitle,
    /// The title has another number than the file, or none.
    NumberMismatch,
    /// A document has no author.
    NoAuthor,
    /// A document names no merge request.
    NoMergeRequest,
    /// The merge request of a document is none of its project.
    InvalidMergeRequest,
    /// A section is missing.
    MissingSection,
    /// A section is in the wrong place.
    SectionOrder,
    /// A section has no text.
    EmptySection,
    /// A relative link leads to no file.
    BrokenLink,
}

impl RfcRule {
    /// All rules: name, severity and meaning, in the order of their declaration.
    pub const ALL: [(Self, &'static str, Severity, &'static str); 13] = [
        (
            Self::UnreadDocument,
            "unread-document",
            Error,
            "A document cannot be read: it is too long, no text, or a link that leads out of the clone.",
        ),
        (Self::InvalidName, "invalid-name", Error, "The name of a file has no valid number, or no words."),
        (Self::DuplicateNumber, "duplicate-number", Error, "Two documents have the same number."),
        (Self::InvalidFrontMatter, "invalid-front-matter", Error, "The front matter is no valid YAML."),
        (Self::NoTitle, "no-title", Error, "A document has no title."),
        (
            Self::NumberMismatch,
            "number-mismatch",
            Error,
            "The title begins with another ID than that of the file name, or with none.",
        ),
        (Self::NoAuthor, "no-author", Warning, "A document names no author."),
        (Self::NoMergeRequest, "no-merge-request", Warning, "A document names no merge request."),
        (
            Self::InvalidMergeRequest,
            "invalid-merge-request",
            Error,
            "The merge request of a document is no merge request, or one of another project.",
        ),
        (Self::MissingSection, "missing-section", Error, "A section of `rfcs.sections` is missing."),
        (
            Self::SectionOrder,
            "section-order",
            Warning,
            "A section comes before one that precedes it in `rfcs.sections`.",
        ),
        (Self::EmptySection, "empty-section", Warning, "A section of `rfcs.sections` has no text."),
        (Self::BrokenLink, "broken-link", Error, "A relative link leads to no file of the clone."),
    ];

    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Returns the severity.
    #[must_use]
    pub fn severity(self) -> Severity {
        Self::ALL[self as usize].2
    }
}
