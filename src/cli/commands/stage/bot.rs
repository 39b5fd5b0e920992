//! The options of the method `bot`: from the flags, the entry and the template of the comment.

use super::secret_values;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::model::inventory::{Inventory, StageDecl};
use crate::model::staging::{AnswerForm, Rerun, StageParameter, StagingParameter, StagingRequest};
use crate::ops::stage::BotOptions;

/// Template of the comment.
const TEMPLATE: &str = "comments/stage.md";

/// Returns the user name of the bot.
pub(super) fn name<'a>(entry: Option<&'a StageDecl>, context: &'a Context) -> &'a str {
    let named = entry.and_then(|entry| entry.bot.as_deref()).unwrap_or(&context.settings.stage_bot);
    named.strip_prefix('@').unwrap_or(named)
}

/// Returns the form of the bot's answers: a bot with a command of its own need not write a table.
pub(super) fn form(entry: Option<&StageDecl>) -> AnswerForm {
    match entry.and_then(|entry| entry.command.as_ref()) {
        Some(_) => AnswerForm::TableOrLinks,
        None => AnswerForm::Table,
    }
}

/// Returns the request to the bot, checked before anything is sent.
pub(super) fn options(
    set: &[String],
    reruns: &[String],
    context: &Context,
    inventory: &Inventory,
    entry: Option<&StageDecl>,
) -> anyhow::Result<BotOptions> {
    let declared = entry.map(|entry| entry.parameters.as_slice()).unwrap_or_default();
    let declared = declared.iter().map(StageParameter::from_inventory).collect::<Result<Vec<_>, _>>()?;
    let parameters = set.iter().map(|text| StagingParameter::parse(text)).collect::<Result<Vec<_>, _>>()?;
    for parameter in &parameters {
        secret_values::refuse(parameter, inventory, context)?;
    }
    let reruns = reruns.iter().map(|text| Rerun::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let template = match entry.and_then(|entry| entry.command.clone()) {
        Some(command) => command,
        None => {
            context.assets.text(TEMPLATE)?.map(|template| template.text.into_owned()).ok_or_else(|| {
                UsageError(format!(
                    "there is no template `{TEMPLATE}`, which inventory {} needs",
                    inventory.label()
                ))
            })?
        }
    };
    Ok(BotOptions {
        request: StagingRequest::new(name(entry, context), parameters, reruns, &declared)?,
        declared,
        template,
        form: form(entry),
        pipelines: entry.map(|entry| entry.pipelines.clone()).unwrap_or_default(),
    })
}
