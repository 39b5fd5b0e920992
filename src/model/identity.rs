//! Labels on every container, network and volume that `cki` creates; `cki` touches only resources with
//! these labels. The owner label tells leftovers of a killed process from resources of a running one.

use std::collections::BTreeMap;
use std::fmt;

use crate::base::process_ref::ProcessRef;

/// Label of the run ID, which marks a resource of `cki`.
pub const RUN: &str = "cki.run";
/// Label of the component's reference, `category/name`.
pub const COMPONENT: &str = "cki.component";
/// Label of the [`Role`].
pub const ROLE: &str = "cki.role";
/// Label of the name by which users know a container within its run.
pub const NAME: &str = "cki.name";
/// Label of the owner: process, its start time, and its boot.
pub const OWNER: &str = "cki.owner";
/// Label of the [`Retention`].
pub const LIFETIME: &str = "cki.lifetime";

/// Label of the inventory: the path by which `cki` knows it, or the word for the built-in one.
pub const INVENTORY: &str = "cki.inventory";

/// Label of a retained backing service: a digest of its specification.
pub const CONFIG_HASH: &str = "cki.specification";

/// Label of the names, joined by commas, of variables whose values must be masked.
pub const SECRETS: &str = "cki.secrets";

/// Label of the names, joined by commas, of variables that the user allowed the guard to let pass.
pub const ALLOWED: &str = "cki.allowed";

/// Label of the published ports: [`super::port::PublishedPort::to_label`].
pub const PORTS: &str = "cki.ports";

/// Label of the readiness probe: [`super::probe::ReadinessProbe::to_label`].
pub const READY: &str = "cki.ready";

/// All labels that `cki` reads from a container.
const OF_CONTAINERS: [&str; 12] =
    [RUN, COMPONENT, ROLE, NAME, OWNER, LIFETIME, INVENTORY, CONFIG_HASH, SECRETS, ALLOWED, PORTS, READY];

/// Returns the labels to put on a container of a run: these, and empty ones for all others that `cki` reads, since
/// a container inherits what it does not set itself from its image, which may come from anybody.
#[must_use]
pub fn container_labels(own: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut all = own.clone();
    if own.contains_key(RUN) {
        for key in OF_CONTAINERS {
            all.entry(key.to_owned()).or_default();
        }
    }
    all
}

/// Returns whether `cki` put these labels on a container of this name, which includes the ID of its run. Otherwise, the
/// labels are those of its image.
#[must_use]
pub fn is_named_for_run(name: &str, labels: &BTreeMap<String, String>) -> bool {
    let rest = labels.get(RUN).and_then(|run| name.strip_prefix("cki-")?.strip_prefix(run.as_str()));
    rest.is_some_and(|rest| rest.starts_with('-'))
}

/// Returns the reference in [`COMPONENT`] of a backing service that belongs to no component: one that was
/// requested itself, or that the runs of a workspace share.
#[must_use]
pub fn service_reference(service: &str) -> String {
    format!("services/{service}")
}

/// ID of a run: short, unique, valid in the name of a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// Creates an ID from entropy (a time and a process ID are enough).
    #[must_use]
    pub fn new(entropy: &[u8]) -> Self {
        Self(crate::base::digest::sha256_hex([entropy])[..10].to_owned())
    }

    /// Returns the constant ID of a backing service that all runs of a workspace share.
    #[must_use]
    pub fn of_workspace(seed: &str, service: &str) -> Self {
        Self(crate::base::digest::sha256_hex(["service", seed, service])[..10].to_owned())
    }

    /// Parses an ID from a label. Returns `None` for a text that `cki` would not generate.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 10 && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| Self(text.to_owned()))
    }

    /// Returns the ID as text.
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

/// Role of a container in its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Component.
    Component,
    /// Backing service.
    Service,
    /// Data of a backing service, which outlives it.
    Data,
}

impl Role {
    /// Returns the text in a label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Service => "service",
            Self::Data => "data",
        }
    }

    /// Parses a label.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Component, Self::Service, Self::Data].into_iter().find(|role| role.as_str() == text)
    }
}

/// Lifetime of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Ends with the owner process.
    Owner,
    /// Retained until `cki down`.
    Retained,
    /// Retained until `cki down`, and shared by all runs of the workspace.
    Workspace,
    /// Ends with the owner process unless that process retains it. Labels cannot be changed, so
    /// retaining creates another resource with [`Retention::Retained`] in the same run.
    Decided,
}

impl Retention {
    /// Returns the text in a label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Retained => "kept",
            Self::Workspace => "workspace",
            Self::Decided => "decided",
        }
    }

    /// Parses a label; an unknown text means retained, since nothing is removed on a guess.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let all = [Self::Owner, Self::Retained, Self::Workspace, Self::Decided];
        all.into_iter().find(|lifetime| lifetime.as_str() == text).unwrap_or(Self::Retained)
    }
}

/// Labels of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceLabels {
    /// Run that the resource belongs to.
    pub run: RunId,
    /// Component of the run.
    pub component: String,
    /// Role in the run.
    pub role: Role,
    /// Name within the run, for users.
    pub name: String,
    /// Process that created it.
    pub owner: ProcessRef,
    /// Lifetime.
    pub lifetime: Retention,
    /// Inventory of the component; empty on a resource of a `cki` that did not record it.
    pub inventory: String,
}

impl ResourceLabels {
    /// Returns whether it is a backing service that belongs to no component.
    #[must_use]
    pub fn is_independent_service(&self) -> bool {
        self.role == Role::Service && self.component == service_reference(&self.name)
    }

    /// Returns the labels to put on a resource.
    #[must_use]
    pub fn to_labels(&self) -> BTreeMap<String, String> {
        [
            (RUN, self.run.to_string()),
            (COMPONENT, self.component.clone()),
            (ROLE, self.role.as_str().to_owned()),
            (NAME, self.name.clone()),
            (OWNER, self.owner.to_label()),
            (LIFETIME, self.lifetime.as_str().to_owned()),
            (INVENTORY, self.inventory.clone()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }

    /// Parses labels; returns `None` if the resource is not one of `cki`: anyone who may use the engine can write such
    /// labels, with names that `cki` never gives.
    #[must_use]
    pub fn from_labels(labels: &BTreeMap<String, String>) -> Option<Self> {
        let label = |key: &str| labels.get(key).map(String::as_str);
        Some(Self {
            run: RunId::parse(label(RUN)?)?,
            component: label(COMPONENT).filter(|text| is_plain(text, "-_./"))?.to_owned(),
            role: Role::parse(label(ROLE)?)?,
            name: label(NAME).filter(|text| is_plain(text, "-_."))?.to_owned(),
            owner: ProcessRef::parse(label(OWNER)?)?,
            lifetime: Retention::parse(label(LIFETIME)?),
            inventory: label(INVENTORY)
                .filter(|text| text.len() <= LONGEST_PATH)
                .unwrap_or_default()
                .to_owned(),
        })
    }
}

/// Maximum bytes of a name in a label.
const LONGEST_NAME: usize = 255;
/// Maximum bytes of a path in a label (PATH_MAX).
const LONGEST_PATH: usize = 4096;

/// Returns whether a text is a name in a label: letters, digits and these signs. The name of a whole run is empty.
fn is_plain(text: &str, signs: &str) -> bool {
    text.len() <= LONGEST_NAME && text.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_an_image_are_not_those_of_its_container() {
        let labels = BTreeMap::from([(RUN.to_owned(), "0123456789".to_owned())]);
        for name in ["cki-0123456789-web", "cki-0123456789-web-shell-7"] {
            assert!(is_named_for_run(name, &labels), "{name}");
        }
        for name in
            ["", "web", "cki-0123456789", "cki-01234567890-web", "cki-1123456789-web", "0123456789-web"]
        {
            assert!(!is_named_for_run(name, &labels), "{name}");
        }
        assert!(!is_named_for_run("cki--web", &BTreeMap::new()));
        let all = container_labels(&labels);
        assert_eq!((all[RUN].as_str(), all[READY].as_str(), all[PORTS].as_str()), ("0123456789", "", ""));
        assert_eq!(container_labels(&BTreeMap::new()), BTreeMap::new());
    }

    #[test]
    fn resource_labels_round_trip() {
        let identity = ResourceLabels {
            run: RunId::new(b"x"),
            component: "service/a".into(),
            role: Role::Component,
            name: "a".into(),
            owner: ProcessRef { pid: 1, started: 2, boot: "3.4".into(), place: String::new() },
            lifetime: Retention::Owner,
            inventory: "/srv/inventory".into(),
        };
        let labels = identity.to_labels();
        let back = ResourceLabels::from_labels(&labels);
        assert_eq!(back, Some(identity));
        for lifetime in [Retention::Owner, Retention::Retained, Retention::Workspace] {
            assert_eq!(Retention::parse(lifetime.as_str()), lifetime);
        }
        assert_eq!(Retention::parse("for ever"), Retention::Retained);
        for (label, value) in [
            (NAME, "a".repeat(300)),
            (NAME, "a\u{1b}[31m".to_owned()),
            (NAME, "../a".to_owned()),
            (NAME, "a'; touch x".to_owned()),
            (COMPONENT, "service/a\nb".to_owned()),
            (RUN, "../../../x".to_owned()),
            (OWNER, "9999999999999999999999.x@y".to_owned()),
        ] {
            let forged = labels.iter().map(|(key, value)| (key.clone(), value.clone()));
            let forged = forged.chain([(label.to_owned(), value)]).collect();
            assert_eq!(ResourceLabels::from_labels(&forged), None, "{label}");
        }
        let only_run = BTreeMap::from([(RUN.to_owned(), "0123456789".to_owned())]);
        assert_eq!(ResourceLabels::from_labels(&only_run), None);
    }
}
