//! Positions of the nodes of a document. One walk finds the start of each entry of the document's long
//! list; the positions within an entry are computed from there, once, at the first request, so that no
//! look-up walks through the text before it. The entries of a list in brackets depend on the brackets
//! (`[:,a]`), so all positions in it are stored at once.

use std::sync::OnceLock;

use granit_parser::{Event, Parser};

use super::{Position, simple};

/// Positions in one document.
#[derive(Debug)]
pub struct Places {
    /// Key of its long list.
    list: &'static str,
    found: OnceLock<FoundPlaces>,
}

#[derive(Debug, Default)]
struct FoundPlaces {
    /// Positions of all nodes outside of the entries of a list on separate lines.
    outside: Map,
    entries: Vec<ListEntry>,
}

#[derive(Debug)]
struct ListEntry {
    /// First byte of the entry.
    start: usize,
    /// End of the entry, if it is in brackets.
    end: Option<usize>,
    at: Position,
    inside: OnceLock<Map>,
}

impl Places {
    /// Creates the positions of a document that may have a long list at a key.
    #[must_use]
    pub fn new(list: &'static str) -> Self {
        Self { list, found: OnceLock::new() }
    }

    /// Returns the position of the node at a path such as `components.3.environment.2.name`. The text must
    /// be the same at every call. `None` for the document itself, whose path is empty.
    #[must_use]
    pub fn position(&self, text: &str, path: &str) -> Option<Position> {
        if path.is_empty() {
            return None;
        }
        let found = self.found.get_or_init(|| find(text, self.list));
        let Some((number, inside)) = entry_of(path, self.list) else { return found.outside.get(path) };
        let Some(entry) = found.entries.get(number) else { return found.outside.get(path) };
        if inside.is_empty() {
            return Some(entry.at);
        }
        let next = || found.entries.get(number + 1).map_or(text.len(), |next| next.start);
        let inside_of = || inside_of(&text[..entry.end.unwrap_or_else(next)], entry);
        entry.inside.get_or_init(inside_of).get(inside)
    }
}

/// Returns the index of an entry, and the path within it.
fn entry_of<'a>(path: &'a str, list: &str) -> Option<(usize, &'a str)> {
    let rest = path.strip_prefix(list)?.strip_prefix('.')?;
    let (number, inside) = rest.split_once('.').unwrap_or((rest, ""));
    Some((number.parse().ok()?, inside))
}

/// Finds the entries, and the positions outside of them.
fn find(text: &str, list: &'static str) -> FoundPlaces {
    let Some(items) = simple::items(text, list).filter(|items| !items.starts.is_empty()) else {
        let mut walk = Walk { list: Some(list), ..Walk::default() };
        walk.through(text, (1, 0));
        return FoundPlaces { outside: Map::of(walk.outside), entries: walk.entries };
    };
    let mut line = LineCounter { text, at: 0, line: 1 };
    let entry = |(start, column, end): (usize, usize, Option<usize>)| ListEntry {
        start: start + column,
        end,
        at: Position { line: line.of(start), column: column + 1 },
        inside: OnceLock::new(),
    };
    let first = items.starts.first().map_or(0, |(start, ..)| *start);
    let entries = items.starts.into_iter().map(entry).collect();
    let end = line.of(items.end);
    // In simple YAML, the parts before and after the list are documents of their own.
    let mut walk = Walk::default();
    walk.through(&text[..first], (1, 0));
    walk.through(&text[items.end..], (end, 0));
    FoundPlaces { outside: Map::of(walk.outside), entries }
}

/// Returns the positions in an entry. The text ends with the entry, or shortly after it.
fn inside_of(text: &str, entry: &ListEntry) -> Map {
    let mut walk = Walk::default();
    let rest = &text[entry.start..];
    let line = text[..entry.start].rfind('\n').map_or(0, |end| end + 1);
    if rest.starts_with(['{', '[']) {
        walk.through(rest, (entry.at.line, entry.at.column - 1));
        return Map::of(walk.outside);
    }
    // The columns of a block's lines count, so start at its first line.
    walk.ends_after_item = text[line..entry.start].trim_start_matches(' ').starts_with('-');
    walk.through(&text[line..], (entry.at.line, 0));
    Map::of(walk.outside)
}

/// Line numbers of ascending positions.
struct LineCounter<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl LineCounter<'_> {
    fn of(&mut self, at: usize) -> usize {
        self.line += self.text.as_bytes()[self.at..at].iter().filter(|byte| **byte == b'\n').count();
        self.at = at;
        self.line
    }
}

/// Positions by path. A path is stored as its hash, since all paths together may be much longer than the
/// text; of two paths with one hash, the first position counts.
#[derive(Debug, Default)]
struct Map(Vec<(PathHash, u32, u32)>);

impl Map {
    fn of(mut found: Vec<(PathHash, u32, u32)>) -> Self {
        // Of two nodes with one path, the first counts.
        found.sort_by_key(|(path, ..)| *path);
        found.dedup_by_key(|(path, ..)| *path);
        found.shrink_to_fit();
        Self(found)
    }

    fn get(&self, path: &str) -> Option<Position> {
        let wanted = PathHash::default().text(path);
        let at = self.0.binary_search_by_key(&wanted, |(path, ..)| *path).ok()?;
        let (_, line, column) = self.0[at];
        Some(Position { line: line as usize, column: column as usize })
    }
}

/// Hash of a path (FNV-1a), which can be extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct PathHash(u64);

impl Default for PathHash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl PathHash {
    fn text(self, text: &str) -> Self {
        text.bytes().fold(self, |hash, byte| Self((hash.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
    }
}

/// Walk through the nodes of a text.
#[derive(Default)]
struct Walk {
    /// Key of the list of entries.
    list: Option<&'static str>,
    /// The walk ends after the list item at the start of the text.
    ends_after_item: bool,
    outside: Vec<(PathHash, u32, u32)>,
    entries: Vec<ListEntry>,
    /// Path of the next node, or of the open collection.
    path: PathHash,
    /// The last top-level key is that of the list, which has separate lines.
    at_list: bool,
    open: Vec<OpenCollection>,
}

/// An open collection.
struct OpenCollection {
    /// Its path; `None` for the document itself.
    path: Option<PathHash>,
    /// Index of the next item; `None` in a mapping.
    next: Option<usize>,
    /// A key was read, and its value is next.
    keyed: bool,
}

impl Walk {
    /// Walks through a text until the end of its first document, or an error. `line` and `columns` are the
    /// position of the text's start.
    fn through(&mut self, text: &str, (line, columns): (usize, usize)) {
        self.open.clear();
        // An alias may refer to an anchor in another entry.
        let options = granit_parser::options! { emit_unresolved_aliases: true };
        for event in Parser::new_from_str_with_options(text, options) {
            let Ok((event, span)) = event else { break };
            count::one();
            let (start, first) = (span.start, span.start.line() == 1);
            let column = start.col() + 1 + if first { columns } else { 0 };
            let at = Position { line: start.line() + line - 1, column };
            self.take(&event, at, start.byte_offset());
            if matches!(event, Event::SequenceStart(..)) && self.at_list && self.open.len() == 2 {
                let is_in_brackets = |at| text[at..].starts_with('[');
                self.at_list = !start.byte_offset().is_some_and(is_in_brackets);
            }
            let is_end = matches!(event, Event::MappingEnd | Event::SequenceEnd);
            if let Some(entry) =
                self.entries.last_mut().filter(|_| is_end && self.at_list && self.open.len() == 2)
                && text[entry.start..].starts_with(['{', '['])
            {
                entry.end = entry.end.or(span.end.byte_offset());
            }
            if matches!(event, Event::DocumentEnd) || self.is_done(&event) {
                break;
            }
        }
    }

    fn is_done(&self, event: &Event<'_>) -> bool {
        let is_end = matches!(event, Event::MappingEnd | Event::SequenceEnd);
        is_end && (self.open.is_empty() || (self.ends_after_item && self.open.len() == 1))
    }

    fn take(&mut self, event: &Event<'_>, at: Position, byte: Option<usize>) {
        match event {
            Event::MappingEnd | Event::SequenceEnd => {
                self.open.pop();
                return;
            }
            Event::Scalar(..)
            | Event::Alias(..)
            | Event::UnresolvedAlias(..)
            | Event::MappingStart(..)
            | Event::SequenceStart(..) => {}
            _ => return,
        }
        let depth = self.open.len();
        let is_entry = depth == 2 && self.at_list && self.open[1].next.is_some();
        match self.open.last_mut() {
            // The item is all that the walk needs.
            Some(_) if self.ends_after_item && depth == 1 => self.path = PathHash::default(),
            Some(OpenCollection { path, next: Some(next), .. }) => {
                self.path = below(*path).text(&next.to_string());
                *next += 1;
                if is_entry {
                    let start = byte.unwrap_or_default();
                    self.entries.push(ListEntry { start, end: None, at, inside: OnceLock::new() });
                } else {
                    self.found(at);
                }
            }
            Some(open) if open.keyed => open.keyed = false,
            Some(open) => {
                let key = match event {
                    Event::Scalar(text, ..) => text,
                    _ => "?",
                };
                self.path = below(open.path).text(key);
                open.keyed = true;
                if depth == 1 {
                    self.at_list = self.list == Some(key);
                }
                self.found(at);
                // A collection as a key has no path.
                if !matches!(event, Event::MappingStart(..) | Event::SequenceStart(..)) {
                    return;
                }
            }
            None => {}
        }
        let next = match event {
            Event::MappingStart(..) => None,
            Event::SequenceStart(..) => Some(0),
            _ => return,
        };
        let is_whole = depth == 0 || (self.ends_after_item && depth == 1);
        self.open.push(OpenCollection { path: (!is_whole).then_some(self.path), next, keyed: false });
    }

    fn found(&mut self, at: Position) {
        let is_list = self.open.get(1).is_some_and(|open| open.next.is_some());
        let is_in_entry = self.at_list && is_list && self.open.len() > 2;
        if !is_in_entry {
            let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            self.outside.push((self.path, short(at.line), short(at.column)));
        }
    }
}

/// Returns the prefix of the paths within a collection.
fn below(path: Option<PathHash>) -> PathHash {
    path.map_or_else(PathHash::default, |path| path.text("."))
}

/// Count of visited nodes, for tests of growth.
pub(crate) mod count {
    #[cfg(test)]
    thread_local! {
        static WALKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    /// Counts one more event of the parser, in tests only.
    #[inline]
    pub(super) fn one() {
        #[cfg(test)]
        WALKED.with(|count| count.set(count.get() + 1));
    }

    /// Counts the events that this thread visits during some work.
    #[cfg(test)]
    pub(crate) fn during<T>(work: impl FnOnce() -> T) -> (T, usize) {
        let before = WALKED.with(std::cell::Cell::get);
        let result = work();
        (result, WALKED.with(std::cell::Cell::get) - before)
    }
}
