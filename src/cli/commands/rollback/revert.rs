//! The lasting way back: from the plan over the confirmation to the merge request.

use super::inputs::{RollbackArgs, Rolled, template};
use crate::base::exit::Exit;
use crate::cli::commands::stage::NamedMergeRequest;
use crate::cli::context::{Context, TrustProof};
use crate::cli::error::UsageError;
use crate::cli::token;
use crate::model::merge_request::MergeRequestName;
use crate::ops::rollback::{RevertChoice, RevertRequest, RevertWork, plan_revert, revert};
use crate::report;

/// Templates of the description of the merge request, and of the record on the reverted one.
const TEMPLATES: [&str; 2] = ["comments/revert.md", "comments/revert-record.md"];
/// Shortest beginning of a hash, and the length of a whole one.
const HASH: (usize, usize) = (7, 40);

pub(super) fn run(
    args: &RollbackArgs,
    choice: &str,
    rolled: &Rolled<'_>,
    context: &Context,
    trust: TrustProof,
) -> anyhow::Result<Exit> {
    let (project, choice) = chosen(args, choice, rolled, context)?;
    let reason = args.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_none() && !args.dry_run {
        return Err(UsageError("people have to know why: add `--reason TEXT`".to_owned()).into());
    }
    let [description, record] = [template(context, TEMPLATES[0])?, template(context, TEMPLATES[1])?];
    let component = rolled.component;
    let request = RevertRequest {
        project: &project,
        component,
        choice,
        reason: reason.unwrap_or("…"),
        description: &description,
        record: &record,
    };
    context.block_on(async |stop| {
        let gitlab = token::client(context, rolled.target.server_for(&context.settings.gitlab_url), trust)?;
        let events = context.events();
        let task = events.start("gitlab", format!("asking {} what to revert", gitlab.server()));
        let plan = tokio::select! {
            plan = plan_revert(&gitlab, &request) => plan?,
            signal = stop.requested() => {
                context.ui.status("Nothing was sent.");
                return Ok(signal.exit());
            }
        };
        task.dismiss();
        report::rollback::print_plan(&context.ui, component.name(), &plan, (context.host.now)());
        if args.dry_run {
            report::rollback::print(&context.ui, component.name(), &plan, None);
            return Ok(Exit::Done);
        }
        if matches!(plan.work, RevertWork::Steps(_)) {
            context.confirm("a revert", "Open this merge request?", args.yes)?;
        }
        // A request that is under way is not cut: the same command continues where a killed one stopped.
        let outcome = revert(&gitlab, &plan, &events).await?;
        report::rollback::print(&context.ui, component.name(), &plan, Some(&outcome));
        Ok(stop.now().map_or(Exit::Done, crate::host::signals::Signal::exit))
    })
}

/// Reads the commit, and the project that it is in.
fn chosen(
    args: &RollbackArgs,
    choice: &str,
    rolled: &Rolled<'_>,
    context: &Context,
) -> anyhow::Result<(String, RevertChoice)> {
    let project = rolled.target.project.clone();
    let choice = choice.trim();
    if choice.is_empty() {
        return Ok((project, RevertChoice::Deployed));
    }
    let is_hex = choice.bytes().all(|b| b.is_ascii_hexdigit());
    let has_letter = choice.bytes().any(|b| b.is_ascii_alphabetic());
    // A short number is that of a merge request.
    if is_hex && (choice.len() >= HASH.1 || (choice.len() >= HASH.0 && has_letter)) {
        return Ok((project, RevertChoice::Commit(choice.to_ascii_lowercase())));
    }
    let name = MergeRequestName::parse(choice).map_err(|_| {
        UsageError(format!(
            "`{}` is neither a merge request nor a commit of at least {} characters",
            crate::base::text::safe_line(choice),
            HASH.0
        ))
    })?;
    let inventory = context.whole_inventory()?;
    let named = rolled.component.reference.to_string();
    let found = NamedMergeRequest::find(&name, Some(&named), args.project.as_deref(), context, inventory)?;
    Ok((found.target.project, RevertChoice::MergeRequest(found.number)))
}
