//! Objects of Kubernetes and OpenShift: what kind each is, what it is called and was called, and
//! where its containers are. What is in a container is read in `container`.

use std::collections::HashMap;

use super::error::{DeploymentError, finding};
use crate::base::yaml::tree::{Entry, Node, Spot, Value};
use crate::model::inventory::Finding;

/// An object.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// All of it.
    pub(super) node: Node,
    /// What it was before kustomizations gave it other names, the oldest first.
    pub(super) former: Vec<Id>,
    /// The prefixes and suffixes that kustomizations gave its name, in their order.
    pub(super) prefixes: Vec<String>,
    pub(super) suffixes: Vec<String>,
    /// Whether kustomize ends its name with a hash of its content, so that only a reference that
    /// kustomize follows finds it.
    pub(super) is_hashed: bool,
    /// The `vars` of kustomizations that take their value from it.
    pub(super) vars: Vec<String>,
    /// Names of template parameters without a value, which still stand in it.
    pub(super) unresolved: Vec<String>,
}

/// What tells an object from others of its group and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) kind: String,
    /// `default` if the object names none, and nothing for what belongs to the whole cluster.
    pub(super) namespace: String,
    pub(super) name: String,
}

/// Where the containers of each kind are.
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

/// Kinds that run nothing and give no variable to what runs.
const SILENT: &[&str] = &[
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
        }
    }

    /// The group and the version of its API: `apps` and `v1`.
    pub(super) fn group_version(&self) -> (&str, &str) {
        let version = self.node.text_of("apiVersion").unwrap_or_default();
        version.split_once('/').unwrap_or(("", version))
    }

    /// Its namespace as kustomize compares them.
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

    /// What it is and was, the oldest first.
    pub(super) fn ids(&self) -> Vec<Id> {
        self.former.iter().cloned().chain(std::iter::once(self.id())).collect()
    }

    /// Whether another object is the same one to a cluster.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.kind() == other.kind()
            && self.name() == other.name()
            && self.effective_namespace() == other.effective_namespace()
            && self.group_version().0 == other.group_version().0
    }

    /// Whether it is, or was, what another object is now.
    pub(super) fn has_id_of(&self, other: &Self) -> bool {
        self.group_version() == other.group_version() && self.ids().contains(&other.id())
    }

    /// Keeps what it is now among what it was.
    pub(super) fn store_id(&mut self) {
        if self.former.len() < FORMER {
            self.former.push(self.id());
        }
    }

    /// Its labels or annotations.
    pub(super) fn metadata(&self, key: &str) -> &[Entry] {
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

    /// Whether it is called so, or was.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name() == name || self.former.iter().any(|former| former.name == name)
    }

    /// The path to what describes its pods; `None` if it has none.
    pub(super) fn pod_path(&self) -> Option<&'static [&'static str]> {
        WORKLOADS.iter().find(|(kind, _)| *kind == self.kind()).map(|(_, path)| *path)
    }

    pub(super) fn pod(&self) -> Option<&Node> {
        self.node.at(self.pod_path()?)
    }

    /// Gives it another name.
    pub(super) fn rename(&mut self, name: String) {
        if let Some(Node { value: Value::Scalar { text, .. }, .. }) =
            at_mut(&mut self.node, &["metadata", "name"])
        {
            *text = name;
        }
    }
}

/// No object has had more names.
const FORMER: usize = 100;

/// Kinds of which there is one of a name in the whole cluster.
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

/// The entry of a key, to be changed.
pub(super) fn entry_mut<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Entry> {
    match &mut node.value {
        Value::Map(entries) => entries.iter_mut().find(|entry| entry.key == key),
        _ => None,
    }
}

/// The node at the end of a chain of keys, to be changed.
pub(super) fn at_mut<'a>(node: &'a mut Node, keys: &[&str]) -> Option<&'a mut Node> {
    keys.iter().try_fold(node, |node, key| entry_mut(node, key).map(|entry| &mut entry.node))
}

/// Sets the value of a key.
pub(super) fn put(node: &mut Node, key: &str, spot: &Spot, value: Node) {
    match entry_mut(node, key) {
        Some(entry) => *entry = Entry { key: key.to_owned(), spot: spot.clone(), node: value },
        None => {
            if let Value::Map(entries) = &mut node.value {
                entries.push(Entry { key: key.to_owned(), spot: spot.clone(), node: value });
            }
        }
    }
}

pub(super) fn list(node: Node) -> Vec<Node> {
    match node.value {
        Value::List(items) => items,
        _ => Vec::new(),
    }
}

/// The items of a list, or the node itself if it is none.
pub(super) fn list_or_one(node: Node) -> Vec<Node> {
    match node.value {
        Value::List(items) => items,
        _ => vec![node],
    }
}

/// Names the kinds that are not read.
pub(super) fn note_kinds(objects: &[Object], findings: &mut Vec<Finding>) {
    for object in objects {
        let kind = object.kind();
        if object.pod_path().is_none() && !SILENT.contains(&kind) {
            let message = format!("the kind `{kind}` is not read: what `{}` gives is missing", object.name());
            findings.push(finding(&object.node.spot, message));
        }
    }
}

/// The object of a kind that a name means to an object: in its own namespace, else where either of
/// them says none. Of several, the one that is applied last.
pub(super) fn find<'a>(objects: &'a [Object], kind: &str, name: &str, from: &Object) -> Option<&'a Object> {
    let named = || objects.iter().rev().filter(|object| object.kind() == kind && object.name() == name);
    let own = named().find(|object| object.effective_namespace() == from.effective_namespace());
    own.filter(|object| !object.is_hashed || is_followed(from)).or_else(|| {
        named()
            .find(|object| !object.is_hashed && (object.namespace().is_none() || from.namespace().is_none()))
    })
}

/// Of objects that are the same one, only the one that is applied last. That they differ is said.
pub(super) fn last_applied(objects: Vec<Object>, findings: &mut Vec<Finding>) -> Vec<Object> {
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

/// No object becomes larger, or deeper.
const NODES: usize = 100_000;
const BYTES: usize = 8 << 20;
const DEPTH: usize = 200;

/// Refuses an object that changes have blown up.
pub(super) fn check_size(node: &Node, spot: &Spot) -> Result<(), DeploymentError> {
    let (nodes, bytes, depth) = node.size();
    if nodes > NODES || bytes > BYTES || depth > DEPTH {
        return Err(super::wrong(spot, "this makes the object too large"));
    }
    Ok(())
}

/// Kinds in whose pods kustomize follows references.
pub(super) const FOLLOWED: &[&str] =
    &["CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"];

/// Whether kustomize follows the references of an object.
pub(super) fn is_followed(object: &Object) -> bool {
    FOLLOWED.contains(&object.kind())
}
