//! The clusters that the configuration names as staging and as production.

use crate::cli::context::Context;
use crate::model::inventory::Inventory;
use crate::ops::shared::production_cluster::ProductionSettings;
use crate::ops::stage::kubernetes::{ClusterSettings, cluster};
use crate::systems::kubectl::Kubectl;

/// Returns the program for the namespace that the configuration names as staging.
pub(in crate::cli) fn kubectl(context: &Context, inventory: &Inventory) -> anyhow::Result<Kubectl> {
    let settings = &context.settings;
    let settings = ClusterSettings {
        context: settings.stage_context.clone(),
        namespace: settings.stage_namespace.clone(),
        program: settings.stage_kubectl.clone(),
        production: production(context),
    };
    Ok(cluster(&settings, inventory, &context.host.env)?)
}

/// Returns the user's own settings of the cluster of production.
pub(in crate::cli) fn production(context: &Context) -> ProductionSettings {
    let settings = &context.settings;
    ProductionSettings {
        context: settings.production_context.clone(),
        namespace: settings.production_namespace.clone(),
        program: settings.stage_kubectl.clone(),
    }
}
