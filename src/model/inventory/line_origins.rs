//! Origins of the lines of a text that is made of several files. What a text means, and which line matters, is in
//! `source_map`.

use crate::base::packed::{PackedReader, PackedWriter};
use crate::base::yaml::Position;
use crate::base::yaml::tree::Location;

/// Bytes of one line in the cache: layer, number of the file, line, column.
const STORED: usize = 4 * 4;

/// Layer and place of each line.
#[derive(Debug)]
pub(super) enum LineOrigins {
    /// Lines of a merge.
    Read(Vec<(u16, Location)>),
    /// Lines from the cache of inventories, which are read one at a time: few are ever named.
    Stored {
        /// Names of the files.
        files: Vec<&'static str>,
        /// Lines in the form of [`LineOrigins::store`].
        lines: &'static [u8],
    },
}

impl LineOrigins {
    /// Returns the layer, the file and the position of a line, counted from 0.
    pub(super) fn get(&self, line: usize) -> Option<(u16, &str, Position)> {
        match self {
            Self::Read(lines) => {
                let (layer, spot) = lines.get(line)?;
                Some((*layer, &spot.file, spot.position))
            }
            Self::Stored { files, lines } => {
                let (records, _) = lines.as_chunks::<STORED>();
                let (numbers, _) = records.get(line)?.as_chunks::<4>();
                let [layer, file, line, column] = *numbers
                    .iter()
                    .map(|number| u32::from_le_bytes(*number))
                    .collect::<Vec<_>>()
                    .as_chunks()
                    .0
                    .first()?;
                let position = Position { line: line as usize, column: column as usize };
                Some((u16::try_from(layer).ok()?, files.get(file as usize)?, position))
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Read(lines) => lines.len(),
            Self::Stored { lines, .. } => lines.len() / STORED,
        }
    }

    pub(super) fn store(&self, writer: &mut PackedWriter) {
        let mut files: Vec<&str> = Vec::new();
        let lines: Vec<(u16, usize, Position)> = (0..self.len())
            .filter_map(|line| self.get(line))
            .map(|(layer, file, position)| {
                // An entry comes from a few files.
                let number = files.iter().position(|known| *known == file).unwrap_or(files.len());
                if number == files.len() {
                    files.push(file);
                }
                (layer, number, position)
            })
            .collect();
        writer.short(files.len());
        files.iter().for_each(|file| writer.text(file));
        writer.short(lines.len());
        for (layer, file, position) in lines {
            [layer.into(), file, position.line, position.column]
                .into_iter()
                .for_each(|number| writer.short(number));
        }
    }

    pub(super) fn stored(reader: &mut PackedReader<'static>) -> Option<Self> {
        let count = reader.count(4)?;
        let files = (0..count).map(|_| reader.text()).collect::<Option<Vec<_>>>()?;
        let count = reader.count(STORED)?;
        Some(Self::Stored { files, lines: reader.raw(count * STORED)? })
    }
}
