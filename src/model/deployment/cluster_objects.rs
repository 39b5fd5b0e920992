//! The Kubernetes objects of a deployment as JSON, in `kubectl`'s reading of types, for a command that applies them
//! elsewhere. The container of a local run belongs in `container`; changes for another place, in
//! [`crate::model::staging`].

use serde_json::{Map, Value};

use super::candidate::{Candidate, choose};
use super::object::Object;
use super::plain::{Scalar, read};
use super::scalar::truth;
use super::{DeploymentError, DeploymentItem, ParsedFiles, wrong};
use crate::base::yaml::tree::{Node, NodeValue};
use crate::model::inventory::InventoryFinding;

/// An object of a deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterObject {
    /// The object.
    pub json: Value,
    /// Position: `file:line`.
    pub place: String,
}

impl ClusterObject {
    /// Returns its kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.json["kind"].as_str().unwrap_or_default()
    }

    /// Returns its name; empty if the cluster would generate one.
    #[must_use]
    pub fn name(&self) -> &str {
        self.json["metadata"]["name"].as_str().unwrap_or_default()
    }
}

/// The objects of a deployment that deploy a component.
#[derive(Debug, Clone)]
pub struct ClusterDeployment {
    /// The workload with the component's container.
    pub workload: ClusterObject,
    /// Name of the component's container.
    pub container: String,
    /// All other objects of the files.
    pub others: Vec<ClusterObject>,
    /// Findings about parts that `cki` does not understand.
    pub findings: Vec<InventoryFinding>,
}

/// Reads the objects that deploy a component.
///
/// # Errors
/// Fails when a file cannot be read or is invalid, the component's container is ambiguous or belongs to a Compose
/// service, or an object has a template parameter without a value.
pub fn cluster_objects(
    component: &str,
    items: &[DeploymentItem<'_>],
) -> Result<ClusterDeployment, DeploymentError> {
    let mut pool = ParsedFiles::read(items)?;
    let services = pool.projects.services()?;
    let candidates = Candidate::all(&pool.objects, &services);
    let chosen = choose(component, items, &candidates, pool.is_incomplete, &mut pool.findings)?;
    let site = match chosen {
        Candidate::Container(site) => site,
        Candidate::Service(service) => {
            let place = items.first().map(|item| item.place.to_owned()).unwrap_or_default();
            let message = format!("the Compose service `{}` cannot be applied to a cluster", service.name);
            return Err(DeploymentError::Wrong { place, message });
        }
    };
    let container = site.node.text_of("name").unwrap_or_default().to_owned();
    let workload = object(site.object)?;
    let others = pool.objects.iter().filter(|other| !std::ptr::eq(*other, site.object));
    let others = others.map(object).collect::<Result<_, _>>()?;
    Ok(ClusterDeployment { workload, container, others, findings: pool.findings })
}

fn object(object: &Object) -> Result<ClusterObject, DeploymentError> {
    if let Some(name) = object.unresolved.first() {
        let message = format!("the template parameter `{name}` has no value");
        return Err(wrong(&object.node.spot, message));
    }
    Ok(ClusterObject { json: json(&object.node)?, place: object.node.spot.line() })
}

/// Returns a node as JSON. Its depth is bounded.
fn json(node: &Node) -> Result<Value, DeploymentError> {
    Ok(match &node.value {
        NodeValue::Scalar { text, plain: false } => text.as_str().into(),
        NodeValue::Scalar { text, plain: true } => {
            if let Some(truth) = truth(text) {
                return Ok(truth.into());
            }
            match read(text) {
                Scalar::Null => Value::Null,
                Scalar::Truth(truth) => truth.into(),
                Scalar::Number(number) => serde_json::from_str(&number)
                    .map_err(|_| wrong(&node.spot, format!("Kubernetes takes no number like `{text}`")))?,
                Scalar::Text | Scalar::Date(_) => text.as_str().into(),
            }
        }
        NodeValue::List(items) => Value::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        NodeValue::Map(entries) => {
            let entry =
                |entry: &crate::base::yaml::tree::MapEntry| Ok((entry.key.clone(), json(&entry.node)?));
            Value::Object(entries.iter().map(entry).collect::<Result<Map<_, _>, DeploymentError>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml::tree::documents;

    #[test]
    fn json_has_types_of_kubectl() {
        let node = documents("f", "{a: 010, b: '010', c: yes, d: 1.50, e: ~, f: 2026-11-22, g: [x, 1]}");
        let node = node.expect("parses").remove(0);
        let value = json(&node).expect("has only types of JSON").to_string();
        assert_eq!(value, r#"{"a":8,"b":"010","c":true,"d":1.5,"e":null,"f":"2026-11-22","g":["x",1]}"#);
        let node = documents("f", "{a: .inf}").expect("parses").remove(0);
        assert_eq!(
            json(&node).expect_err("is none").to_string(),
            "f:1: Kubernetes takes no number like `.inf`"
        );
    }
}
