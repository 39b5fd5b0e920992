//! Report of `cki env --explain`: for each variable its value, the reason, the place, and production's
//! value. A table where the width allows it, otherwise a few lines for each variable.

use super::env_value::{one_line, value};
use crate::base::secret::MASK;
use crate::base::text::{self, Cell, Table, safe_line};
use crate::model::environment::{Environment, ProductionValue, ValueOrigin, Variable};
use crate::ui::{Ui, style};

/// Maximum columns of a name with its value on the same line; the value of a longer name has a line of its
/// own.
const NAME: usize = 32;

/// Prints an environment with its reasons.
pub(super) fn print(ui: &Ui, environment: &Environment, reveal: bool) {
    let table = table(ui, environment, reveal);
    let wide = table.lines(None);
    match ui.columns() {
        Some(columns) if wide.iter().any(|line| width(line) > columns) => {
            stacked(ui, environment, reveal, columns);
        }
        _ => ui.lines(&wide),
    }
    ui.status(&style::dim(&environment.summary()));
}

/// Returns the columns of a line, without its colours.
fn width(line: &str) -> usize {
    text::width(&anstream::adapter::strip_str(line).to_string())
}

fn table(ui: &Ui, environment: &Environment, reveal: bool) -> Table {
    let mut table = Table::new(0, &[]);
    let head = |text: &str| Cell::styled(text, style::dim);
    let has_production = environment.variables.iter().any(|variable| variable.production.is_some());
    let last = if has_production { "IN PRODUCTION" } else { "" };
    table.row(["VARIABLE", "VALUE", "WHY", if has_production { "WHERE" } else { "" }, last].map(head));
    for variable in &environment.variables {
        let (text, paint) = value(variable, reveal);
        table.row([
            Cell::styled(safe_line(&variable.name), style::name),
            Cell::styled(text, paint),
            why(variable).into(),
            Cell::styled(place(ui, variable), style::dim),
            Cell::styled(in_production(variable).unwrap_or_default(), style::dim),
        ]);
    }
    table
}

/// Prints a variable on several lines: name and value, then reason and place, then production's value.
fn stacked(ui: &Ui, environment: &Environment, reveal: bool, columns: usize) {
    let names = environment.variables.iter().map(|variable| text::width(&variable.name));
    let column = names.max().unwrap_or(0).min(NAME);
    for variable in &environment.variables {
        let name = safe_line(&variable.name);
        let (shown, paint) = value(variable, reveal);
        let gap = " ".repeat(column.saturating_sub(text::width(&name)) + 2);
        let used = text::width(&name) + gap.len();
        let room = columns.saturating_sub(2);
        // A long name would leave no room for the value after it, and the terminal would break the words of a long value.
        if used + text::width(&shown).max(16) > columns {
            ui.data(&style::name(&name));
            for line in text::wrap_styled(&format!("  {}", paint(&shown)), columns) {
                ui.data(&line);
            }
        } else {
            ui.data(&format!("{}{gap}{}", style::name(&name), paint(&shown)));
        }
        let (why, place) = (why(variable), place(ui, variable));
        let mut lines = with_place(why, &place, room);
        if let (Some(known), Some(there)) = (in_production(variable), &variable.production) {
            let other = match safe_line(&ui.place(&there.place)).into_owned() {
                there if there == place => String::new(),
                there => there,
            };
            lines.extend(with_place(format!("production: {known}"), &other, room));
        }
        for line in lines {
            let fitted = if text::width(&line) <= room { vec![line] } else { text::wrap(&line, room) };
            for line in fitted {
                ui.data(&format!("  {}", style::dim(&line)));
            }
        }
    }
}

/// Joins a text and its place, on one line if they fit.
fn with_place(text: String, place: &str, room: usize) -> Vec<String> {
    if place.is_empty() {
        return vec![text];
    }
    let both = format!("{text}  {place}");
    if text::width(&both) <= room { vec![both] } else { vec![text, place.to_owned()] }
}

/// Returns the reason for a value, with its notes.
fn why(variable: &Variable) -> String {
    let mut why = match &variable.origin {
        ValueOrigin::Missing { .. } if variable.required => "required, no value".to_owned(),
        ValueOrigin::Missing { .. } => "optional, no value".to_owned(),
        _ => variable.reason(),
    };
    if let Some(before) = &variable.instead_of {
        why.push_str(&format!(", instead of {}", before.reason()));
    }
    match (&variable.replaced_by, &variable.origin) {
        // The reason has already named it.
        (Some(_), ValueOrigin::Service { .. }) | (None, _) => {}
        (Some(rule), _) => why.push_str(&format!(", replaced by rule `{rule}`")),
    }
    let is_missing = matches!(variable.origin, ValueOrigin::Missing { .. });
    for (is, word) in [(variable.required && !is_missing, "required"), (variable.secret, "secret")] {
        if is {
            why.push_str(&format!("; {word}"));
        }
    }
    safe_line(&why).into_owned()
}

fn place(ui: &Ui, variable: &Variable) -> String {
    let place = variable.origin.place().or(variable.instead_of.as_ref().and_then(ValueOrigin::place));
    safe_line(&ui.place(place.unwrap_or(""))).into_owned()
}

fn in_production(variable: &Variable) -> Option<String> {
    let known = variable.production.as_ref()?;
    Some(match &known.value {
        ProductionValue::Written(_) if variable.secret || known.secret => MASK.to_owned(),
        ProductionValue::Written(value) if value.expose().is_empty() => "empty".to_owned(),
        ProductionValue::Written(value) => one_line(value.expose()),
        ProductionValue::Elsewhere(what) => format!("({})", safe_line(what)),
    })
}
