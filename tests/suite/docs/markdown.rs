//! A page of documentation as the tests see it: its fenced blocks, its headings as addresses, and
//! its links. What is done with them is in the files beside.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Its path in the project.
    pub(super) path: String,
    /// Its fenced blocks, in order.
    pub(super) blocks: Vec<Block>,
    /// Fragments that a link to it may name after `#`.
    pub(super) anchors: BTreeSet<String>,
    /// The targets of its links, with their lines.
    pub(super) links: Vec<(usize, String)>,
    /// The files of the project that it names in backticks, with their lines.
    pub(super) files: Vec<(usize, String)>,
    /// Whether it is a decision record that no longer holds in whole: it may name files that are gone.
    pub(super) is_superseded: bool,
}

/// A fenced block.
#[derive(Debug)]
pub(super) struct Block {
    /// The line of its fence.
    pub(super) line: usize,
    /// The words after the fence: the language, and what the tests must know.
    pub(super) info: Vec<String>,
    /// The file that it shows, if the line before it is nothing but a path in backticks and a colon.
    pub(super) file: Option<String>,
    /// Content.
    pub(super) text: String,
}

impl Block {
    /// Returns whether it is in a language.
    pub(super) fn is(&self, language: &str) -> bool {
        self.info.first().is_some_and(|first| first == language)
    }
}

static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(([^)\s]+)\)").expect("a constant"));
static CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new("`[^`]*`").expect("a constant"));
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("`((?:src|tests|docs|templates|completions)/[a-z0-9_./-]+)`").expect("a constant")
});
static FILE: LazyLock<Regex> = LazyLock::new(|| Regex::new("^`([^` ]+)`:$").expect("a constant"));

impl Page {
    /// Reads a page.
    pub(super) fn read(path: &str, text: &str) -> Self {
        let mut page = Self { path: path.to_owned(), ..Self::default() };
        page.is_superseded = super::is_superseded(text);
        let mut open: Option<Block> = None;
        let mut before = "";
        for (index, line) in text.lines().enumerate() {
            match (&mut open, line.strip_prefix("```")) {
                (None, Some(info)) => {
                    let info = info.split_whitespace().map(str::to_owned).collect();
                    let file = FILE.captures(before).map(|found| found[1].to_owned());
                    open = Some(Block { line: index + 1, info, file, text: String::new() });
                }
                (Some(_), Some(_)) => page.blocks.extend(open.take()),
                (Some(block), None) => block.text.push_str(&format!("{line}\n")),
                (None, None) => page.line(index + 1, line),
            }
            if !line.trim().is_empty() {
                before = line;
            }
        }
        assert!(open.is_none(), "{path}: a fence is not closed");
        page
    }

    fn line(&mut self, number: usize, line: &str) {
        if let Some(heading) = line.strip_prefix('#') {
            let anchor = anchor(heading.trim_start_matches('#').trim());
            let same = self.anchors.iter().filter(|known| is_numbered(known, &anchor)).count();
            self.anchors.insert(if same == 0 { anchor } else { format!("{anchor}-{same}") });
        }
        if !FILE.is_match(line) {
            let named = NAMED.captures_iter(line).map(|found| (number, found[1].to_owned()));
            self.files.extend(named);
        }
        let prose = CODE.replace_all(line, "");
        self.links.extend(LINK.captures_iter(&prose).map(|found| (number, found[1].to_owned())));
    }
}

/// The address of a heading, as GitLab and GitHub make it.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
    heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
}

/// Returns whether an address is that of a heading, or of a later one with the same words.
fn is_numbered(known: &str, anchor: &str) -> bool {
    let rest = known.strip_prefix(anchor);
    rest.is_some_and(|rest| rest.is_empty() || rest[1..].parse::<usize>().is_ok())
}

#[test]
fn page_read_finds_blocks_links_and_anchors() {
    let text = "# A `b`, c!\n## A\n## A\n\n[x](y.md#z) and `[no](link)` in `src/x.rs`\n\n`f/g.yaml`:\n\n```yaml\na: 1\n```\n";
    let page = Page::read("p.md", text);
    assert_eq!(page.anchors.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "a-1", "a-b-c"]);
    assert_eq!(page.links, [(5, "y.md#z".to_owned())]);
    assert_eq!(page.files, [(5, "src/x.rs".to_owned())]);
    let block = &page.blocks[0];
    assert_eq!((block.line, block.file.as_deref(), block.text.as_str()), (9, Some("f/g.yaml"), "a: 1\n"));
    assert!(block.is("yaml"));
}
