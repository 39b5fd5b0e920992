//! The rules of `cki rfc check` by name, with their severity and meaning. The checks are in `check`.

use crate::model::rule::rules;

rules! {
    /// A rule about documents.
    pub enum RfcRule {
        UnreadDocument => "unread-document", Error,
            "A document cannot be read: it is too long, no text, or a link that leads out of the clone.";
        InvalidName => "invalid-name", Error, "The name of a file has no valid number, or no words.";
        DuplicateNumber => "duplicate-number", Error, "Two documents have the same number.";
        InvalidFrontMatter => "invalid-front-matter", Error, "The front matter is no valid YAML.";
        NoTitle => "no-title", Error, "A document has no title.";
        NumberMismatch => "number-mismatch", Error,
            "The title begins with another ID than that of the file name, or with none.";
        NoAuthor => "no-author", Warning, "A document names no author.";
        NoMergeRequest => "no-merge-request", Warning, "A document names no merge request.";
        InvalidMergeRequest => "invalid-merge-request", Error,
            "The merge request of a document is no merge request, or one of another project.";
        MissingSection => "missing-section", Error, "A section of `rfcs.sections` is missing.";
        SectionOrder => "section-order", Warning, "A section comes before one that precedes it in `rfcs.sections`.";
        EmptySection => "empty-section", Warning, "A section of `rfcs.sections` has no text.";
        BrokenLink => "broken-link", Error, "A relative link leads to no file of the clone.";
    }
}
