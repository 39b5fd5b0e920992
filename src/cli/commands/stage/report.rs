//! `cki stage report`: its arguments, and the calls of the operation and the reports.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::followed::of_merge_request;
use super::merge_request::MergeRequestArgs;
use crate::base::exit::Exit;
use crate::base::files;
use crate::base::template::html::TextCleaner;
use crate::cli::context::Context;
use crate::cli::{exit, token};
use crate::ops::stage::{NoteResult, StagingProgress, post_report, progress};
use crate::report::staging::{ReportTemplates, markdown, page, print_status};
use crate::systems::gitlab::GitLab;

/// Number of lines of the log of a failed job.
const LOG_LINES: usize = 40;

/// Report on the staging of a merge request, for people outside of the team
///
/// Tells who requested what for which commit, and shows pipelines as a timeline, with the ends of failed
/// logs and links to environments. Of a release on Kubernetes, it shows commit, image, rollout and failing
/// pods. Tokens and known secrets are masked. The page needs no server, no script and no other host.
///
/// Examples:
///   cki stage report 213 --html staging.html
///   cki stage report 213 --markdown
///   cki stage report 213 --comment
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct StageReportArgs {
    #[command(flatten)]
    merge_request: MergeRequestArgs,
    /// Write a self-contained page to this file, `-` for standard output
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    html: Option<PathBuf>,
    /// Print Markdown
    #[arg(long, conflicts_with = "comment")]
    markdown: bool,
    /// Create or update one comment of yours on the merge request
    #[arg(long)]
    comment: bool,
    /// Comment without a confirmation
    #[arg(short, long, requires = "comment")]
    yes: bool,
}

pub(super) fn run(args: &StageReportArgs, context: &Context) -> anyhow::Result<Exit> {
    let trust = context.require_trust()?;
    let inventory = context.whole_inventory()?;
    let named = args.merge_request.resolve(context, inventory)?;
    let options = of_merge_request(&named, context, inventory, LOG_LINES)?;
    let ui = context.ui.clone();
    let cleaner = TextCleaner::new(Arc::new(move |text| ui.masked(text)));
    context.block_on(async |stop| {
        let gitlab = token::client(context, named.target.server_for(&context.settings.gitlab_url), trust)?;
        let events = context.events();
        let found = tokio::select! {
            found = progress(&gitlab, &options, &events) => found?,
            signal = stop.requested() => return Ok(signal.exit()),
        };
        if let Some(file) = &args.html {
            let text = page(&found, &ReportTemplates::read(&context.assets)?, &cleaner)?;
            if file == Path::new("-") {
                context.ui.exact(&text);
            } else {
                let file = context.host.cwd.join(file);
                files::write_output(&file, text.as_bytes(), 0o644)?;
                context.ui.status(&format!("Wrote {}.", context.ui.place(&file.display().to_string())));
            }
        }
        if args.markdown {
            context.ui.exact(&markdown(&found, &cleaner));
        } else if args.comment {
            comment(args, context, &gitlab, &found, &cleaner).await?;
        }
        let has_text = args.html.is_some() || args.markdown || args.comment;
        if !has_text || (context.ui.is_structured() && !args.markdown) {
            print_status(&context.ui, &found, &|words| named.stage_subcommand(words));
        }
        // Without a report of another form, this is `cki stage status`.
        Ok(if has_text { Exit::Done } else { exit::of_progress(&found) })
    })
}

/// Posts the report after a confirmation.
async fn comment(
    args: &StageReportArgs,
    context: &Context,
    gitlab: &GitLab,
    found: &StagingProgress,
    cleaner: &TextCleaner,
) -> anyhow::Result<()> {
    let text = markdown(found, cleaner);
    if !args.yes && context.ui.can_ask() && !context.ui.is_structured() {
        context.ui.status(&text);
    }
    context.confirm("a comment", "Post this comment?", args.yes)?;
    let (done, place) = match post_report(gitlab, &found.merge_request, &text).await? {
        NoteResult::Created(place) => ("Posted", place),
        NoteResult::Updated(place) => ("Updated", place),
        NoteResult::Unchanged(place) => ("Unchanged:", place),
    };
    context.ui.status(&format!("{done} comment {}: {}", place.id, place.url));
    Ok(())
}
