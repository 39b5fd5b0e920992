//! Choice of the component's container among those of a deployment. Reading the chosen container belongs
//! in `container` and `compose`.

use std::collections::HashMap;

use super::compose::ComposeService;
use super::object::Object;
use super::{Because, DeploymentError, DeploymentItem, finding};
use crate::base::yaml::tree::Node;
use crate::model::inventory::InventoryFinding;

/// A container that may be the component's.
#[derive(Clone, Copy)]
pub(super) enum Candidate<'a> {
    /// Container of a Kubernetes workload.
    Container(CandidateSite<'a>),
    /// Compose service.
    Service(&'a ComposeService),
}

/// A container in its workload.
#[derive(Clone, Copy)]
pub(super) struct CandidateSite<'a> {
    pub(super) object: &'a Object,
    pub(super) node: &'a Node,
    pub(super) is_init: bool,
}

impl CandidateSite<'_> {
    fn name(&self) -> &str {
        self.node.text_of("name").unwrap_or_default()
    }

    pub(super) fn label(&self) -> String {
        let kind = if self.is_init { "init container" } else { "container" };
        format!("{}/{}, {kind} {}", self.object.kind(), self.object.name(), self.name())
    }
}

impl<'a> Candidate<'a> {
    pub(super) fn all(objects: &'a [Object], services: &'a [ComposeService]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for object in objects {
            let Some(pod) = object.pod() else { continue };
            for (key, is_init) in [("containers", false), ("initContainers", true)] {
                let nodes = pod.get(key).map_or(&[][..], Node::items);
                all.extend(nodes.iter().map(|node| Self::Container(CandidateSite { object, node, is_init })));
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

    /// Returns whether the current or a former name of its workload fits; kustomizations rename
    /// workloads.
    fn is_in(&self, is_meant: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Container(one) => {
                is_meant(one.object.name()) || one.object.former.iter().any(|id| is_meant(&id.name))
            }
            Self::Service(service) => is_meant(&service.name),
        }
    }

    /// Returns whether the deployment starts it without naming it.
    fn is_enabled(&self) -> bool {
        match self {
            Self::Container(_) => true,
            Self::Service(service) => service.is_enabled,
        }
    }

    fn is_init(&self) -> bool {
        matches!(self, Self::Container(one) if one.is_init)
    }

    /// Returns the names that select this container in an inventory: short and full.
    fn forms(&self) -> (String, String) {
        match self {
            Self::Container(one) => {
                let short = format!("{}/{}/{}", one.object.kind(), one.object.name(), one.name());
                let full = format!("{}/{short}", one.object.effective_namespace());
                (short, full)
            }
            Self::Service(service) => (service.name.clone(), service.name.clone()),
        }
    }

    /// Returns whether `container`, `workload/container`, `Kind/workload/container`,
    /// `namespace/workload/container` or all four parts select this container.
    fn is_meant_by(&self, wanted: &str) -> bool {
        let parts: Vec<&str> = wanted.split('/').collect();
        let is_in = |workload: &str| self.is_in(&|name| name == workload);
        let Some((name, above)) = parts.split_last() else { return false };
        if self.name() != *name {
            return false;
        }
        match (above, self) {
            ([], _) => true,
            ([workload], _) => is_in(workload),
            ([head, workload], Self::Container(one)) => {
                is_in(workload) && [one.object.kind(), one.object.effective_namespace()].contains(head)
            }
            ([namespace, kind, workload], Self::Container(one)) => {
                is_in(workload)
                    && one.object.kind() == *kind
                    && one.object.effective_namespace() == *namespace
            }
            _ => false,
        }
    }
}

/// Returns the name to type for each of some containers: short if unambiguous, else full.
fn labels(of: &[Candidate<'_>]) -> Vec<String> {
    let forms: Vec<(String, String)> = of.iter().map(Candidate::forms).collect();
    let mut count: HashMap<&str, usize> = HashMap::new();
    for (short, _) in &forms {
        *count.entry(short).or_default() += 1;
    }
    let pick = |(short, full): &(String, String)| {
        let one = if count.get(short.as_str()).is_some_and(|count| *count > 1) { full } else { short };
        format!("`{one}`")
    };
    let mut labels: Vec<String> = forms.iter().map(pick).collect();
    labels.dedup();
    labels
}

/// Chooses the container: the one named in the inventory, else the one named like the component, else
/// the only one in a workload of that name, else the only one at all. A name selects a service in spite of
/// its profiles, as in Compose; without a name, Compose ignores services in disabled profiles.
pub(super) fn choose<'a>(
    component: &str,
    items: &[DeploymentItem<'_>],
    all: &[Candidate<'a>],
    is_incomplete: bool,
    findings: &mut Vec<InventoryFinding>,
) -> Result<Candidate<'a>, DeploymentError> {
    let place = items.first().map(|item| item.place.to_owned()).unwrap_or_default();
    if all.is_empty() {
        return Err(DeploymentError::NoContainer { place, because: Because::of(findings) });
    }
    let said = items.iter().find_map(|item| Some((item.container?, item.place)));
    if let Some((wanted, place)) = said {
        let meant: Vec<Candidate<'a>> = all.iter().copied().filter(|one| one.is_meant_by(wanted)).collect();
        return match meant.as_slice() {
            [one] => Ok(*one),
            [] => Err(DeploymentError::NoSuch {
                place: place.to_owned(),
                wanted: wanted.to_owned(),
                candidates: labels(all),
                because: Because::of(findings),
            }),
            several => Err(DeploymentError::Ambiguous {
                place: place.to_owned(),
                component: wanted.to_owned(),
                candidates: labels(several),
                because: None,
            }),
        };
    }
    let like =
        |name: &str| name.replace(['_', '.'], "-").eq_ignore_ascii_case(&component.replace(['_', '.'], "-"));
    let regular = || all.iter().copied().filter(|one| !one.is_init());
    let stages: [Vec<Candidate<'a>>; 3] = [
        regular().filter(|one| like(one.name())).collect(),
        regular().filter(|one| one.is_in(&like)).collect(),
        regular().filter(Candidate::is_enabled).collect(),
    ];
    let mut named = labels(all);
    let mut because = None;
    for (stage, found) in stages.iter().enumerate() {
        match found.as_slice() {
            [] => {}
            [one] if stage < 2 => return Ok(*one),
            // An unread file may contain the component's container.
            [_] if is_incomplete => {
                named = labels(found);
                because = Because::of(findings);
            }
            [one] => {
                findings.extend(taken(component, *one));
                return Ok(*one);
            }
            several => {
                named = labels(several);
                break;
            }
        }
    }
    Err(DeploymentError::Ambiguous { place, component: component.to_owned(), candidates: named, because })
}

/// Returns a finding that the container was chosen only because there is no other.
fn taken(component: &str, one: Candidate<'_>) -> Option<InventoryFinding> {
    let Candidate::Container(place) = one else { return None };
    let message = format!(
        "nothing here is called `{component}`: `{}` is taken, the only container there is; `container:` in the inventory says so",
        one.forms().0
    );
    Some(finding(&place.node.spot, message))
}
