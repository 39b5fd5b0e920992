//! Report of `cki stage --help-bot`: the bot's own explanation on a merge request.

use serde::Serialize;

use crate::base::text::safe_line;
use crate::ops::stage::BotWelcome;
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct WelcomeView<'a> {
    merge_request: String,
    bot: &'a str,
    comment_id: Option<u64>,
    comment_url: Option<&'a str>,
    created_at: Option<&'a str>,
    text: Option<String>,
}

/// Prints the comment.
pub fn print(ui: &Ui, found: &BotWelcome) {
    let comment = found.comment.as_ref();
    if ui.is_structured() {
        return view::print(
            ui,
            &WelcomeView {
                merge_request: found.merge_request.reference(),
                bot: &found.bot,
                comment_id: comment.map(|comment| comment.id),
                comment_url: comment.map(|comment| comment.url.as_str()),
                created_at: comment.map(|comment| comment.created_at.as_str()),
                text: comment.map(|_| found.lines.join("\n")),
            },
        );
    }
    if ui.is_names() {
        return ui.names(comment.map(|comment| comment.id.to_string()));
    }
    let place = found.merge_request.reference();
    match comment {
        Some(comment) => {
            found.lines.iter().for_each(|line| ui.data(&safe_line(line)));
            let from = format!("@{} on {place}, {}", found.bot, comment.url);
            ui.status(&style::dim(&safe_line(&from)));
        }
        None => ui.status(&format!("@{} has explained nothing on {place}.", safe_line(&found.bot))),
    }
}
