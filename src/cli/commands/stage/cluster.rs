//! The clusters that the configuration names as staging and as production.

use crate::cli::context::Context;
use crate::model::inventory::Inventory;
use crate::ops::rollback::ImageError;
use crate::ops::shared::cluster_boundary::{check_production, check_staging};
use crate::ops::shared::production_cluster::ProductionSettings;
use crate::ops::stage::kubernetes::{ClusterSettings, ReleaseStageError, cluster, named_cluster};
use crate::systems::kubectl::Kubectl;

/// Returns the program for the namespace that the configuration names as staging, once it is known not to be production's.
pub(in crate::cli) fn kubectl(context: &Context, inventory: &Inventory) -> anyhow::Result<Kubectl> {
    let kubectl = cluster(&settings(context), inventory, &context.host.env)?;
    let production = production(context);
    context.block_on(async |stop| {
        tokio::select! {
            checked = check_staging(&kubectl, &production, inventory) => checked.map_err(ReleaseStageError::from)?,
            signal = stop.requested() => return Err(ReleaseStageError::Signal(signal).into()),
        }
        anyhow::Ok(())
    })?;
    Ok(kubectl)
}

/// Returns the program for the namespace of production, once it is known not to be that of staging.
pub(in crate::cli) async fn production_kubectl(
    context: &Context,
    inventory: &Inventory,
) -> Result<Kubectl, ImageError> {
    let kubectl = production(context).cluster(&context.host.env)?;
    let staging = named_cluster(&settings(context), inventory).ok();
    check_production(&kubectl, staging.as_ref()).await?;
    Ok(kubectl)
}

fn settings(context: &Context) -> ClusterSettings {
    let settings = &context.settings;
    ClusterSettings {
        context: settings.stage_context.clone(),
        namespace: settings.stage_namespace.clone(),
        program: settings.stage_kubectl.clone(),
    }
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
