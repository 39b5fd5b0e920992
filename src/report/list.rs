//! Report of `cki list`, as text and as JSON.

use serde::Serialize;

use crate::base::text::{Cell, Table, plural, safe_line};
use crate::model::inventory::{Component, Inventory};
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct ListView<'a> {
    inventory: &'a str,
    origin: &'a str,
    total: usize,
    components: Vec<ComponentView<'a>>,
}

#[derive(Serialize)]
struct ComponentView<'a> {
    name: &'a str,
    category: &'a str,
    reference: String,
    description: Option<&'a str>,
    kind: Option<&'a str>,
    infrastructure: Option<&'a str>,
    people: &'a [String],
}

/// Prints the matching components.
pub fn print(ui: &Ui, inventory: &Inventory, found: &[&Component]) {
    if ui.is_json() {
        let components = found.iter().map(|component| component_view(component)).collect();
        let view = ListView {
            inventory: &inventory.title,
            origin: &inventory.origin,
            total: inventory.components.len(),
            components,
        };
        return view::print(ui, &view);
    }
    ui.lines(lines(inventory, found, ui.columns()));
    let count = match (found.len(), inventory.components.len()) {
        (some, all) if some == all => plural(all, "component"),
        (some, all) => format!("{some} of {}", plural(all, "component")),
    };
    ui.status(&style::dim(&format!("{count} · inventory: {}", safe_line(&inventory.label()))));
}

fn component_view(component: &Component) -> ComponentView<'_> {
    ComponentView {
        name: component.name(),
        category: &component.reference.category,
        reference: component.reference.to_string(),
        description: component.description.as_deref(),
        kind: component.kind.as_deref(),
        infrastructure: component.infrastructure.as_deref(),
        people: &component.people,
    }
}

fn lines(inventory: &Inventory, found: &[&Component], columns: Option<usize>) -> Vec<String> {
    // One table for all, so that columns align across categories; headings go between its rows.
    let mut table = Table::new(2);
    for component in found {
        let mut facts: Vec<&str> = component.people.iter().map(String::as_str).collect();
        facts.extend(component.infrastructure.as_deref());
        table.row([
            Cell::styled(component.name(), style::name),
            safe_line(first_line(component.description.as_deref())).into_owned().into(),
            Cell::styled(safe_line(&facts.join(" · ")), style::dim),
        ]);
    }
    let mut lines = Vec::new();
    let mut current = None;
    for (component, row) in found.iter().zip(table.lines(columns)) {
        let category = component.reference.category.as_str();
        if current != Some(category) {
            if current.is_some() {
                lines.push(String::new());
            }
            lines.push(heading(inventory, category));
            current = Some(category);
        }
        lines.push(row);
    }
    lines
}

/// A description may have several lines; the first is what it is, in short.
fn first_line(description: Option<&str>) -> &str {
    description.and_then(|text| text.lines().map(str::trim).find(|line| !line.is_empty())).unwrap_or("–")
}

fn heading(inventory: &Inventory, id: &str) -> String {
    let category = inventory.category(id);
    let title = category.and_then(|category| category.title.as_deref()).unwrap_or(id);
    let about = category.and_then(|category| category.description.as_deref());
    let about = about.map(|about| first_line(Some(about)));
    match about {
        Some(about) => format!("{}  {}", style::heading(&safe_line(title)), style::dim(&safe_line(about))),
        None => style::heading(&safe_line(title)),
    }
}
