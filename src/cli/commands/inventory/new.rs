//! `cki inventory new`: its arguments, and the calls of the operation and the report.

use std::path::PathBuf;

use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::ops::inventory::new::{
    NewEntryRequest, draft_entry, empty_inventory, is_empty, lock, write_entry,
};
use crate::report::inventory_new::{print, print_end};

/// Write an entry for a component
///
/// Writes `CATEGORY/NAME.yaml` into the directory of the inventory, or adds the entry to an inventory
/// of one file. `--from-repo` drafts it from the Containerfile or Dockerfile, the Compose and
/// Kubernetes files, the README and the sources of a repository. The end names the facts that are
/// still missing, with their places. Runs nothing, and replaces an entry only with `--force`.
///
/// Examples:
///   cki inventory new web --from-repo ~/src/web
///   cki inventory new web --from-repo ~/src/shop/services/web --with-needs
///   cki inventory new cronjob/cleaner --owner infra --dry-run
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct NewArgs {
    /// Name of the component, or `CATEGORY/NAME`
    component: String,
    /// Draft the entry from this directory of a repository, or from all of the repository
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    from_repo: Option<PathBuf>,
    /// Directory of its sources in the repository (default: PATH, or the one called COMPONENT)
    #[arg(long = "dir", value_name = "DIRECTORY", requires = "from_repo")]
    directory: Option<String>,
    /// Add the components of the repository that it needs, too, with the default category and kind
    #[arg(long, requires = "from_repo")]
    with_needs: bool,
    /// Category (default: `service`, or the only one)
    #[arg(long, add = ArgValueCandidates::new(complete::categories))]
    category: Option<String>,
    /// Kind (default: that of the category)
    #[arg(long, add = ArgValueCandidates::new(complete::new_kinds))]
    kind: Option<String>,
    /// Team or person that looks after it; may be repeated
    #[arg(long, add = ArgValueCandidates::new(complete::owners))]
    owner: Vec<String>,
    /// Replace the entry that is there
    #[arg(long)]
    force: bool,
    /// Show the entry without writing it
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) fn run(args: &NewArgs, context: &Context) -> anyhow::Result<Exit> {
    let NewArgs { component, from_repo, directory, with_needs, category, kind, owner, force, dry_run } = args;
    // Read what another command has just written.
    let _lock = if *dry_run { None } else { lock(&context.settings.inventory) };
    context.require_trust()?;
    let empty;
    let inventory = match context.unreported_inventory() {
        Err(error) if is_empty(&error) => {
            empty = empty_inventory(&context.assets)?;
            &empty
        }
        loaded => loaded?,
    };
    let from_repo = from_repo.as_ref().map(|path| context.host.cwd.join(path));
    let request = NewEntryRequest {
        component,
        from_repo: from_repo.as_deref(),
        directory: directory.as_deref(),
        category: category.as_deref(),
        kind: kind.as_deref(),
        owners: owner,
        with_needs: *with_needs,
        force: *force,
    };
    let (sources, events) = (&context.settings.inventory, context.events());
    let draft = draft_entry(&request, inventory, sources, &context.assets, &context.host.env, &events)?;
    print(&context.ui, &draft, *dry_run);
    if !dry_run {
        let written = write_entry(&draft)?;
        context.trust_written(written.iter().map(|(path, text)| (path.as_path(), text.as_str())))?;
    }
    print_end(&context.ui, &draft, !dry_run);
    Ok(Exit::Done)
}
