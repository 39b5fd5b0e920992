//! `cki run-local`.

use std::collections::HashMap;

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::env::VariableArgs;
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::config::Engine;
use crate::host::signals::Stop;
use crate::model::inventory::{Component, Inventory};
use crate::ops::run_local::{Access, Keep, Network, Request, dry_run, run as run_component};
use crate::report;
use crate::report::print::Form;
use crate::systems::git::Git;

/// Run components on this machine, in non-production mode
///
/// Clones and builds them if that has not been done, starts what they need, and removes everything
/// when they end. The exit code of the component becomes that of `cki`; of several, that of the first
/// that fails.
///
/// Examples:
///   cki run-local pipeline-herder
///   cki run-local message-trigger --once -- --message '{}'
///   cki run-local cki-notifier --mr 213 -e DATAWAREHOUSE_URL=http://stub --detach
///   cki run-local message-trigger pipeline-herder
///   cki run-local message-trigger --print compose > compose.yaml
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct RunLocalArgs {
    /// The component, or several that are run as one group
    #[arg(required = true, value_name = "COMPONENT", add = ArgValueCandidates::new(complete::components))]
    components: Vec<String>,
    /// Run this merge request
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    mr: Option<u64>,
    /// Run this image instead of building one
    #[arg(long, value_name = "IMAGE", conflicts_with = "mr")]
    image: Option<String>,
    /// Do the work once and end
    #[arg(long, conflicts_with = "detach")]
    once: bool,
    /// Go on in the background
    #[arg(short, long)]
    detach: bool,
    /// Keep backing services and what they store, for the next run of this workspace; with
    /// `--detach`, leave as it is what goes on already
    #[arg(long)]
    keep_services: bool,
    /// Keep what it has made when it ends, to look at it with `cki logs` and `cki shell`
    #[arg(long, value_name = "WHEN", default_value = "never", conflicts_with = "detach")]
    keep: KeepArg,
    /// Make its ports reachable at 127.0.0.1
    #[arg(short, long)]
    publish: bool,
    /// What it may reach
    #[arg(long, value_name = "WHAT", default_value = "isolated")]
    network: NetworkArg,
    #[command(flatten)]
    work: WorkArgs,
    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    variables: VariableArgs,
    /// Let this variable name production or hold a real credential, in this run only; `@command`
    /// stands for the command and its arguments
    #[arg(long, value_name = "NAME", help_heading = "Environment")]
    allow: Vec<String>,
    /// Arguments for its command
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

/// Flags for working on a component.
#[derive(Debug, Args)]
#[command(next_help_heading = "Work")]
struct WorkArgs {
    /// Let changes to its sources take effect while it runs
    #[arg(long, conflicts_with = "detach")]
    watch: bool,
    /// Show its clone to its container; to be read only, unless it is `--mount=rw`
    #[arg(long, value_name = "ACCESS", num_args = 0..=1, require_equals = true, default_missing_value = "ro")]
    mount: Option<AccessArg>,
    /// Let a debugger in, at this port of 127.0.0.1
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    debug_port: Option<u16>,
}

/// What a container may do with sources of this machine.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum AccessArg {
    /// It can read it
    Ro,
    /// It can change it, too
    Rw,
}

/// Flags that show what would be done.
#[derive(Debug, Args)]
#[command(next_help_heading = "Plan")]
struct PlanArgs {
    /// Show all that would be started, and start nothing
    #[arg(short = 'n', long, conflicts_with = "form")]
    dry_run: bool,
    /// Print what runs the same without `cki`, and start nothing
    #[arg(long = "print", value_name = "FORM")]
    form: Option<FormArg>,
    /// Print secrets, your own ones too
    #[arg(long, requires = "form")]
    reveal: bool,
}

/// What runs the same without `cki`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FormArg {
    /// A Compose file
    Compose,
    /// Pods for `podman kube play`
    Kube,
}

/// When something is kept.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum KeepArg {
    /// Nothing is left behind
    Never,
    /// When it does not end as it should
    OnFailure,
    /// However it ends
    Always,
}

/// What a component may reach.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum NetworkArg {
    /// What it needs, and nothing else
    Isolated,
    /// Whatever this machine reaches, except known hosts of production
    Internet,
}

pub(in crate::cli) fn run(args: RunLocalArgs, context: &Context) -> anyhow::Result<Exit> {
    let RunLocalArgs {
        components,
        mr,
        image,
        once,
        detach,
        keep_services,
        keep,
        publish,
        network,
        work,
        plan,
        variables,
        allow,
        args,
    } = args;
    let WorkArgs { watch, mount, debug_port } = work;
    let alone = [
        ("--debug-port", debug_port.is_some()),
        ("--mr", mr.is_some()),
        ("--image", image.is_some()),
        ("ARGS", !args.is_empty()),
    ];
    let believed = context.believe()?;
    let inventory = context.inventory()?;
    // A component of which that is a part of the name would be run as well.
    let is_access = |name: &&String| {
        let is_component = || inventory.components.iter().any(|one| one.reference.name == **name);
        mount.is_some() && ["ro", "rw"].contains(&name.as_str()) && !is_component()
    };
    if let Some(access) = components.iter().find(is_access) {
        return Err(UsageError(format!("`{access}` is no component; write `--mount={access}`")).into());
    }
    let request = Request {
        components: named(inventory, &components)?,
        merge_request: mr,
        image,
        once,
        detach,
        keep_services,
        keep: match keep {
            KeepArg::Never => Keep::Never,
            KeepArg::OnFailure => Keep::OnFailure,
            KeepArg::Always => Keep::Always,
        },
        publish,
        network: match network {
            NetworkArg::Isolated => Network::Isolated,
            NetworkArg::Internet => Network::Internet,
        },
        args,
        mount: mount.map(|access| match access {
            AccessArg::Ro => Access::ReadOnly,
            AccessArg::Rw => Access::Writable,
        }),
        watch,
        debug_port,
        wishes: variables.wishes(context)?,
        allow,
    };
    if let Some((flag, _)) = alone.iter().find(|(_, given)| *given && request.components.len() > 1) {
        let message = format!("`{flag}` is for one component, and {} are given", request.components.len());
        return Err(UsageError(message).into());
    }
    let git = context.git(believed)?;
    if plan.dry_run || plan.form.is_some() {
        return show(&plan, context, inventory, &git, &request);
    }
    let began = std::time::Instant::now();
    let ended = context.block_on(async |stop| {
        let tools = context.tools(inventory, &git, stop);
        let engine = context.engine().await?;
        run_component(&tools, &engine, &request).await
    })?;
    Ok(report::run_local::print(&context.ui, &ended, began.elapsed()))
}

/// Shows what would be done, without a look at an engine or the network.
fn show(
    plan: &PlanArgs,
    context: &Context,
    inventory: &Inventory,
    git: &Git,
    request: &Request<'_>,
) -> anyhow::Result<Exit> {
    let PlanArgs { dry_run: _, form, reveal } = plan;
    let tools = context.tools(inventory, git, Stop::new());
    // What runs without `cki` runs in containers.
    let native = form.is_none() && context.settings.engine == Engine::Native;
    let plan = dry_run(&tools, request, native)?;
    let form = form.as_ref().map(|form| match form {
        FormArg::Compose => Form::Compose,
        FormArg::Kube => Form::Kube,
    });
    match form {
        Some(form) => report::print::print(&context.ui, &plan, form, *reveal),
        None => report::plan::print(&context.ui, &plan),
    }
    Ok(Exit::Done)
}

/// The components that are meant, each once. Their names are those of hosts, so no two may share one.
fn named<'a>(inventory: &'a Inventory, names: &[String]) -> anyhow::Result<Vec<&'a Component>> {
    let mut components: Vec<&Component> = Vec::new();
    let mut known: HashMap<&str, &Component> = HashMap::new();
    for name in names {
        let next = inventory.find(name)?;
        match known.get(next.name()) {
            None => {
                known.insert(next.name(), next);
                components.push(next);
            }
            Some(one) if one.reference == next.reference => {}
            Some(one) => {
                let message = format!(
                    "`{}` and `{}` have the same name, and cannot be in one group",
                    one.reference, next.reference
                );
                return Err(UsageError(message).into());
            }
        }
    }
    Ok(components)
}
