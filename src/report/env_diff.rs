//! Report of `cki env --diff`: variables on one side only, and variables with different values. Secrets are
//! masked on both sides.

use serde::Serialize;

use super::env_value::one_line;
use super::view;
use crate::base::secret::MASK;
use crate::base::text::{self, Cell, Fit, Table, safe_line};
use crate::model::environment::ProductionValue;
use crate::model::environment::difference::{Difference, SideValue};
use crate::ops::env::diff::ComparedEnvironments;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct DiffView<'a> {
    component: &'a str,
    left: &'a str,
    right: &'a str,
    differences: Vec<DifferenceView<'a>>,
    same: usize,
}

#[derive(Serialize)]
struct DifferenceView<'a> {
    name: &'a str,
    change: &'static str,
    left: Option<SideView<'a>>,
    right: Option<SideView<'a>>,
}

#[derive(Serialize)]
struct SideView<'a> {
    value: Option<&'a str>,
    description: Option<&'a str>,
    secret: bool,
    place: Option<&'a str>,
}

/// Prints a comparison.
pub fn print(ui: &Ui, component: &str, compared: &ComparedEnvironments) {
    if ui.is_structured() {
        let differences = compared.differences.variables.iter().map(difference_view).collect();
        let (left, right) = (compared.left.as_str(), compared.right.as_str());
        view::print(ui, &DiffView { component, left, right, differences, same: compared.differences.same });
        return;
    }
    if ui.is_names() {
        return ui.names(compared.differences.variables.iter().map(|one| &one.name));
    }
    let mut table = Table::new(0, &[Fit::Whole, Fit::Whole, Fit::Wrap, Fit::Wrap]);
    let head = |text: &str| Cell::styled(safe_line(text), style::dim);
    table.row(["", "VARIABLE", &compared.left, &compared.right].map(head));
    for one in &compared.differences.variables {
        let (sign, paint): (&str, fn(&str) -> String) = match (&one.left, &one.right) {
            (None, _) => ("+", style::good),
            (_, None) => ("-", style::bad),
            _ => ("~", style::warn),
        };
        table.row([
            Cell::styled(sign, paint),
            Cell::styled(safe_line(&one.name), style::name),
            cell(one.left.as_ref()),
            cell(one.right.as_ref()),
        ]);
    }
    if !compared.differences.variables.is_empty() {
        ui.lines(table.lines(ui.columns()));
    }
    ui.status(&style::dim(&summary(compared)));
}

fn summary(compared: &ComparedEnvironments) -> String {
    let count = |is: &dyn Fn(&Difference) -> bool| {
        compared.differences.variables.iter().filter(|one| is(one)).count()
    };
    let same = match compared.differences.same {
        1 => "1 variable is the same".to_owned(),
        count => format!("{} are the same", text::plural(count, "variable")),
    };
    let (left, right) = (count(&|one| one.right.is_none()), count(&|one| one.left.is_none()));
    let mut parts = Vec::new();
    let changed = compared.differences.variables.len() - left - right;
    for (count, what) in [
        (changed, "with another value".to_owned()),
        (left, format!("only in {}", safe_line(&compared.left))),
        (right, format!("only in {}", safe_line(&compared.right))),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    if parts.is_empty() {
        return format!("No difference: {same}.");
    }
    format!("{}; {same}.", parts.join(", "))
}

fn cell(side: Option<&SideValue>) -> Cell {
    let Some(side) = side else { return Cell::styled("–", style::dim) };
    match &side.value {
        ProductionValue::Written(_) if side.secret => Cell::styled(MASK, style::secret),
        ProductionValue::Written(value) if value.expose().is_empty() => Cell::styled("empty", style::dim),
        ProductionValue::Written(value) => one_line(value.expose()).into(),
        ProductionValue::Elsewhere(what) => Cell::styled(format!("({})", safe_line(what)), style::dim),
    }
}

fn difference_view(one: &Difference) -> DifferenceView<'_> {
    let change = match (&one.left, &one.right) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    };
    DifferenceView {
        name: &one.name,
        change,
        left: one.left.as_ref().map(side_view),
        right: one.right.as_ref().map(side_view),
    }
}

fn side_view(side: &SideValue) -> SideView<'_> {
    let value = side.value.written().map(|value| if side.secret { MASK } else { value.expose() });
    let description = match &side.value {
        ProductionValue::Elsewhere(what) => Some(what.as_str()),
        ProductionValue::Written(_) => None,
    };
    SideView { value, description, secret: side.secret, place: side.place.as_deref() }
}
