//! The rules by name, with their severity and meaning. What they look at is in the files beside this one.

use crate::model::rule::rules;

rules! {
    /// A rule about the inventory.
    pub enum Rule {
        InvalidFile => "invalid-file", Error,
            "A file is not YAML, does not have the form of an inventory, or contradicts another file. The inventory cannot be read then.";
        UnknownKey => "unknown-key", Error, "A key is not one of those that its place may have.";
        UnknownRepository => "unknown-repository", Error, "An entry names a repository that `repos` does not have.";
        UnknownNeed => "unknown-need", Error,
            "An item of `run.needs` is neither a backing service nor a component that can run.";
        InvalidHost => "invalid-host", Error, "A host is neither a name, an address nor a range.";
        UnreadFile => "unread-file", Error,
            "A file or directory is not read because of its name, or a file has no entries.";
        NoPlace => "no-place", Warning,
            "A part of a catalog of Backstage has no place in the inventory, so it is not read.";
        InvalidEntity => "invalid-entity", Error,
            "An entity of a catalog of Backstage has a name, a reference or a field that Backstage refuses.";
        VoidRemoval => "void-removal", Warning,
            "`null` in a layer removes something that no lower layer has.";
        DuplicateItem => "duplicate-item", Warning, "A list of an entry has an item twice.";
        MissingTarget => "missing-target", Error, "The `target` of a dependency has no entry.";
        MissingInfrastructure => "missing-infrastructure", Error, "The `infrastructure` of an entry has no entry.";
        MissingPerson => "missing-person", Error,
            "An item of `people` has no entry, in an inventory with the category `people`.";
        DependencyCycle => "dependency-cycle", Warning,
            "Entries depend on each other; each group of them is one finding, with a shortest cycle.";
        DuplicateName => "duplicate-name", Warning,
            "Two entries have the same name, apart from case, `-`, `_` and `.`.";
        SecretDefault => "secret-default", Error,
            "The default of a variable looks like a real credential, which a local run refuses.";
        NoDescription => "no-description", Warning, "An entry has no `description`; persons need none.";
        NoOwner => "no-owner", Warning, "An own entry has no `people`.";
        NoSource => "no-source", Warning, "An own entry that is a program has neither `sources` nor `build`.";
        NoDocumentation => "no-documentation", Warning, "An own entry has no `documentation`.";
        UnusedRepository => "unused-repository", Warning, "No entry uses a repository of `repos`.";
        BrokenLink => "broken-link", Error,
            "A link leads nowhere: no file of a clone, no page of a server (with `--links`).";
        MovedLink => "moved-link", Warning,
            "A server redirects a link permanently to another address (with `--links`).";
        UnreachableLink => "unreachable-link", Warning,
            "A server does not answer, or answers with a fault of its own (with `--links`).";
        MissingBuildFile => "missing-build-file", Error,
            "The build file of an entry is not in the clone (with `--drift`).";
        UndeclaredBuildFile => "undeclared-build-file", Warning,
            "No entry names a build file of a clone (with `--drift`).";
        MissingModule => "missing-module", Error,
            "A command names a Python module or script that is not in the clone (with `--drift`).";
        UndeclaredModule => "undeclared-module", Warning,
            "No entry names a Python module with a `__main__.py`, and most of those next to it have one (with `--drift`).";
        MissingPort => "missing-port", Warning,
            "A port of an entry is nowhere in the clone, whose build file or deployment has others (with `--drift`).";
        UndeclaredPort => "undeclared-port", Warning,
            "The build file or the deployment has a port that the entry lacks (with `--drift`).";
        MissingVariable => "missing-variable", Warning,
            "Neither the clone nor the deployment mentions a variable of the entry (with `--drift`).";
        UndeclaredVariable => "undeclared-variable", Warning,
            "The sources read, or the deployment sets, a variable that the entry lacks (with `--drift`).";
        UnreadableDeployment => "unreadable-deployment", Error,
            "The deployment of an entry cannot be read from the clone (with `--drift`).";
        UnknownRule => "unknown-rule", Error, "An `ignore` names a rule that does not exist.";
        NoReason => "no-reason", Error, "An `ignore` has no `reason`, so it silences nothing.";
        UnusedIgnore => "unused-ignore", Warning, "An `ignore` silences no finding.";
    }
}

impl Rule {
    /// Returns the rule of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, ..)| *known == name).map(|(rule, ..)| *rule)
    }

    /// Returns whether it is about the targets of links, so that it is applied on request only, and depends on the
    /// moment and on the network.
    #[must_use]
    pub fn is_about_links(self) -> bool {
        matches!(self, Self::BrokenLink | Self::MovedLink | Self::UnreachableLink)
    }

    /// Returns whether it compares the inventory with clones, so that it is applied on request only.
    #[must_use]
    pub fn is_about_clones(self) -> bool {
        matches!(
            self,
            Self::MissingBuildFile
                | Self::UndeclaredBuildFile
                | Self::MissingModule
                | Self::UndeclaredModule
                | Self::MissingPort
                | Self::UndeclaredPort
                | Self::MissingVariable
                | Self::UndeclaredVariable
                | Self::UnreadableDeployment
        )
    }

    /// Returns whether an `ignore` can silence it. Neither rules about `ignore` itself can be silenced, nor files that cannot be read.
    #[must_use]
    pub fn is_silenceable(self) -> bool {
        !matches!(self, Self::InvalidFile | Self::UnknownRule | Self::NoReason | Self::UnusedIgnore)
    }
}
