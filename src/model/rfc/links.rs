//! Relative links in documents, and the files that they may lead to. The files themselves are up to the callers.

use crate::base::relative_path::joined;

/// Target of a link in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkTarget {
    /// A place that is not a file of the clone: an address, a heading, a path of the published site, a shortcode.
    Elsewhere,
    /// One of these paths in the repository.
    Files(Vec<String>),
    /// A place outside of the repository.
    Outside,
}

/// Returns the target of a link in a document at a path. A generator of sites reads a link from the page of the document,
/// and servers of repositories from its file; both are right.
#[must_use]
pub fn link_target(document: &str, link: &str) -> LinkTarget {
    let path = link.split(['#', '?']).next().unwrap_or_default();
    let is_address = path.split(['/', '.']).next().is_some_and(|first| first.contains(':'));
    if path.is_empty() || is_address || path.starts_with('/') || link.contains("{{") {
        return LinkTarget::Elsewhere;
    }
    let Ok(path) = percent_encoding::percent_decode_str(path).decode_utf8() else {
        return LinkTarget::Outside;
    };
    let path = path.trim_end_matches('/');
    let (page, _) = document.rsplit_once('.').unwrap_or((document, ""));
    let bases = [document.to_owned(), format!("{page}/index.md")];
    let found: Vec<String> = bases.iter().filter_map(|base| joined(base, path)).collect();
    if found.is_empty() {
        return LinkTarget::Outside;
    }
    let ends = ["", ".md", "/index.md", "/_index.md"];
    LinkTarget::Files(found.iter().flat_map(|path| ends.map(|end| format!("{path}{end}"))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_targets_are_files_as_servers_and_sites_read_them() {
        let of = |link: &str| link_target("content/rfcs/cki-001-x.md", link);
        for link in [
            "https://x.example/y.md",
            "mailto:a@b",
            "#top",
            "",
            "?x",
            "/docs/x",
            "{{< ref \"x\" >}}",
            "//x/y",
        ] {
            assert_eq!(of(link), LinkTarget::Elsewhere, "{link}");
        }
        let holds = |link: &str, path: &str| {
            let LinkTarget::Files(paths) = of(link) else { panic!("{link} is a file") };
            assert!(paths.iter().any(|one| one == path), "{link}: {paths:?}");
        };
        holds("cki-002-y.md#part", "content/rfcs/cki-002-y.md");
        holds("../cki-002-y/", "content/rfcs/cki-002-y.md");
        holds("../", "content/rfcs/_index.md");
        holds("a%20b.png", "content/rfcs/a b.png");
        assert_eq!(of("../../../../x"), LinkTarget::Outside);
    }
}
