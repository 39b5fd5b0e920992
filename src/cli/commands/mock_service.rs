//! `cki mock-service`: mock services of `cki` itself. Service templates use it, so it is hidden from help.

use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::ops::mock_services;

/// Run a mock service
#[derive(Debug, Args)]
pub(in crate::cli) struct MockServiceArgs {
    #[command(subcommand)]
    service: MockServiceKind,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum MockServiceKind {
    /// Answer HTTP requests from the table in `CKI_MOCK_ANSWERS`
    Http,
    /// Accept mail and discard it
    Smtp,
}

/// Environment variable with the answers, as JSON.
const ANSWERS: &str = "CKI_MOCK_ANSWERS";

pub(in crate::cli) fn run(args: &MockServiceArgs, context: &Context) -> anyhow::Result<Exit> {
    let ui = context.ui.clone();
    context.block_on(async |stop| {
        let say: mock_services::LogFn = Arc::new(move |line: &str| ui.data(line));
        match args.service {
            MockServiceKind::Http => {
                let answers = context.host.env.get(ANSWERS).unwrap_or("[]");
                let answers = serde_json::from_str(answers).with_context(|| format!("`{ANSWERS}`"))?;
                mock_services::http(answers, &stop, say).await?;
            }
            MockServiceKind::Smtp => mock_services::smtp(&stop, say).await?,
        }
        Ok(Exit::Done)
    })
}
