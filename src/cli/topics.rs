//! Pages about topics, which `cki help TOPIC` shows. The help of commands is in `help`.

use std::ffi::OsString;

/// Pages about topics, by their names.
const TOPICS: [(&str, &str, &str); 5] = [
    ("inventory", "The format of an inventory", include_str!("../../docs/reference/inventory.md")),
    ("settings", "Every setting", include_str!("../../docs/reference/settings.md")),
    (
        "environment",
        "Environment variables that `cki` reads",
        include_str!("../../docs/reference/environment.md"),
    ),
    ("exit-codes", "Every exit code", include_str!("../../docs/reference/exit-codes.md")),
    ("scan", "The rules of `cki env --scan`", include_str!("../../docs/reference/scan.md")),
];

/// Returns whether `cki help NAME` shows the page of a topic.
#[must_use]
pub fn is_topic(name: &str) -> bool {
    TOPICS.iter().any(|(topic, ..)| *topic == name)
}

/// Option that keeps a page from the pager.
const NO_PAGER: &str = "--no-pager";

/// Page of a topic.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct TopicPage {
    /// Text in Markdown.
    pub(in crate::cli) text: &'static str,
    /// A long one may go through the pager.
    pub(in crate::cli) may_page: bool,
}

/// Returns the page of a topic, if the arguments ask for one: `cki help inventory`.
pub(in crate::cli) fn topic(args: &[OsString]) -> Option<TopicPage> {
    let words: Vec<&OsString> = args.iter().skip(1).filter(|word| *word != NO_PAGER).collect();
    let [help, name] = words.as_slice() else { return None };
    let (_, _, text) = TOPICS.iter().find(|(topic, ..)| *help == "help" && *topic == **name)?;
    Some(TopicPage { text, may_page: words.len() + 1 == args.len() })
}

/// Returns the topics, each with its description.
pub(in crate::cli) fn topics() -> impl Iterator<Item = (&'static str, &'static str)> {
    TOPICS.iter().map(|(name, about, _)| (*name, *about))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::text::width;
    use crate::ui::markdown;

    #[test]
    fn topics_are_pages_that_fit_a_terminal() {
        for (name, ..) in TOPICS {
            let page = topic(&["cki", "help", name].map(OsString::from)).expect("is a topic").text;
            let shown = markdown::render(page, 80, &str::to_owned);
            assert!(page.len() > 500 && !shown.contains("<!--") && !shown.contains("\n\n\n"), "{name}");
            // Examples of files are shown as they are.
            let is_wide = |line: &&str| width(&anstream::adapter::strip_str(line).to_string()) > 80;
            let wide: Vec<&str> =
                shown.lines().filter(is_wide).filter(|line| !line.starts_with("  ")).collect();
            assert_eq!(wide, [""; 0], "{name}");
        }
        let no_pager = topic(&["cki", "--no-pager", "help", "scan"].map(OsString::from)).expect("is a topic");
        assert!(!no_pager.may_page);
        assert_eq!(topic(&["cki", "help", "list"].map(OsString::from)), None);
    }
}
