//! Sections of a job's log: finished ones become one line, so that the end of a log shows the command that failed and not
//! the runner's housekeeping. The cleaning of lines is in `trace`.

use std::sync::LazyLock;

use regex::Regex;

/// Maximum levels of sections; deeper ones are not told apart.
const DEEPEST: usize = 32;
/// Sections in which the runner tidies up after the job's own commands.
const HOUSEKEEPING: [&str; 6] = [
    "after_script",
    "archive_cache",
    "archive_cache_on_failure",
    "cleanup_file_variables",
    "upload_artifacts_on_failure",
    "upload_artifacts_on_success",
];

/// A part of a log.
#[derive(Debug)]
enum LogPart {
    Line(String),
    Section(Section),
}

/// A section with its header and its content.
#[derive(Debug, Default)]
struct Section {
    name: String,
    header: Option<String>,
    parts: Vec<LogPart>,
}

/// Returns the lines of a log, cleaned by `clean`, with one line in place of each finished section. The last section
/// with the job's own commands stays open: a failure is there.
pub(super) fn fold<'a>(
    lines: impl Iterator<Item = &'a str>,
    clean: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    static MARKER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"section_(start|end):\d+:([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?\r?")
            .expect("a constant expression")
    });
    let mut open = vec![Section::default()];
    let mut unstarted = 0;
    for line in lines {
        let mut rest = 0;
        // Text after a start is the section's header.
        let mut is_header = false;
        for found in MARKER.captures_iter(line) {
            let (Some(whole), Some(kind), Some(name)) = (found.get(0), found.get(1), found.get(2)) else {
                continue;
            };
            add(&mut open, &line[rest..whole.start()], is_header, &clean);
            rest = whole.end();
            is_header = kind.as_str() == "start";
            if is_header {
                start(&mut open, name.as_str());
            } else {
                end(&mut open, name.as_str(), &mut unstarted);
            }
        }
        add(&mut open, &line[rest..], is_header, &clean);
    }
    while open.len() > 1 {
        close(&mut open);
    }
    let mut folded = Vec::new();
    if let Some(all) = open.pop() {
        unfold(all, &mut folded);
    }
    folded
}

fn add(open: &mut [Section], text: &str, is_header: bool, clean: &impl Fn(&str) -> Option<String>) {
    let Some(section) = open.last_mut() else { return };
    let Some(text) = clean(text) else { return };
    if is_header && section.header.is_none() && !section.name.is_empty() {
        section.header = Some(text);
    } else {
        section.parts.push(LogPart::Line(text));
    }
}

fn start(open: &mut Vec<Section>, name: &str) {
    if open.len() < DEEPEST {
        open.push(Section { name: name.to_owned(), ..Section::default() });
    }
}

/// Ends a section, and those within it that were left open. `unstarted` counts sections without a start.
fn end(open: &mut Vec<Section>, name: &str, unstarted: &mut usize) {
    match open.iter().skip(1).position(|one| one.name == name) {
        Some(at) => (at + 1..open.len()).for_each(|_| close(open)),
        // The section began before the first line of this part of the log.
        None if open.len() == 1 && *unstarted < DEEPEST => {
            *unstarted += 1;
            let parts = std::mem::take(&mut open[0].parts);
            if !parts.is_empty() {
                let section = Section { name: name.to_owned(), header: None, parts };
                open[0].parts.push(LogPart::Section(section));
            }
        }
        None => {}
    }
}

fn close(open: &mut Vec<Section>) {
    let Some(section) = open.pop() else { return };
    if let Some(parent) = open.last_mut() {
        parent.parts.push(LogPart::Section(section));
    }
}

fn unfold(section: Section, lines: &mut Vec<String>) {
    let is_own =
        |part: &LogPart| matches!(part, LogPart::Section(one) if !HOUSEKEEPING.contains(&one.name.as_str()));
    let last = section.parts.iter().rposition(is_own);
    for (at, part) in section.parts.into_iter().enumerate() {
        match part {
            LogPart::Line(line) => lines.push(line),
            LogPart::Section(one) if Some(at) == last => {
                lines.extend(one.header.clone());
                unfold(one, lines);
            }
            LogPart::Section(one) => {
                let count = count(&one);
                let title = one.header.unwrap_or(one.name);
                lines.push(match count {
                    0 => format!("▸ {title}"),
                    1 => format!("▸ {title} (1 line)"),
                    count => format!("▸ {title} ({count} lines)"),
                });
            }
        }
    }
}

fn count(section: &Section) -> usize {
    let lines = |part: &LogPart| match part {
        LogPart::Line(_) => 1,
        LogPart::Section(one) => count(one) + usize::from(one.header.is_some()),
    };
    section.parts.iter().map(lines).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(log: &str) -> Vec<String> {
        let clean = |line: &str| {
            let line = line.trim_matches(['\r', ' ']);
            (!line.is_empty()).then(|| line.to_owned())
        };
        fold(log.split('\n'), clean)
    }

    #[test]
    fn finished_sections_become_one_line() {
        let log = "section_start:1:get_sources\rGetting source\nFetching\nChecking out\nsection_end:2:get_sources\r\
            section_start:2:step_script\rExecuting\n$ make\nsection_start:3:deps[collapsed=true]\rDependencies\none\n\
            section_end:4:deps\rcc a.c\nerror: no\nsection_end:5:step_script\r\
            section_start:5:cleanup_file_variables\rCleaning up\nsection_end:6:cleanup_file_variables\r\
            ERROR: Job failed";
        let expected = [
            "▸ Getting source (2 lines)",
            "Executing",
            "$ make",
            "Dependencies",
            "one",
            "cc a.c",
            "error: no",
        ];
        let folded = folded(log);
        assert_eq!(folded[..expected.len()], expected);
        assert_eq!(folded[expected.len()..], ["▸ Cleaning up", "ERROR: Job failed"]);
    }

    #[test]
    fn a_section_without_its_start_or_end_keeps_its_lines() {
        assert_eq!(folded("cc a.c\nerror\nsection_end:5:step_script\rERROR"), ["cc a.c", "error", "ERROR"]);
        assert_eq!(folded("section_start:1:a\rHeader\nx"), ["Header", "x"]);
        assert_eq!(folded("x\nsection_end:1:nothing"), ["x"]);
        let deep = "section_start:1:a\r\n".repeat(500) + "x";
        assert_eq!(folded(&deep), ["x"]);
        let ends = "x\nsection_end:1:a\r".repeat(5000);
        assert!(folded(&ends).iter().any(|line| line == "x"));
    }

    proptest! {
        #[test]
        fn text_without_markers_is_unchanged(lines in prop::collection::vec("[a-z ]{1,9}", 0..9)) {
            let expected: Vec<&str> = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
            prop_assert_eq!(folded(&lines.join("\n")), expected);
        }

        #[test]
        fn folding_never_panics(log in "(section_(start|end):1:[ab]\r?|x|\n|\r|é){0,60}") {
            let _ = folded(&log);
        }
    }
}
