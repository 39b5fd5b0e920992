//! Staging a merge request: what can be asked of a project's bot, how the asking is written, and
//! how its answer is read. Pure rules; talking to GitLab is `systems::gitlab`, and following an
//! answer to its end is `ops::stage`.

mod answer;
mod comment;
mod parameter;
mod request;
mod status;

pub use answer::{AnswerRow, pipeline_of_url};
pub use comment::{Command, Marker, asks_for, comment, parse_command};
pub use parameter::{Parameter, StageParameter};
pub use request::{Rerun, StagingRequest};
pub use status::PipelineStatus;

/// Reading and writing the table in the bot's answer.
pub mod table {
    pub use super::answer::{AnswerTable, parse, read, render};
}

use crate::base::text::{join_and, safe_line, truncate};

/// A staging request that will not be sent as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StagingError {
    /// Not `key=value`.
    #[error("`{text}` is not of the form `key=value`")]
    NotAPair {
        /// What was given.
        text: String,
    },
    /// A key that the bot would not read.
    #[error("`{key}` is not a parameter's name: letters, digits and `_`, not starting with a digit")]
    BadKey {
        /// The key.
        key: String,
    },
    /// A value that the bot would not read as it is meant.
    #[error("the value of `{key}` cannot be sent: {why}")]
    BadValue {
        /// The key.
        key: String,
        /// What is wrong with the value.
        why: String,
    },
    /// A key given twice.
    #[error("`{key}` is set more than once")]
    Repeated {
        /// The key.
        key: String,
    },
    /// A key that the component does not declare.
    #[error("there is no staging parameter `{key}`; {}", known(.nearest, .allowed))]
    UnknownKey {
        /// The key.
        key: String,
        /// The name most like it.
        nearest: Option<String>,
        /// All names that are allowed.
        allowed: Vec<String>,
    },
    /// A value that the declared pattern does not allow.
    #[error("`{key}={value}` is not allowed: the value must match `{pattern}`{}", about(.description))]
    Mismatch {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// The regular expression that the whole value must match.
        pattern: String,
        /// What the parameter is for.
        description: Option<String>,
    },
    /// A declared pattern that is no regular expression.
    #[error("the pattern `{pattern}` of the staging parameter `{name}` is not a regular expression: {why}")]
    BadPattern {
        /// The parameter.
        name: String,
        /// Its pattern.
        pattern: String,
        /// The first line of the complaint.
        why: String,
    },
    /// Not `group/id`.
    #[error("`{text}` does not name a pipeline to run again: `group/id`, as `cki/620247`")]
    BadRerun {
        /// What was given.
        text: String,
    },
    /// Not the name of a user.
    #[error("`{name}` cannot be the user name of a bot")]
    BadBot {
        /// The name.
        name: String,
    },
    /// Not the id of a commit.
    #[error("`{sha}` is not the id of a commit")]
    BadCommit {
        /// What was given.
        sha: String,
    },
    /// The template of the comment does not work.
    #[error("the template of the comment cannot be used: {why}")]
    Template {
        /// The complaint.
        why: String,
    },
    /// A line that GitLab would act on.
    #[error("the comment has the line `{line}`, which GitLab would execute as a quick action")]
    QuickAction {
        /// The line.
        line: String,
    },
    /// The template leaves something out, or adds something.
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

/// Foreign text as it may stand in a message: one line, of bounded length.
fn shown(text: &str) -> String {
    truncate(&safe_line(text), 80)
}
