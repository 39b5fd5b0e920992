//! The environment of GitLab that stands for the staging of a merge request: its name and address, from the templates of an
//! entry. Creating it belongs to `ops::stage`.

use super::{StagingError, TemplateFacts, shown};
use crate::model::inventory::StageEnvironmentDecl;

/// Section of an entry with the templates.
const SECTION: &str = "stage.environment";
/// Maximum length of a name on GitLab.
const LONGEST_NAME: usize = 255;

/// An environment for the staging of a merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedEnvironment {
    /// Its name, which no other merge request of the project has.
    pub name: String,
    /// Address of the application.
    pub url: Option<String>,
}

impl StagedEnvironment {
    /// Fills the templates of an entry.
    ///
    /// # Errors
    /// Fails when a template is invalid, the name is none of GitLab's, or other merge requests would have it, too.
    pub fn new(decl: &StageEnvironmentDecl, facts: &TemplateFacts<'_>) -> Result<Self, StagingError> {
        let name = facts.fill(SECTION, "name", &decl.name)?;
        let refuse = |why: &str| {
            Err(StagingError::Environment { key: "name", value: shown(&name), why: why.to_owned() })
        };
        let is_letter = |c: char| c.is_ascii_alphanumeric() || " -_/${}.".contains(c);
        if name.trim().is_empty() || name.chars().count() > LONGEST_NAME || !name.chars().all(is_letter) {
            return refuse("GitLab takes letters, digits, spaces and `-_/${}.`, at most 255");
        }
        if name.starts_with('/') || name.ends_with('/') {
            return refuse("it begins or ends with a slash");
        }
        // Stopping it must never stop something else.
        let other = TemplateFacts { number: facts.number + 1, ..*facts };
        if other.fill(SECTION, "name", &decl.name)? == name {
            return refuse("it does not depend on `{{ number }}`");
        }
        let url = decl.url.as_deref().map(|url| facts.fill(SECTION, "url", url)).transpose()?;
        let is_address = |text: &String| {
            reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        };
        match url {
            Some(url) if !is_address(&url) => Err(StagingError::Environment {
                key: "url",
                value: shown(&url),
                why: "it begins with neither `https://` nor `http://`".to_owned(),
            }),
            url => Ok(Self { name, url }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_belongs_to_one_merge_request() {
        let facts = TemplateFacts {
            project: "group/tools",
            number: 213,
            sha: "abc",
            source_branch: "retry",
            target_branch: "main",
            url: "https://h/group/tools.git",
        };
        let make = |name: &str, url: Option<&str>| {
            let decl = StageEnvironmentDecl { name: name.to_owned(), url: url.map(str::to_owned) };
            StagedEnvironment::new(&decl, &facts)
        };
        let made = make("review/{{ number }}", Some("https://mr-{{ number }}.example")).expect("is valid");
        assert_eq!((made.name.as_str(), made.url.as_deref()), ("review/213", Some("https://mr-213.example")));
        for (name, url, why) in [
            ("production", None, "it does not depend on `{{ number }}`"),
            ("review/{{ source_branch }}", None, "it does not depend on `{{ number }}`"),
            ("review/{{ number }}/", None, "it begins or ends with a slash"),
            ("review:{{ number }}", None, "GitLab takes letters"),
            ("review/{{ number }}", Some("javascript:alert(1)"), "it begins with neither"),
            ("review/{{ nobody }}", None, "the template of `name` in `stage.environment`"),
        ] {
            let error = make(name, url).expect_err(name).to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
