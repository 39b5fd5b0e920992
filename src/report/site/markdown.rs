//! Markdown of a README as HTML in which nothing acts: raw HTML is reduced to its text, images are links, and links
//! lead to web addresses or to headings of the same text.

use std::collections::{HashMap, HashSet};

use pulldown_cmark::{
    CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeStream, html,
};

use crate::base::template::html::{Markup, TextCleaner};

/// Level of the heading above the text.
const ABOVE: usize = 2;
/// Beginning of the IDs of headings, which keeps them apart from those of the page.
const ID: &str = "readme-";
/// Maximum depth of quotes and lists; what is deeper is not nested further.
const DEEPEST: usize = 32;

/// Turns Markdown into HTML. `resolve` returns the address of a link that is not to a heading, if it may be one.
pub(super) fn rendered(
    text: &str,
    cleaner: &TextCleaner,
    resolve: &dyn Fn(&str) -> Option<String>,
) -> Markup {
    let text = cleaner.clean(text);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    // A reference to a character cuts a text, and a secret in it would not be found.
    let events: Vec<Event<'_>> = TextMergeStream::new(Parser::new_ext(&text, options)).collect();
    let headings = Headings::new(&events);
    let mut page = SafeMarkdown::new(headings, cleaner, resolve);
    for event in events {
        page.take(event);
    }
    let mut made = String::with_capacity(text.len() * 2);
    html::push_html(&mut made, page.out.into_iter());
    Markup(made)
}

/// IDs and levels of the headings, in their order.
#[derive(Default)]
struct Headings {
    all: std::collections::VecDeque<(String, HeadingLevel)>,
    /// IDs by the fragments that lead to them.
    ids: HashSet<String>,
}

impl Headings {
    fn new(events: &[Event<'_>]) -> Self {
        let mut headings = Self::default();
        let mut levels: Vec<HeadingLevel> = Vec::new();
        let mut counts: HashMap<String, usize> = HashMap::new();
        let mut open: Option<(HeadingLevel, String)> = None;
        for event in events {
            match event {
                Event::Start(Tag::Heading { level, .. }) => open = Some((*level, String::new())),
                Event::Text(text) | Event::Code(text) => {
                    if let Some((_, name)) = &mut open {
                        name.push_str(text);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let Some((level, name)) = open.take() else { continue };
                    // No level is left out, whatever the text has.
                    while levels.last().is_some_and(|last| *last >= level) {
                        levels.pop();
                    }
                    levels.push(level);
                    let depth =
                        HeadingLevel::try_from((ABOVE + levels.len()).min(6)).unwrap_or(HeadingLevel::H6);
                    let fragment = fragment(&name);
                    let count = counts.entry(fragment.clone()).or_default();
                    *count += 1;
                    let mut id = if *count == 1 { fragment } else { format!("{fragment}-{}", *count - 1) };
                    while !headings.ids.insert(id.clone()) {
                        id.push('-');
                    }
                    headings.all.push_back((id, depth));
                }
                _ => {}
            }
        }
        headings
    }
}

/// Returns the fragment of a heading, as the servers of repositories make it.
fn fragment(name: &str) -> String {
    let kept = name.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Returns the fragment that leads to a heading on the page of another text; `None` for one that no heading has.
pub(super) fn heading_fragment(name: &str) -> Option<String> {
    let is_plain = !name.is_empty() && fragment(name) == name.to_lowercase();
    is_plain.then(|| format!("#{ID}{}", name.to_lowercase()))
}

/// A text that is being turned into events without effects.
struct SafeMarkdown<'t, 'r> {
    headings: Headings,
    cleaner: &'r TextCleaner,
    resolve: &'r dyn Fn(&str) -> Option<String>,
    out: Vec<Event<'t>>,
    /// Whether each open link and image is written as a link.
    links: Vec<bool>,
    /// Containers that are open, and those of them that are not written.
    depth: usize,
    /// Raw HTML whose end has not come: a tag or a comment that a line cuts.
    raw: String,
    is_raw: bool,
    heading: Option<HeadingLevel>,
}

impl<'t, 'r> SafeMarkdown<'t, 'r> {
    fn new(
        headings: Headings,
        cleaner: &'r TextCleaner,
        resolve: &'r dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let (out, links, raw) = (Vec::new(), Vec::new(), String::new());
        Self { headings, cleaner, resolve, out, links, depth: 0, raw, is_raw: false, heading: None }
    }

    /// Returns a text clean once more: references to characters were read since.
    fn clean(&self, text: CowStr<'t>) -> CowStr<'t> {
        let clean = self.cleaner.clean(&text);
        if clean == *text { text } else { clean.into() }
    }

    fn markup(&mut self, markup: &'static str) {
        self.out.push(Event::Html(CowStr::Borrowed(markup)));
    }

    fn take(&mut self, event: Event<'t>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Html(text) if self.is_raw => self.raw.push_str(&text),
            // Only a line break has a meaning without markup.
            Event::InlineHtml(text) => {
                let name = text.trim_start_matches('<').trim_start_matches('/').to_ascii_lowercase();
                if name.starts_with("br") {
                    self.out.push(Event::HardBreak);
                }
            }
            Event::Html(_) | Event::InlineMath(_) | Event::DisplayMath(_) | Event::FootnoteReference(_) => {}
            Event::TaskListMarker(is_done) => {
                self.out.push(Event::Text(if is_done { "☑ " } else { "☐ " }.into()));
            }
            Event::Text(text) => {
                let text = self.clean(text);
                self.out.push(Event::Text(text));
            }
            Event::Code(text) => {
                let text = self.clean(text);
                self.out.push(Event::Code(text));
            }
            event @ (Event::SoftBreak | Event::HardBreak | Event::Rule) => {
                self.out.push(event);
            }
        }
    }

    fn start(&mut self, tag: Tag<'t>) {
        match tag {
            Tag::HtmlBlock => self.is_raw = true,
            Tag::Heading { level, .. } => {
                let (id, level) = self.headings.all.pop_front().unwrap_or_else(|| (String::new(), level));
                let tag = Tag::Heading {
                    level,
                    id: Some(format!("{ID}{id}").into()),
                    classes: Vec::new(),
                    attrs: Vec::new(),
                };
                self.heading = Some(level);
                self.out.push(Event::Start(tag));
            }
            Tag::Link { dest_url, .. } => self.open_link(&dest_url),
            Tag::Image { dest_url, .. } => {
                self.open_link(&dest_url);
                if self.links.last() == Some(&true) {
                    self.out.push(Event::Text("image: ".into()));
                }
            }
            Tag::Table(columns) => {
                self.markup("<div class=\"scroll\" role=\"region\" aria-label=\"Table\" tabindex=\"0\">");
                // An alignment would be a style, which the policy of the page refuses.
                self.out.push(Event::Start(Tag::Table(vec![pulldown_cmark::Alignment::None; columns.len()])));
            }
            Tag::CodeBlock(_) => {
                self.markup("<div class=\"scroll code\" role=\"region\" aria-label=\"Code\" tabindex=\"0\">");
                self.out.push(Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)));
            }
            Tag::BlockQuote(_) => self.container(Event::Start(Tag::BlockQuote(None)), true),
            Tag::List(first) => self.container(Event::Start(Tag::List(first)), true),
            Tag::Item => self.container(Event::Start(Tag::Item), true),
            tag @ (Tag::Paragraph
            | Tag::TableHead
            | Tag::TableRow
            | Tag::TableCell
            | Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough) => self.out.push(Event::Start(tag)),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::HtmlBlock => {
                self.is_raw = false;
                let text = self.cleaner.clean(&text_of(&std::mem::take(&mut self.raw)));
                if !text.is_empty() {
                    self.out.push(Event::Start(Tag::Paragraph));
                    self.out.push(Event::Text(text.into()));
                    self.out.push(Event::End(TagEnd::Paragraph));
                }
            }
            TagEnd::Heading(level) => {
                let level = self.heading.take().unwrap_or(level);
                self.out.push(Event::End(TagEnd::Heading(level)));
            }
            TagEnd::Link | TagEnd::Image => {
                let is_link = self.links.pop() == Some(true);
                self.out.extend(is_link.then_some(Event::End(TagEnd::Link)));
            }
            TagEnd::Table | TagEnd::CodeBlock => {
                self.out.push(Event::End(tag));
                self.markup("</div>\n");
            }
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item => self.container(Event::End(tag), false),
            TagEnd::Paragraph
            | TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::TableCell
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough => self.out.push(Event::End(tag)),
            _ => {}
        }
    }

    /// Writes the begin or the end of a container, unless it is too deep.
    fn container(&mut self, event: Event<'t>, is_start: bool) {
        if is_start {
            self.depth += 1;
        }
        if self.depth <= DEEPEST {
            self.out.push(event);
        }
        if !is_start {
            self.depth -= 1;
        }
    }

    /// Begins a link, or what has its place: a link within a link, or one that may lead nowhere, is its text.
    fn open_link(&mut self, target: &str) {
        let address = match target.strip_prefix('#') {
            Some(fragment) => {
                let id = fragment.to_lowercase();
                self.headings.ids.contains(&id).then(|| format!("#{ID}{id}"))
            }
            None => (self.resolve)(target),
        };
        let address = address.filter(|_| !self.links.contains(&true));
        self.links.push(address.is_some());
        if let Some(address) = address {
            self.out.push(Event::Start(Tag::Link {
                link_type: pulldown_cmark::LinkType::Inline,
                dest_url: address.into(),
                title: "".into(),
                id: "".into(),
            }));
        }
    }
}

/// Returns the text of raw HTML: without comments and tags, and with the characters that references stand for.
fn text_of(raw: &str) -> String {
    let mut text = String::new();
    let mut rest = raw;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        let tag = &rest[at..];
        let (end, skipped) = if tag.starts_with("<!--") { ("-->", 3) } else { (">", 1) };
        rest = tag.find(end).map_or("", |found| &tag[found + skipped..]);
        text.push(' ');
    }
    text.push_str(rest);
    let words: Vec<&str> = text.split_whitespace().collect();
    html_escape::decode_html_entities(&words.join(" ")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn html_of(text: &str) -> String {
        let cleaner = TextCleaner::new(Arc::new(|text| text.replace("hunter2", "***")));
        let resolve = |target: &str| target.starts_with("https://").then(|| target.to_owned());
        rendered(text, &cleaner, &resolve).0
    }

    #[test]
    fn readme_keeps_its_structure() {
        let text = "# Tool\n\nIt *runs* `x`. See [usage](#usage-now), [site](https://x.example/?a=1&b).\n\n#### Usage now\n\
                    \n- [x] one\n\n| a | b |\n|:-:|--:|\n| 1 | 2 |\n\n```sh\nrun <x>\n```\n\n# Tool\n";
        insta::assert_snapshot!(html_of(text), @r##"
        <h3 id="readme-tool">Tool</h3>
        <p>It <em>runs</em> <code>x</code>. See <a href="#readme-usage-now">usage</a>, <a href="https://x.example/?a=1&amp;b">site</a>.</p>
        <h4 id="readme-usage-now">Usage now</h4>
        <ul>
        <li>☑ one</li>
        </ul>
        <div class="scroll" role="region" aria-label="Table" tabindex="0"><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>
        <tr><td>1</td><td>2</td></tr>
        </tbody></table>
        </div>
        <div class="scroll code" role="region" aria-label="Code" tabindex="0">
        <pre><code>run &lt;x&gt;
        </code></pre>
        </div>
        <h3 id="readme-tool-1">Tool</h3>
        "##);
    }

    #[test]
    fn readme_cannot_act() {
        for (text, expected) in [
            ("<script>alert(1)</script>\n", "<p>alert(1)</p>\n"),
            ("a <b onclick=x>b</b> c<br>d", "<p>a b c<br />\nd</p>\n"),
            ("<!-- secret\nremark -->\n", ""),
            ("<p align=center>\n<img src=https://x>\n&lt;Tool&gt;\n</p>\n", "<p>&lt;Tool&gt;</p>\n"),
            ("[x](javascript:alert)", "<p>x</p>\n"),
            ("[x](other.md \"title\")", "<p>x</p>\n"),
            ("[x](#none)", "<p>x</p>\n"),
            ("![logo](https://x/i.png)", "<p><a href=\"https://x/i.png\">image: logo</a></p>\n"),
            ("[![logo](https://x/i.png)](https://x)", "<p><a href=\"https://x\">logo</a></p>\n"),
            ("<https://x.example>", "<p><a href=\"https://x.example\">https://x.example</a></p>\n"),
            ("a\u{202e}b hunter2", "<p>a&lt;U+202E&gt;b ***</p>\n"),
            ("&#x202e; &#104;unter2 `&#x202e;`", "<p>&lt;U+202E&gt; *** <code>&amp;#x202e;</code></p>\n"),
            ("<div", "<p></p>\n"),
        ] {
            let found = html_of(text);
            assert!(found == expected || (text == "<div" && !found.contains("<div")), "{text}: {found}");
        }
    }

    #[test]
    fn readme_takes_deep_and_long_input() {
        for text in [
            ">".repeat(50_000),
            "- ".repeat(20_000),
            "[".repeat(50_000),
            "*a ".repeat(50_000),
            "<".repeat(100_000),
        ] {
            let made = html_of(&text);
            assert!(made.matches("<blockquote>").count() <= DEEPEST, "{}", made.len());
            assert_eq!(made.matches("<ul>").count(), made.matches("</ul>").count());
        }
    }

    proptest! {
        #[test]
        fn readme_has_only_known_markup(text in "([a-z#\\[\\]()!<>/=\"'&;:.*_`~|\\-\n \u{202e}\u{7}]|<script>|<img src=x onerror=y>|javascript:|https://|style=|&#x202e;|&#7;){0,60}") {
            let made = html_of(&text);
            prop_assert!(!made.contains(|c: char| crate::base::text::is_invisible(c) || (c.is_control() && c != '\n')));
            for tag in made.split('<').skip(1) {
                let tag = tag.split('>').next().unwrap_or_default();
                let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
                let known = ["p", "a", "h3", "h4", "h5", "h6", "ul", "ol", "li", "em", "strong", "del", "code", "pre", "br", "hr",
                    "blockquote", "table", "thead", "tbody", "tr", "th", "td", "div"];
                prop_assert!(known.contains(&name), "{tag} in {made}");
                let plain = ["style=", "onerror=", "onclick=", "src="].iter().all(|word| {
                    // Only as a part of an address or of an ID.
                    !tag.contains(&format!(" {word}"))
                });
                prop_assert!(plain, "{tag} in {made}");
                if let Some(href) = tag.strip_prefix("a href=\"") {
                    prop_assert!(href.starts_with("https://") || href.starts_with("#readme-"), "{tag}");
                }
            }
        }
    }
}
