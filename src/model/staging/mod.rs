//! Staging requests: parameters, the comment, and the bot's answer. Pure rules; talking to GitLab
//! belongs in `systems::gitlab`, following an answer in `ops::stage`.

mod answer;
mod answer_cell;
mod answer_links;
mod combined;
mod comment;
mod course;
mod environment;
pub mod kubernetes;
mod pace;
mod parameter;
mod pipeline_request;
mod quick_actions;
mod request;
mod slash_command;
mod status;
mod template_facts;

pub use answer::{AnswerRow, pipeline_of_url};
pub use answer_links::{AnswerForm, PipelineLink, PipelineLinks, pipeline_links};
pub use combined::{StagedHead, overrides};
pub(in crate::model) use comment::check_lines;
pub use comment::{BotCommand, Marker, asks_for, comment, parse_command};
pub use course::{JobCourse, PipelineCourse, StageCourse, WorkSpan};
pub use environment::StagedEnvironment;
pub use pace::{AwakeTime, PollPace};
pub use parameter::{StageParameter, StagingParameter};
pub use pipeline_request::{FilledPipeline, PipelineMarker, PipelineRequest};
pub use request::{Rerun, StagingRequest};
pub use slash_command::slash_command;
pub use status::PipelineStatus;
pub use template_facts::TemplateFacts;

/// The table in the bot's answer.
pub mod table {
    pub use super::answer::{AnswerTable, parse, read, render};
}

use crate::base::text::{join_and, safe_line, truncate};

/// An invalid staging request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StagingError {
    /// A text is not `key=value`.
    #[error("`{text}` is not of the form `key=value`")]
    NotAPair {
        /// Given text.
        text: String,
    },
    /// The bot would not read the key.
    #[error("`{key}` is not a parameter's name: letters, digits and `_`, not starting with a digit")]
    BadKey {
        /// Key.
        key: String,
    },
    /// The bot would read the value differently.
    #[error("the value of `{key}` cannot be sent: {why}")]
    BadValue {
        /// Key.
        key: String,
        /// Reason.
        why: String,
    },
    /// A key is given twice.
    #[error("`{key}` is set more than once")]
    Repeated {
        /// Key.
        key: String,
    },
    /// The component does not declare the key.
    #[error("there is no staging parameter `{key}`; {}", known(.nearest, .allowed))]
    UnknownKey {
        /// Key.
        key: String,
        /// Nearest name.
        nearest: Option<String>,
        /// All allowed names.
        allowed: Vec<String>,
    },
    /// The value does not match the declared pattern.
    #[error("`{key}={value}` is not allowed: the value must match `{pattern}`{}", about(.description))]
    Mismatch {
        /// Key.
        key: String,
        /// Value.
        value: String,
        /// Regular expression that the whole value must match.
        pattern: String,
        /// Purpose of the parameter.
        description: Option<String>,
    },
    /// The value is not of the declared type.
    #[error("`{key}={value}` is not allowed: the value must be {wanted}{}", about(.description))]
    WrongType {
        /// Key.
        key: String,
        /// Value.
        value: String,
        /// Values of the type, in words.
        wanted: &'static str,
        /// Purpose of the parameter.
        description: Option<String>,
    },
    /// The value is not one of the declared ones.
    #[error("`{key}={value}` is not allowed; {}", known(.nearest, .allowed))]
    NotAllowed {
        /// Key.
        key: String,
        /// Value.
        value: String,
        /// Nearest value.
        nearest: Option<String>,
        /// All allowed values.
        allowed: Vec<String>,
    },
    /// The entry fixes the value.
    #[error(
        "`{key}` is fixed by the entry of the component, so that a pipeline of staging cannot do anything else"
    )]
    Forced {
        /// Key.
        key: String,
    },
    /// The value of a parameter is a secret.
    #[error("the value of `{key}` {why}, and everyone who sees the merge request reads the comment")]
    Secret {
        /// Key.
        key: String,
        /// The reason.
        why: String,
    },
    /// The entry declares no parameters.
    #[error("`{key}` cannot be set: the entry of the component declares no `stage.parameters`")]
    NoParameters {
        /// Key.
        key: String,
    },
    /// A pipeline of a merge request with variables or inputs.
    #[error("a pipeline of the kind `merge-request` takes neither variables nor inputs")]
    NoVariables,
    /// The entry does not describe its pipeline completely.
    #[error("the entry has no `stage.pipeline.{key}`, which the kind `{kind}` needs")]
    Incomplete {
        /// Kind of the pipeline.
        kind: &'static str,
        /// Missing key.
        key: &'static str,
    },
    /// The variable of the trigger token may hold another secret.
    #[error("`{name}` cannot be the `stage.pipeline.token_variable`: its name must have the word `TRIGGER`")]
    TokenVariable {
        /// Name.
        name: String,
    },
    /// A template in the `stage` settings of an entry is invalid.
    #[error("the template of `{key}` in `{section}` cannot be used: {why}")]
    FactTemplate {
        /// Section of the entry.
        section: &'static str,
        /// Key.
        key: String,
        /// Reason.
        why: String,
    },
    /// A value of `stage.environment` cannot be used.
    #[error("`stage.environment.{key}` makes `{value}`, which cannot be used: {why}")]
    Environment {
        /// `name` or `url`.
        key: &'static str,
        /// The value.
        value: String,
        /// Reason.
        why: String,
    },
    /// A declared pattern is not a regular expression.
    #[error("the pattern `{pattern}` of the staging parameter `{name}` is not a regular expression: {why}")]
    BadPattern {
        /// Parameter.
        name: String,
        /// Pattern.
        pattern: String,
        /// First line of the regex error.
        why: String,
    },
    /// A text is not `group/id`.
    #[error("`{text}` does not name a pipeline to run again: `group/id`, as `cki/620247`")]
    BadRerun {
        /// Given text.
        text: String,
    },
    /// A text is not a user name.
    #[error("`{name}` cannot be the user name of a bot")]
    BadBot {
        /// Name.
        name: String,
    },
    /// A text is not a commit ID.
    #[error("`{sha}` is not the id of a commit")]
    BadCommit {
        /// Given text.
        sha: String,
    },
    /// The template of the comment is invalid.
    #[error("the template of the comment cannot be used: {why}")]
    Template {
        /// Reason.
        why: String,
    },
    /// GitLab would execute a line.
    #[error("the comment has the line `{line}`, which GitLab would execute as a quick action")]
    QuickAction {
        /// The line.
        line: String,
    },
    /// The template omits or adds a part of the request.
    #[error("the template makes a comment that the bot would read differently: {why}")]
    Unfaithful {
        /// The difference.
        why: String,
    },
}

fn known(nearest: &Option<String>, allowed: &[String]) -> String {
    let names: Vec<String> = allowed.iter().map(|name| format!("`{name}`")).collect();
    let names = join_and(&names);
    match nearest {
        Some(name) => format!("did you mean `{name}`? It can be {names}"),
        None => format!("it can be {names}"),
    }
}

fn about(description: &Option<String>) -> String {
    description.as_ref().map_or_else(String::new, |text| format!(" ({text})"))
}

/// Makes untrusted text safe for a message: one line of bounded length.
fn shown(text: &str) -> String {
    truncate(&safe_line(text), 80)
}
