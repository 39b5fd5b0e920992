//! Report of `cki env --scan`: variables that the sources read compared with the environment, as text in groups. Its
//! JSON is in `scan_view`.

use crate::base::text::{Cell, Fit, Table, plural, safe_line, width};
use crate::model::scan::{ReadSite, Requirement, UseState, VarUsage};
use crate::ops::scan::ScanOutcome;
use crate::report::scan_view::scan_view;
use crate::report::view;
use crate::ui::{Ui, Verbosity, style};

/// Maximum lines of a group without `-v`.
const SHOWN: usize = 20;
/// Minimum columns of a shortened place.
const SHORTEST: usize = 16;

/// Prints the result of a scan.
pub fn print(ui: &Ui, component: &str, outcome: &ScanOutcome) {
    if ui.is_structured() {
        view::print(ui, &scan_view(component, outcome));
        return;
    }
    if ui.is_names() {
        return ui.names(outcome.comparison.uses.iter().map(|one| &one.name));
    }
    let uses = |is: fn(&UseState) -> bool| {
        let mut uses: Vec<&VarUsage> = outcome.comparison.uses.iter().filter(|one| is(&one.state)).collect();
        // The most needed variables come first; the rest stays sorted by name.
        uses.sort_by_key(|one| std::cmp::Reverse(one.need));
        uses.into_iter()
    };
    let mut page = ScanPage { ui, is_empty: true };
    let read = |one: &VarUsage| ScanRow::new(&one.name, need(one.need), &first_place(&one.places, true));
    page.group(
        "read, given nowhere",
        uses(|state| *state == UseState::Nowhere).map(|one| {
            let row = read(one);
            // It is declared, without a value.
            if one.given.is_some() { row.with("declared without a value") } else { row }
        }),
    );
    page.group(
        "given, never read",
        uses(|state| *state == UseState::Unread).map(|one| {
            let given = one.given.as_ref();
            let place = given.and_then(|given| given.place.clone()).unwrap_or_default();
            let why = match (given, one.places.is_empty()) {
                (_, false) if one.places.iter().all(|place| place.build) => {
                    "read when an image is built only".to_owned()
                }
                (_, false) => "read by tests only".to_owned(),
                (Some(given), _) if given.has_value => given.reason.clone(),
                _ => "declared without a value".to_owned(),
            };
            ScanRow::new(&one.name, &why, &place)
        }),
    );
    page.group(
        "perhaps misspelt",
        uses(|state| matches!(state, UseState::Misspelt { .. })).map(|one| {
            let UseState::Misspelt { given, is_unread } = &one.state else { return read(one) };
            let unread = if *is_unread { ", never read" } else { "" };
            read(one).with(&format!("{given} is given{unread}"))
        }),
    );
    page.group(
        "read when an image is built, given nowhere",
        uses(|state| *state == UseState::Build)
            .map(|one| ScanRow::new(&one.name, need(worst(&one.places)), &first_place(&one.places, false))),
    );
    page.group(
        "read by tests only",
        uses(|state| *state == UseState::Tests)
            .map(|one| ScanRow::new(&one.name, need(worst(&one.places)), &first_place(&one.places, false))),
    );
    let mut rows = not_understood(outcome);
    // These begin with a place, which must leave room for the problem.
    for row in rows.iter_mut().filter(|_| ui.columns().is_some()) {
        row.name = tail(&row.name, ui.columns().unwrap_or_default() * 2 / 5);
    }
    page.group("not understood", rows);
    if page.is_empty {
        ui.data("All variables that the sources read are set, and all that are set are read.");
    }
    for repo in &outcome.not_cloned {
        let repo = safe_line(repo);
        ui.warning(&format!("`{repo}` is not cloned, and so was not looked at: `cki clone {component}`."));
    }
    ui.status(&style::dim(&safe_line(&summary(outcome))));
}

/// Groups of lines.
struct ScanPage<'a> {
    ui: &'a Ui,
    is_empty: bool,
}

/// One line: a name, the problem, and the place.
struct ScanRow {
    name: String,
    what: String,
    place: String,
}

impl ScanRow {
    fn new(name: &str, what: &str, place: &str) -> Self {
        let safe = |text: &str| safe_line(text).into_owned();
        Self { name: safe(name), what: safe(what), place: safe(place) }
    }

    fn with(mut self, more: &str) -> Self {
        let before = std::mem::take(&mut self.what);
        self.what = format!("{before}; {}", safe_line(more));
        self
    }
}

impl ScanPage<'_> {
    fn group(&mut self, title: &str, rows: impl IntoIterator<Item = ScanRow>) {
        let mut rows: Vec<ScanRow> = rows.into_iter().collect();
        if rows.is_empty() {
            return;
        }
        if !self.is_empty {
            self.ui.data("");
        }
        self.is_empty = false;
        self.ui.data(&format!("{} {}", style::heading(title), style::dim(&format!("({})", rows.len()))));
        let left = match self.ui.verbosity() {
            Verbosity::Verbose => 0,
            _ => rows.len().saturating_sub(SHOWN),
        };
        rows.truncate(rows.len() - left);
        // The end of a place says the most: cut its beginning.
        let longest = |of: fn(&ScanRow) -> &str| rows.iter().map(|row| width(of(row))).max().unwrap_or(0);
        let others = 2 + longest(|row| &row.name) + 2 + longest(|row| &row.what) + 2;
        let room = self.ui.columns().map_or(usize::MAX, |columns| columns.saturating_sub(others));
        let mut table = Table::new(2, &[Fit::Whole, Fit::Wrap]);
        for row in rows {
            table.row([
                Cell::styled(row.name, style::name),
                row.what.into(),
                Cell::styled(tail(&row.place, room.max(SHORTEST)), style::dim),
            ]);
        }
        for line in table.lines(self.ui.columns()) {
            self.ui.data(line.trim_end());
        }
        if left > 0 {
            self.ui.data(&style::dim(&format!("  … and {left} more: -v shows all.")));
        }
    }
}

/// Returns the end of a text, at most `columns` wide.
fn tail(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept: Vec<char> = Vec::new();
    let mut used = 1;
    for character in text.chars().rev() {
        used += width(&character.to_string());
        if used > columns {
            break;
        }
        kept.push(character);
    }
    format!("…{}", kept.into_iter().rev().collect::<String>())
}

fn need(need: Option<Requirement>) -> &'static str {
    match need {
        Some(Requirement::Required) => "required",
        Some(Requirement::Optional) => "optional",
        Some(Requirement::Default) => "has a default",
        None => "–",
    }
}

fn worst(places: &[ReadSite]) -> Option<Requirement> {
    places.iter().map(|place| place.need).max()
}

/// Returns the most important place, and the number of places.
fn first_place(places: &[ReadSite], at_run_time: bool) -> String {
    let counts = |place: &&ReadSite| !at_run_time || !(place.test || place.build);
    let matter: Vec<&ReadSite> = places.iter().filter(counts).collect();
    let worst = matter.iter().map(|place| place.need).max();
    let Some(first) = matter.iter().find(|place| Some(place.need) == worst) else { return String::new() };
    let more = if matter.len() > 1 { format!(" +{}", matter.len() - 1) } else { String::new() };
    format!("{}:{}{more}", first.file, first.line)
}

fn not_understood(outcome: &ScanOutcome) -> Vec<ScanRow> {
    let mut rows = Vec::new();
    for (file, unknown) in outcome.unknown.iter().filter(|(_, unknown)| !unknown.test) {
        rows.push(ScanRow::new(
            &format!("{file}:{}", unknown.line),
            "not known before it runs",
            &unknown.text,
        ));
    }
    for (file, lines) in &outcome.errors {
        let lines: Vec<String> = lines.iter().take(3).map(ToString::to_string).collect();
        rows.push(ScanRow::new(file, "cannot be parsed in line", &lines.join(", ")));
    }
    for (file, why) in &outcome.not_read {
        rows.push(ScanRow::new(file, "not read", why));
    }
    for (kind, count) in &outcome.strange {
        rows.push(ScanRow::new(kind, "of no known language", &plural(*count, "file")));
    }
    for library in &outcome.libraries {
        let clone = library.component.as_ref().map(|component| format!("cki clone {component}"));
        rows.push(ScanRow::new(&library.package, "imported, not cloned", &clone.unwrap_or_default()));
    }
    if outcome.cut_short {
        rows.push(ScanRow::new("the rest", "not read", "there are too many files"));
    }
    rows
}

/// Returns a summary: `12 variables read, 9 given · 34 files: 30 Python, 4 shell · 6 imported`.
fn summary(outcome: &ScanOutcome) -> String {
    let read: Vec<&VarUsage> = outcome.comparison.uses.iter().filter(|one| one.need.is_some()).collect();
    let is_given = |one: &&&VarUsage| matches!(one.state, UseState::KnownVariable | UseState::Itself { .. });
    let given = read.iter().filter(is_given).count();
    let mut text = format!("{} read", plural(read.len(), "variable"));
    if !read.is_empty() {
        text.push_str(&format!(", {given} given"));
    }
    let files: usize = outcome.languages.values().sum();
    text.push_str(&format!(" · {}", plural(files, "file")));
    let mut languages: Vec<(&String, &usize)> = outcome.languages.iter().collect();
    languages.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let languages: Vec<String> =
        languages.into_iter().map(|(language, count)| format!("{count} {language}")).collect();
    if !languages.is_empty() {
        text.push_str(&format!(": {}", languages.join(", ")));
    }
    if outcome.shared > 0 {
        text.push_str(&format!(" · {} imported", outcome.shared));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tail_keeps_end_of_location() {
        assert_eq!(tail("a/b/c.py:12", 11), "a/b/c.py:12");
        assert_eq!(tail("a/b/c.py:12", 8), "…c.py:12");
    }
}
