//! The name of a Compose project, and the profiles of its services. Reading services belongs in `service`.

use super::super::DeploymentPart;
use super::super::interpolation::{Budget, InterpolationVar, interpolate};
use super::document::Variables;
use crate::base::yaml::tree::Node;

/// Variable that Compose itself sets to the name of the project.
pub(super) const PROJECT_NAME: &str = "COMPOSE_PROJECT_NAME";
/// Variable that Compose itself sets to its working directory, whatever a file says.
const WORKING_DIRECTORY: &str = "PWD";

/// Returns the variables of the working directory: Compose is started in the directory of the project.
pub(super) fn working_directory(directory: String) -> Variables {
    let known = InterpolationVar { text: directory, parts: Vec::new() };
    Variables::from([(WORKING_DIRECTORY.to_owned(), known)])
}

/// Variable with the profiles to enable, separated by commas.
const PROFILES: &str = "COMPOSE_PROFILES";
/// Profile that stands for all profiles.
const EVERY: &str = "*";

/// Returns the name of a project as Compose finds it: the name in its files if there is one, or else that of its
/// directory. A name of which only a deployer knows a part has an unknown value.
pub(super) fn name(
    variables: &Variables,
    budget: &Budget,
    written: Option<&Node>,
    directory: &str,
) -> InterpolationVar {
    let mut found = String::new();
    if let Some(text) = written.and_then(Node::text) {
        match interpolate(text, &|name| variables.get(name), budget) {
            Ok(made) if made.unset.is_empty() && made.required.is_none() => found = normalized(&made.text),
            _ => return no_name(),
        }
    }
    if found.is_empty() {
        let path = directory.trim_end_matches('/');
        found = normalized(path.rsplit('/').next().unwrap_or(path));
    }
    match found.is_empty() {
        true => no_name(),
        false => InterpolationVar { text: found, parts: Vec::new() },
    }
}

/// Returns a name of a project in the form that Compose gives it.
fn normalized(name: &str) -> String {
    let is_kept =
        |char: &char| char.is_ascii_lowercase() || char.is_ascii_digit() || matches!(char, '-' | '_');
    let name: String = name.to_lowercase().chars().filter(is_kept).collect();
    name.trim_start_matches(['-', '_']).to_owned()
}

/// Returns the unknown name of a project.
fn no_name() -> InterpolationVar {
    let part = DeploymentPart { name: PROJECT_NAME.to_owned(), range: 0..0, known: false };
    InterpolationVar { text: String::new(), parts: vec![part] }
}

/// Returns whether Compose starts a service that nobody names: it has no profile, or an enabled one.
pub(super) fn is_enabled(variables: &Variables, service: &Node) -> bool {
    let profiles = service.get("profiles").map_or(&[][..], Node::items);
    let enabled = variables.get(PROFILES).map_or("", |known| known.text.as_str());
    let is_on = |one: &str| enabled.split(',').any(|on| on == one || on == EVERY);
    profiles.is_empty() || profiles.iter().filter_map(Node::text).any(is_on)
}
