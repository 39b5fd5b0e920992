//! The look at what production runs, and at both ways back.

use std::sync::Arc;

use super::inputs::{Rolled, names_of};
use crate::base::clock::SystemClock;
use crate::base::exit::Exit;
use crate::cli::commands::stage::{production, production_kubectl};
use crate::cli::context::{Context, TrustProof};
use crate::cli::token;
use crate::ops::rollback::{ImageChoice, ImageRequest, deployed, plan_image};
use crate::ops::status::ProjectGroup;
use crate::report;
use crate::systems::registry::Registry;

pub(super) fn run(rolled: &Rolled<'_>, context: &Context, trust: TrustProof) -> anyhow::Result<Exit> {
    let component = rolled.component;
    let inventory = context.whole_inventory()?;
    let names = names_of(component, context)?;
    let registry = Registry::new(Arc::clone(&context.http), Arc::new(SystemClock::new()));
    let now = (context.host.now)();
    context.block_on(async |stop| {
        let gitlab = token::client(context, rolled.target.server_for(&context.settings.gitlab_url), trust)?;
        let group = ProjectGroup {
            server: gitlab.server().to_owned(),
            project: rolled.target.project.clone(),
            components: vec![component],
        };
        let request = ImageRequest {
            component,
            names: &names,
            workload: None,
            container: None,
            choice: ImageChoice::Previous,
            reason: "",
            now,
        };
        let image = async {
            if !production(context).is_named() {
                return None;
            }
            let kubectl = match production_kubectl(context, inventory).await {
                Ok(kubectl) => kubectl,
                Err(error) => return Some(Err(error)),
            };
            Some(plan_image(&kubectl, &registry, &request).await)
        };
        let task = context.events().start("status", "asking what production runs");
        let (found, image) = tokio::select! {
            read = async { tokio::join!(deployed(&gitlab, &group), image) } => read,
            signal = stop.requested() => return Ok(signal.exit()),
        };
        task.dismiss();
        let found = match found {
            // Both are unknown.
            Err(error) if !matches!(image, Some(Ok(_))) => return Err(error.into()),
            found => found,
        };
        report::rollback::print_overview(
            &context.ui,
            component.name(),
            &group.project,
            found.as_ref(),
            image.as_ref(),
            now,
        );
        Ok(Exit::Done)
    })
}
