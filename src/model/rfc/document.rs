//! The text of a request for comments: front matter, title, sections and links, with their positions. The rules about
//! them are in `check`.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::process::RfcProcess;
use crate::base::yaml::Position;
use crate::base::yaml::tree::{self, Node};
use crate::model::merge_request::MergeRequestName;

/// Line around the front matter.
const FENCE: &str = "---";
/// Maximum bytes of the front matter.
const LONGEST_FRONT_MATTER: usize = 64 << 10;

/// A text with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextAt {
    /// The text.
    pub text: String,
    /// Its position.
    pub position: Position,
}

/// A section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RfcSection {
    /// Heading, without a number.
    pub name: String,
    /// Position of the heading.
    pub position: Position,
    /// It has no text below its heading.
    pub is_empty: bool,
}

/// A link or an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RfcLink {
    /// Address or path.
    pub target: String,
    /// Position of the link.
    pub position: Position,
}

/// A request for comments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RfcDocument {
    /// Title, without its ID.
    pub title: Option<TextAt>,
    /// Number in the title.
    pub number: Option<u32>,
    /// Description, on one line.
    pub description: Option<String>,
    /// Author.
    pub author: Option<String>,
    /// Merge request in which it was discussed.
    pub merge_request: Option<TextAt>,
    /// Status that its front matter names.
    pub status: Option<String>,
    /// Sections.
    pub sections: Vec<RfcSection>,
    /// Links and images.
    pub links: Vec<RfcLink>,
    /// Fault of the front matter.
    pub fault: Option<TextAt>,
    /// Markdown, without the front matter.
    pub body: String,
}

impl RfcDocument {
    /// Reads a document, whatever it holds.
    #[must_use]
    pub fn parse(text: &str, process: &RfcProcess) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        let mut document = Self::default();
        let (front, body_at) = front_matter(text);
        if let Some(front) = front {
            document.read_front_matter(&text[front], process);
        }
        let body = &text[body_at..];
        document.body = body.to_owned();
        let places = Lines::new(body, text[..body_at].matches('\n').count());
        document.read_body(body, &places, process);
        document
    }

    fn read_front_matter(&mut self, front: &str, process: &RfcProcess) {
        // The fence is the line before it.
        let below = |position: Position| Position { line: position.line + 1, ..position };
        let documents = match tree::documents("", front) {
            Ok(documents) => documents,
            Err(error) => {
                let position = below(error.position.unwrap_or(Position { line: 1, column: 1 }));
                self.fault = Some(TextAt { text: error.message, position });
                return;
            }
        };
        let Some(head) = documents.first() else { return };
        let text = |key: &str| head.get(key).and_then(words).map(|text| one_line(&text));
        if let Some(title) = head.get("title").and_then(Node::text).map(one_line) {
            let position =
                below(head.get("title").map_or(Position { line: 1, column: 1 }, |node| node.spot.position));
            self.take_title(&title, position, process);
        }
        self.description = text("description");
        self.author = text(&process.author_key);
        self.status = text(&process.status_key);
        self.merge_request = head.get(&process.merge_request_key).and_then(|node| {
            let text = one_line(node.text()?);
            (!text.is_empty()).then(|| TextAt { text, position: below(node.spot.position) })
        });
    }

    fn take_title(&mut self, title: &str, position: Position, process: &RfcProcess) {
        let (number, rest) = process.split_title(title);
        self.number = number;
        self.title = (!rest.is_empty()).then(|| TextAt { text: rest.to_owned(), position });
    }

    fn read_body(&mut self, body: &str, places: &Lines, process: &RfcProcess) {
        let mut headings = HeadingList::read(body, places, &mut self.links);
        if let Some(first) = headings.all.first().filter(|first| first.level == HeadingLevel::H1) {
            let (number, rest) = process.split_title(&first.name);
            let same = self.title.as_ref().is_some_and(|title| title.text == rest);
            let is_alone = headings.all.iter().skip(1).all(|one| one.level > HeadingLevel::H1);
            if self.title.is_none() && (number.is_some() || is_alone) {
                let first = headings.all.remove(0);
                self.take_title(&first.name, places.position(first.at), process);
            } else if same || (number.is_some() && number == self.number) {
                headings.all.remove(0);
            }
        }
        let level = headings.all.iter().map(|one| one.level).min();
        let tops: Vec<usize> =
            (0..headings.all.len()).filter(|at| Some(headings.all[*at].level) == level).collect();
        for (index, &top) in tops.iter().enumerate() {
            let below = tops.get(index + 1).copied().unwrap_or(headings.all.len());
            let one = &headings.all[top];
            self.sections.push(RfcSection {
                name: without_number(&one.name).to_owned(),
                position: places.position(one.at),
                is_empty: headings.all[top..below].iter().all(|one| !one.has_text),
            });
        }
        let header = &body[..tops.first().map_or(body.len(), |top| headings.all[*top].at)];
        self.read_header(header, places);
    }

    /// Reads the line with author and merge request, as in `NAME - group/project!49`, if the front matter has none.
    fn read_header(&mut self, header: &str, places: &Lines) {
        let mut at = 0;
        for line in header.split_inclusive('\n') {
            let found = line.split_whitespace().find_map(|word| {
                let word = word.trim_matches(|c: char| !c.is_alphanumeric());
                let name = MergeRequestName::parse(word).ok()?;
                name.project.is_some().then_some(word)
            });
            if let Some(word) = found {
                let start = line.find(word).unwrap_or(0);
                let author = line[..start].split(" - ").next().unwrap_or_default();
                let author = author.trim().trim_matches(|c: char| "*_>-[(".contains(c) || c.is_whitespace());
                if self.author.is_none() && !author.is_empty() && line[..start].contains(" - ") {
                    self.author = Some(one_line(author));
                }
                if self.merge_request.is_none() {
                    let position = places.position(at + start);
                    self.merge_request = Some(TextAt { text: word.to_owned(), position });
                }
                return;
            }
            at += line.len();
        }
    }
}

/// Returns the text of the front matter, and the beginning of the rest.
fn front_matter(text: &str) -> (Option<Range<usize>>, usize) {
    let first = text.split_inclusive('\n').next().unwrap_or_default();
    if first.trim_end() != FENCE {
        return (None, 0);
    }
    let mut at = first.len();
    for line in text[first.len()..].split_inclusive('\n') {
        if line.trim_end() == FENCE {
            return (Some(first.len()..at), at + line.len());
        }
        at += line.len();
        if at > LONGEST_FRONT_MATTER {
            break;
        }
    }
    (None, 0)
}

/// Returns the text of a scalar, or the texts of a list with commas.
fn words(node: &Node) -> Option<String> {
    let named = |node: &Node| node.text().or_else(|| node.text_of("name")).map(str::to_owned);
    let items: Vec<String> = node.items().iter().filter_map(named).collect();
    let text = if items.is_empty() { named(node)? } else { items.join(", ") };
    (!text.trim().is_empty()).then_some(text)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns a heading without a number before it: `1 Abstract`, `2. Motivation`.
fn without_number(name: &str) -> &str {
    let rest = name.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if rest.len() < name.len() && rest.starts_with(' ') { rest.trim_start() } else { name }
}

/// Lines of a text, to tell positions.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
    /// Lines before the text.
    before: usize,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str, before: usize) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts, before }
    }

    fn position(&self, at: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        let column = self.text[self.starts[line - 1]..at].chars().count() + 1;
        Position { line: self.before + line, column }
    }
}

/// A heading.
struct Heading {
    level: HeadingLevel,
    name: String,
    at: usize,
    /// Text follows before the next heading.
    has_text: bool,
}

/// HeadingList of a text.
#[derive(Default)]
struct HeadingList {
    all: Vec<Heading>,
}

impl HeadingList {
    /// Reads the headings, and collects the links on the way.
    fn read(body: &str, places: &Lines<'_>, links: &mut Vec<RfcLink>) -> Self {
        let mut headings = Self::default();
        let mut is_heading = false;
        for (event, range) in Parser::new_ext(body, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    is_heading = true;
                    let (name, at) = (String::new(), range.start);
                    headings.all.push(Heading { level, name, at, has_text: false });
                }
                Event::End(TagEnd::Heading(_)) => is_heading = false,
                Event::Text(text) | Event::Code(text) if is_heading => {
                    headings.all.last_mut().into_iter().for_each(|one| one.name.push_str(&text));
                }
                Event::Text(text) | Event::Code(text) if !text.trim().is_empty() => {
                    headings.all.last_mut().into_iter().for_each(|one| one.has_text = true);
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    headings.all.last_mut().into_iter().for_each(|one| one.has_text |= !is_heading);
                    links.push(RfcLink {
                        target: dest_url.into_string(),
                        position: places.position(range.start),
                    });
                }
                _ => {}
            }
        }
        headings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> RfcDocument {
        RfcDocument::parse(text, &RfcProcess::sample("rfcs"))
    }

    fn place(line: usize, column: usize) -> Position {
        Position { line, column }
    }

    #[test]
    fn document_is_read_from_front_matter_and_markdown() {
        let found = parse(
            "---\ntitle: \"CKI-001: Feedback\"\ndescription: >\n  How to\n  ask.\nauthor: [Ann, {name: Ben}]\n\
             merge_request: group/docs!49\nstatus: accepted\n---\n\n## 1 Abstract\n\nText [a](b.md).\n\n### More\n\n\
             ## 2. Motivation\n\n<!-- nothing yet -->\n\n## Approach\n\n![p](p.png)\n",
        );
        let title = found.title.as_ref().expect("has one");
        assert_eq!((title.text.as_str(), found.number), ("Feedback", Some(1)));
        assert_eq!(title.position, place(2, 8));
        assert_eq!(found.description.as_deref(), Some("How to ask."));
        assert_eq!((found.author.as_deref(), found.status.as_deref()), (Some("Ann, Ben"), Some("accepted")));
        assert_eq!(found.merge_request.as_ref().map(|one| one.text.as_str()), Some("group/docs!49"));
        let sections: Vec<_> =
            found.sections.iter().map(|one| (one.name.as_str(), one.position.line, one.is_empty)).collect();
        assert_eq!(sections, [("Abstract", 11, false), ("Motivation", 17, true), ("Approach", 21, false)]);
        let links: Vec<_> = found.links.iter().map(|one| (one.target.as_str(), one.position)).collect();
        assert_eq!(links, [("b.md", place(13, 6)), ("p.png", place(23, 1))]);
        assert!(found.body.starts_with("\n## 1 Abstract"));
    }

    #[test]
    fn document_is_read_from_headings_and_a_line_of_its_author() {
        let found = parse(
            "# CKI-001: Feedback\n\nAbout it.\n\nMichael Hofmann - group/documentation!49\n\n## Abstract\n\nText\n",
        );
        assert_eq!(found.title.as_ref().map(|one| one.text.as_str()), Some("Feedback"));
        assert_eq!((found.number, found.author.as_deref()), (Some(1), Some("Michael Hofmann")));
        let merge_request = found.merge_request.expect("has one");
        assert_eq!(
            (merge_request.text.as_str(), merge_request.position),
            ("group/documentation!49", place(5, 19))
        );
        assert_eq!(found.sections.len(), 1);
        // Sections of the first level, below a title in the front matter.
        let found = parse("---\ntitle: x\n---\n# Abstract\n\n# Motivation\n");
        assert_eq!(found.sections.len(), 2);
        assert_eq!((found.number, found.author, found.merge_request), (None, None, None));
    }

    #[test]
    fn document_with_faults_is_read_as_far_as_possible() {
        let found = parse("---\ntitle: [\n---\n\n## Abstract\n");
        assert!(found.fault.is_some_and(|fault| fault.position.line >= 2) && found.sections.len() == 1);
        let open = parse("---\ntitle: x\n\n## Abstract\n");
        assert!(open.fault.is_none() && open.title.is_none());
        assert_eq!(parse(""), RfcDocument::default());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(?s)(---\n)?([a-z]+: .{0,20}\n)?(---\r?\n)?([#*\\[(!<>-]{0,3} ?.{0,30}\n){0,9}") {
            let found = parse(&text);
            let lines = text.matches('\n').count() + 1;
            let places = found.sections.iter().map(|one| one.position).chain(found.links.iter().map(|one| one.position));
            for position in places {
                prop_assert!((1..=lines).contains(&position.line) && position.column >= 1);
            }
        }
    }
}
