//! Report of `cki list`, as text and as JSON.

use serde::Serialize;

use crate::base::text::{Cell, Fit, Table, plural, safe_line, wrap_styled};
use crate::model::inventory::{Component, Inventory, LayerSummary};
use crate::report::component_facts::ComponentFactsView;
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct ListView<'a> {
    inventory: &'a str,
    origin: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<LayerView<'a>>,
    total: usize,
    components: Vec<ComponentView<'a>>,
}

#[derive(Serialize)]
struct LayerView<'a> {
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<&'a str>,
}

#[derive(Serialize)]
struct ComponentView<'a> {
    #[serde(flatten)]
    facts: ComponentFactsView<'a>,
    runnable: bool,
}

/// Mark of a component that `cki run-local` can run.
const RUNNABLE: &str = "▸";

/// Prints the matching components.
pub fn print(ui: &Ui, inventory: &Inventory, found: &[&Component]) {
    if ui.is_names() {
        return ui.names(found.iter().map(|component| component.name()));
    }
    if ui.is_structured() {
        let components = found.iter().map(|component| component_view(component)).collect();
        let view = ListView {
            inventory: &inventory.title,
            origin: &inventory.origin,
            layers: layer_views(inventory),
            total: inventory.components.len(),
            components,
        };
        return view::print(ui, &view);
    }
    ui.pages(if ui.is_wide() { wide(found) } else { lines(inventory, found, ui) });
    let count = match (found.len(), inventory.components.len()) {
        (some, all) if some == all => plural(all, "component"),
        (some, all) => format!("{some} of {}", plural(all, "component")),
    };
    let mark = if found.iter().any(|component| component.is_runnable()) {
        format!(" · {RUNNABLE} can be run: `cki run-local NAME`")
    } else {
        String::new()
    };
    ui.status(&style::dim(&format!("{count} · inventory: {}{mark}", safe_line(&inventory.label()))));
}

/// Returns the layers, unless the origin alone says all of them.
fn layer_views(inventory: &Inventory) -> Vec<LayerView<'_>> {
    let is_plain = |layer: &LayerSummary| layer.age.is_none() && layer.left_out.is_none();
    if inventory.layers.len() < 2 && inventory.layers.iter().all(is_plain) {
        return Vec::new();
    }
    inventory.layers.iter().map(layer_view).collect()
}

fn layer_view(layer: &LayerSummary) -> LayerView<'_> {
    LayerView { source: &layer.label, age: layer.age.as_deref(), left_out: layer.left_out.as_deref() }
}

fn component_view(component: &Component) -> ComponentView<'_> {
    ComponentView { facts: component.into(), runnable: component.is_runnable() }
}

/// Returns the lines of a table with all columns.
fn wide(found: &[&Component]) -> Vec<String> {
    let mut table = Table::new(0, &[]);
    let head = ["NAME", "CATEGORY", "KIND", "OWNER", "INFRASTRUCTURE", "RUNNABLE", "DESCRIPTION"];
    table.row(head.map(|text| Cell::styled(text, style::dim)));
    for component in found {
        let or_dash = |text: Option<&str>| text.unwrap_or("–").into();
        let people = component.people.join(",");
        table.row([
            Cell::styled(component.name(), style::name),
            component.reference.category.as_str().into(),
            or_dash(component.kind.as_deref()),
            or_dash(Some(people.as_str()).filter(|people| !people.is_empty())),
            or_dash(component.infrastructure.as_deref()),
            if component.is_runnable() { "yes" } else { "no" }.into(),
            first_line(component.description.as_deref()).into(),
        ]);
    }
    table.lines(None)
}

fn lines(inventory: &Inventory, found: &[&Component], ui: &Ui) -> Vec<String> {
    let columns = ui.columns();
    // One table for all, so that columns align across categories; headings go between its rows.
    let mut table = Table::new(0, &[Fit::Whole, Fit::Cut, Fit::Optional]);
    if !ui.has_color() {
        table.leave_plain();
    }
    for component in found {
        let mut facts: Vec<&str> = component.people.iter().map(AsRef::as_ref).collect();
        facts.extend(component.infrastructure.as_deref());
        let mark = if component.is_runnable() { RUNNABLE } else { " " };
        table.row([
            Cell::styled(format!("{mark} {}", component.name()), style::name),
            first_line(component.description.as_deref()).into(),
            Cell::styled(facts.join(" · "), style::dim),
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
            let heading = heading(inventory, category);
            lines.extend(wrap_styled(&heading, columns.unwrap_or(usize::MAX)));
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
