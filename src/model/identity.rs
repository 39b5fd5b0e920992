//! Whose is it? Every container, network and volume that `cki` makes carries these labels, and
//! only what carries them is ever touched again. The owner is named so that what a killed process
//! left behind can be told from what a living one still uses.

use std::collections::BTreeMap;
use std::fmt;

use crate::base::owner::Owner;

/// The label that holds the run id; its presence marks a thing as ours.
pub const RUN: &str = "cki.run";
/// The label with the component's reference, `category/name`.
pub const COMPONENT: &str = "cki.component";
/// The label with the [`Role`].
pub const ROLE: &str = "cki.role";
/// The label with the name by which people know a container within its run.
pub const NAME: &str = "cki.name";
/// The label that says who made it: process, its start time, and the boot it lives in.
pub const OWNER: &str = "cki.owner";
/// The label that says until when it is wanted: [`Lifetime`].
pub const LIFETIME: &str = "cki.lifetime";

/// The label of a backing service that is kept, with a digest of all that it was made from.
pub const SPECIFICATION: &str = "cki.specification";

/// The label with the names, joined by commas, of variables whose values must not be shown.
pub const SECRETS: &str = "cki.secrets";

/// The label with the names, joined by commas, of what the user allowed the guard to let through.
pub const ALLOWED: &str = "cki.allowed";

/// The label with the question whose answer says that something is ready:
/// [`super::probe::Ready::to_label`].
pub const READY: &str = "cki.ready";

/// Names one run: short, unique, usable in the name of a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// Makes an id from entropy (a time and a process id will do).
    #[must_use]
    pub fn new(entropy: &[u8]) -> Self {
        Self(crate::base::digest::of_parts([entropy])[..10].to_owned())
    }

    /// The id of a backing service that all runs of a workspace use: always the same.
    #[must_use]
    pub fn of_workspace(seed: &str, service: &str) -> Self {
        Self(crate::base::digest::of_parts(["service", seed, service])[..10].to_owned())
    }

    /// Reads an id back from a label. `None` for anything that this program would not have made.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 10 && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What part a container plays in its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The component itself.
    Component,
    /// A backing service.
    Service,
    /// What a backing service stores, which outlives it.
    Data,
}

impl Role {
    /// As it stands in a label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Service => "service",
            Self::Data => "data",
        }
    }

    /// From a label.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Component, Self::Service, Self::Data].into_iter().find(|role| role.as_str() == text)
    }
}

/// Until when something is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as the process that made it.
    Owner,
    /// Until somebody says `cki down`.
    Kept,
    /// The same, and every run of its workspace uses it.
    Workspace,
    /// As long as the process that made it, unless that decides at its end that it is kept; then it
    /// makes something that is [`Lifetime::Kept`] in the same run, since labels cannot be changed.
    Decided,
}

impl Lifetime {
    /// As it stands in a label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Kept => "kept",
            Self::Workspace => "workspace",
            Self::Decided => "decided",
        }
    }

    /// From a label; what is not understood is kept, since nothing is removed on a guess.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let all = [Self::Owner, Self::Kept, Self::Workspace, Self::Decided];
        all.into_iter().find(|lifetime| lifetime.as_str() == text).unwrap_or(Self::Kept)
    }
}

/// Everything the labels say about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The run it belongs to.
    pub run: RunId,
    /// The component that was run.
    pub component: String,
    /// Its part in the run.
    pub role: Role,
    /// What people call it within the run.
    pub name: String,
    /// Who made it.
    pub owner: Owner,
    /// Until when it is wanted.
    pub lifetime: Lifetime,
}

impl Identity {
    /// The labels to put on a thing.
    #[must_use]
    pub fn to_labels(&self) -> BTreeMap<String, String> {
        [
            (RUN, self.run.to_string()),
            (COMPONENT, self.component.clone()),
            (ROLE, self.role.as_str().to_owned()),
            (NAME, self.name.clone()),
            (OWNER, self.owner.to_label()),
            (LIFETIME, self.lifetime.as_str().to_owned()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }

    /// Reads labels back; `None` if the thing is not ours.
    #[must_use]
    pub fn from_labels<'a>(label: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        Some(Self {
            run: RunId::parse(label(RUN)?)?,
            component: label(COMPONENT)?.to_owned(),
            role: Role::parse(label(ROLE)?)?,
            name: label(NAME)?.to_owned(),
            owner: Owner::parse(label(OWNER)?)?,
            lifetime: Lifetime::parse(label(LIFETIME)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_back_as_they_went() {
        let identity = Identity {
            run: RunId::new(b"x"),
            component: "service/a".into(),
            role: Role::Component,
            name: "a".into(),
            owner: Owner { pid: 1, started: 2, boot: "3.4".into(), place: String::new() },
            lifetime: Lifetime::Owner,
        };
        let labels = identity.to_labels();
        let back = Identity::from_labels(|key| labels.get(key).map(String::as_str));
        assert_eq!(back, Some(identity));
        for lifetime in [Lifetime::Owner, Lifetime::Kept, Lifetime::Workspace] {
            assert_eq!(Lifetime::parse(lifetime.as_str()), lifetime);
        }
        assert_eq!(Lifetime::parse("for ever"), Lifetime::Kept);
        assert_eq!(Identity::from_labels(|key| (key == RUN).then_some("0123456789")), None);
    }
}
