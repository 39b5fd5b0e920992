//! Variables that Compose gives a service for its AI models: the model, and the address of the runner that serves it.
//! Other variables belong in `environment`.

use super::super::error::no_value;
use super::super::expansion::Segment;
use super::super::interpolation::interpolate;
use super::super::{EnvEntry, EnvVarSource};
use super::project::ComposeProject;
use crate::base::yaml::tree::{Location, Node};
use crate::model::inventory::InventoryFinding;

/// Returns the variables of the models of a service, with their positions. They replace variables of the same name:
/// <https://docs.docker.com/reference/compose-file/models/>.
pub(super) fn variables(
    project: &ComposeProject<'_>,
    service: &Node,
    findings: &mut Vec<InventoryFinding>,
) -> Vec<(EnvEntry, Location)> {
    let Some(models) = service.get("models") else { return Vec::new() };
    let named = models.items().iter().filter_map(|item| Some((item.text()?, &item.spot, None)));
    let mapped = models.entries().iter().map(|entry| (entry.key.as_str(), &entry.spot, Some(&entry.node)));
    let mut all = Vec::new();
    for (model, spot, settings) in named.chain(mapped) {
        let name = |key: &str, end: &str| {
            let chosen = settings.and_then(|settings| settings.text_of(key)).filter(|name| !name.is_empty());
            chosen.map_or_else(|| format!("{}_{end}", model.to_uppercase().replace('-', "_")), str::to_owned)
        };
        let address = "Compose sets it to the address of its model runner".to_owned();
        for (name, value) in [
            (name("model_var", "MODEL"), model_of(project, model)),
            (name("endpoint_var", "URL"), EnvVarSource::Unknown(address)),
        ] {
            if let EnvVarSource::Unknown(why) = &value {
                findings.push(no_value(spot, &name, format!("`{name}` is not known: {why}")));
            }
            let given = EnvEntry { name, place: spot.line(), value, parts: Vec::new(), draft: None };
            all.push((given, spot.clone()));
        }
    }
    all
}

/// Returns the name of a model for its runner.
fn model_of(project: &ComposeProject<'_>, model: &str) -> EnvVarSource {
    let unknown = || EnvVarSource::Unknown(format!("`models` does not tell the model `{model}`"));
    let written = project.declared.get("models", model).and_then(|node| node.text_of("model"));
    let Some(written) = written else { return unknown() };
    match interpolate(written, &|name| project.variables.get(name), &project.reader.budget()) {
        Ok(made) if made.unset.is_empty() && made.required.is_none() => {
            EnvVarSource::Text(vec![Segment::Text(made.text)])
        }
        _ => unknown(),
    }
}
