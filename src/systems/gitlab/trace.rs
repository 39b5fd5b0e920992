//! Readable end of a job's log: its last lines, with folded sections and without GitLab's own markers. Reading the log is `send`.

use std::sync::LazyLock;

use regex::Regex;

use super::trace_sections;
use crate::base::redact::without_tokens;
use crate::base::text::{LineSplitter, safe_line, truncate};

/// Maximum characters of a line.
const LONGEST_LINE: usize = 400;

/// Returns the last non-empty lines. `cut` says that the first line is not whole.
#[must_use]
pub(super) fn last_lines(log: &[u8], cut: bool, most: usize) -> Vec<String> {
    // A key spans several lines.
    let log = String::from_utf8_lossy(log);
    let log = without_tokens(&log);
    let mut lines = Vec::new();
    let mut splitter = LineSplitter::new(16 << 10);
    let mut take = |line: &str| lines.push(line.to_owned());
    splitter.push(log.as_bytes(), &mut take);
    splitter.finish(&mut take);
    let whole = lines.iter().skip(usize::from(cut && lines.len() > 1));
    let cleaned = trace_sections::fold(whole.map(String::as_str), clean_line);
    cleaned[cleaned.len().saturating_sub(most)..].to_vec()
}

/// Returns the text of a line without the runner's timestamp and text that a carriage
/// return has overwritten.
fn clean_line(line: &str) -> Option<String> {
    static STAMP: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z [0-9a-f]{2}[OE][+ ]?")
            .expect("a constant expression")
    });
    let line = STAMP.replace(line, "");
    let shown = line.rsplit('\r').find(|part| !safe_line(part).trim().is_empty())?;
    let shown = safe_line(shown);
    let shown = without_tokens(&shown);
    let shown = shown.trim_end();
    (!shown.is_empty()).then(|| truncate(shown, LONGEST_LINE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::MASK;

    #[test]
    fn last_lines_keeps_end_of_job_log() {
        let log = b"rest of a line\nsection_start:1560896352:build[collapsed=true]\r\x1b[0K\x1b[36;1mBuilding\x1b[0;m\n\
            2026-11-22T10:00:00.123456Z 00O compiling\n\
            10%\r50%\r100%\r\n\
            \x1b]0;evil\x07make: *** Stop.\n\n\
            section_end:1560896353:build\r\x1b[0K\n\
            \x1b[31;1mERROR: Job failed: exit code 1\n\x1b[0;m";
        let expected = ["Building", "compiling", "100%", "make: *** Stop.", "ERROR: Job failed: exit code 1"];
        assert_eq!(last_lines(log, true, 10), expected);
        assert_eq!(last_lines(log, false, 2), expected[3..]);
        assert_eq!(last_lines(b"only", true, 5), ["only"]);
        let log = b"t=glpat-\x1b[1m0123456789\x1b[0mabcdefghij\n-----BEGIN PRIVATE KEY-----\nMIIE0123\n-----END PRIVATE KEY-----\n";
        assert_eq!(last_lines(log, false, 9), [format!("t={MASK}"), MASK.to_owned()]);
        assert!(last_lines(b"", false, 5).is_empty());
    }

    #[test]
    fn last_lines_truncates_long_lines() {
        let lines = last_lines(&[b'x'; 100_000], false, 100);
        assert!(lines.iter().all(|line| line.chars().count() <= LONGEST_LINE));
    }
}
