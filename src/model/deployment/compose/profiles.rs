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

/// Returns the name that a Compose file gives its project, as Compose normalizes it; `None` if the name is empty
/// or has a part that only a deployer knows.
pub(super) fn name(variables: &Variables, budget: &Budget, node: &Node) -> Option<InterpolationVar> {
    let made = interpolate(node.text()?, &|name| variables.get(name), budget).ok()?;
    if !made.unset.is_empty() || made.required.is_some() {
        return None;
    }
    let is_kept =
        |char: &char| char.is_ascii_lowercase() || char.is_ascii_digit() || matches!(char, '-' | '_');
    let name: String = made.text.to_lowercase().chars().filter(is_kept).collect();
    let text = name.trim_start_matches(['-', '_']).to_owned();
    (!text.is_empty()).then_some(InterpolationVar { text, parts: Vec::new() })
}

/// Returns the name of a project whose files give none: Compose takes the one of a directory of the deployer.
pub(super) fn no_name() -> InterpolationVar {
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
