//! The variables that a run of a component needs from its user. The environment itself is resolved in `env`.

use super::resolve;
use crate::base::assets::Assets;
use crate::host::Env;
use crate::model::environment::EnvOverrides;
use crate::model::inventory::{Component, Inventory};
use crate::model::service::TemplateContext;
use crate::ops::shared::deployment::load_if_there;
use crate::ops::shared::run_policy::{RunPolicy, SecretStorage};
use crate::ops::shared::workspace::Workspace;

/// Returns the arguments of `cki run-local` that run a component: its name, with a place for each value that the run
/// demands of its user. What cannot be read or resolved demands nothing here: the run itself reports the reason.
#[must_use]
pub fn run_arguments(
    component: &Component,
    inventory: &Inventory,
    assets: &Assets,
    env: &Env,
    workspace: &Workspace,
) -> Vec<String> {
    let missing = || {
        let rules = RunPolicy::load(assets, inventory, env, workspace, SecretStorage::ReadOnly).ok()?;
        let ctx =
            TemplateContext { host: "", program: "cki", context: &rules.context, rules: &rules.secrets };
        let deployed = load_if_there(component, inventory, workspace, assets).ok().and_then(|found| found.0);
        let overrides = EnvOverrides::default();
        let resolved = resolve(component, inventory, assets, ctx, deployed.as_ref(), overrides).ok()?;
        let missing = resolved.environment.missing_required();
        Some(missing.iter().map(|one| one.name.clone()).collect::<Vec<_>>())
    };
    let values = missing().unwrap_or_default();
    let values = values.into_iter().flat_map(|name| ["-e".to_owned(), format!("{name}=VALUE")]);
    std::iter::once(component.name().to_owned()).chain(values).collect()
}
