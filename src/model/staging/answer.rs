//! The bot's answer: a table in GitLab's markdown, `Group | Branch | ID | Status`, which people and
//! programs write in many variants. The parser is tolerant and bounded; every value is one line and safe
//! to show. Following the pipelines belongs in `ops::stage`.

use super::PipelineStatus;
use super::answer_cell::{cells, floor, is_rule, plain, unquote};

/// Maximum rows to read.
const MOST_ROWS: usize = 200;
/// Maximum bytes of a comment to read.
const MOST_BYTES: usize = 1 << 20;
/// One pipeline in the bot's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    /// The bot's name for a group of pipelines.
    pub group: String,
    /// Branch, or the number of the earlier pipeline that is run again.
    pub branch: String,
    /// Pipeline number, if there is one.
    pub id: Option<u64>,
    /// Link target of the number.
    pub link: Option<String>,
    /// Status in the bot's words.
    pub status: PipelineStatus,
}

impl AnswerRow {
    /// Returns host and port of a URL, for comparison.
    #[must_use]
    pub fn server_of(url: &str) -> Option<String> {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().map(str::to_ascii_lowercase)
    }

    /// Returns whether the bot found nothing to run.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        match &self.status {
            PipelineStatus::Unknown(word) if self.id.is_none() => {
                let word = word.to_lowercase();
                ["not found", "missing", "no such", "does not exist"].iter().any(|part| word.contains(part))
            }
            _ => false,
        }
    }
}

/// Renders a table in the bot's form.
#[must_use]
pub fn render(rows: &[AnswerRow]) -> String {
    let mut text = "| Group | Branch | ID | Status |\n|-------|--------|----|--------|\n".to_owned();
    for row in rows {
        let id = match (row.id, &row.link) {
            (Some(id), Some(link)) => format!("[{id}]({link})"),
            (Some(id), None) => id.to_string(),
            (None, _) => "-".to_owned(),
        };
        let status = escape(row.status.as_str());
        text.push_str(&format!("| {} | {} | {id} | {status} |\n", escape(&row.group), escape(&row.branch)));
    }
    text
}

/// Escapes the special characters of markdown.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\|*~`[]<>".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// Rows of a comment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswerTable {
    /// Rows that were read.
    pub rows: Vec<AnswerRow>,
    /// Marks an incomplete table: there are more rows.
    pub is_cut: bool,
}

/// Parses the rows of a comment; returns `None` if it has no table.
#[must_use]
pub fn parse(body: &str) -> Option<Vec<AnswerRow>> {
    read(body).map(|table| table.rows)
}

/// Parses every table of a comment with the four columns, in any order and among other columns. Returns
/// `None` if there is none.
#[must_use]
pub fn read(body: &str) -> Option<AnswerTable> {
    let whole = body;
    let body = &body[..floor(body, MOST_BYTES)];
    let mut lines = body.lines().map(unquote).peekable();
    let mut found: Option<AnswerTable> = None;
    while let Some(line) = lines.next() {
        let Some(columns) = Columns::of(line) else { continue };
        if lines.next_if(|next| is_rule(next)).is_none() {
            continue;
        }
        let table = found.get_or_insert_default();
        table.is_cut = body.len() < whole.len();
        while let Some(line) = lines.next_if(|next| next.contains('|')) {
            if table.rows.len() == MOST_ROWS {
                table.is_cut = true;
                return found;
            }
            table.rows.push(columns.row(line));
        }
    }
    found
}

/// Positions of the columns.
struct Columns {
    group: usize,
    branch: usize,
    id: usize,
    status: usize,
}

impl Columns {
    fn of(line: &str) -> Option<Self> {
        if !line.contains('|') || line.len() > 2000 {
            return None;
        }
        let names: Vec<String> = cells(line).map(|cell| plain(cell).text.to_lowercase()).collect();
        let at = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        Some(Self {
            group: at(&["group"])?,
            branch: at(&["branch"])?,
            id: at(&["id", "pipeline", "pipeline id"])?,
            status: at(&["status", "state"])?,
        })
    }

    fn row(&self, line: &str) -> AnswerRow {
        let cells: Vec<&str> = cells(line).take(64).collect();
        let cell = |index: usize| plain(cells.get(index).copied().unwrap_or_default());
        let id = cell(self.id);
        let status = cell(self.status);
        let word = status.text.trim_matches(|c: char| !c.is_alphanumeric()).trim();
        // In an empty status, the text in place of the number tells more.
        let word = if word.is_empty() { id.text.as_str() } else { word };
        AnswerRow {
            group: cell(self.group).text,
            branch: cell(self.branch).text,
            id: id.text.trim_start_matches('#').parse().ok(),
            link: id.link.or(status.link),
            status: PipelineStatus::parse(word),
        }
    }
}

/// Returns project and number of a pipeline from its URL, if it is on the server at `base`.
#[must_use]
pub fn pipeline_of_url(url: &str, base: &str) -> Option<(String, u64)> {
    let without_scheme = |text: &str| text.split_once("://").map(|(_, rest)| rest.to_owned());
    let url = without_scheme(url)?;
    let base = without_scheme(base)?;
    let base = base.trim_end_matches('/');
    let host = base.split('/').next().unwrap_or_default().len();
    let same_host = url.get(..host).is_some_and(|start| start.eq_ignore_ascii_case(&base[..host]));
    let path = url.get(host..)?.strip_prefix(&base[host..]).filter(|_| same_host)?.strip_prefix('/')?;
    let (project, rest) = path.split_once("/-/pipelines/").or_else(|| path.split_once("/pipelines/"))?;
    let id = rest.split(['/', '?', '#']).next()?.parse().ok()?;
    let is_project = project.contains('/')
        && project.len() <= 500
        && project.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c))
        });
    is_project.then(|| (project.to_owned(), id))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::base::text::safe_line;
    use crate::model::staging::answer_cell::LONGEST_CELL;
    use proptest::prelude::*;
    use regex::Regex;

    fn brief(body: &str) -> Vec<(String, String, Option<u64>, String)> {
        parse(body)
            .expect("has a table")
            .into_iter()
            .map(|row| (row.group, row.branch, row.id, row.status.to_string()))
            .collect()
    }

    fn row(
        group: &str,
        branch: &str,
        id: Option<u64>,
        status: &str,
    ) -> (String, String, Option<u64>, String) {
        (group.to_owned(), branch.to_owned(), id, status.to_owned())
    }

    #[test]
    fn answer_parses_table_variants() {
        let expected = [row("cki", "620247", Some(620_902), "failed")];
        for body in [
            "| Group | Branch | ID     | Status |\n|-------|--------|--------|--------|\n| cki   | 620247 | 620902 | failed |",
            "Group | Branch | ID | Status\n--- | --- | --- | ---\ncki | 620247 | 620902 | failed",
            "Hello!\r\n\r\n> | group | branch | id | status |\r\n> |:--|:-:|--:|---|\r\n> | cki | 620247 | #620902 | **failed** |\r\n\r\nBye | bye",
            "| Status | Job | ID | Branch | Group |\n|-|-|-|-|-|\n| :x: [failed](https://x/y) | z | [620902](https://h/a/b/-/pipelines/620902 \"t\") | `620247` | cki |",
            "| Group | Branch | Pipeline | State |\n|-|-|-|-|\n| *cki* | 620247 | https://h/a/b/-/pipelines/620902 | ❌ Failed! |",
        ] {
            assert_eq!(brief(body), expected, "{body}");
        }
    }

    #[test]
    fn answer_parse_ignores_text_without_table() {
        for body in [
            "",
            "Group | Branch | ID | Status",
            "Group | Branch | ID | Status\nno rule",
            "| Group | Branch | ID |\n|-|-|-|\n| a | b | 1 |",
            "|||||\n|-|-|-|-|",
        ] {
            assert_eq!(parse(body), None, "{body}");
        }
        assert_eq!(parse("Group|Branch|ID|Status\n-|-|-|-"), Some(vec![]));
    }

    #[test]
    fn answer_row_recognises_not_found() {
        let rows = parse(
            "Group|Branch|ID|Status\n-|-|-|-\ncki|1|-|not found\ncki|2|Pipeline not found|\ncki|3||pending\ncki\n",
        )
        .expect("has a table");
        let missing: Vec<bool> = rows.iter().map(AnswerRow::is_not_found).collect();
        assert_eq!(missing, [true, true, false]);
        assert_eq!(rows[2].status, PipelineStatus::Pending);
    }

    #[test]
    fn pipeline_of_url_requires_same_server() {
        let base = "https://gitlab.example.com/root/";
        let of = |url: &str| pipeline_of_url(url, base);
        let expected = Some(("group/sub/project".to_owned(), 620_902));
        assert_eq!(of("https://gitlab.example.com/root/group/sub/project/-/pipelines/620902"), expected);
        assert_eq!(of("https://GitLab.example.com/root/group/sub/project/pipelines/620902?x#y"), expected);
        for url in [
            "https://gitlab.example.com/group/sub/project/-/pipelines/620902",
            "https://gitlab.example.com.evil/root/group/project/-/pipelines/1",
            "https://other/root/group/project/-/pipelines/1",
            "https://gitlab.example.com/root/../project/-/pipelines/1",
            "https://gitlab.example.com/root/project/-/pipelines/1",
            "https://gitlab.example.com/root/group/project/-/jobs/1",
            "https://gitlab.example.com/root/group/project/-/pipelines/x",
            "nonsense",
        ] {
            assert_eq!(of(url), None, "{url}");
        }
    }

    /// Returns texts in the form of a parsed cell: one safe line without surrounding spaces.
    fn word() -> impl Strategy<Value = String> {
        "\\PC{0,30}".prop_filter_map("is not what is read", |text| {
            let text = safe_line(&text).trim().to_owned();
            let reads_back = !text.contains("://") && !EMOJI_LIKE.is_match(&text);
            reads_back.then_some(text)
        })
    }

    static EMOJI_LIKE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r":[a-z0-9_+-]+:").expect("is valid"));

    proptest! {
        #[test]
        fn rendered_answer_round_trips(
            rows in prop::collection::vec((word(), word(), any::<u64>(), 0usize..12, any::<bool>()), 0..8),
        ) {
            let rows: Vec<AnswerRow> = rows
                .into_iter()
                .map(|(group, branch, id, status, linked)| AnswerRow {
                    group,
                    branch,
                    id: Some(id),
                    link: linked.then(|| format!("https://host/a/b/-/pipelines/{id}")),
                    status: PipelineStatus::KNOWN[status].clone(),
                })
                .collect();
            let body = format!("Some words first.\n\n{}\nAnd after.", render(&rows));
            prop_assert_eq!(parse(&body), Some(rows));
        }

        #[test]
        fn answer_parse_never_panics_and_bounds_cells(
            junk in "(?s).{0,300}",
            cells in "([|\\\\\\[\\]()<>*`:a-z0-9 -]|\\PC){0,200}",
        ) {
            let _ = parse(&junk);
            let _ = pipeline_of_url(&junk, "https://h");
            let body = format!("Group|Branch|ID|Status\n-|-|-|-\n|{cells}\n");
            for row in parse(&body).expect("has a table") {
                prop_assert!(row.group.chars().count() <= LONGEST_CELL);
                prop_assert!(*safe_line(&row.branch) == *row.branch);
            }
        }
    }

    #[test]
    fn answer_is_cut_at_row_limit() {
        let mut body = "Group|Branch|ID|Status\n-|-|-|-\n".to_owned();
        body.push_str(&"a|b|1|failed\n".repeat(100_000));
        let table = read(&body).expect("is one");
        assert_eq!((table.rows.len(), table.is_cut), (MOST_ROWS, true));
        let whole = read(&body[..body.len() - 13 * 99_900]).expect("is one");
        assert_eq!((whole.rows.len(), whole.is_cut), (100, false));
        assert!(parse(&"|".repeat(5_000_000)).is_none());
    }
}
