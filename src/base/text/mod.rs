//! Words and lines: plural forms, similar names, widths, tables, and making text from outside safe for a
//! terminal. Colour is in `ui::style`.

mod lines;
mod safe;
mod size;
mod table;

pub use lines::{LineCutter, LineSplitter, line_text};
pub use safe::{is_invisible, safe_line, shown_name};
pub use size::parse_bytes;
pub use table::{Cell, Fit, Table};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Formats a count with its noun: `1 file`, `2 files`, `no files`.
#[must_use]
pub fn plural(count: usize, noun: &str) -> String {
    plural_of(count, noun, &format!("{noun}s"))
}

/// Formats a count with a noun of irregular plural: `1 repository`, `2 repositories`.
#[must_use]
pub fn plural_of(count: usize, one: &str, many: &str) -> String {
    match count {
        0 => format!("no {many}"),
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    }
}

/// Joins items: `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn join_and(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// Maximum items of a list to name.
const READ: usize = 8;

/// Joins the first items of a list of any length: `a, b and 7 others`; an empty list is `none`.
#[must_use]
pub fn join_some(items: impl ExactSizeIterator<Item = String>) -> String {
    let count = items.len();
    if count == 0 {
        return "none".to_owned();
    }
    if count <= READ {
        return join_and(&items.collect::<Vec<_>>());
    }
    let mut some: Vec<String> = items.take(READ - 1).collect();
    some.push(plural(count - some.len(), "other"));
    join_and(&some)
}

/// Returns the names most similar to a mistyped one, best first, at most three; never the mistyped one
/// itself.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wrong_lower = wrong.to_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .filter(|name| *name != wrong)
        .map(|name| (strsim::jaro_winkler(&wrong_lower, &name.to_lowercase()), name))
        .filter(|(score, _)| *score > 0.78)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Formats a command as a user would type it: quotes a word only if a shell would read it differently.
#[must_use]
pub fn command_line(argv: &[String]) -> String {
    let is_plain = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:,@+%".contains(c))
    };
    let words: Vec<String> = argv
        .iter()
        .enumerate()
        // A first word with `=` would be an assignment.
        .map(|(index, word)| match is_plain(word) && (index > 0 || !word.contains('=')) {
            true => word.clone(),
            false => shell_words::quote(word).into_owned(),
        })
        .collect();
    words.join(" ")
}

/// Returns the width of a text in terminal columns.
#[must_use]
pub fn width(text: &str) -> usize {
    if safe::is_printable(text) { text.len() } else { text.width() }
}

/// Cuts a text to a number of columns, with `…` at the cut.
#[must_use]
pub fn truncate(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for character in text.chars() {
        let next = character.width().unwrap_or(0);
        if used + next + 1 > columns {
            break;
        }
        used += next;
        kept.push(character);
    }
    let mut kept = kept.trim_end().to_owned();
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// Cuts a text in its middle to a number of columns: the ends of a path say most.
#[must_use]
pub fn truncate_middle(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    let head = room / 3;
    let take = |characters: &mut dyn Iterator<Item = char>, room: usize| {
        let mut used = 0;
        let fits = |c: &char| {
            used += c.width().unwrap_or(0);
            used <= room
        };
        characters.take_while(fits).collect::<Vec<char>>()
    };
    let start: String = take(&mut text.chars(), head).into_iter().collect();
    let end: String = take(&mut text.chars().rev(), room - head).into_iter().rev().collect();
    if columns == 0 { String::new() } else { format!("{start}…{end}") }
}

/// Breaks a text at spaces into lines of at most `columns` columns.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("starts with one line");
        if line.is_empty() {
            line.push_str(word);
        } else if width(line) + 1 + width(word) <= columns {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Breaks a line with escape sequences at spaces, so that no part is wider than `columns`; a longer word stays whole.
/// The parts after the first are indented like the line.
#[must_use]
pub fn wrap_styled(line: &str, columns: usize) -> Vec<String> {
    if width(&anstream::adapter::strip_str(line).to_string()) <= columns {
        return vec![line.to_owned()];
    }
    let indent = " ".repeat((line.len() - line.trim_start_matches(' ').len()).min(columns / 2));
    let mut lines = Vec::new();
    let mut current = indent.clone();
    let mut used = indent.len();
    let mut is_empty = true;
    for word in line.trim_start_matches(' ').split_inclusive(' ') {
        let bare = width(anstream::adapter::strip_str(word).to_string().trim_end_matches(' '));
        // Spaces need no line of their own.
        if !is_empty && bare > 0 && used + bare > columns {
            lines.push(std::mem::replace(&mut current, indent.clone()).trim_end_matches(' ').to_owned());
            used = indent.len();
        }
        current.push_str(word);
        used += width(&anstream::adapter::strip_str(word).to_string());
        is_empty = false;
    }
    lines.push(current);
    lines
}

/// Formats a duration for people: `0.4 s`, `41 s`, `12 m`, `2 h 5 m`.
#[must_use]
pub fn duration(span: std::time::Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..=9 => format!("{:.1} s", span.as_secs_f64()),
        10..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} m", seconds / 60),
        _ => format!("{} h {} m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Formats an amount of memory in the largest binary unit that divides it: `4 GiB`; else in decimal units.
#[must_use]
pub fn binary_bytes(count: u64) -> String {
    const UNITS: [(&str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let whole = UNITS.into_iter().find(|(_, bits)| count > 0 && count.trailing_zeros() >= *bits);
    whole.map_or_else(|| bytes(count), |(unit, bits)| format!("{} {unit}", count >> bits))
}

/// Formats a number of bytes for people: `512 B`, `1.4 MB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    let mut amount = count as f64;
    let mut unit = 0;
    while amount >= 999.5 && unit + 1 < UNITS.len() {
        amount /= 1000.0;
        unit += 1;
    }
    if unit == 0 || amount >= 9.95 {
        format!("{amount:.0} {}", UNITS[unit])
    } else {
        format!("{amount:.1} {}", UNITS[unit])
    }
}

/// Accepted spellings of a boolean, as a sentence for errors.
pub const TRUTHS: &str = "it is `true`, `yes`, `on` or `1`, or `false`, `no`, `off` or `0`";

/// Parses a boolean, in any case.
#[must_use]
pub fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn plural_join_and_nearest_format_words() {
        assert_eq!(plural(1, "file"), "1 file");
        assert_eq!(plural(0, "file"), "no files");
        assert_eq!(plural_of(2, "repository", "repositories"), "2 repositories");
        assert_eq!(join_and(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!(nearest("pipeline-hreder", ["chatbot", "pipeline-herder"]), ["pipeline-herder"]);
        assert!(nearest("zzz", ["chatbot"]).is_empty());
    }

    #[test]
    fn command_line_quotes_only_where_needed() {
        let line = |words: &[&str]| command_line(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(line(&["env", "A=b", "x-y", "/a.b"]), "env A=b x-y /a.b");
        assert_eq!(line(&["A=b", "two words", "", "$x", "it's"]), r"'A=b' 'two words' '' '$x' 'it'\''s'");
    }

    #[test]
    fn truncate_wrap_and_units_respect_width() {
        assert_eq!(truncate("abcdef", 6), "abcdef");
        assert_eq!(truncate("abcdef", 4), "abc…");
        assert_eq!(truncate("日本語", 4), "日…");
        assert_eq!(truncate_middle("/home/me/deep/file.yaml:7", 16), "/home…ile.yaml:7");
        assert_eq!((truncate_middle("日本語", 4).as_str(), truncate_middle("abc", 0).as_str()), ("…語", ""));
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap_styled("  a  b", 6), ["  a  b"]);
        let styled = "  \u{1b}[1maaa\u{1b}[0m bbb  cccccccccc dd";
        assert_eq!(wrap_styled(styled, 10), ["  \u{1b}[1maaa\u{1b}[0m bbb", "  cccccccccc", "  dd"]);
        assert_eq!(duration(Duration::from_millis(440)), "0.4 s");
        assert_eq!(duration(Duration::from_secs(7500)), "2 h 5 m");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_400_000), "1.4 MB");
        assert_eq!(bytes(15_700_000), "16 MB");
    }
}
