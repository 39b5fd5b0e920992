//! `cki inventory schema`: its arguments, and the call of the report.

use clap::Args;

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::report::inventory_schema::print;

/// Print the JSON Schema of inventories, for editors and validators
///
/// The schema describes `inventory.yaml` and entries alike. Editors with the YAML language server read
/// it from the first line of a file, `# yaml-language-server: $schema=PATH`.
///
/// Examples:
///   cki inventory schema > inventory.schema.json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct SchemaArgs {}

pub(super) fn run(_: &SchemaArgs, context: &Context) -> anyhow::Result<Exit> {
    print(&context.ui);
    Ok(Exit::Done)
}
