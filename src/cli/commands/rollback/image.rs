//! The temporary way back: from the plan over the confirmations to the change of production.

use std::sync::Arc;

use super::inputs::{RollbackArgs, Rolled, names_of, template};
use crate::base::clock::SystemClock;
use crate::base::exit::Exit;
use crate::cli::commands::stage::{NamedMergeRequest, production_kubectl};
use crate::cli::context::{Context, TrustProof};
use crate::cli::error::UsageError;
use crate::cli::{exit, token};
use crate::model::rollback::QuietTimes;
use crate::model::workload::is_digest;
use crate::ops::rollback::{
    ImageChoice, ImageError, ImagePlan, ImageRequest, ImageSystems, RollbackError, RollbackRecord,
    change_image, check_rights, deployed, plan_image, record_text,
};
use crate::ops::stage::StageOptions;
use crate::ops::stage::kubernetes::{ReleaseRun, follow_image};
use crate::ops::status::ProjectGroup;
use crate::report;
use crate::systems::gitlab::GitLab;
use crate::systems::registry::Registry;

/// Template of the record.
const TEMPLATE: &str = "comments/rollback.md";

pub(super) fn run(
    args: &RollbackArgs,
    to: &str,
    rolled: &Rolled<'_>,
    context: &Context,
    trust: TrustProof,
) -> anyhow::Result<Exit> {
    let component = rolled.component;
    let choice = match to {
        "previous" => ImageChoice::Previous,
        digest if is_digest(digest) => ImageChoice::Digest(digest.to_owned()),
        _ => {
            return Err(UsageError(
                "`--to` takes `previous`, or a digest: `sha256:` and 64 digits".to_owned(),
            )
            .into());
        }
    };
    let reason = args.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_none() && !args.dry_run {
        return Err(UsageError("people have to know why: add `--reason TEXT`".to_owned()).into());
    }
    let inventory = context.whole_inventory()?;
    let kubectl = context.block_on(async |stop| {
        tokio::select! {
            found = production_kubectl(context, inventory) => Ok(Ok(found?)),
            signal = stop.requested() => Ok(Err(signal.exit())),
        }
    })?;
    let kubectl = match kubectl {
        Ok(kubectl) => kubectl,
        Err(exit) => return Ok(exit),
    };
    let quiet = QuietTimes::parse(&context.settings.production_quiet).map_err(RollbackError::from)?;
    let now = (context.host.now)();
    let quiet = quiet.reason(now.to_zoned(jiff::tz::TimeZone::system()).datetime());
    let names = names_of(component, context)?;
    let registry = Registry::new(Arc::clone(&context.http), Arc::new(SystemClock::new()));
    let request = ImageRequest {
        component,
        names: &names,
        workload: args.workload.as_deref(),
        container: args.container.as_deref(),
        choice,
        reason: reason.unwrap_or("…"),
        now,
    };
    context.block_on(async |stop| {
        let gitlab = token::client(context, rolled.target.server_for(&context.settings.gitlab_url), trust)?;
        let events = context.events();
        let task = events.start("cluster", format!("asking the cluster of `{}`", kubectl.target().context));
        let planned = tokio::select! {
            planned = async {
                tokio::join!(plan_image(&kubectl, &registry, &request), record(args, rolled, context, &gitlab))
            } => planned,
            signal = stop.requested() => {
                context.ui.status("Nothing was changed.");
                return Ok(signal.exit());
            }
        };
        task.dismiss();
        let (plan, record) = (planned.0?, planned.1?);
        let body = record_text(&record, &plan, request.reason)?;
        report::rollback_image::print_plan(&context.ui, &plan, &record, &body, quiet.as_deref(), now);
        if args.dry_run {
            report::rollback_image::print_unchanged(&context.ui, &plan, &record);
            return Ok(Exit::Done);
        }
        check_rights(&gitlab).await?;
        confirm(args, context, &plan, quiet.as_deref())?;
        let systems = ImageSystems { kubectl: &kubectl, registry: &registry, gitlab: &gitlab };
        // From here on, nothing is cut: a record without its result would mislead.
        change_image(systems, &request, &plan, &record, &events).await?;
        let rollout = match args.no_wait {
            true => None,
            false => {
                let options = StageOptions {
                    timeout: Some(context.settings.stage_timeout),
                    interval: context.settings.stage_interval,
                    ..StageOptions::default()
                };
                let (gitlab, kubectl, events) = (&gitlab, &kubectl, &events);
                let run = ReleaseRun { gitlab, kubectl, options: &options, events, stop: &stop };
                let image = (plan.container.name.as_str(), plan.new_digest.as_str());
                Some(follow_image(run, (&plan.kind, &plan.name), image).await)
            }
        };
        report::rollback_image::print_changed(&context.ui, &plan, &record, rollout.as_ref());
        Ok(match rollout {
            Some(rollout) => exit::of_releases([&rollout]),
            None => stop.now().map_or(Exit::Done, crate::host::signals::Signal::exit),
        })
    })
}

/// Finds the merge request for the record: the named one, else the one that production runs.
async fn record(
    args: &RollbackArgs,
    rolled: &Rolled<'_>,
    context: &Context,
    gitlab: &GitLab,
) -> anyhow::Result<RollbackRecord> {
    let template = template(context, TEMPLATE)?;
    let component = rolled.component;
    if let Some(name) = &args.mr {
        let inventory = context.whole_inventory()?;
        let named = component.reference.to_string();
        let found = NamedMergeRequest::find(name, Some(&named), args.project.as_deref(), context, inventory)?;
        let (project, iid) = (found.target.project, found.number);
        // It must exist before anything is changed.
        gitlab.merge_request(&project, iid).await?;
        return Ok(RollbackRecord { project, iid, template });
    }
    let project = rolled.target.project.clone();
    let group = ProjectGroup {
        server: gitlab.server().to_owned(),
        project: project.clone(),
        components: vec![component],
    };
    let found = match deployed(gitlab, &group).await {
        Err(RollbackError::NotDeployed { .. } | RollbackError::Several { .. }) => None,
        found => found?.deployment.merge_request,
    };
    let iid = found.ok_or(ImageError::NoRecord)?.iid;
    Ok(RollbackRecord { project, iid, template })
}

/// Asks for the name of the component, and first for one more yes in a quiet time. A script gives both as options.
fn confirm(
    args: &RollbackArgs,
    context: &Context,
    plan: &ImagePlan,
    quiet: Option<&str>,
) -> anyhow::Result<()> {
    let name = &plan.component;
    if let Some(given) = &args.confirm {
        if given != name {
            let given = crate::base::text::safe_line(given);
            return Err(
                UsageError(format!("`--confirm` names `{given}`, and the component is `{name}`")).into()
            );
        }
        return match quiet {
            Some(reason) if !args.in_quiet_time => {
                Err(ImageError::QuietTime { reason: reason.to_owned() }.into())
            }
            _ => Ok(()),
        };
    }
    if !context.ui.can_ask() || context.ui.is_structured() {
        return Err(ImageError::Unconfirmed { component: name.clone() }.into());
    }
    if let Some(reason) = quiet {
        let question = format!("By `production.quiet`, now is no time for changes: {reason}. Go on?");
        context.ui.confirm(&context.host, &question)?;
    }
    context.ui.confirm_name(&context.host, &format!("Type `{name}` to change production:"), name)?;
    Ok(())
}
