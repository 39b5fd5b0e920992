//! The name of a merge request, as people type or paste it. Its content on a server is in `systems::gitlab`.

/// A merge request, with its project if the text names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeRequestName {
    /// Number within its project.
    pub number: u64,
    /// Path of the project on the server.
    pub project: Option<String>,
    /// Name of a component, if the text has one instead of a project.
    pub component: Option<String>,
    /// Address of the server, without a slash at its end; only from a pasted address.
    pub server: Option<String>,
}

/// A text that names no merge request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a merge request is needed, as `213`, `COMPONENT!213`, `GROUP/PROJECT!213` or the address of its page"
)]
pub struct NoMergeRequest;

/// A text that is not the number of a merge request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the number of a merge request is needed, as `213` or `!213`")]
pub struct NoNumber;

impl MergeRequestName {
    /// Parses `213`, `!213`, `component!213`, `group/project!213`, or the address of a merge request's page on GitLab. The
    /// path of an address below which the server lies is part of `project`; [`Self::on`] removes it.
    ///
    /// # Errors
    /// Fails on any other text.
    pub fn parse(text: &str) -> Result<Self, NoMergeRequest> {
        let text = text.trim();
        if text.contains("://") {
            return Self::parse_address(text).ok_or(NoMergeRequest);
        }
        let (project, number) = text.rsplit_once('!').unwrap_or(("", text));
        let is_path = |path: &str| path.contains('/') && path.split('/').all(is_segment);
        let (project, component) = match project {
            "" => (None, None),
            project if is_path(project) => (Some(project.to_owned()), None),
            name if is_segment(name) => (None, Some(name.to_owned())),
            _ => return Err(NoMergeRequest),
        };
        Ok(Self { number: number_of(number).ok_or(NoMergeRequest)?, project, component, server: None })
    }

    /// Parses `213` or `!213`: a merge request of a project that is known already.
    ///
    /// # Errors
    /// Fails on any other text.
    pub fn parse_number(text: &str) -> Result<u64, NoNumber> {
        number_of(text.trim().trim_start_matches('!')).ok_or(NoNumber)
    }

    fn parse_address(text: &str) -> Option<Self> {
        let address = reqwest::Url::parse(text).ok()?;
        if !matches!(address.scheme(), "http" | "https") {
            return None;
        }
        let (project, rest) = address.path().split_once("/-/merge_requests/")?;
        let number = number_of(rest.split('/').next()?)?;
        let project = project.trim_matches('/');
        if project.is_empty() || !project.split('/').all(is_segment) {
            return None;
        }
        let server = address.origin().ascii_serialization();
        Some(Self { number, project: Some(project.to_owned()), component: None, server: Some(server) })
    }

    /// Returns the path of the project on a server, whose address may have a path of its own. Returns `None` if
    /// the merge request is on another server.
    #[must_use]
    pub fn on(&self, server: &str) -> Option<Option<String>> {
        let Some(origin) = &self.server else { return Some(self.project.clone()) };
        let address = reqwest::Url::parse(server).ok()?;
        if address.origin().ascii_serialization() != *origin {
            return None;
        }
        let project = self.project.as_deref()?;
        let below = address.path().trim_matches('/');
        let project = match below {
            "" => project,
            below => project.strip_prefix(below)?.strip_prefix('/')?,
        };
        Some(Some(project.to_owned()))
    }
}

fn number_of(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_number && *number > 0)
}

/// Returns whether a text may be a part of a project's path on GitLab.
fn is_segment(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && !text.starts_with(['-', '.']) && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<(u64, Option<String>, Option<String>)> {
        let name = MergeRequestName::parse(text).ok()?;
        Some((name.number, name.project, name.server))
    }

    #[test]
    fn merge_request_is_read_as_typed_or_pasted() {
        let project = || Some("group/sub/project".to_owned());
        assert_eq!(name("213"), Some((213, None, None)));
        assert_eq!(name(" !213"), Some((213, None, None)));
        assert_eq!(name("group/sub/project!213"), Some((213, project(), None)));
        let named = MergeRequestName::parse("cki-lib!45").expect("is one");
        assert_eq!((named.component.as_deref(), named.project), (Some("cki-lib"), None));
        for end in ["", "/", "/diffs?x=1#note_2", "/pipelines"] {
            assert_eq!(
                name(&format!("https://gitlab.example:8443/group/sub/project/-/merge_requests/213{end}")),
                Some((213, project(), Some("https://gitlab.example:8443".to_owned()))),
                "{end}"
            );
        }
        for wrong in [
            "",
            "0",
            "-1",
            "+1",
            "x",
            "!",
            "!!1",
            "a/b!x",
            "../a!1",
            "a/-b!1",
            "99999999999999999999",
            "https://gitlab.example/-/merge_requests/1",
            "https://gitlab.example/a/b/-/issues/1",
            "ftp://gitlab.example/a/b/-/merge_requests/1",
            "https://gitlab.example/a/b/-/merge_requests/1x",
        ] {
            assert_eq!(name(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn merge_request_belongs_to_the_server_of_its_address() {
        let pasted = |text: &str| MergeRequestName::parse(text).expect("is one");
        let plain = pasted("https://gitlab.example/a/b/-/merge_requests/1");
        assert_eq!(plain.on("https://gitlab.example/"), Some(Some("a/b".to_owned())));
        assert_eq!(plain.on("http://gitlab.example"), None);
        assert_eq!(plain.on("https://gitlab.example/a"), Some(Some("b".to_owned())));
        assert_eq!(plain.on("https://gitlab.example/x"), None);
        assert_eq!(pasted("7").on("https://gitlab.example"), Some(None));
    }
}
