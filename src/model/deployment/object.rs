//! Objects of Kubernetes and OpenShift: what kind each is, what it is called and was called, and
//! where its containers are. What is in a container is read in `container`.

use super::{DeploymentError, finding, template};
use crate::base::yaml::tree::{Entry, Node, Spot, Value};
use crate::model::inventory::Finding;

/// An object.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// All of it.
    pub(super) node: Node,
    /// What it was called before kustomizations gave it other names.
    pub(super) former: Vec<String>,
    /// Names of template parameters without a value, which still stand in it.
    pub(super) unresolved: Vec<String>,
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
        Self { node, former: Vec::new(), unresolved: Vec::new() }
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
        self.name() == name || self.former.iter().any(|former| former == name)
    }

    /// The path to what describes its pods; `None` if it has none.
    pub(super) fn pod_path(&self) -> Option<&'static [&'static str]> {
        WORKLOADS.iter().find(|(kind, _)| *kind == self.kind()).map(|(_, path)| *path)
    }

    pub(super) fn pod(&self) -> Option<&Node> {
        self.node.at(self.pod_path()?)
    }

    /// Gives it another name; the present one is kept among the former.
    pub(super) fn rename(&mut self, name: String) {
        let Value::Map(entries) = &mut self.node.value else { return };
        let Some(metadata) = entries.iter_mut().find(|entry| entry.key == "metadata") else { return };
        if let Some(entry) = entry_mut(&mut metadata.node, "name")
            && let Value::Scalar { text, .. } = &mut entry.node.value
        {
            self.former.push(std::mem::replace(text, name));
        }
    }
}

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

/// The objects of a document: itself, or what a `List` or a `Template` holds.
pub(super) fn from_document(
    document: Node,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Object>, DeploymentError> {
    let kind = document.text_of("kind").unwrap_or_default();
    if kind == "Template" && document.get("objects").is_some() {
        return template::objects(document, findings);
    }
    if kind == "List" || (kind.ends_with("List") && document.get("items").is_some()) {
        let items = match document.value {
            Value::Map(entries) => entries.into_iter().find(|entry| entry.key == "items"),
            _ => None,
        };
        let mut objects = Vec::new();
        for item in items.map(|entry| list(entry.node)).unwrap_or_default() {
            if item.get("kind").is_some() {
                objects.extend(from_document(item, findings)?);
            } else {
                findings.push(finding(&item.spot, "this item of a list has no `kind`, and is not read"));
            }
        }
        return Ok(objects);
    }
    Ok(vec![Object::new(document)])
}

pub(super) fn list(node: Node) -> Vec<Node> {
    match node.value {
        Value::List(items) => items,
        _ => Vec::new(),
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

/// The object of a kind that is called so, seen from one in the same namespace.
pub(super) fn find<'a>(objects: &'a [Object], kind: &str, name: &str, from: &Object) -> Option<&'a Object> {
    let is_near = |object: &&Object| match (object.namespace(), from.namespace()) {
        (Some(its), Some(own)) => its == own,
        _ => true,
    };
    let of_kind = || objects.iter().filter(|object| object.kind() == kind).filter(is_near);
    of_kind().find(|object| object.name() == name).or_else(|| of_kind().find(|object| object.is_called(name)))
}
