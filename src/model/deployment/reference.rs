//! References from pods to ConfigMaps and Secrets that a kustomization has renamed. kustomize updates
//! them once, after all other changes. Lookups of unchanged names belong in `object`.

use super::object::{Id, Object, is_followed};
use super::{DeploymentError, wrong};
use crate::base::yaml::tree::{Location, Node, NodeValue};

/// A renamed ConfigMap or Secret.
struct ReferenceTarget {
    kind: String,
    namespace: String,
    name: String,
    former: Vec<Id>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
}

/// Updates the references of all objects. An ambiguous reference is reported to `note` and stays
/// unchanged.
pub(super) fn follow(
    objects: &mut [Object],
    note: &mut dyn FnMut(DeploymentError) -> Result<(), DeploymentError>,
) -> Result<(), DeploymentError> {
    let targets: Vec<ReferenceTarget> = objects
        .iter()
        .filter(|object| {
            ["ConfigMap", "Secret"].contains(&object.kind())
                && (object.is_hashed || !object.former.is_empty())
        })
        .map(|object| {
            let mut former = object.former.clone();
            // The hash is added last, so the current name is the former one then.
            if object.is_hashed {
                former.push(object.id());
            }
            ReferenceTarget {
                kind: object.kind().to_owned(),
                namespace: object.effective_namespace().to_owned(),
                name: object.name().to_owned(),
                former,
                prefixes: object.prefixes.clone(),
                suffixes: object.suffixes.clone(),
            }
        })
        .collect();
    for object in objects.iter_mut().filter(|object| is_followed(object)) {
        let (prefixes, suffixes) = (object.prefixes.clone(), object.suffixes.clone());
        let namespace = object.effective_namespace().to_owned();
        let from = From { namespace, prefixes, suffixes, targets: &targets };
        let Some(pod) = object.pod_path().and_then(|path| super::object::at_mut(&mut object.node, path))
        else {
            continue;
        };
        from.follow(pod, note)?;
    }
    Ok(())
}

/// The referring object.
struct From<'a> {
    namespace: String,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    targets: &'a [ReferenceTarget],
}

impl From<'_> {
    /// Updates all references below a node. The depth of nodes is bounded.
    fn follow(
        &self,
        node: &mut Node,
        note: &mut dyn FnMut(DeploymentError) -> Result<(), DeploymentError>,
    ) -> Result<(), DeploymentError> {
        match &mut node.value {
            NodeValue::Map(entries) => {
                for entry in entries {
                    let kind = match entry.key.as_str() {
                        "configMapRef" | "configMapKeyRef" => "ConfigMap",
                        "secretRef" | "secretKeyRef" => "Secret",
                        _ => {
                            self.follow(&mut entry.node, note)?;
                            continue;
                        }
                    };
                    let name = super::object::at_mut(&mut entry.node, &["name"]);
                    let Some(Node { spot, value: NodeValue::Scalar { text, .. } }) = name else { continue };
                    match self.target(kind, text, spot) {
                        Ok(Some(target)) => text.clone_from(&target.name),
                        Ok(None) => {}
                        Err(error) => note(error)?,
                    }
                }
                Ok(())
            }
            NodeValue::List(items) => items.iter_mut().try_for_each(|item| self.follow(item, note)),
            NodeValue::Scalar { .. } => Ok(()),
        }
    }

    /// Returns the object that a name refers to by kustomize's rules.
    fn target(
        &self,
        kind: &str,
        name: &str,
        spot: &Location,
    ) -> Result<Option<&ReferenceTarget>, DeploymentError> {
        let mut found: Vec<&ReferenceTarget> = self
            .targets
            .iter()
            .filter(|target| target.kind == kind && target.namespace == self.namespace)
            .filter(|target| target.former.iter().any(|id| id.name == name))
            .collect();
        if found.len() > 1 {
            found.retain(|target| self.is_alike(target, true));
        }
        if found.len() > 1 {
            found.retain(|target| self.is_alike(target, false));
        }
        match found.as_slice() {
            [] => Ok(None),
            [first, rest @ ..] if rest.iter().all(|other| other.name == first.name) => Ok(Some(first)),
            _ => Err(wrong(spot, format!("`{name}` may mean more than one {kind}, and stays as it is"))),
        }
    }

    fn is_alike(&self, target: &ReferenceTarget, or_empty: bool) -> bool {
        let alike = |own: &[String], other: &[String]| {
            (or_empty && (own.is_empty() || other.is_empty())) || is_same_end(own, other)
        };
        alike(&self.prefixes, &target.prefixes) && alike(&self.suffixes, &target.suffixes)
    }
}

/// Returns whether the shorter of two lists is the end of the longer; an empty list matches only an
/// empty one.
fn is_same_end(one: &[String], other: &[String]) -> bool {
    let (short, long) = if one.len() > other.len() { (other, one) } else { (one, other) };
    if short.is_empty() { long.is_empty() } else { long.ends_with(short) }
}
