//! Last lines of a log, and the bytes before them that a redactor needs. Reading the log is in `follow`.

use std::collections::VecDeque;

use super::output::Chunk;

/// Maximum bytes of a tail, which is held in memory.
const LONGEST_TAIL: usize = 64 << 20;

/// Last lines of a log, of both streams together.
pub(super) struct LogTail {
    lines: usize,
    /// One line a piece, or a part of one that continues in the next.
    kept: VecDeque<Chunk>,
    bytes: usize,
    /// Number of pieces that end a line.
    ended: usize,
    /// Pieces before the kept ones.
    context: VecDeque<Chunk>,
    context_bytes: usize,
    /// Minimum bytes of the context, if there are as many.
    context_limit: usize,
}

impl LogTail {
    /// Collects a number of lines, and bytes of context before them.
    pub(super) fn new(lines: usize, context_limit: usize) -> Self {
        Self {
            lines,
            kept: VecDeque::new(),
            bytes: 0,
            ended: 0,
            context: VecDeque::new(),
            context_bytes: 0,
            context_limit,
        }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, mut chunk: Chunk) {
        while !chunk.bytes.is_empty() {
            let end =
                chunk.bytes.iter().position(|byte| *byte == b'\n').map_or(chunk.bytes.len(), |at| at + 1);
            let piece = Chunk { bytes: chunk.bytes.split_to(end), ..chunk };
            if piece.is_context {
                self.push_context(piece);
                continue;
            }
            self.bytes += piece.bytes.len();
            self.ended += usize::from(ends_line(&piece));
            self.kept.push_back(piece);
        }
        let open = usize::from(self.kept.back().is_some_and(|last| !ends_line(last)));
        while self.ended + open > self.lines || self.bytes > LONGEST_TAIL {
            let Some(piece) = self.kept.pop_front() else { break };
            self.bytes -= piece.bytes.len();
            self.ended -= usize::from(ends_line(&piece));
            self.push_context(piece);
        }
    }

    fn push_context(&mut self, piece: Chunk) {
        self.context_bytes += piece.bytes.len();
        self.context.push_back(piece);
        while let Some(first) = self.context.front()
            && self.context_bytes - first.bytes.len() >= self.context_limit
        {
            self.context_bytes -= first.bytes.len();
            self.context.pop_front();
        }
    }

    /// Returns the context, and the lines.
    pub(super) fn into_chunks(self) -> VecDeque<Chunk> {
        let mut chunks = self.context;
        chunks.iter_mut().for_each(|chunk| chunk.is_context = true);
        chunks.extend(self.kept);
        chunks
    }
}

fn ends_line(piece: &Chunk) -> bool {
    piece.bytes.ends_with(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Stream;

    fn tail(lines: usize, context: usize, pieces: &[&'static str]) -> (String, String) {
        let mut tail = LogTail::new(lines, context);
        for piece in pieces {
            let bytes = piece.as_bytes().into();
            tail.push(Chunk { stream: Stream::Stdout, bytes, time: None, is_context: false });
        }
        let (before, shown): (Vec<Chunk>, Vec<Chunk>) =
            tail.into_chunks().into_iter().partition(|chunk| chunk.is_context);
        let text = |chunks: Vec<Chunk>| -> String {
            chunks.iter().map(|chunk| String::from_utf8_lossy(&chunk.bytes).into_owned()).collect()
        };
        (text(before), text(shown))
    }

    #[test]
    fn tail_counts_lines_across_chunks() {
        let tail = |lines, pieces: &[&'static str]| tail(lines, 0, pieces).1;
        assert_eq!(tail(2, &["a\nb\nc\n"]), "b\nc\n");
        assert_eq!(tail(2, &["a\nb", "b\nc", "c"]), "bb\ncc");
        assert_eq!(tail(0, &["a\nb"]), "");
        assert_eq!(tail(5, &["a\n"]), "a\n");
    }

    #[test]
    fn tail_keeps_bounded_context() {
        let of = |lines, context| tail(lines, context, &["aaa\nbbb\nccc\nddd\n"]);
        assert_eq!(of(1, 0), (String::new(), "ddd\n".to_owned()));
        assert_eq!(of(1, 5), ("bbb\nccc\n".to_owned(), "ddd\n".to_owned()));
        assert_eq!(of(1, 100), ("aaa\nbbb\nccc\n".to_owned(), "ddd\n".to_owned()));
        assert_eq!(of(0, 4), ("ddd\n".to_owned(), String::new()));
    }
}
