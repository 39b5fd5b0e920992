//! Addresses in pages: which ones are links, and the web addresses of files in repositories.

use crate::base::template::html::TextCleaner;
use crate::model::forge::file_page;
use crate::model::inventory::Inventory;
use crate::systems::git::without_login;

/// Returns an address if it may be a link: a web or mail address without a secret, a space or an invisible character.
pub(super) fn safe_href(url: &str, cleaner: &TextCleaner) -> Option<String> {
    let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    let is_known = ["http://", "https://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme));
    let is_plain = !url.contains(|c: char| c.is_whitespace() || c == '\\') && cleaner.clean(url) == url;
    (is_known && is_plain).then(|| url.to_owned())
}

/// Returns the web address of a repository, if it has one.
pub(super) fn web_address(inventory: &Inventory, repo: &str, cleaner: &TextCleaner) -> Option<String> {
    let url = inventory.repo_url(repo)?;
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        return None;
    }
    let url = without_login(url);
    let url = url.trim_end_matches('/');
    safe_href(url.strip_suffix(".git").unwrap_or(url), cleaner)
}

/// Returns the web address of a path in a repository, on the branch that its server shows first.
pub(super) fn file_address(
    inventory: &Inventory,
    repo: &str,
    path: &str,
    cleaner: &TextCleaner,
) -> Option<String> {
    file_page(&web_address(inventory, repo, cleaner)?, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::InventoryDocument;
    use std::sync::Arc;

    #[test]
    fn safe_href_takes_web_and_mail_addresses_only() {
        let cleaner = TextCleaner::new(Arc::new(|text| text.replace("secret", "***")));
        for url in ["https://x.example/a?b=c&d#e", "HTTP://x", "mailto:a@example.com"] {
            assert_eq!(safe_href(url, &cleaner).as_deref(), Some(url));
        }
        for url in [
            "javascript:alert(1)",
            " javascript:x",
            "java\tscript:x",
            "data:text/html,x",
            "file:///etc/passwd",
            "//evil.example",
            "https://x y",
            "https://x\u{202e}",
            "https://me:secret@x",
            "https:\\\\x",
            "vbscript:x",
            "é",
            "",
        ] {
            assert_eq!(safe_href(url, &cleaner), None, "{url}");
        }
    }

    #[test]
    fn file_address_is_that_of_the_server() {
        let text = "\
repos:
  lab: https://me:pass@gitlab.example.com/group/lab.git
  hub: https://github.com/o/hub
  ssh: git@gitlab.example.com:group/lab.git
";
        let document = InventoryDocument { file: "x".into(), text: text.into(), reference: None };
        let inventory = Inventory::read("x", vec![document]).expect("reads");
        let cleaner = TextCleaner::new(Arc::new(str::to_owned));
        let of = |repo, path| file_address(&inventory, repo, path, &cleaner);
        assert_eq!(
            of("lab", "a b/#.md").as_deref(),
            Some("https://gitlab.example.com/group/lab/-/blob/HEAD/a%20b/%23.md")
        );
        assert_eq!(of("hub", "x").as_deref(), Some("https://github.com/o/hub/blob/HEAD/x"));
        assert_eq!((of("ssh", "x"), of("none", "x"), of("lab", "../x")), (None, None, None));
    }
}
