//! Format of a log: records, each with its stream. A record is one byte for the stream, then output, then a newline.
//! The newline is part of the output, unless the record ends within a line. So a reader can begin after any newline.
//!
//! Encoding allocates nothing, since it is also called after a fork.

use bytes::{Bytes, BytesMut};

use crate::model::event::Stream;

/// Returns the first byte of a record.
fn tag(stream: Stream, ends_line: bool) -> u8 {
    match (stream, ends_line) {
        (Stream::Stdout, true) => b'o',
        (Stream::Stdout, false) => b'O',
        (Stream::Stderr, true) => b'e',
        (Stream::Stderr, false) => b'E',
    }
}

/// Returns whether a record that begins with this byte ends a line.
pub(super) fn ends_line(tag: u8) -> bool {
    tag.is_ascii_lowercase()
}

/// Returns the stream of a record that begins with this byte.
fn stream_of(tag: u8) -> Stream {
    if tag.eq_ignore_ascii_case(&b'e') { Stream::Stderr } else { Stream::Stdout }
}

/// Passes the records of a piece of output to `write`.
pub(super) fn encode(stream: Stream, output: &[u8], mut write: impl FnMut(&[u8])) {
    let mut rest = output;
    while let Some(newline) = memchr::memchr(b'\n', rest) {
        let (line, after) = rest.split_at(newline + 1);
        write(&[tag(stream, true)]);
        write(line);
        rest = after;
    }
    if !rest.is_empty() {
        write(&[tag(stream, false)]);
        write(rest);
        write(b"\n");
    }
}

/// Maximum bytes of the records of so many bytes of output.
pub(super) const fn encoded_size(output: usize) -> usize {
    2 * output + 2
}

/// Decoder of records, cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// First byte of the current record, if that has begun.
    tag: Option<u8>,
}

impl Decoder {
    /// Ends a record whose rest is lost, and returns what ends its line.
    pub(super) fn cut(&mut self) -> Option<(Stream, Bytes)> {
        self.tag.take().map(|tag| (stream_of(tag), Bytes::from_static(b"\n")))
    }

    /// Decodes bytes of a log into pieces of output.
    pub(super) fn decode(&mut self, mut bytes: &[u8]) -> Vec<(Stream, Bytes)> {
        let mut pieces: Vec<(Stream, BytesMut)> = Vec::new();
        while let Some(first) = bytes.first() {
            let Some(tag) = self.tag else {
                self.tag = Some(*first);
                bytes = &bytes[1..];
                continue;
            };
            let newline = memchr::memchr(b'\n', bytes);
            let (record, rest) = bytes.split_at(newline.map_or(bytes.len(), |newline| newline + 1));
            let is_output = newline.is_none() || ends_line(tag);
            let output = if is_output { record } else { &record[..record.len() - 1] };
            let stream = stream_of(tag);
            match pieces.last_mut() {
                Some((last, piece)) if *last == stream => piece.extend_from_slice(output),
                _ => pieces.push((stream, BytesMut::from(output))),
            }
            if newline.is_some() {
                self.tag = None;
            }
            bytes = rest;
        }
        let pieces = pieces.into_iter().filter(|(_, piece)| !piece.is_empty());
        pieces.map(|(stream, piece)| (stream, piece.freeze())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_keep_bytes_and_streams_wherever_they_are_cut() {
        let pieces: [(Stream, &[u8]); 6] = [
            (Stream::Stdout, b"one\n\ntwo"),
            (Stream::Stderr, b"\noops \xff\0"),
            (Stream::Stdout, b" continues\n"),
            (Stream::Stderr, b""),
            (Stream::Stderr, b"E\ne"),
            (Stream::Stdout, b"no end"),
        ];
        let mut log = Vec::new();
        for (stream, piece) in pieces {
            let before = log.len();
            encode(stream, piece, |bytes| log.extend_from_slice(bytes));
            assert!(log.len() - before <= encoded_size(piece.len()));
        }
        let of = |all: &[(Stream, Vec<u8>)], which| -> Vec<u8> {
            all.iter().filter(|(stream, _)| *stream == which).flat_map(|(_, piece)| piece.clone()).collect()
        };
        let wanted = pieces.map(|(stream, piece)| (stream, piece.to_vec()));
        for size in 1..=log.len() {
            let mut decoder = Decoder::default();
            let got: Vec<(Stream, Vec<u8>)> = log
                .chunks(size)
                .flat_map(|bytes| decoder.decode(bytes))
                .map(|(stream, piece)| (stream, piece.to_vec()))
                .collect();
            for stream in [Stream::Stdout, Stream::Stderr] {
                assert_eq!(of(&got, stream), of(&wanted, stream), "in pieces of {size}");
            }
        }
    }
}
