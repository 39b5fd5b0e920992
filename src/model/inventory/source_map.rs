//! Positions of an inventory's parts in its files. Entries of one file share its text, and a position is
//! searched on demand, from the start of its entry.

use std::borrow::Cow;
use std::sync::Arc;

use crate::base::yaml::{Places, Position};

/// Location of an entry, from which the positions of its parts are computed.
#[derive(Debug, Clone)]
pub struct SourceMap {
    source: Arc<SourceText>,
    /// Index of the entry in its file; `None` if the whole file is the entry or the head.
    entry: Option<u32>,
}

#[derive(Debug)]
struct SourceText {
    file: String,
    text: Cow<'static, str>,
    places: Places,
}

impl SourceMap {
    /// Returns the location of a whole file.
    pub(super) fn new(file: String, text: Cow<'static, str>) -> Self {
        let places = Places::new("components");
        Self { source: Arc::new(SourceText { file, text, places }), entry: None }
    }

    /// Returns the location of one entry in the file's list of components.
    pub(super) fn entry(&self, number: usize) -> Self {
        Self { source: Arc::clone(&self.source), entry: u32::try_from(number).ok() }
    }

    /// Returns the name of the file.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.source.file
    }

    /// Returns the whole text of the file.
    pub(super) fn text(&self) -> &str {
        &self.source.text
    }

    /// Returns whether two entries are in the same file.
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
    }

    /// Returns the index of the entry in its file's list that holds a path; `None` for a part of the head, or of an
    /// entry that has a file of its own.
    pub(super) fn entry_of(&self, path: &str) -> Option<u32> {
        let number = || path.strip_prefix("components.")?.split('.').next()?.parse().ok();
        self.entry.or_else(number)
    }

    /// Returns the path of a part from the top of the file.
    pub(super) fn path(&self, part: &str) -> String {
        match (self.entry, part) {
            (None, part) => part.to_owned(),
            (Some(entry), "") => format!("components.{entry}"),
            (Some(entry), part) => format!("components.{entry}.{part}"),
        }
    }

    /// Returns the position of a part, such as `environment.2.name`, or of the entry for an empty part.
    #[must_use]
    pub fn position(&self, part: &str) -> Option<Position> {
        self.position_of(&self.path(part))
    }

    /// Returns the position of a path from the top of the file.
    pub(super) fn position_of(&self, path: &str) -> Option<Position> {
        self.source.places.position(self.text(), path)
    }

    /// Returns `file:line` of a part.
    #[must_use]
    pub fn place(&self, part: &str) -> String {
        match self.position(part) {
            Some(at) => format!("{}:{}", self.file(), at.line),
            None => self.file().to_owned(),
        }
    }

    /// Returns `file:line:column` of a faulty part.
    #[must_use]
    pub fn spot(&self, part: &str) -> String {
        match self.position(part) {
            Some(at) => format!("{}:{}:{}", self.file(), at.line, at.column),
            None => self.file().to_owned(),
        }
    }
}
