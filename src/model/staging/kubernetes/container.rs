//! The containers of a release: image, variables and limits.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::error::ReleaseError;
use super::releasing::{Releasing, list_mut, name_protocol};
use super::variables::ContainerVariables;

fn containers_mut(spec: &mut Value) -> impl Iterator<Item = &mut Value> {
    spec.as_object_mut()
        .into_iter()
        .flat_map(|fields| fields.iter_mut())
        .filter(|(key, _)| *key == "containers" || *key == "initContainers")
        .flat_map(|(_, list)| list_mut(Some(list)))
}

/// Writes the variables that ConfigMaps of the files give into the containers, so that rules about variables and the
/// guard find them by their names.
pub(super) fn inline_config_maps(spec: &mut Value, releasing: &Releasing<'_>) {
    let data = |name: &str| {
        let map = releasing.config_maps.iter().find(|map| map.name() == name)?;
        map.json["data"].as_object()
    };
    for container in containers_mut(spec) {
        let mut variables = ContainerVariables::default();
        if let Some(sources) = container.get_mut("envFrom").and_then(Value::as_array_mut) {
            sources.retain(|source| {
                let Some(data) = source["configMapRef"]["name"].as_str().and_then(data) else { return true };
                let prefix = source["prefix"].as_str().unwrap_or_default();
                data.iter().for_each(|(key, value)| variables.set_value(&format!("{prefix}{key}"), value));
                false
            });
            if sources.is_empty()
                && let Some(fields) = container.as_object_mut()
            {
                fields.shift_remove("envFrom");
            }
        }
        for mut item in container["env"].take().as_array().cloned().unwrap_or_default() {
            let reference = &item["valueFrom"]["configMapKeyRef"];
            let value = reference["name"].as_str().and_then(data);
            let value = value.and_then(|data| data.get(reference["key"].as_str()?)).cloned();
            if let Some(value) = value {
                item = json!({"name": item["name"], "value": value});
            }
            variables.set(item);
        }
        variables.write(container);
    }
}

/// Changes all containers of a pod.
pub(super) fn release(spec: &mut Value, releasing: &Releasing<'_>) -> Result<(), ReleaseError> {
    let own = containers_mut(spec)
        .find(|container| container["name"] == releasing.container)
        .and_then(|container| container["image"].as_str().map(|image| repository_of(image).to_owned()));
    for container in containers_mut(spec) {
        let image = container["image"].as_str().map(repository_of);
        if container["name"] == releasing.container || (image.is_some() && image == own.as_deref()) {
            container["image"] = releasing.request.image.clone().into();
        }
        list_mut(container.get_mut("ports")).filter_map(Value::as_object_mut).for_each(name_protocol);
        variables(container, releasing)?;
        limits(container, releasing);
    }
    Ok(())
}

/// Returns an image without its tag and digest.
fn repository_of(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(image, _)| image);
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}

/// Applies the rules for variables, and sets those with a fixed value.
fn variables(container: &mut Value, releasing: &Releasing<'_>) -> Result<(), ReleaseError> {
    let rules = releasing.rules;
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    let mut variables = ContainerVariables::default();
    for mut variable in container["env"].take().as_array().cloned().unwrap_or_default() {
        let Some(name) = variable["name"].as_str().map(str::to_owned) else { continue };
        if let Some(value) = variable["value"].as_str().and_then(|value| rules.value(&name, value)) {
            variable["value"] = value.into();
        }
        let made = rules.variable(&name);
        if let Some(made) = &made {
            variable["name"] = made.clone().into();
            renamed.insert(name.clone(), made.clone());
        }
        if variables.set(variable).is_some() {
            return Err(ReleaseError::SameName {
                place: releasing.workload.place.clone(),
                workload: releasing.workload.name().to_owned(),
                variable: made.unwrap_or(name),
            });
        }
    }
    rules.fixed.iter().for_each(|(name, value)| variables.set_value(name, &value.as_str().into()));
    variables.write(container);
    for (name, made) in renamed {
        let (from, to) = (format!("$({name})"), format!("$({made})"));
        for variable in list_mut(container.get_mut("env")) {
            replace(variable.get_mut("value"), &from, &to);
        }
        for key in ["command", "args"] {
            list_mut(container.get_mut(key)).for_each(|word| replace(Some(word), &from, &to));
        }
    }
    Ok(())
}

fn replace(text: Option<&mut Value>, from: &str, to: &str) {
    if let Some(text) = text
        && let Some(before) = text.as_str().filter(|before| before.contains(from))
    {
        *text = before.replace(from, to).into();
    }
}

/// Adds the limits that a container does not set.
fn limits(container: &mut Value, releasing: &Releasing<'_>) {
    for (name, default) in &releasing.rules.limits {
        let limits = &container["resources"]["limits"][name];
        // A request above the default would be refused.
        if limits.is_null() && container["resources"]["requests"][name].is_null() {
            if !container["resources"].is_object() {
                container["resources"] = Map::new().into();
            }
            container["resources"]["limits"][name] = default.clone().into();
        }
    }
    if let Some(resources) = container.get_mut("resources").and_then(Value::as_object_mut) {
        resources.retain(|_, value| !value.is_null());
    }
}
