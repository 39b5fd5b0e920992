//! The rules by name, with their severity and meaning. What they look at is in the files beside this one.

/// Severity of the findings of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The inventory says something wrong.
    Error,
    /// The inventory says too little, or something doubtful.
    Warning,
}

impl Severity {
    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A key is unknown.
    UnknownKey,
    /// A repository is unknown.
    UnknownRepository,
    /// A need is unknown.
    UnknownNeed,
    /// A host is no host.
    InvalidHost,
    /// A file is not read.
    UnreadFile,
    /// A part of a catalog has no place.
    NoPlace,
    /// A dependency has no entry.
    MissingTarget,
    /// An infrastructure has no entry.
    MissingInfrastructure,
    /// A responsible person has no entry.
    MissingPerson,
    /// Entries depend on each other.
    DependencyCycle,
    /// Two names are alike.
    DuplicateName,
    /// An entry lacks a description.
    NoDescription,
    /// An entry lacks an owner.
    NoOwner,
    /// An entry lacks a source.
    NoSource,
    /// An entry lacks documentation.
    NoDocumentation,
    /// A repository is not used.
    UnusedRepository,
    /// An `ignore` names no rule.
    UnknownRule,
    /// An `ignore` lacks a reason.
    NoReason,
    /// An `ignore` silences nothing.
    UnusedIgnore,
}

use Severity::{Error, Warning};

impl Rule {
    /// All rules: name, severity and meaning.
    pub const ALL: [(Self, &'static str, Severity, &'static str); 19] = [
        (Self::UnknownKey, "unknown-key", Error, "A key is not one of those that its place may have."),
        (
            Self::UnknownRepository,
            "unknown-repository",
            Error,
            "An entry names a repository that `repos` does not have.",
        ),
        (
            Self::UnknownNeed,
            "unknown-need",
            Error,
            "An item of `run.needs` is neither a backing service nor a component that can run.",
        ),
        (Self::InvalidHost, "invalid-host", Error, "A host is neither a name, an address nor a range."),
        (
            Self::UnreadFile,
            "unread-file",
            Error,
            "A file or directory is not read because of its name, or a file has no entries.",
        ),
        (
            Self::NoPlace,
            "no-place",
            Warning,
            "A part of a catalog of Backstage has no place in the inventory, so it is not read.",
        ),
        (Self::MissingTarget, "missing-target", Error, "The `target` of a dependency has no entry."),
        (
            Self::MissingInfrastructure,
            "missing-infrastructure",
            Error,
            "The `infrastructure` of an entry has no entry.",
        ),
        (
            Self::MissingPerson,
            "missing-person",
            Error,
            "An item of `people` has no entry, in an inventory with the category `people`.",
        ),
        (
            Self::DependencyCycle,
            "dependency-cycle",
            Warning,
            "Entries depend on each other; each group of them is one finding, with a shortest cycle.",
        ),
        (
            Self::DuplicateName,
            "duplicate-name",
            Warning,
            "Two entries have the same name, apart from case, `-`, `_` and `.`.",
        ),
        (Self::NoDescription, "no-description", Warning, "An entry has no `description`; persons need none."),
        (Self::NoOwner, "no-owner", Warning, "An own entry has no `people`."),
        (
            Self::NoSource,
            "no-source",
            Warning,
            "An own entry that is a program has neither `sources` nor `build`.",
        ),
        (Self::NoDocumentation, "no-documentation", Warning, "An own entry has no `documentation`."),
        (Self::UnusedRepository, "unused-repository", Warning, "No entry uses a repository of `repos`."),
        (Self::UnknownRule, "unknown-rule", Error, "An `ignore` names a rule that does not exist."),
        (Self::NoReason, "no-reason", Error, "An `ignore` has no `reason`, so it silences nothing."),
        (Self::UnusedIgnore, "unused-ignore", Warning, "An `ignore` silences no finding."),
    ];

    /// Returns the rule of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, ..)| *known == name).map(|(rule, ..)| *rule)
    }

    /// Returns the position in [`Self::ALL`], which lists the rules in the order of their declaration.
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self.index()].1
    }

    /// Returns the severity.
    #[must_use]
    pub fn severity(self) -> Severity {
        Self::ALL[self.index()].2
    }

    /// Returns whether an `ignore` can silence it. Rules about `ignore` itself cannot be silenced.
    #[must_use]
    pub fn is_silenceable(self) -> bool {
        !matches!(self, Self::UnknownRule | Self::NoReason | Self::UnusedIgnore)
    }
}
