//! Positions of an inventory's parts in its files. Entries of one file share its text, and a position is
//! searched on demand, from the start of its entry. The text of a merged entry is made of several files, and each of
//! its lines knows its origin.

use std::borrow::Cow;
use std::sync::Arc;

use super::line_origins::LineOrigins;
use crate::base::packed::{PackedReader, PackedWriter};
use crate::base::yaml::flat::FlatText;
use crate::base::yaml::tree::Location;
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
    file: Cow<'static, str>,
    text: Cow<'static, str>,
    places: Places,
    /// Layer of the inventory.
    layer: u16,
    /// Origin of each line, if the text is made of several files.
    lines: Option<LineOrigins>,
}

impl SourceMap {
    /// Returns the location of a whole file.
    pub(super) fn new(file: String, text: Cow<'static, str>) -> Self {
        Self::in_layer(0, file, text)
    }

    /// Returns the location of a whole file of a layer.
    pub(super) fn in_layer(layer: u16, file: String, text: Cow<'static, str>) -> Self {
        Self::of(layer, file.into(), text, None)
    }

    fn of(layer: u16, file: Cow<'static, str>, text: Cow<'static, str>, lines: Option<LineOrigins>) -> Self {
        let places = Places::new("components");
        Self { source: Arc::new(SourceText { file, text, places, layer, lines }), entry: None }
    }

    /// Returns the location of a document that is made of several files. `layers` are those of its lines.
    pub(super) fn merged(flat: FlatText, layers: Vec<u16>) -> Self {
        let lines: Vec<(u16, Location)> = layers.into_iter().zip(flat.lines).collect();
        // The uppermost layer is where a user would change it.
        let upper = lines.iter().max_by_key(|(layer, _)| *layer);
        let file = upper.map(|(_, spot)| spot.file.to_string()).unwrap_or_default();
        let layer = upper.map_or(0, |(layer, _)| *layer);
        Self::of(layer, file.into(), flat.text.into(), Some(LineOrigins::Read(lines)))
    }

    /// Returns the location of one entry in the file's list of components.
    pub(super) fn entry(&self, number: usize) -> Self {
        Self { source: Arc::clone(&self.source), entry: u32::try_from(number).ok() }
    }

    /// Returns the name of the file; of several, that in the uppermost layer.
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

    /// Returns a number for the text, which no other text of the inventory has.
    pub(super) fn text_id(&self) -> usize {
        Arc::as_ptr(&self.source).addr()
    }

    /// Returns the index of the entry in its file's list that holds a path; `None` for a part of the head, or of an
    /// entry that has a file of its own.
    #[must_use]
    pub fn entry_of(&self, path: &str) -> Option<u32> {
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

    /// Returns the layer, the file and the position in it of a position in the text.
    pub(super) fn origin_of_line(&self, at: Position) -> (u16, &str, Position) {
        let origin = self.source.lines.as_ref().and_then(|lines| lines.get(at.line.checked_sub(1)?));
        origin.unwrap_or((self.source.layer, &self.source.file, at))
    }

    /// Returns the file and the position of a path from the top of the file.
    pub(super) fn location_of(&self, path: &str) -> Option<(&str, Position)> {
        let at = self.source.places.position(self.text(), path);
        // The text that is made of several files has no entry at its top.
        let at = at.or_else(|| {
            let is_top = path.is_empty() && self.source.lines.is_some();
            is_top.then_some(Position { line: 1, column: 1 })
        })?;
        let (_, file, position) = self.origin_of_line(at);
        Some((file, position))
    }

    /// Returns the file and the position of a part, such as `environment.2.name`, or of the entry for an empty part.
    pub(super) fn location(&self, part: &str) -> Option<(&str, Position)> {
        self.location_of(&self.path(part))
    }

    /// Returns `file:line` of a part.
    #[must_use]
    pub fn place(&self, part: &str) -> String {
        match self.location(part) {
            Some((file, at)) => format!("{file}:{}", at.line),
            None => self.file().to_owned(),
        }
    }

    /// Returns `file:line:column` of a faulty part.
    #[must_use]
    pub fn spot(&self, part: &str) -> String {
        match self.location(part) {
            Some((file, at)) => format!("{file}:{}:{}", at.line, at.column),
            None => self.file().to_owned(),
        }
    }

    /// Returns whether the entry is one of several in a file.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.entry.is_some()
    }

    /// Returns the index of the entry in its file; `None` if it has the file for itself.
    pub(super) fn number(&self) -> Option<u32> {
        self.entry
    }

    /// Writes the text with its origin, unless it belongs to an entry of several in a file.
    pub(super) fn store(&self, writer: &mut PackedWriter) {
        writer.short(self.source.layer.into());
        writer.text(&self.source.file);
        writer.text(&self.source.text);
        let lines = self.source.lines.as_ref();
        writer.byte(lines.is_some().into());
        lines.iter().for_each(|lines| lines.store(writer));
    }

    /// Reads a text that [`Self::store`] wrote.
    pub(super) fn stored(reader: &mut PackedReader<'static>) -> Option<Self> {
        let layer = u16::try_from(reader.short()?).ok()?;
        let (file, text) = (reader.text()?, reader.text()?);
        let lines = if reader.byte()? == 0 { None } else { Some(LineOrigins::stored(reader)?) };
        Some(Self::of(layer, file.into(), text.into(), lines))
    }

    /// Returns the file of a part.
    pub(super) fn file_of(&self, part: &str) -> &str {
        self.location(part).map_or(self.file(), |(file, _)| file)
    }
}
