//! `vars` of kustomizations: `$(NAME)` in the commands and variables of containers, expanded after all
//! other changes. The variables of containers belong in `expansion`.

use std::collections::HashMap;

use super::field_path::{self, find};
use super::object::{Object, at_mut, check_size};
use super::plain::{Scalar, decimal, read};
use super::scalar::{as_written, kustomize_kind};
use super::{DeploymentError, wrong};
use crate::base::yaml::tree::{Location, Node, NodeValue};

/// A variable with its source object.
pub(super) struct DeployedVariable {
    name: String,
    field: String,
    spot: Location,
}

/// Kinds in whose pods variables are expanded.
const FILLED: &[&str] = &["CronJob", "DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"];

/// Reads an item of `vars`, and marks its source object.
pub(super) fn define(
    item: &Node,
    objects: &mut [Object],
    variables: &mut Vec<DeployedVariable>,
) -> Result<(), DeploymentError> {
    let text = |keys: &[&str]| item.at(keys).and_then(Node::text);
    let (Some(name), Some(target)) = (text(&["name"]), text(&["objref", "name"])) else {
        return Err(wrong(&item.spot, "an item of `vars` needs a `name` and an `objref` with a `name`"));
    };
    if variables.iter().any(|known| known.name == name) {
        return Err(wrong(&item.spot, format!("there is another variable `{name}`")));
    }
    let kind = text(&["objref", "kind"]).unwrap_or_default();
    let version =
        text(&["objref", "apiVersion"]).map(|version| version.split_once('/').unwrap_or(("", version)));
    let group = version.map(|(group, _)| group).or_else(|| text(&["objref", "group"])).unwrap_or_default();
    let version =
        version.map(|(_, version)| version).or_else(|| text(&["objref", "version"])).unwrap_or_default();
    let namespace = text(&["objref", "namespace"]);
    let is_meant = |object: &&mut Object| {
        object.group_version() == (group, version)
            && object.ids().iter().any(|id| {
                id.kind == kind && id.name == target && namespace.is_none_or(|wanted| wanted == id.namespace)
            })
    };
    let mut found: Vec<&mut Object> = objects.iter_mut().filter(is_meant).collect();
    match found.as_mut_slice() {
        [object] => object.vars.push(name.to_owned()),
        [] => {}
        _ => return Err(wrong(&item.spot, format!("`{name}` may take its value from more than one object"))),
    }
    let field = text(&["fieldref", "fieldPath"]).or_else(|| text(&["fieldref", "fieldpath"]));
    variables.push(DeployedVariable {
        name: name.to_owned(),
        field: field.unwrap_or("metadata.name").to_owned(),
        spot: item.spot.clone(),
    });
    Ok(())
}

/// Expands all variables. A variable without a value is reported to `note` and stays unchanged.
pub(super) fn fill(
    objects: &mut [Object],
    variables: &[DeployedVariable],
    note: &mut dyn FnMut(DeploymentError) -> Result<(), DeploymentError>,
) -> Result<(), DeploymentError> {
    let mut values: HashMap<&str, VariableValue> = HashMap::new();
    for variable in variables {
        let object = objects.iter().find(|object| object.vars.contains(&variable.name));
        let parts = field_path::of_variable(&variable.field);
        match object.and_then(|object| find(&object.node, &parts)).and_then(VariableValue::of) {
            Some(value) => {
                values.insert(&variable.name, value);
            }
            None => {
                let message = format!(
                    "`$({})` has no value: no object has the field `{}`",
                    variable.name, variable.field
                );
                note(wrong(&variable.spot, message))?;
            }
        }
    }
    if values.is_empty() {
        return Ok(());
    }
    for object in objects.iter_mut().filter(|object| FILLED.contains(&object.kind())) {
        let spot = object.node.spot.clone();
        let untyped = std::mem::take(&mut object.untyped);
        let Some(pod) = object.pod_path().and_then(|path| at_mut(&mut object.node, path)) else { continue };
        for key in ["containers", "initContainers"] {
            let Some(Node { value: NodeValue::List(containers), .. }) = at_mut(pod, &[key]) else { continue };
            for container in containers {
                fill_container(container, &values, &untyped);
                check_size(container, &spot)?;
            }
        }
    }
    Ok(())
}

fn fill_container(container: &mut Node, values: &HashMap<&str, VariableValue>, untyped: &[Location]) {
    for key in ["command", "args"] {
        if let Some(Node { value: NodeValue::List(words), .. }) = at_mut(container, &[key]) {
            words.iter_mut().for_each(|word| fill_text(word, values, untyped));
        }
    }
    if let Some(Node { value: NodeValue::List(items), .. }) = at_mut(container, &["env"]) {
        for item in items {
            if let Some(value) = at_mut(item, &["value"]) {
                fill_text(value, values, untyped);
            }
        }
    }
}

/// Value of a variable.
struct VariableValue {
    /// Value in place of a text that is only the variable.
    alone: NodeValue,
    /// Text inside of another text.
    within: String,
}

impl VariableValue {
    /// Returns the value of a field in kustomize's reading; `None` if kustomize finds no value there: it
    /// reads numbers of base ten only.
    fn of(node: &Node) -> Option<Self> {
        let NodeValue::Scalar { text, plain } = &node.value else { return None };
        let within = match read(text) {
            _ if !plain => text.clone(),
            Scalar::Null => return None,
            Scalar::Truth(truth) => truth.to_string(),
            Scalar::Number(_) => decimal(text)?,
            Scalar::Text | Scalar::Date(_) => text.clone(),
        };
        Some(Self { alone: as_written(node), within })
    }
}

/// Maximum length of an expanded text in bytes.
const LONGEST: usize = 1 << 20;

/// Expands variables in a text; `$$` becomes `$`, as in kustomize with at least one variable.
/// A scalar without a type becomes a text.
fn fill_text(node: &mut Node, values: &HashMap<&str, VariableValue>, untyped: &[Location]) {
    if kustomize_kind(node).is_some() && !untyped.contains(&node.spot) {
        return;
    }
    let NodeValue::Scalar { text, .. } = &node.value else { return };
    let whole =
        text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')')).and_then(|name| values.get(name));
    if let Some(value) = whole {
        // A number stays a number.
        node.value = value.alone.clone();
        return;
    }
    let (mut made, mut rest) = (String::new(), text.as_str());
    while let Some(at) = rest.find('$') {
        made.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(more) = after.strip_prefix('$') {
            made.push('$');
            rest = more;
        } else if let Some((name, more)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match values.get(name) {
                Some(value) => made.push_str(&value.within),
                None => made.extend(["$(", name, ")"]),
            }
            rest = more;
        } else {
            made.push('$');
            rest = after;
        }
        if made.len() > LONGEST {
            break;
        }
    }
    made.push_str(rest);
    node.value = NodeValue::Scalar { text: made, plain: false };
}
