//! Comments in the form of other bots: the first line is a command such as `/test NAME`, and nobody is mentioned. The
//! form of a mentioned bot is in `comment`.

use super::quick_actions::is_quick_action;
use super::{StagingError, StagingRequest, shown};

/// Returns the first line of a comment, if it is a command of a bot: a slash and a word that is no quick action of
/// GitLab.
#[must_use]
pub fn slash_command(body: &str) -> Option<&str> {
    let line = body.lines().find(|line| !line.trim().is_empty())?.trim();
    let rest = line.strip_prefix('/')?;
    let is_word = rest.starts_with(|first: char| first.is_ascii_alphabetic());
    (is_word && !is_quick_action(line)).then_some(line)
}

/// Checks that a command says all of a request: each value is a word of it, alone or after its key.
pub(super) fn check_command(line: &str, request: &StagingRequest) -> Result<(), StagingError> {
    let fail = |why: String| Err(StagingError::Unfaithful { why });
    if let Some(rerun) = request.reruns().first() {
        return fail(format!("`{}` has no place for `[{rerun}]`", shown(line)));
    }
    for one in request.parameters() {
        let pair = format!("{}={}", one.key(), one.value());
        if !line.split_whitespace().skip(1).any(|word| word == one.value() || word == pair) {
            return fail(format!("`{}` does not say `{}`", shown(line), shown(&pair)));
        }
    }
    Ok(())
}
