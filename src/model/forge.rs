//! Web addresses of files on servers of repositories, as GitLab, GitHub and Forgejo have them: which file an address
//! names, and the address of a file. Whether a repository has the file is up to `ops`.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use reqwest::Url;

/// Characters that the path of an address does not have.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
const GITHUB: &str = "github.com";
/// Host of the texts of files on GitHub.
const GITHUB_RAW: &str = "raw.githubusercontent.com";
/// Kinds of pages of a file or directory.
const PAGES: [&str; 4] = ["blob", "tree", "raw", "blame"];

/// A file or directory at a revision, which an address names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgeFile {
    /// Address of the repository.
    pub repository: String,
    /// Revision and path. Both may contain slashes, so only the repository tells where the path begins.
    parts: Vec<String>,
}

impl ForgeFile {
    /// Parses the address of a page; `None` for the address of anything else.
    #[must_use]
    pub fn parse(url: &Url) -> Option<Self> {
        let host = url.host_str()?;
        let segments: Vec<&str> = url.path().trim_matches('/').split('/').collect();
        let at_page = |at: usize| segments.get(at).is_some_and(|segment| PAGES.contains(segment));
        let (project, rest) = match host {
            GITHUB_RAW => (2, 2),
            GITHUB => (2, if at_page(2) { 3 } else { return None }),
            _ => (2..segments.len()).find_map(|at| match segments[at] {
                "-" if at_page(at + 1) => Some((at, at + 2)),
                "src" if matches!(segments.get(at + 1), Some(&("branch" | "tag" | "commit"))) => {
                    Some((at, at + 2))
                }
                // Old versions of GitLab have no `-`.
                _ if at_page(at) => Some((at, at + 1)),
                _ => None,
            })?,
        };
        let decode =
            |text: &str| percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned);
        let parts = decode(&segments.get(rest..).filter(|rest| !rest.is_empty())?.join("/"))?;
        let parts: Vec<String> = parts.split('/').map(str::to_owned).collect();
        if parts.iter().any(|part| matches!(part.as_str(), "" | "." | "..") || part.contains('\0')) {
            return None;
        }
        let server = match host {
            GITHUB_RAW => format!("https://{GITHUB}"),
            _ => url.origin().ascii_serialization(),
        };
        Some(Self { repository: format!("{server}/{}", segments[..project].join("/")), parts })
    }

    /// Returns each revision that may be meant with the path that is then left, the shortest revision first. Only names
    /// of branches and tags, and commits are revisions here.
    pub fn readings(&self) -> impl Iterator<Item = (String, String)> {
        let reading = |at| (self.parts[..at].join("/"), self.parts[at..].join("/"));
        (1..=self.parts.len()).map(reading).take_while(|(revision, _)| is_name(revision))
    }
}

/// Returns whether a text is the name of a branch, a tag or a commit, and nothing that git computes.
fn is_name(revision: &str) -> bool {
    let is_special = |c: char| c.is_control() || "~^:?*[\\ ".contains(c);
    !revision.starts_with('-')
        && !revision.contains(is_special)
        && !revision.contains("..")
        && !revision.contains("@{")
}

/// Returns the address of a file or directory, on the branch that the server shows first. `repository` is the address
/// of the page of the repository. An empty path is that page.
#[must_use]
pub fn file_page(repository: &str, path: &str) -> Option<String> {
    let path = path.trim_matches('/');
    if path.split('/').any(|part| part == "..") {
        return None;
    }
    let host = repository.split('/').nth(2)?;
    let blob = if host.eq_ignore_ascii_case(GITHUB) { "blob" } else { "-/blob" };
    Some(match path {
        "" | "." => repository.to_owned(),
        path => format!("{repository}/{blob}/HEAD/{}", utf8_percent_encode(path, ENCODED)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(url: &str) -> Option<ForgeFile> {
        ForgeFile::parse(&Url::parse(url).expect(url))
    }

    #[test]
    fn forge_file_is_read_from_each_form() {
        for (url, repository, first) in [
            ("https://gitlab.com/g/s/p/-/blob/main/a/b.md?plain=1#L3", "https://gitlab.com/g/s/p", "a/b.md"),
            ("https://git.example:8443/g/p/-/tree/main", "https://git.example:8443/g/p", ""),
            ("https://gitlab.com/g/p/blob/main/a%20b", "https://gitlab.com/g/p", "a b"),
            ("https://gitlab.com/g/blob/-/raw/main/x", "https://gitlab.com/g/blob", "x"),
            ("https://github.com/o/r/blame/main/x/", "https://github.com/o/r", "x"),
            ("https://raw.githubusercontent.com/o/r/main/x", "https://github.com/o/r", "x"),
            ("https://codeberg.org/o/r/src/branch/main/x/y", "https://codeberg.org/o/r", "x/y"),
        ] {
            let file = parse(url).expect(url);
            let readings: Vec<(String, String)> = file.readings().collect();
            assert_eq!((file.repository.as_str(), readings[0].0.as_str()), (repository, "main"), "{url}");
            assert_eq!(readings[0].1, first, "{url}");
        }
        let file = parse("https://gitlab.com/g/p/-/blob/fix%2Fit/a.md").expect("is one");
        let readings: Vec<(String, String)> = file.readings().collect();
        assert_eq!(readings[1], ("fix/it".to_owned(), "a.md".to_owned()));
        for other in [
            "https://gitlab.com/g/p",
            "https://gitlab.com/g/p/-/issues/1",
            "https://gitlab.com/g/p/-/blob/",
            "https://gitlab.com/g/p/-/blob/main/..%2F..%2Fx",
            "https://gitlab.com/g/p/-/blob/main/a//b",
            "https://github.com/o/r/wiki/blob/x",
            "https://raw.githubusercontent.com/o/r",
            "mailto:a@b",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
        // A revision that git would search for, or compute.
        let computed = parse("https://gitlab.com/g/p/-/blob/HEAD~9/x").expect("has the form");
        assert_eq!(computed.readings().count(), 0);
    }

    #[test]
    fn file_page_is_that_of_the_server() {
        let of = |path: &str| file_page("https://gitlab.example.com/g/lab", path);
        assert_eq!(
            of("a b/#.md").as_deref(),
            Some("https://gitlab.example.com/g/lab/-/blob/HEAD/a%20b/%23.md")
        );
        assert_eq!(of("").as_deref(), Some("https://gitlab.example.com/g/lab"));
        assert_eq!(of("../x"), None);
        assert_eq!(
            file_page("https://github.com/o/hub", "x/").as_deref(),
            Some("https://github.com/o/hub/blob/HEAD/x")
        );
    }

    proptest! {
        #[test]
        fn forge_file_finds_any_revision_and_path(
            revision in prop::collection::vec("[a-z0-9][a-z0-9._-]{0,6}", 1..3),
            path in prop::collection::vec("[a-zA-Z0-9 #?é%-]{1,8}", 1..4),
            form in 0..3usize,
            ends in any::<bool>(),
        ) {
            let (revision, path) = (revision.join("/"), path.join("/"));
            prop_assume!(!revision.contains("..") && !revision.split('/').any(|part| part == "."));
            let (repository, marker) = [
                ("https://gitlab.example.com/group/sub/tools", "-/blob"),
                ("https://github.com/owner/tools", "blob"),
                ("https://codeberg.org/owner/tools", "src/branch"),
            ][form];
            let encoded = utf8_percent_encode(&path, ENCODED);
            let end = if ends { "#L1" } else { "" };
            let file = parse(&format!("{repository}/{marker}/{revision}/{encoded}{end}")).expect("is one");
            prop_assert_eq!(&file.repository, repository);
            prop_assert!(file.readings().any(|one| one == (revision.clone(), path.clone())));
        }

        #[test]
        fn forge_file_never_leaves_the_repository(text in "[a-z/%.2F~:-]{0,40}") {
            let file = Url::parse(&format!("https://gitlab.com/g/p/-/blob/{text}")).ok();
            if let Some(file) = file.and_then(|url| ForgeFile::parse(&url)) {
                for (revision, path) in file.readings() {
                    prop_assert!(!revision.contains(':') && !path.split('/').any(|part| part == ".."));
                }
            }
        }
    }
}
