//! The answer of a bot that writes no table: links to pipelines in the text of a comment. Quotations, code and HTML are no
//! text of the bot. The table is in `answer`; whether a linked pipeline belongs to a request is decided in `ops::stage`.

use std::ops::Range;
use std::sync::LazyLock;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, TextMergeStream};
use regex::Regex;

use super::answer_cell::floor;
use super::pipeline_of_url;

/// Maximum number of links to read.
const MOST_LINKS: usize = 50;
/// Maximum bytes of a comment to read.
const MOST_BYTES: usize = 1 << 20;

/// The form of a bot's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnswerForm {
    /// A table.
    #[default]
    Table,
    /// A table, or links in text: the form of bots with commands of their own.
    TableOrLinks,
}

/// A link to a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PipelineLink {
    /// The project: `group/project`.
    pub project: String,
    /// Pipeline number.
    pub id: u64,
}

impl PipelineLink {
    /// Returns the address of the pipeline's page.
    #[must_use]
    pub fn url(&self, server: &str) -> String {
        format!("{}/{}/-/pipelines/{}", server.trim_end_matches('/'), self.project, self.id)
    }

    /// Parses a link target. It must be exactly the page of a pipeline on the server, or a page or a part of it: what
    /// browsers would read as another address is none.
    fn parse(target: &str, server: &str) -> Option<Self> {
        static PAGE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(
                r"^https?://[A-Za-z0-9.\[\]:-]+/[\w./-]+/-/pipelines/[1-9][0-9]{0,18}(/[a-z_]*)?([?#]\S*)?$",
            )
            .expect("a constant expression")
        });
        let is_page = target.len() <= 1000 && PAGE.is_match(target) && !target.contains('\\');
        let (project, id) = pipeline_of_url(target, server).filter(|_| is_page)?;
        Some(Self { project, id })
    }
}

/// The links of a comment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PipelineLinks {
    /// The links in their order, each once.
    pub links: Vec<PipelineLink>,
    /// The comment has more of them, or is too long.
    pub is_cut: bool,
}

/// Returns the links of a comment to pipelines of a server.
#[must_use]
pub fn pipeline_links(body: &str, server: &str) -> PipelineLinks {
    let end = floor(body, MOST_BYTES);
    let mut found = PipelineLinks { links: Vec::new(), is_cut: end < body.len() };
    let text = without_quotes(&body[..end]);
    // The depth within code, quotations, pictures and HTML.
    let mut foreign = 0usize;
    let mut linked = 0usize;
    for event in TextMergeStream::new(Parser::new_ext(&text, Options::empty())) {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                linked += 1;
                if foreign == 0 {
                    found.add(&dest_url, server);
                }
            }
            Event::End(TagEnd::Link) => linked = linked.saturating_sub(1),
            Event::Start(Tag::CodeBlock(_) | Tag::BlockQuote(_) | Tag::HtmlBlock | Tag::Image { .. }) => {
                foreign += 1;
            }
            Event::End(TagEnd::CodeBlock | TagEnd::BlockQuote(_) | TagEnd::HtmlBlock | TagEnd::Image) => {
                foreign = foreign.saturating_sub(1);
            }
            // GitLab makes links of addresses in text; the text of a link is not its target.
            Event::Text(text) if foreign == 0 && linked == 0 => {
                bare(&text).for_each(|address| found.add(address, server));
            }
            _ => {}
        }
    }
    found
}

impl PipelineLinks {
    fn add(&mut self, target: &str, server: &str) {
        let Some(link) = PipelineLink::parse(target, server) else { return };
        let is_same =
            |known: &PipelineLink| known.id == link.id && known.project.eq_ignore_ascii_case(&link.project);
        if self.links.iter().any(is_same) {
            return;
        }
        if self.links.len() == MOST_LINKS {
            self.is_cut = true;
            return;
        }
        self.links.push(link);
    }
}

/// Returns the addresses in a text, without the punctuation after them.
fn bare(text: &str) -> impl Iterator<Item = &str> {
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?:^|[\s(])(https?://[^\s<>"'|()]+)"#).expect("a constant expression")
    });
    let found = ADDRESS.captures_iter(text).filter_map(|found| found.get(1));
    found.map(|address| address.as_str().trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_', '~']))
}

/// Removes quotations between two lines with `>>>`, a form of GitLab's.
fn without_quotes(body: &str) -> String {
    let mut kept = String::with_capacity(body.len());
    let mut at = 0;
    let fences: Vec<Range<usize>> = fences(body);
    for pair in fences.chunks_exact(2) {
        kept.push_str(&body[at..pair[0].start]);
        at = pair[1].end;
    }
    kept.push_str(&body[at..]);
    kept
}

/// Returns the places of lines with `>>>`.
fn fences(body: &str) -> Vec<Range<usize>> {
    let mut at = 0;
    let mut found = Vec::new();
    for line in body.split_inclusive('\n') {
        if line.trim_end() == ">>>" {
            found.push(at..at + line.len());
        }
        at += line.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SERVER: &str = "https://gitlab.example.com/root";

    fn read(body: &str) -> Vec<String> {
        let found = pipeline_links(body, SERVER);
        assert!(!found.is_cut);
        found.links.iter().map(|link| format!("{}/{}", link.project, link.id)).collect()
    }

    #[test]
    fn links_of_a_comment_are_read_once_in_every_form() {
        let page = "https://gitlab.example.com/root/group/sub/tools/-/pipelines/7";
        for body in [
            format!("Started: {page}"),
            format!("Started ({page})."),
            format!("**Started** [pipeline 7]({page} \"title\") and [again]({page}/builds)"),
            format!("<{page}>"),
            format!("[![badge](https://h/badge.svg)]({page}#x)"),
            format!("See [it][1].\n\n[1]: {page}?a=b\n"),
            format!("- job\n  - {page}, {page}/failures"),
            format!("| a | b |\n|---|---|\n| {page}|[7]({page}) |"),
            "Started https://GitLab.Example.com/root/group/sub/tools/-/pipelines/7!".to_owned(),
            format!(">>>\nhttps://gitlab.example.com/root/a/b/-/pipelines/9\n>>>\n{page}"),
        ] {
            assert_eq!(read(&body), ["group/sub/tools/7"], "{body}");
        }
        let two = format!("{page}\nhttps://gitlab.example.com/root/a/b/-/pipelines/8");
        assert_eq!(read(&two), ["group/sub/tools/7", "a/b/8"]);
        let link = &pipeline_links(&two, SERVER).links[1];
        assert_eq!(link.url(SERVER), "https://gitlab.example.com/root/a/b/-/pipelines/8");
    }

    #[test]
    fn links_of_others_and_to_other_places_are_none() {
        let page = "https://gitlab.example.com/root/a/b/-/pipelines/7";
        for body in [
            format!("> {page}"),
            format!("> quoted\n{page}"),
            format!("```\n{page}\n```"),
            format!("~~~text\n{page}"),
            format!("`{page}`"),
            format!("text\n\n    {page}\n"),
            format!("<!-- {page} -->"),
            format!("<a href=\"{page}\">x</a>"),
            format!("<div>\n{page}\n</div>"),
            format!("![picture]({page})"),
            format!("[{page}](https://evil.example/)"),
            format!(">>>\n{page}\n>>>"),
            format!("- > {page}"),
            format!("x{page}"),
            // Other hosts, and tricks with users, ports, paths and encodings.
            "https://evil.example/root/a/b/-/pipelines/7".into(),
            "https://gitlab.example.com.evil.example/root/a/b/-/pipelines/7".into(),
            "https://gitlab.example.com@evil.example/root/a/b/-/pipelines/7".into(),
            "https://gitlab.example.com:443@evil.example/root/a/b/-/pipelines/7".into(),
            "https://me@gitlab.example.com/root/a/b/-/pipelines/7".into(),
            "https://gitlab.example.com:8443/root/a/b/-/pipelines/7".into(),
            "https://gitlab.example.com\\@evil.example/root/a/b/-/pipelines/7".into(),
            "https://evil.example/?https://gitlab.example.com/root/a/b/-/pipelines/7".into(),
            "https://evil.example#https://gitlab.example.com/root/a/b/-/pipelines/7".into(),
            "https://gitlab.example.com/a/b/-/pipelines/7".into(),
            "https://gitlab.example.com/root/../a/b/-/pipelines/7".into(),
            "https://gitlab.example.com/root/a/%2e%2e/b/-/pipelines/7".into(),
            "https://gitlab.example.com/root/a%2Fb/-/pipelines/7".into(),
            "https://gitlab.example.com/root/a/b/-/pipelines/%37".into(),
            "https://gitlab.example.com/root/a/b/-/pipelines/7/../8".into(),
            "https://gitlab.example.com/root/a/b/-/pipelines/+7".into(),
            "https://gitlab.example.com/root/a/b/-/pipelines/7x".into(),
            "https://gitlab.example.com/root/a/b/-/pipelines/07".into(),
            "https://gitlab.example.com/root/a/b/-/pipelines/99999999999999999999".into(),
            "https://gitlab.example.com/root/a/b/pipelines/7".into(),
            "https://gitlab.example.com/root/a/b/-/jobs/7".into(),
            "https://gitlab.example.com/root//b/-/pipelines/7".into(),
            "ftp://gitlab.example.com/root/a/b/-/pipelines/7".into(),
            "//gitlab.example.com/root/a/b/-/pipelines/7".into(),
            "[x](javascript://gitlab.example.com/root/a/b/-/pipelines/7)".into(),
        ] {
            assert_eq!(read(&body), [""; 0], "{body}");
        }
    }

    #[test]
    fn links_are_bounded() {
        let many = |count: usize| {
            let link = |id: usize| format!("{SERVER}/a/b/-/pipelines/{id}\n");
            pipeline_links(&(1..=count).map(link).collect::<String>(), SERVER)
        };
        assert_eq!((many(50).links.len(), many(50).is_cut), (50, false));
        assert_eq!((many(51).links.len(), many(51).is_cut), (50, true));
        assert!(pipeline_links(&"> ".repeat(1 << 20), SERVER).is_cut);
        // An unclosed fence is none, so that nobody's text hides the rest.
        assert_eq!(read(&format!(">>>\n\n{SERVER}/a/b/-/pipelines/1")), ["a/b/1"]);
    }

    proptest! {
        #[test]
        fn links_are_of_the_server_and_read_again(body in "(https://gitlab\\.example\\.com/root|/a/b|/-/pipelines/|[0-9]{1,3}|[ \n>`()\\[\\]<@%.]|\\PC){0,40}") {
            for link in pipeline_links(&body, SERVER).links {
                prop_assert_eq!(read(&link.url(SERVER)), [format!("{}/{}", link.project, link.id)]);
            }
        }
    }
}
