//! Which of a deployment's containers is the component's.

use super::compose::Service;
use super::object::Object;
use super::{DeploymentError, Item};
use crate::base::yaml::tree::Node;

/// A container that may be the one.
#[derive(Clone, Copy)]
pub(super) enum Candidate<'a> {
    /// Of a workload of Kubernetes.
    Container(Place<'a>),
    /// A Compose service.
    Service(&'a Service),
}

/// A container in its workload.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) object: &'a Object,
    pub(super) node: &'a Node,
    pub(super) is_init: bool,
}

impl Place<'_> {
    fn name(&self) -> &str {
        self.node.text_of("name").unwrap_or_default()
    }

    pub(super) fn label(&self) -> String {
        let kind = if self.is_init { "init container" } else { "container" };
        format!("{}/{}, {kind} {}", self.object.kind(), self.object.name(), self.name())
    }
}

impl<'a> Candidate<'a> {
    pub(super) fn all(objects: &'a [Object], services: &'a [Service]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for object in objects {
            let Some(pod) = object.pod() else { continue };
            for (key, is_init) in [("containers", false), ("initContainers", true)] {
                let nodes = pod.get(key).map_or(&[][..], Node::items);
                all.extend(nodes.iter().map(|node| Self::Container(Place { object, node, is_init })));
            }
        }
        all.extend(services.iter().map(Self::Service));
        all
    }

    fn name(&self) -> &str {
        match self {
            Self::Container(one) => one.name(),
            Self::Service(service) => &service.name,
        }
    }

    fn workload(&self) -> &str {
        match self {
            Self::Container(one) => one.object.name(),
            Self::Service(service) => &service.name,
        }
    }

    fn is_init(&self) -> bool {
        matches!(self, Self::Container(one) if one.is_init)
    }

    fn label(&self) -> String {
        match self {
            Self::Container(one) => one.label(),
            Self::Service(service) => service.label(),
        }
    }

    /// Whether `container`, `workload/container` or `Kind/workload/container` means this one.
    fn is_meant_by(&self, wanted: &str) -> bool {
        let parts: Vec<&str> = wanted.split('/').collect();
        match (parts.as_slice(), self) {
            ([name], _) => self.name() == *name,
            ([workload, name], _) => self.name() == *name && self.workload() == *workload,
            ([kind, workload, name], Self::Container(one)) => {
                self.name() == *name && self.workload() == *workload && one.object.kind() == *kind
            }
            _ => false,
        }
    }
}

/// The one: what the inventory says, else what is called like the component, else what runs alone in
/// a workload that is, else the only one.
pub(super) fn choose<'a>(
    component: &str,
    items: &[Item<'_>],
    all: &[Candidate<'a>],
) -> Result<Candidate<'a>, DeploymentError> {
    let place = items.first().map(|item| item.place.to_owned()).unwrap_or_default();
    if all.is_empty() {
        return Err(DeploymentError::NoContainer { place });
    }
    let labels = |of: &[Candidate<'_>]| {
        let mut labels: Vec<String> = of.iter().map(|one| format!("`{}`", one.label())).collect();
        labels.dedup();
        labels
    };
    let said = items.iter().find_map(|item| Some((item.container?, item.place)));
    if let Some((wanted, place)) = said {
        let meant: Vec<Candidate<'a>> = all.iter().copied().filter(|one| one.is_meant_by(wanted)).collect();
        return match meant.as_slice() {
            [one] => Ok(*one),
            [] => Err(DeploymentError::NoSuch {
                place: place.to_owned(),
                wanted: wanted.to_owned(),
                candidates: labels(all),
            }),
            several => Err(DeploymentError::Ambiguous {
                place: place.to_owned(),
                component: wanted.to_owned(),
                candidates: labels(several),
            }),
        };
    }
    let like =
        |name: &str| name.replace(['_', '.'], "-").eq_ignore_ascii_case(&component.replace(['_', '.'], "-"));
    let regular = || all.iter().copied().filter(|one| !one.is_init());
    let stages: [Vec<Candidate<'a>>; 3] = [
        regular().filter(|one| like(one.name())).collect(),
        regular().filter(|one| like(one.workload())).collect(),
        regular().collect(),
    ];
    let mut named = labels(all);
    for stage in stages {
        match stage.as_slice() {
            [] => {}
            [one] => return Ok(*one),
            several => {
                named = labels(several);
                break;
            }
        }
    }
    Err(DeploymentError::Ambiguous { place, component: component.to_owned(), candidates: named })
}
