//! A checked request to the bot: its user name, pipelines to run again, and parameters. Writing the
//! comment belongs in `comment`.

use std::fmt;

use super::parameter::check_declared;
use super::{StageParameter, StagedHead, StagingError, StagingParameter, shown};
use crate::base::digest;

/// `group/id`: an earlier pipeline to run again with the merge request's code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rerun {
    /// The bot's name for a group of pipelines.
    pub group: String,
    /// Pipeline number.
    pub id: u64,
}

impl Rerun {
    /// Parses `group/id`.
    ///
    /// # Errors
    /// Fails when the text is not of that form.
    pub fn parse(text: &str) -> Result<Self, StagingError> {
        Self::read(text.trim()).ok_or_else(|| StagingError::BadRerun { text: shown(text) })
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let (group, id) = text.split_once('/')?;
        let is_name = group.len() <= 100
            && group.starts_with(|first: char| first.is_ascii_alphanumeric())
            && group.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        if !is_name || !is_number {
            return None;
        }
        Some(Self { group: group.to_owned(), id: id.parse().ok()? })
    }
}

impl fmt::Display for Rerun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.group, self.id)
    }
}

/// A valid request, which the bot cannot misread in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagingRequest {
    bot: String,
    parameters: Vec<StagingParameter>,
    reruns: Vec<Rerun>,
    combined: Vec<StagedHead>,
}

impl StagingRequest {
    /// Checks a request against the declared parameters; without any declaration, all are allowed.
    ///
    /// # Errors
    /// Fails when the bot would read the request differently, or the component does not allow it.
    pub fn new(
        bot: &str,
        parameters: Vec<StagingParameter>,
        reruns: Vec<Rerun>,
        declared: &[StageParameter],
    ) -> Result<Self, StagingError> {
        let bot = bot.strip_prefix('@').unwrap_or(bot);
        if !is_user_name(bot) {
            return Err(StagingError::BadBot { name: shown(bot) });
        }
        for (index, parameter) in parameters.iter().enumerate() {
            if parameters[..index].iter().any(|earlier| earlier.key() == parameter.key()) {
                return Err(StagingError::Repeated { key: parameter.key().to_owned() });
            }
        }
        check_declared(&parameters, declared)?;
        let mut kept: Vec<Rerun> = Vec::with_capacity(reruns.len());
        for rerun in reruns {
            if !kept.contains(&rerun) {
                kept.push(rerun);
            }
        }
        Ok(Self { bot: bot.to_owned(), parameters, reruns: kept, combined: Vec::new() })
    }

    /// Adds a merge request that is staged together with this one, and the values that stand for it.
    ///
    /// # Errors
    /// Fails as [`Self::new`] does.
    pub fn combine(
        &self,
        head: StagedHead,
        values: &[StagingParameter],
        declared: &[StageParameter],
    ) -> Result<Self, StagingError> {
        // What a pipeline takes may mean something else between the brackets of a comment.
        let values = values.iter().map(|one| StagingParameter::new(one.key(), one.value()));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let parameters = [self.parameters.clone(), values].concat();
        let made = Self::new(&self.bot, parameters, self.reruns.clone(), declared)?;
        let mut combined = self.combined.clone();
        combined.push(head);
        Ok(Self { combined, ..made })
    }

    /// Returns the bot's user name, without `@`.
    #[must_use]
    pub fn bot(&self) -> &str {
        &self.bot
    }

    /// Returns the parameters in the given order.
    #[must_use]
    pub fn parameters(&self) -> &[StagingParameter] {
        &self.parameters
    }

    /// Returns the pipelines to run again, each once, in the given order.
    #[must_use]
    pub fn reruns(&self) -> &[Rerun] {
        &self.reruns
    }

    /// Returns the heads of the merge requests that are staged together with this one.
    #[must_use]
    pub fn combined(&self) -> &[StagedHead] {
        &self.combined
    }

    /// Returns an ID of the request that does not depend on the order of its parts: 16 hexadecimal
    /// digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut parameters: Vec<String> =
            self.parameters.iter().map(|one| format!("{}={}", one.key(), one.value())).collect();
        parameters.sort();
        let mut reruns: Vec<String> = self.reruns.iter().map(ToString::to_string).collect();
        reruns.sort();
        let mut parts =
            [vec![format!("@{}", self.bot)], parameters, vec!["again".to_owned()], reruns].concat();
        if !self.combined.is_empty() {
            let mut combined: Vec<String> = self.combined.iter().map(ToString::to_string).collect();
            combined.sort();
            parts.push("with".to_owned());
            parts.extend(combined);
        }
        digest::sha256_hex(parts)[..16].to_owned()
    }
}

/// Returns whether a text follows GitLab's rule for user names.
fn is_user_name(text: &str) -> bool {
    text.len() <= 255
        && text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && text.ends_with(|last: char| last.is_ascii_alphanumeric() || last == '_' || last == '-')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(text: &str) -> StagingParameter {
        StagingParameter::parse(text).expect("can be sent")
    }

    #[test]
    fn rerun_parse_requires_group_and_number() {
        assert_eq!(Rerun::parse("cki/620247").map(|r| r.to_string()), Ok("cki/620247".to_owned()));
        for text in ["cki", "cki/", "/1", "cki/x", "a/b/1", "cki/-1", "c[i/1", "cki/99999999999999999999999"]
        {
            assert!(Rerun::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn fingerprint_ignores_order() {
        let make = |parameters: &[&str], reruns: &[&str]| {
            StagingRequest::new(
                "cki-ci-bot",
                parameters.iter().map(|text| parameter(text)).collect(),
                reruns.iter().map(|text| Rerun::parse(text).expect("a pipeline")).collect(),
                &[],
            )
            .expect("is valid")
            .fingerprint()
        };
        assert_eq!(make(&["a=1", "b=2"], &["x/1", "y/2"]), make(&["b=2", "a=1"], &["y/2", "x/1", "x/1"]));
        assert_ne!(make(&["a=1"], &[]), make(&["a=2"], &[]));
        assert_ne!(make(&[], &["x/1"]), make(&[], &["x/2"]));
        assert_eq!(make(&[], &[]).len(), 16);
    }

    #[test]
    fn request_rejects_repeated_keys_and_bad_bot_names() {
        let twice = StagingRequest::new("bot", vec![parameter("a=1"), parameter("a=2")], vec![], &[]);
        assert_eq!(twice, Err(StagingError::Repeated { key: "a".into() }));
        for name in ["", "@", "b t", "bot]", "bot."] {
            assert!(StagingRequest::new(name, vec![], vec![], &[]).is_err(), "{name}");
        }
        assert_eq!(StagingRequest::new("@bot", vec![], vec![], &[]).expect("is valid").bot(), "bot");
    }
}
