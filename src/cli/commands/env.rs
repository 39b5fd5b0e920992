//! `cki env`: its arguments, and the calls of the operation and the report.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::base::text::safe_line;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::cli::format::OutputFormat;
use crate::cli::marks::Repeated;
use crate::config::Engine;
use crate::host::arguments::hide_values;
use crate::model::deployment::DeployedContainer;
use crate::model::environment::{EnvOverrides, Environment};
use crate::model::event::Events;
use crate::model::inventory::{Component, Inventory, NamedEntry};
use crate::model::port::PublishedPort;
use crate::model::service::TemplateContext;
use crate::ops;
use crate::ops::env::diff::{DiffContext, DiffTarget, compare};
use crate::ops::env::{UserVariables, check_complete, read_overrides, resolve};
use crate::ops::runtime::list::{InstanceSummary, list};
use crate::ops::scan::ScanRequest;
use crate::ops::shared::deployment::{self, DeployedComponents};
use crate::ops::shared::run_policy::{RunPolicy, SecretStorage};
use crate::ops::shared::services::client_environment;
use crate::report;
use crate::report::env::{EnvFormat, EnvOptions, print};

/// Time for an engine to tell the ports of a running service.
const PATIENCE: Duration = Duration::from_secs(2);

/// Show the environment of a component in a local run
///
/// For a backing service, shows what a program of this machine needs to use it while
/// `cki run-local SERVICE` runs it, with the ports that it has then.
///
/// Examples:
///   cki env pipeline-herder --explain
///   cki env cki-notifier -e DATAWAREHOUSE_URL=http://stub -o dotenv > notifier.env
///   cki env message-trigger --diff amqp-bridge
///   cki env cki-notifier --scan
///   cki env postgres -o dotenv
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct EnvArgs {
    /// Component or backing service to show
    #[arg(add = ArgValueCandidates::new(complete::entries))]
    component: String,
    #[command(flatten)]
    pub(in crate::cli) variables: VariableArgs,
    /// Show the origin of each value and the reason for it
    #[arg(long)]
    explain: bool,
    /// Compare with the deployment, another component, or two revisions of the clones
    ///
    /// `deployment` compares the local values with those of the deployment. `REV..REV` compares
    /// two branches, tags or commits of the clones with the deployment and the sources: the
    /// variables that the deployment gives, and those that the sources read. Anything else is the
    /// name of a component.
    #[arg(long, value_name = "WITH", conflicts_with_all = ["explain", "reveal", "scan"])]
    #[arg(add = ArgValueCandidates::new(complete::compared))]
    diff: Option<String>,
    /// Show secrets, including your own
    #[arg(long)]
    reveal: bool,
    /// Compare with the variables that the cloned sources of the component read; the exit code is
    /// 1 if a required variable is missing
    #[arg(long, conflicts_with_all = ["explain", "reveal", "diff"])]
    scan: bool,
}

/// Flags that change the environment of a component.
#[derive(Debug, Args)]
#[command(next_help_heading = "Environment")]
pub(in crate::cli) struct VariableArgs {
    /// Set a variable; `NAME` alone passes on its value from your environment
    #[arg(short = 'e', long = "env", value_name = "NAME=VALUE")]
    #[arg(add = ArgValueCandidates::new(complete::variables), add = Repeated)]
    pub(in crate::cli) set: Vec<String>,
    /// Read variables from a file of `NAME=VALUE` lines
    #[arg(long = "env-file", value_name = "FILE", value_hint = clap::ValueHint::FilePath, add = Repeated)]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Remove a variable
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(complete::unset), add = Repeated)]
    pub(in crate::cli) unset: Vec<String>,
}

impl VariableArgs {
    /// Hides the values of variables from other users, to whom `ps` shows the arguments of this process.
    pub(in crate::cli) fn hide_from_others(&self) {
        hide_values(&self.set);
    }

    /// Returns the overrides that the user asked for.
    pub(in crate::cli) fn overrides(&self, context: &Context) -> anyhow::Result<EnvOverrides> {
        let Self { set, files, unset } = self;
        let user = UserVariables { set: set.clone(), files: files.clone(), unset: unset.clone() };
        let own = |name: &str| context.host.env.get_os(name).map(OsStr::to_owned);
        let overrides = read_overrides(&user, &context.host.cwd, &own)?;
        for note in &overrides.notes {
            context.ui.warning(&safe_line(note));
        }
        Ok(overrides)
    }
}

pub(in crate::cli) fn run(args: EnvArgs, context: &Context) -> anyhow::Result<Exit> {
    let EnvArgs { component, variables, explain, diff, reveal, scan } = args;
    variables.hide_from_others();
    let format = match context.format {
        OutputFormat::Dotenv => EnvFormat::Dotenv,
        OutputFormat::Shell => EnvFormat::Shell,
        format if format.is_structured() => EnvFormat::Structured,
        _ => EnvFormat::Table,
    };
    if matches!(format, EnvFormat::Dotenv | EnvFormat::Shell) {
        // Another program would use the output as its own environment.
        context.require_trust()?;
    }
    let inventory = context.inventory()?;
    let component = match inventory.find_entry(&component)? {
        NamedEntry::Component(component) => component,
        NamedEntry::Service(service) => {
            let VariableArgs { set, files, unset } = &variables;
            let of_component = [
                ("--env", !set.is_empty()),
                ("--env-file", !files.is_empty()),
                ("--unset", !unset.is_empty()),
                ("--diff", diff.is_some()),
                ("--scan", scan),
            ];
            if let Some((flag, _)) = of_component.iter().find(|(_, given)| *given) {
                let message = format!("`{flag}` is for components, and `{service}` is a backing service");
                return Err(UsageError(message).into());
            }
            return show_service(service, inventory, context, EnvOptions { format, explain, reveal });
        }
    };
    let (assets, env, workspace) = (&context.assets, &context.host.env, &context.workspace);
    let rules = RunPolicy::load(assets, inventory, env, workspace, SecretStorage::Create)?;
    let program = context.host.executable.display().to_string();
    let host = if context.settings.engine == Engine::Native { "127.0.0.1" } else { "" };
    let ctx = TemplateContext { host, program: &program, context: &rules.context, rules: &rules.secrets };
    let overrides = variables.overrides(context)?;
    if let Some(with) = diff {
        let (assets, workspace) = (&context.assets, &context.workspace);
        let guard = &rules.guard;
        let diff = DiffContext { component, inventory, workspace, assets, ctx, guard };
        return compare_with(context, diff, overrides, &with, format);
    }
    let deployed = deployed(context, component, inventory, &overrides)?;
    let mut resolved = resolve(component, inventory, &context.assets, ctx, deployed.as_ref(), overrides)?;
    let findings = rules.guard.inspect(component.name(), &mut resolved.environment);
    if scan {
        let container = deployed.as_ref().map(|deployed| &deployed.container);
        return scan_sources(component, inventory, (&resolved.environment, container), format, context);
    }
    print(&context.ui, component.name(), &resolved.environment, EnvOptions { format, explain, reveal });
    if let Some(service) = inventory.service_of(component).filter(|_| format == EnvFormat::Table) {
        context.ui.hint(&format!("`cki env {service}` shows what clients of the backing service need."));
    }
    for finding in findings {
        context.ui.warning(&safe_line(&format!("{finding}. `cki run-local` refuses it.")));
    }
    check_complete(component, &resolved.environment)?;
    Ok(Exit::Done)
}

/// Prints what the clients of a backing service need.
fn show_service(
    service: &str,
    inventory: &Inventory,
    context: &Context,
    options: EnvOptions,
) -> anyhow::Result<Exit> {
    let (assets, env, workspace) = (&context.assets, &context.host.env, &context.workspace);
    let rules = RunPolicy::load(assets, inventory, env, workspace, SecretStorage::Create)?;
    let program = context.host.executable.display().to_string();
    let ctx = TemplateContext { host: "", program: &program, context: &rules.context, rules: &rules.secrets };
    let query = inventory.service_query(service);
    let published = published(service, context);
    let ports = published.as_deref().unwrap_or_default();
    let mut environment = client_environment(service, inventory, assets, ctx, ports)?;
    let findings = rules.guard.inspect(service, &mut environment);
    print(&context.ui, service, &environment, options);
    for finding in findings {
        context.ui.warning(&safe_line(&format!("{finding}.")));
    }
    if options.format == EnvFormat::Structured {
        return Ok(Exit::Done);
    }
    let is_masked = environment.variables.iter().any(|one| one.secret) && !options.reveal;
    if options.format == EnvFormat::Table && is_masked {
        context.ui.hint(&format!("`cki env {query} --reveal` shows the logins."));
    }
    if published.is_none() {
        context.ui.hint(&format!(
            "`{service}` is not running: `cki run-local {query} --detach` runs it. If one of its ports is in use then, `cki env {query}` shows the one that it has instead."
        ));
    }
    Ok(Exit::Done)
}

/// Returns the published ports of a backing service that runs on its own; `None` if none does, or no engine answers.
fn published(service: &str, context: &Context) -> Option<Vec<PublishedPort>> {
    let listing = context.block_on(async |_| {
        let events = Events::silent();
        let engine = ops::runtime::engine::open(context.settings.engine, &context.host.env, &events);
        let found =
            async { anyhow::Ok(list(&engine.await?, &context.native(), &context.scope(false)).await?) };
        tokio::time::timeout(PATIENCE, found).await?
    });
    let listing = listing.ok()?;
    let is_it =
        |one: &&InstanceSummary| one.identity.name == service && one.identity.is_independent_service();
    let running = listing.instances.iter().filter(|one| one.is_alive());
    running.rev().find(is_it).map(|one| one.ports.clone())
}

/// Prints the differences from another environment.
fn compare_with(
    context: &Context,
    diff: DiffContext<'_>,
    overrides: EnvOverrides,
    with: &str,
    format: EnvFormat,
) -> anyhow::Result<Exit> {
    if !matches!(format, EnvFormat::Table | EnvFormat::Structured) {
        return Err(UsageError("`--diff` has the forms `table` and `json`".to_owned()).into());
    }
    let compared = compare(diff, overrides, &DiffTarget::parse(with))?;
    for finding in &compared.findings {
        context.ui.warning(&safe_line(&finding.to_string()));
    }
    report::env_diff::print(&context.ui, diff.component.name(), &compared);
    Ok(Exit::Done)
}

/// Returns the environment of the component's deployment, if there is one, and prints its findings.
fn deployed(
    context: &Context,
    component: &Component,
    inventory: &Inventory,
    wishes: &EnvOverrides,
) -> anyhow::Result<Option<DeployedComponents>> {
    let (deployed, missing) =
        deployment::load_if_there(component, inventory, &context.workspace, &context.assets)?;
    if let Some(missing) = missing {
        let name = component.name();
        context.ui.warning(&format!("{missing}; `cki clone {name}` makes its values part of this."));
    }
    let findings = deployed.iter().flat_map(|deployed| &deployed.findings);
    for finding in findings.filter(|finding| !wishes.mends(finding)) {
        context.ui.warning(&safe_line(&finding.to_string()));
    }
    Ok(deployed)
}

/// Runs `--scan`.
fn scan_sources(
    component: &Component,
    inventory: &Inventory,
    (environment, deployed): (&Environment, Option<&DeployedContainer>),
    format: EnvFormat,
    context: &Context,
) -> anyhow::Result<Exit> {
    if matches!(format, EnvFormat::Dotenv | EnvFormat::Shell) {
        return Err(UsageError("`--scan` has the forms `table` and `json`".to_owned()).into());
    }
    let (workspace, assets) = (&context.workspace, &context.assets);
    let task = context.events().start(component.name(), "reading its sources");
    let request =
        ScanRequest { component, inventory, workspace, assets, environment, deployed, revision: None };
    let outcome = ops::scan::scan(request);
    task.dismiss();
    let outcome = outcome?;
    report::scan::print(&context.ui, component.name(), &outcome);
    ops::scan::check(component, &outcome)?;
    Ok(Exit::Done)
}
