//! The options of the method `pipeline`: from the flags, the entry and the environment.

use std::sync::Arc;

use crate::base::secret::Secret;
use crate::cli::context::Context;
use crate::model::inventory::{Inventory, PipelineDecl};
use crate::model::staging::{PipelineRequest, StageParameter, StagingParameter};
use crate::ops::shared::run_policy;
use crate::ops::stage::{PipelineOptions, StageTarget, TriggerToken};

/// Returns the request for the pipeline, checked before anything is sent.
pub(super) fn options(
    set: &[String],
    context: &Context,
    inventory: &Inventory,
    target: &StageTarget<'_>,
) -> anyhow::Result<PipelineOptions> {
    let entry = target.entry();
    let declared = entry.map(|entry| entry.parameters.as_slice()).unwrap_or_default();
    let declared = declared.iter().map(StageParameter::from_inventory).collect::<Result<Vec<_>, _>>()?;
    let chosen =
        set.iter().map(|text| StagingParameter::parse_for_pipeline(text)).collect::<Result<Vec<_>, _>>()?;
    let default = PipelineDecl::default();
    let decl = entry.and_then(|entry| entry.pipeline.as_deref()).unwrap_or(&default);
    let request = PipelineRequest::new(decl, chosen, &declared)?;
    Ok(PipelineOptions {
        request,
        declared,
        component: target.name().to_owned(),
        guard: Arc::new(run_policy::guard(&context.assets, inventory)?),
        environment: entry.and_then(|entry| entry.environment.clone()),
        token: decl.token_variable.as_deref().map(|variable| trigger_token(variable, context)),
    })
}

/// Returns the trigger token of a variable. From then on, no output shows it.
fn trigger_token(variable: &str, context: &Context) -> TriggerToken {
    let secret = context.host.env.get(variable).filter(|value| !value.is_empty()).map(Secret::new);
    if let Some(secret) = &secret {
        context.host.hide(secret);
    }
    TriggerToken { variable: variable.to_owned(), secret }
}
