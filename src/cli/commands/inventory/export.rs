//! `cki inventory export`: its arguments, and the calls of the operation and the report.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::model::inventory::backstage::export;
use crate::report::inventory_export::{print, write};

/// Write the inventory in the format of another program
///
/// `backstage` is the format of catalogs of Backstage: one entity for each entry, with its owner,
/// links, sources and relations. What Backstage has no place for is counted and left out. Such a
/// file can be a source of an inventory, too.
///
/// Examples:
///   cki inventory export --format backstage > catalog-info.yaml
///   cki inventory export --format backstage --file catalog-info.yaml
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ExportArgs {
    /// Format of the file
    #[arg(long, value_name = "FORMAT")]
    format: CatalogFormat,
    /// Write this file; `-` is standard output (default: `-`)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
}

/// Formats of other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CatalogFormat {
    /// A catalog of Backstage
    Backstage,
}

pub(super) fn run(args: &ExportArgs, context: &Context) -> anyhow::Result<Exit> {
    let inventory = context.inventory()?;
    let catalog = match args.format {
        CatalogFormat::Backstage => export(inventory),
    };
    match &args.file {
        Some(file) if file.as_os_str() != "-" => write(&context.ui, &catalog, &context.host.cwd.join(file))?,
        _ => print(&context.ui, &catalog),
    }
    Ok(Exit::Done)
}
