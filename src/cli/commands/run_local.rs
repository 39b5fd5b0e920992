//! `cki run-local`.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::env::VariableArgs;
use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::ops::run_local::{Network, Request, run as run_component};
use crate::report;

/// Run a component on this machine, in non-production mode
///
/// Clones and builds it if that has not been done, starts what it needs, and removes everything
/// when it ends. Its exit code becomes that of `cki`.
///
/// Examples:
///   cki run-local pipeline-herder
///   cki run-local message-trigger --once -- --message '{}'
///   cki run-local cki-notifier --mr 213 -e DATAWAREHOUSE_URL=http://stub --detach
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct RunLocalArgs {
    /// The component
    #[arg(add = ArgValueCandidates::new(complete::components))]
    component: String,
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
    /// Make its ports reachable at 127.0.0.1
    #[arg(short, long)]
    publish: bool,
    /// What it may reach
    #[arg(long, value_name = "WHAT", default_value = "isolated")]
    network: NetworkArg,
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

/// What a component may reach.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum NetworkArg {
    /// What it needs, and nothing else
    Isolated,
    /// Whatever this machine reaches
    Internet,
}

pub(in crate::cli) fn run(args: RunLocalArgs, context: &Context) -> anyhow::Result<Exit> {
    let RunLocalArgs { component, mr, image, once, detach, publish, network, variables, allow, args } = args;
    let inventory = context.inventory()?;
    let request = Request {
        component: inventory.find(&component)?,
        merge_request: mr,
        image,
        once,
        detach,
        publish,
        network: match network {
            NetworkArg::Isolated => Network::Isolated,
            NetworkArg::Internet => Network::Internet,
        },
        args,
        wishes: variables.wishes(context)?,
        allow,
    };
    let git = context.git()?;
    let began = std::time::Instant::now();
    let ended = context.block_on(async |stop| {
        let tools = context.tools(&inventory, &git, stop);
        let engine = context.engine().await?;
        run_component(&tools, &engine, &request).await
    })?;
    Ok(report::run_local::print(&context.ui, &ended, began.elapsed()))
}
