//! Sources of an inventory, as a user names them: the built-in one, a directory or file, or a git repository. Reading
//! them belongs in `ops`.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::base::digest;

/// Name of the built-in inventory in a list of sources.
pub const BUILT_IN_SOURCE: &str = "default";
/// Schemes of the addresses of repositories.
const SCHEMES: [&str; 7] = ["https", "http", "ssh", "git+ssh", "ssh+git", "git", "file"];

/// A source of an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InventorySource {
    /// The built-in inventory.
    BuiltIn,
    /// A directory or a file.
    Path(PathBuf),
    /// A git repository.
    Git(GitSource),
}

/// The sources of an inventory, the lowest layer first; none stands for the built-in one.
#[derive(Debug, Clone, Default)]
pub struct InventorySources {
    /// The sources.
    pub list: Vec<InventorySource>,
    /// Directory of the copies of repositories, if there is a place for it.
    pub copies: Option<PathBuf>,
    /// Directory of the cache of inventories, if there is a place for it.
    pub cache: Option<PathBuf>,
    /// A project's file names them, so that nothing is fetched unless the user trusts it.
    pub of_project: bool,
}

impl InventorySources {
    /// Returns the directory of the copies of repositories, below that of data that can be made again.
    #[must_use]
    pub fn copies_in(cache: &Path) -> PathBuf {
        cache.join("inventories")
    }

    /// Returns the directory of the cache of inventories, below that of data that can be made again.
    #[must_use]
    pub fn cache_in(cache: &Path) -> PathBuf {
        cache.join("inventory-cache")
    }

    /// Returns the one source that is a directory or a file.
    #[must_use]
    pub fn of_path(path: &Path) -> Self {
        Self { list: vec![InventorySource::Path(path.to_path_buf())], ..Self::default() }
    }

    /// Returns the repositories.
    pub fn repositories(&self) -> impl Iterator<Item = &GitSource> {
        self.list.iter().filter_map(|source| match source {
            InventorySource::Git(source) => Some(source),
            _ => None,
        })
    }

    /// Returns the directories and files.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.list.iter().filter_map(InventorySource::path)
    }

    /// Returns the identity of the inventory, by which its runs are found.
    #[must_use]
    pub fn identity(&self) -> String {
        match self.list.as_slice() {
            [] => InventorySource::BuiltIn.identity(),
            all => all.iter().map(InventorySource::identity).collect::<Vec<_>>().join(","),
        }
    }
}

/// An inventory in a git repository: `url[@ref][:path]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitSource {
    /// Address of the repository; it may hold a login.
    pub url: String,
    /// Branch, tag or commit; the default branch without one.
    pub reference: Option<String>,
    /// Directory or file in the repository; its top directory without one.
    pub path: Option<String>,
}

impl InventorySource {
    /// Parses a source. A relative path is relative to `directory`.
    ///
    /// # Errors
    /// Returns the reason if the text is no source.
    pub fn parse(text: &OsStr, directory: &Path) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a source is a directory, a file, a repository, or `default`".to_owned());
        }
        match text.to_str() {
            Some(BUILT_IN_SOURCE) => Ok(Self::BuiltIn),
            Some(text) if is_address(text) => GitSource::parse(text).map(Self::Git),
            _ => Ok(Self::Path(directory.join(text))),
        }
    }

    /// Parses a list of sources with commas between them. A text that is the path of a file or directory as a whole is
    /// one source.
    ///
    /// # Errors
    /// Returns the reason if one of them is no source.
    pub fn parse_list(text: &OsStr, directory: &Path) -> Result<Vec<Self>, String> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        if !text.as_bytes().contains(&b',') || directory.join(text).symlink_metadata().is_ok() {
            return Ok(vec![Self::parse(text, directory)?]);
        }
        let parts = text.as_bytes().split(|byte| *byte == b',');
        parts.map(|part| Self::parse(OsStr::from_bytes(part), directory)).collect()
    }

    /// Returns the text that [`Self::parse`] reads, with the login of a repository.
    #[must_use]
    pub fn written(&self) -> String {
        let Self::Git(source) = self else { return self.to_string() };
        source.to_string().replacen(&source.shown_url(), &source.url, 1)
    }

    /// Returns the path of a directory or file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            _ => None,
        }
    }

    /// Returns the text by which the source of a run is compared: a path with its links followed.
    #[must_use]
    pub fn identity(&self) -> String {
        match self {
            Self::BuiltIn => "built-in".to_owned(),
            Self::Path(path) => path.canonicalize().as_deref().unwrap_or(path).display().to_string(),
            Self::Git(source) => source.to_string(),
        }
    }
}

impl fmt::Display for InventorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str(BUILT_IN_SOURCE),
            Self::Path(path) => path.display().fmt(f),
            Self::Git(source) => source.fmt(f),
        }
    }
}

/// Returns a text that may be a source, without a login.
#[must_use]
pub fn shown_source(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        // The user of ssh is no secret.
        Some((user, host)) if scheme.contains("ssh") => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}{path}")
        }
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        None => text.to_owned(),
    }
}

/// Returns whether a text is the address of a repository rather than a path.
fn is_address(text: &str) -> bool {
    let scheme = text.split_once("://").is_some_and(|(scheme, _)| !scheme.contains('/'));
    let like_scp = || {
        let user = text.split_once(':').and_then(|(host, _)| host.split_once('@'));
        user.is_some_and(|(user, host)| {
            !user.is_empty() && !host.is_empty() && !user.contains('/') && !host.contains('/')
        })
    };
    scheme || like_scp()
}

impl GitSource {
    fn parse(text: &str) -> Result<Self, String> {
        if text.chars().any(char::is_control) {
            return Err("the address of a repository has no control characters".to_owned());
        }
        // Before `rest`, `@` and `:` belong to the address.
        let (before, rest) = match text.split_once("://") {
            Some((scheme, rest)) => {
                if !SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) {
                    return Err(format!("the scheme of a repository is one of {}", SCHEMES.join(", ")));
                }
                let path = rest.find('/').unwrap_or(rest.len());
                let host = rest[..path].rsplit('@').next().unwrap_or_default();
                if host.is_empty() && !scheme.eq_ignore_ascii_case("file") {
                    return Err("the address names no host".to_owned());
                }
                text.split_at(scheme.len() + 3 + path)
            }
            None => text.split_at(text.find(':').map_or(0, |colon| colon + 1)),
        };
        let (rest, path) = match rest.split_once(':') {
            Some((rest, path)) => (rest, Some(path)),
            None => (rest, None),
        };
        let (rest, reference) = match rest.rsplit_once('@') {
            Some((rest, reference)) => (rest, Some(reference)),
            None => (rest, None),
        };
        if rest.trim_matches('/').is_empty() {
            return Err("the address names no repository".to_owned());
        }
        if let Some(reference) = reference.filter(|reference| !is_reference(reference)) {
            return Err(format!("`{}` after `@` is no branch, tag or commit", reference.escape_debug()));
        }
        let path = path.map(|path| path.trim_matches('/')).filter(|path| !path.is_empty() && *path != ".");
        if let Some(path) = path.filter(|path| !is_inner_path(path)) {
            return Err(format!("`{}` after `:` is no path in the repository", path.escape_debug()));
        }
        Ok(Self {
            url: format!("{before}{rest}"),
            reference: reference.map(str::to_owned),
            path: path.map(str::to_owned),
        })
    }

    /// Returns the name of the directory of its copy on this machine: one for a repository and a reference, whatever
    /// its path and its login.
    #[must_use]
    pub fn copy_name(&self) -> String {
        let reference = self.reference.as_deref().unwrap_or_default();
        let mut name = digest::sha256_hex([self.shown_url().as_bytes(), reference.as_bytes()]);
        name.truncate(32);
        name
    }

    /// Returns the file, below the directory of all copies, that names the current copy.
    #[must_use]
    pub fn copy_record(&self) -> PathBuf {
        Path::new(&self.copy_name()).join("current")
    }

    /// Returns the address without a login.
    #[must_use]
    pub fn shown_url(&self) -> String {
        shown_source(&self.url)
    }

    /// Returns the name of a file in the repository, given by its path below the source's.
    #[must_use]
    pub fn file(&self, below: &str) -> String {
        let path = match (self.path.as_deref(), below) {
            (None, below) => below.to_owned(),
            (Some(path), "") => path.to_owned(),
            (Some(path), below) => format!("{path}/{below}"),
        };
        format!("{}:{path}", Self { path: None, ..self.clone() })
    }
}

impl fmt::Display for GitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown_url())?;
        if let Some(reference) = &self.reference {
            write!(f, "@{reference}")?;
        }
        match &self.path {
            Some(path) => write!(f, ":{path}"),
            None => Ok(()),
        }
    }
}

/// Returns whether a text may name a branch, a tag or a commit (git-check-ref-format(1)).
fn is_reference(text: &str) -> bool {
    let bad = |c: char| c.is_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\');
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    !text.starts_with('-')
        && !text.ends_with('.')
        && !text.contains("..")
        && !text.contains("@{")
        && !text.contains(bad)
        && text.len() <= 250
        && text.split('/').all(part)
}

/// Returns whether a path stays within a repository.
fn is_inner_path(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.eq_ignore_ascii_case(".git"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<InventorySource, String> {
        InventorySource::parse(OsStr::new(text), Path::new("/here"))
    }

    #[test]
    fn source_parses_paths_and_repositories() {
        let git = |url: &str, reference: Option<&str>, path: Option<&str>| {
            let (reference, path) = (reference.map(str::to_owned), path.map(str::to_owned));
            InventorySource::Git(GitSource { url: url.to_owned(), reference, path })
        };
        for (text, source) in [
            ("default", InventorySource::BuiltIn),
            ("./default", InventorySource::Path("/here/./default".into())),
            ("/x@y:z", InventorySource::Path("/x@y:z".into())),
            ("a:b", InventorySource::Path("/here/a:b".into())),
            ("dir@v1/x:y", InventorySource::Path("/here/dir@v1/x:y".into())),
            ("https://h/a/b.git", git("https://h/a/b.git", None, None)),
            ("https://u:p@h:8443/a@v1:x/y/", git("https://u:p@h:8443/a", Some("v1"), Some("x/y"))),
            ("https://h/a@feature/x", git("https://h/a", Some("feature/x"), None)),
            ("https://h/a:x.yaml", git("https://h/a", None, Some("x.yaml"))),
            ("git@h:a/b.git@main:x", git("git@h:a/b.git", Some("main"), Some("x"))),
            ("ssh://git@h:22/a", git("ssh://git@h:22/a", None, None)),
            ("file:///srv/a.git@main:.", git("file:///srv/a.git", Some("main"), None)),
        ] {
            assert_eq!(parse(text), Ok(source), "{text}");
        }
        for wrong in [
            "",
            "ftp://h/x",
            "ext::sh -c://x",
            "https://h",
            "https://h/",
            "https://h/a@-x",
            "https://h/a@",
            "https://h/a@b..c",
            "https://h/a:../x",
            "https://h/a:x/.git/config",
            "https://h/a:x//y",
            "git@h:",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}: {:?}", parse(wrong));
        }
    }

    #[test]
    fn source_lists_are_separated_by_commas() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let list = |text: &str| InventorySource::parse_list(OsStr::new(text), directory.path());
        assert_eq!(list(""), Ok(Vec::new()));
        assert_eq!(list("default,x").map(|all| all.len()), Ok(2));
        assert!(list("default,,x").is_err() && list("x,").is_err());
        std::fs::create_dir(directory.path().join("a,b")).expect("makes");
        assert_eq!(list("a,b"), Ok(vec![InventorySource::Path(directory.path().join("a,b"))]));
    }

    #[test]
    fn git_source_never_shows_a_login() {
        let source = |text: &str| match parse(text) {
            Ok(InventorySource::Git(source)) => source,
            other => panic!("{other:?}"),
        };
        let with = source("https://u:glpat-0@h/a@v1:x");
        assert_eq!(with.to_string(), "https://h/a@v1:x");
        assert_eq!(with.file("service/a.yaml"), "https://h/a@v1:x/service/a.yaml");
        assert_eq!(source("ssh://git:pw@h/a").to_string(), "ssh://git@h/a");
        assert_eq!(with.copy_name(), source("https://h/a@v1:y").copy_name());
        assert_ne!(with.copy_name(), source("https://h/a@v2").copy_name());
    }

    proptest! {
        #[test]
        fn source_never_panics_and_reads_its_own_text(text in "(https://|git@h:|file:///)?[a-c@:/.,-]{0,20}") {
            if let Ok(InventorySource::Git(source)) = parse(&text) {
                let source = InventorySource::Git(source);
                prop_assert_eq!(parse(&source.written()), Ok(source));
            }
        }
    }
}
