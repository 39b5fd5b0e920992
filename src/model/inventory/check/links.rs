//! Rules about links. What a link leads to is known only to those who look: `ops` finds the faults.

use super::findings::Findings;
use super::rule::Rule;
use crate::model::inventory::DeclaredLink;

/// A link with a fault.
#[derive(Debug, Clone)]
pub struct LinkFault<'a> {
    /// The link.
    pub link: DeclaredLink<'a>,
    /// The fault.
    pub fault: LinkFaultKind,
}

/// The fault of a link. Addresses are without a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkFaultKind {
    /// It has no target.
    NoTarget(String),
    /// Its address cannot be read.
    NoAddress(String),
    /// The inventory has no such repository.
    NoRepository(String),
    /// A clone lacks the file.
    NoFile {
        /// Repository, as the inventory names it.
        repo: String,
        /// Path in the repository.
        path: String,
        /// Branch, tag or commit; `None` for the files of the clone.
        revision: Option<String>,
    },
    /// A server has no page there.
    NoPage {
        /// Address.
        url: String,
        /// Reason, as the end of a sentence whose subject is the address.
        why: String,
    },
    /// A server redirects permanently to another address.
    Moved {
        /// Address.
        url: String,
        /// New address.
        to: String,
    },
    /// The server does not answer, or has a fault.
    Unreachable {
        /// Address.
        url: String,
        /// Reason, as the end of a sentence whose subject is the address.
        why: String,
    },
}

impl LinkFaultKind {
    /// Returns the rule that it breaks.
    #[must_use]
    pub fn rule(&self) -> Rule {
        match self {
            Self::NoTarget(_)
            | Self::NoAddress(_)
            | Self::NoRepository(_)
            | Self::NoFile { .. }
            | Self::NoPage { .. } => Rule::BrokenLink,
            Self::Moved { .. } => Rule::MovedLink,
            Self::Unreachable { .. } => Rule::UnreachableLink,
        }
    }

    /// Returns the message and the repair.
    fn told(&self) -> (String, String) {
        match self {
            Self::NoTarget(label) => (
                format!("the link `{label}` has no target"),
                "give it a `url`, or a `repo` with a `path`".to_owned(),
            ),
            Self::NoAddress(text) => (
                format!("`{text}` is no address"),
                "write a whole address, such as `https://example.com/page`".to_owned(),
            ),
            Self::NoRepository(name) => (
                format!("there is no repository `{name}`"),
                "correct the name, or add the repository to `repos`".to_owned(),
            ),
            Self::NoFile { repo, path, revision } => {
                let at = revision.as_ref().map_or_else(String::new, |revision| format!(" at `{revision}`"));
                (
                    format!("the clone of `{repo}` has no `{path}`{at}"),
                    "correct the path; if the clone is old, update it with `cki clone` first".to_owned(),
                )
            }
            Self::NoPage { url, why } => {
                (format!("`{url}` {why}"), "correct the address, or remove the link".to_owned())
            }
            Self::Moved { url, to } => {
                (format!("`{url}` has moved permanently to `{to}`"), format!("write `{to}`"))
            }
            Self::Unreachable { url, why } => (
                format!("`{url}` {why}"),
                "check again later; if the page is gone, correct the address or remove the link".to_owned(),
            ),
        }
    }
}

pub(super) fn check(findings: &mut Findings<'_>, faults: &[LinkFault<'_>]) {
    for LinkFault { link, fault } in faults {
        let (rule, told) = (fault.rule(), fault.told());
        match link.component {
            Some(component) => findings.of_entry(rule, component, &link.part, told),
            None => findings.of_head(rule, &link.part, told),
        }
    }
}
