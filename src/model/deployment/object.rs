//! Objects of Kubernetes and OpenShift: their kinds, current and former names, and paths to their
//! containers. The content of a container belongs in `container`.

use std::collections::HashMap;

use super::error::{DeploymentError, finding};
use crate::base::yaml::tree::{Location, MapEntry, Node, NodeValue};
use crate::model::inventory::InventoryFinding;

/// An object.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// Root node.
    pub(super) node: Node,
    /// IDs before each renaming by a kustomization, the oldest first.
    pub(super) former: Vec<Id>,
    /// Name prefixes and suffixes from kustomizations, in order.
    pub(super) prefixes: Vec<String>,
    pub(super) suffixes: Vec<String>,
    /// Marks a name that kustomize ends with a hash of the content, so that only references that
    /// kustomize follows find it.
    pub(super) is_hashed: bool,
    /// `vars` of kustomizations that take their value from this object.
    pub(super) vars: Vec<String>,
    /// Names of template parameters without a value, which remain in the object.
    pub(super) unresolved: Vec<String>,
    /// Positions of the values of scalars that a replacement created, which have no type yet.
    pub(super) untyped: Vec<Location>,
}

/// Identity of an object within its group and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) kind: String,
    /// `default` if the object sets none; empty for cluster-wide objects.
    pub(super) namespace: String,
    pub(super) name: String,
}

/// Paths to the pod specification, by kind.
const WORKLOADS: &[(&str, &[&str])] = &[
    ("Pod", &["spec"]),
    ("Deployment", &["spec", "template", "spec"]),
    ("StatefulSet", &["spec", "template", "spec"]),
    ("DaemonSet", &["spec", "template", "spec"]),
    ("ReplicaSet", &["spec", "template", "spec"]),
    ("ReplicationController", &["spec", "template", "spec"]),
    ("DeploymentConfig", &["spec", "template", "spec"]),
    ("Job", &["spec", "template", "spec"]),
    ("CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
];

/// Kinds that run nothing and give no variable to a container.
const IGNORED_KINDS: &[&str] = &[
    "BuildConfig",
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "CustomResourceDefinition",
    "HorizontalPodAutoscaler",
    "ImageStream",
    "Ingress",
    "LimitRange",
    "Namespace",
    "NetworkPolicy",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "PodMonitor",
    "PriorityClass",
    "PrometheusRule",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Route",
    "Secret",
    "SecurityContextConstraints",
    "Service",
    "ServiceAccount",
    "ServiceMonitor",
    "StorageClass",
];

impl Object {
    pub(super) fn new(node: Node) -> Self {
        Self {
            node,
            former: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            is_hashed: false,
            vars: Vec::new(),
            unresolved: Vec::new(),
            untyped: Vec::new(),
        }
    }

    /// Returns the group and the version of its API: `apps` and `v1`.
    pub(super) fn group_version(&self) -> (&str, &str) {
        let version = self.node.text_of("apiVersion").unwrap_or_default();
        version.split_once('/').unwrap_or(("", version))
    }

    /// Returns its namespace in kustomize's comparison.
    pub(super) fn effective_namespace(&self) -> &str {
        match self.namespace() {
            _ if CLUSTER.contains(&self.kind()) => "",
            None | Some("") => "default",
            Some(namespace) => namespace,
        }
    }

    pub(super) fn id(&self) -> Id {
        Id {
            kind: self.kind().to_owned(),
            namespace: self.effective_namespace().to_owned(),
            name: self.name().to_owned(),
        }
    }

    /// Returns its former and current IDs, the oldest first.
    pub(super) fn ids(&self) -> Vec<Id> {
        self.former.iter().cloned().chain(std::iter::once(self.id())).collect()
    }

    /// Returns whether two objects are the same to a cluster.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.kind() == other.kind()
            && self.name() == other.name()
            && self.effective_namespace() == other.effective_namespace()
            && self.group_version().0 == other.group_version().0
    }

    /// Returns whether its current or a former ID is the current ID of another object.
    pub(super) fn has_id_of(&self, other: &Self) -> bool {
        self.group_version() == other.group_version() && self.ids().contains(&other.id())
    }

    /// Adds its current ID to the former ones.
    pub(super) fn store_id(&mut self) {
        if self.former.len() < FORMER {
            self.former.push(self.id());
        }
    }

    /// Returns its labels or annotations.
    pub(super) fn metadata(&self, key: &str) -> &[MapEntry] {
        self.node.at(&["metadata", key]).map_or(&[][..], Node::entries)
    }

    pub(super) fn kind(&self) -> &str {
        self.node.text_of("kind").unwrap_or_default()
    }

    pub(super) fn name(&self) -> &str {
        let metadata = self.node.get("metadata");
        metadata.and_then(|m| m.text_of("name").or_else(|| m.text_of("generateName"))).unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        self.node.at(&["metadata", "namespace"]).and_then(Node::text)
    }

    /// Returns whether a name is its current or a former one.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name() == name || self.former.iter().any(|former| former.name == name)
    }

    /// Returns the path to its pod specification; `None` if it has none.
    pub(super) fn pod_path(&self) -> Option<&'static [&'static str]> {
        WORKLOADS.iter().find(|(kind, _)| *kind == self.kind()).map(|(_, path)| *path)
    }

    pub(super) fn pod(&self) -> Option<&Node> {
        self.node.at(self.pod_path()?)
    }

    /// Renames the object.
    pub(super) fn rename(&mut self, name: String) {
        if let Some(Node { value: NodeValue::Scalar { text, .. }, .. }) =
            at_mut(&mut self.node, &["metadata", "name"])
        {
            *text = name;
        }
    }
}

/// Maximum number of former IDs.
const FORMER: usize = 100;

/// Cluster-wide kinds.
const CLUSTER: &[&str] = &[
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

/// Returns the mutable entry of a key.
pub(super) fn entry_mut<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut MapEntry> {
    match &mut node.value {
        NodeValue::Map(entries) => entries.iter_mut().find(|entry| entry.key == key),
        _ => None,
    }
}

/// Returns the mutable node at the end of a chain of keys.
pub(super) fn at_mut<'a>(node: &'a mut Node, keys: &[&str]) -> Option<&'a mut Node> {
    keys.iter().try_fold(node, |node, key| entry_mut(node, key).map(|entry| &mut entry.node))
}

/// Sets the value of a key.
pub(super) fn put(node: &mut Node, key: &str, spot: &Location, value: Node) {
    match entry_mut(node, key) {
        Some(entry) => *entry = MapEntry { key: key.to_owned(), spot: spot.clone(), node: value },
        None => {
            if let NodeValue::Map(entries) = &mut node.value {
                entries.push(MapEntry { key: key.to_owned(), spot: spot.clone(), node: value });
            }
        }
    }
}

pub(super) fn list(node: Node) -> Vec<Node> {
    match node.value {
        NodeValue::List(items) => items,
        _ => Vec::new(),
    }
}

/// Returns the items of a list, or the node itself if it is not a list.
pub(super) fn list_or_one(node: Node) -> Vec<Node> {
    match node.value {
        NodeValue::List(items) => items,
        _ => vec![node],
    }
}

/// Adds findings about kinds that `cki` does not read.
pub(super) fn note_kinds(objects: &[Object], findings: &mut Vec<InventoryFinding>) {
    for object in objects {
        let kind = object.kind();
        if object.pod_path().is_none() && !IGNORED_KINDS.contains(&kind) {
            let message = format!("the kind `{kind}` is not read: what `{}` gives is missing", object.name());
            findings.push(finding(&object.node.spot, message));
        }
    }
}

/// Returns the object of a kind that a name refers to: in the namespace of the referring object, else
/// where one of the two sets no namespace. Of several, the last applied one counts.
pub(super) fn find<'a>(objects: &'a [Object], kind: &str, name: &str, from: &Object) -> Option<&'a Object> {
    let named = || objects.iter().rev().filter(|object| object.kind() == kind && object.name() == name);
    let own = named().find(|object| object.effective_namespace() == from.effective_namespace());
    own.filter(|object| !object.is_hashed || is_followed(from)).or_else(|| {
        named()
            .find(|object| !object.is_hashed && (object.namespace().is_none() || from.namespace().is_none()))
    })
}

/// Keeps the last applied of equal objects, and adds findings about the others.
pub(super) fn last_applied(objects: Vec<Object>, findings: &mut Vec<InventoryFinding>) -> Vec<Object> {
    let mut last: HashMap<(String, String, String, String), usize> = HashMap::new();
    let mut kept: Vec<Option<Object>> = Vec::new();
    for object in objects {
        let Id { kind, namespace, name } = object.id();
        let key = (object.group_version().0.to_owned(), kind, namespace, name);
        if let Some(before) = last.insert(key, kept.len()).and_then(|at| kept[at].take())
            && !object.name().is_empty()
        {
            let message = format!(
                "there is another {} `{}` at {}: this one is applied last, and holds",
                object.kind(),
                object.name(),
                before.node.spot.line()
            );
            findings.push(finding(&object.node.spot, message));
        }
        kept.push(Some(object));
    }
    kept.into_iter().flatten().collect()
}

/// Maximum nodes, bytes and depth of an object.
const NODES: usize = 100_000;
const BYTES: usize = 8 << 20;
const DEPTH: usize = 200;

/// Refuses an object that changes have made too large.
pub(super) fn check_size(node: &Node, spot: &Location) -> Result<(), DeploymentError> {
    let (nodes, bytes, depth) = node.size();
    if nodes > NODES || bytes > BYTES || depth > DEPTH {
        return Err(super::wrong(spot, "this makes the object too large"));
    }
    Ok(())
}

/// Kinds in whose pods kustomize follows references.
pub(super) const FOLLOWED: &[&str] =
    &["CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"];

/// Returns whether kustomize follows the references of an object.
pub(super) fn is_followed(object: &Object) -> bool {
    FOLLOWED.contains(&object.kind())
}
