//! `cki run-local`: its arguments, and the calls of the operation and the report.

use std::collections::HashMap;

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::default_component::default_component;
use super::env::VariableArgs;
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::cli::exit;
use crate::cli::marks::Repeated;
use crate::config::Engine;
use crate::host::signals::Shutdown;
use crate::model::inventory::{Component, Inventory, NamedEntry, SERVICE};
use crate::model::merge_request::MergeRequestName;
use crate::model::port::PublishRequest;
use crate::model::service::TemplateContext;
use crate::ops::run_local::{
    Access, ExistingRun, KeepMode, PublishOptions, RunExit, RunOutcome, RunRequest, dry_run,
    run as run_component,
};
use crate::ops::runtime::start::scope::Network;
use crate::ops::scan::lacking::{LackingRequest, lacking};
use crate::ops::shared::op_context::OpContext;
use crate::ops::shared::run_policy::{RunPolicy, SecretStorage};
use crate::report;
use crate::report::export::ExportFormat;

/// Run components on this machine, in non-production mode
///
/// Clones and builds the components if needed, starts their dependencies, and removes everything
/// when they end. Exits with the exit code of the component; of several, with that of the first
/// that fails. A backing service runs in the same way; `cki list services` shows them, and
/// `cki env SERVICE` what its clients need.
///
/// Examples:
///   cki run-local pipeline-herder
///   cki run-local message-trigger --once -- --message '{}'
///   cki run-local cki-notifier --mr 213 -e DATAWAREHOUSE_URL=http://stub --detach
///   cki run-local message-trigger pipeline-herder
///   cki run-local pipeline-herder --publish 9000:8000
///   cki run-local postgres --detach
///   cki run-local message-trigger --print compose > compose.yaml
#[derive(Debug, Args)]
#[command(visible_alias = "run", verbatim_doc_comment)]
pub(in crate::cli) struct RunLocalArgs {
    /// Component or backing service to run, or several to run as one group (default: the only component of
    /// the inventory, or of this directory)
    #[arg(value_name = "COMPONENT", add = ArgValueCandidates::new(complete::runnable))]
    components: Vec<String>,
    /// Run merge request N
    #[arg(long, value_name = "N", value_parser = MergeRequestName::parse_number)]
    #[arg(add = ArgValueCandidates::new(complete::merge_requests), add = Repeated)]
    mr: Option<u64>,
    /// Run this image instead of building one
    #[arg(long, value_name = "IMAGE", conflicts_with = "mr", add = Repeated)]
    image: Option<String>,
    /// Exit after one pass of the component's work
    #[arg(long, conflicts_with = "detach")]
    once: bool,
    /// Run in the background
    #[arg(short, long)]
    detach: bool,
    /// Keep backing services and their data for the next run in this workspace
    #[arg(long)]
    keep_services: bool,
    /// Replace a background run of the component even if it is identical or has data of backing
    /// services (default: leave an identical one as it is; with `--detach`, replace another one
    /// unless that loses data)
    #[arg(long)]
    force: bool,
    /// Start another run, although one is in the background
    #[arg(long, conflicts_with = "force")]
    new: bool,
    /// Keep containers and other resources after the run, for `cki logs` and `cki shell`
    #[arg(long, value_name = "WHEN", default_value = "never", conflicts_with = "detach")]
    keep: KeepArg,
    /// Publish this port, too, or on a port of your choice: `[HOST_PORT:][NAME:]CONTAINER_PORT`; the
    /// ports that a component declares are published on 127.0.0.1 anyway, each on the same or the next
    /// free port
    #[arg(short, long, value_name = "PORT", add = Repeated)]
    publish: Vec<PublishRequest>,
    /// Publish no ports but those of `--publish`
    #[arg(long, add = Repeated)]
    no_publish: bool,
    /// Limit the network of the components
    #[arg(long, value_name = "WHAT", default_value = "isolated", add = Repeated)]
    network: NetworkArg,
    #[command(flatten)]
    work: WorkArgs,
    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    variables: VariableArgs,
    /// Allow this variable to contain a production host or a real credential, for this run only;
    /// `@command` stands for the command and its arguments
    #[arg(long, value_name = "NAME", help_heading = "Environment")]
    #[arg(add = ArgValueCandidates::new(complete::allowed), add = Repeated)]
    allow: Vec<String>,
    /// Arguments for the component's command
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

/// Flags for working on a component.
#[derive(Debug, Args)]
#[command(next_help_heading = "Work")]
struct WorkArgs {
    /// Apply changes of the sources while the component runs
    #[arg(short = 'w', long, conflicts_with = "detach")]
    watch: bool,
    /// Mount the component's clone into its container (read-only by default; `--mount=rw` for read-write)
    #[arg(long, value_name = "ACCESS", num_args = 0..=1, require_equals = true, default_missing_value = "ro", add = Repeated)]
    mount: Option<AccessArg>,
    /// Start the component under a debugger that listens on this port of 127.0.0.1
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..), add = Repeated)]
    debug_port: Option<u16>,
}

/// Access of a container to sources on this machine.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum AccessArg {
    /// Read-only
    Ro,
    /// Read-write
    Rw,
}

/// Flags that print the plan.
#[derive(Debug, Args)]
#[command(next_help_heading = "Plan")]
struct PlanArgs {
    /// Show the plan without starting anything
    #[arg(short = 'n', long, conflicts_with = "form")]
    dry_run: bool,
    /// Print an equivalent that runs without `cki`, without starting anything
    #[arg(long = "print", value_name = "FORM")]
    form: Option<FormArg>,
    /// Print secrets, including your own
    #[arg(long, requires = "form")]
    reveal: bool,
}

/// Equivalent that runs without `cki`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FormArg {
    /// A Compose file
    Compose,
    /// Pods for `podman kube play`
    Kube,
}

/// Condition for keeping the resources of a run.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum KeepArg {
    /// Remove everything
    Never,
    /// Keep everything if the run fails
    OnFailure,
    /// Keep everything
    Always,
}

impl KeepArg {
    fn mode(self) -> KeepMode {
        match self {
            Self::Never => KeepMode::Never,
            Self::OnFailure => KeepMode::OnFailure,
            Self::Always => KeepMode::Always,
        }
    }
}

/// Reach of a component's network.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum NetworkArg {
    /// Only dependencies
    Isolated,
    /// Everything that this machine reaches, except known production hosts
    Internet,
}

pub(in crate::cli) fn run(args: &RunLocalArgs, context: &Context) -> anyhow::Result<Exit> {
    args.variables.hide_from_others();
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let request = requested(args, inventory, context)?;
    let git = context.git(trust)?;
    let workspace = match request.components.as_slice() {
        [component] if request.merge_request.is_some() => context.workspace.for_merge_request(component),
        _ => context.workspace.clone(),
    };
    let op_context = |stop| OpContext { workspace: &workspace, ..context.op_context(inventory, &git, stop) };
    if args.plan.dry_run || args.plan.form.is_some() {
        return show(&args.plan, context, &op_context(Shutdown::new()), &request);
    }
    let began = std::time::Instant::now();
    let ended = context.block_on(async |stop| {
        let engine = context.engine().await?;
        run_component(&op_context(stop), &engine, &request).await
    })?;
    report::run_local::print(&context.ui, &ended, began.elapsed());
    if matches!(ended.exit, RunExit::Exited(code) if code != 0) && !context.ui.is_structured() {
        show_next_steps(context, inventory, &request, &ended)?;
    }
    Ok(exit::of_run(&ended.exit))
}

/// Returns the request that the arguments make.
fn requested<'a>(
    args: &RunLocalArgs,
    inventory: &'a Inventory,
    context: &Context,
) -> anyhow::Result<RunRequest<'a>> {
    let RunLocalArgs {
        components,
        mr,
        image,
        once,
        detach,
        keep_services,
        force,
        new,
        keep,
        publish,
        no_publish,
        network,
        work: WorkArgs { watch, mount, debug_port },
        plan: _,
        variables,
        allow,
        args,
    } = args;
    check_access(components, *mount, inventory)?;
    let (components, services) = match components.as_slice() {
        [] => (vec![default_component(context, inventory, Component::is_runnable)?], Vec::new()),
        names => resolve(inventory, names)?,
    };
    let request = RunRequest {
        components,
        services,
        merge_request: *mr,
        image: image.clone(),
        once: *once,
        detach: *detach,
        keep_services: *keep_services,
        existing: match (force, new) {
            (true, _) => ExistingRun::Replace,
            (_, true) => ExistingRun::Add,
            _ => ExistingRun::Reuse,
        },
        keep: keep.mode(),
        publish: PublishOptions { declared: !no_publish, asked: publish.clone() },
        network: match network {
            NetworkArg::Isolated => Network::Isolated,
            NetworkArg::Internet => Network::Internet,
        },
        args: args.clone(),
        mount: mount.map(|access| match access {
            AccessArg::Ro => Access::ReadOnly,
            AccessArg::Rw => Access::Writable,
        }),
        watch: *watch,
        debug_port: *debug_port,
        overrides: variables.overrides(context)?,
        allow: allow.clone(),
    };
    check_options(&request)?;
    Ok(request)
}

/// Refuses a component that is a part of `--mount`: the access could be a part of a component's name, and that component
/// would run as well.
fn check_access(names: &[String], mount: Option<AccessArg>, inventory: &Inventory) -> Result<(), UsageError> {
    let is_access = |name: &&String| {
        let is_component = || inventory.components.iter().any(|one| one.reference.name == **name);
        mount.is_some() && ["ro", "rw"].contains(&name.as_str()) && !is_component()
    };
    match names.iter().find(is_access) {
        Some(access) => Err(UsageError(format!("`{access}` is no component; write `--mount={access}`"))),
        None => Ok(()),
    }
}

/// Refuses options that have no meaning for a group, or for a backing service.
fn check_options(request: &RunRequest<'_>) -> Result<(), UsageError> {
    let RunRequest { merge_request, image, once, mount, watch, debug_port, args, .. } = request;
    let alone = [
        ("--debug-port", debug_port.is_some()),
        ("--mr", merge_request.is_some()),
        ("--image", image.is_some()),
        ("ARGS", !args.is_empty()),
    ];
    if let Some((flag, _)) = alone.iter().find(|(_, given)| *given && request.count() > 1) {
        return Err(UsageError(format!("`{flag}` is for one component, and {} are given", request.count())));
    }
    let of_component = [
        ("--once", *once),
        ("--mr", merge_request.is_some()),
        ("--watch", *watch),
        ("--mount", mount.is_some()),
        ("--debug-port", debug_port.is_some()),
    ];
    match of_component.iter().find(|(_, given)| *given && request.components.is_empty()) {
        Some((flag, _)) => {
            let service = request.first();
            Err(UsageError(format!("`{flag}` is for components, and `{service}` is a backing service")))
        }
        None => Ok(()),
    }
}

/// Prints the next steps after the failure of a single component or service.
fn show_next_steps(
    context: &Context,
    inventory: &Inventory,
    request: &RunRequest<'_>,
    ended: &RunOutcome,
) -> anyhow::Result<()> {
    let component = match (request.components.as_slice(), request.services.as_slice()) {
        ([component], []) => *component,
        ([], [service]) => {
            let query = inventory.service_query(service);
            report::run_local::print_next_steps(&context.ui, &query, &[], ended);
            return Ok(());
        }
        _ => return Ok(()),
    };
    let (assets, env, workspace) = (&context.assets, &context.host.env, &context.workspace);
    let rules = RunPolicy::load(assets, inventory, env, workspace, SecretStorage::ReadOnly)?;
    let program = context.host.executable.display().to_string();
    let ctx = TemplateContext { host: "", program: &program, context: &rules.context, rules: &rules.secrets };
    let task = context.events().start(component.name(), "comparing its sources with its environment");
    let asked = LackingRequest { component, inventory, workspace, assets, ctx };
    let lacking = lacking(asked, request.overrides.clone());
    task.dismiss();
    report::run_local::print_next_steps(&context.ui, component.name(), &lacking, ended);
    Ok(())
}

/// Prints the plan, without using an engine or the network.
fn show(
    plan: &PlanArgs,
    context: &Context,
    ctx: &OpContext<'_>,
    request: &RunRequest<'_>,
) -> anyhow::Result<Exit> {
    let PlanArgs { dry_run: _, form, reveal } = plan;
    // The equivalents run in containers.
    let native = form.is_none() && context.settings.engine == Engine::Native;
    // A printed equivalent has the secrets of later runs, so they are stored.
    let storage = if form.is_some() { SecretStorage::Create } else { SecretStorage::ReadOnly };
    let plan = dry_run(ctx, request, native, storage)?;
    let form = form.as_ref().map(|form| match form {
        FormArg::Compose => ExportFormat::Compose,
        FormArg::Kube => ExportFormat::Kube,
    });
    match form {
        Some(form) => report::export::print(&context.ui, &plan.plan, form, *reveal),
        None => report::plan::print(&context.ui, &plan),
    }
    Ok(Exit::Done)
}

/// Returns the named components and backing services, each once. Their names become host names, so no two may share
/// one.
fn resolve<'a>(
    inventory: &'a Inventory,
    names: &[String],
) -> anyhow::Result<(Vec<&'a Component>, Vec<&'a str>)> {
    let (mut components, mut services) = (Vec::new(), Vec::new());
    let mut known: HashMap<&str, String> = HashMap::new();
    for name in names {
        let entry = inventory.find_entry(name)?;
        let (name, reference) = match entry {
            NamedEntry::Component(component) => (component.name(), component.reference.to_string()),
            NamedEntry::Service(service) => (service, format!("{SERVICE}{service}")),
        };
        match known.get(name) {
            None => {
                known.insert(name, reference);
                match entry {
                    NamedEntry::Component(component) => components.push(component),
                    NamedEntry::Service(service) => services.push(service),
                }
            }
            Some(one) if *one == reference => {}
            Some(one) => {
                let message =
                    format!("`{one}` and `{reference}` have the same name, and cannot be in one group");
                return Err(UsageError(message).into());
            }
        }
    }
    Ok((components, services))
}
