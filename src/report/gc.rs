//! Report of `cki gc`: the removed leftovers, as a table and as JSON.

use serde::Serialize;

use crate::base::text::{Cell, Fit, Table, plural, safe_line};
use crate::ops::gc::{CollectedLeftovers, Leftover};
use crate::report::view;
use crate::ui::{Ui, style};

#[derive(Serialize)]
struct GcView<'a> {
    dry_run: bool,
    removed: Vec<LeftoverView<'a>>,
    remaining: &'a [String],
}

#[derive(Serialize)]
struct LeftoverView<'a> {
    kind: &'static str,
    name: &'a str,
    run: Option<&'a str>,
    component: Option<&'a str>,
}

/// Prints the leftovers that were, or with `dry` would be, removed.
pub fn print(ui: &Ui, collected: &CollectedLeftovers, dry: bool) {
    let CollectedLeftovers { removed, remaining } = collected;
    if ui.is_structured() {
        let removed = removed.iter().map(leftover_view).collect();
        return view::print(ui, &GcView { dry_run: dry, removed, remaining });
    }
    if ui.is_names() {
        ui.names(removed.iter().map(|one| &one.name));
        return remaining.iter().for_each(|one| ui.warning(&safe_line(one)));
    }
    let mut table = Table::new(0, &[Fit::Whole, Fit::Whole, Fit::Whole, Fit::Optional]);
    for one in removed {
        table.row([
            one.kind.as_str().into(),
            Cell::styled(safe_line(&one.name), style::name),
            safe_line(one.component.as_deref().unwrap_or("–")).into_owned().into(),
            Cell::styled(one.run.as_deref().unwrap_or("–"), style::dim),
        ]);
    }
    ui.lines(table.lines(ui.columns()));
    for one in remaining {
        ui.warning(&safe_line(one));
    }
    match (removed.len(), dry) {
        (0, _) if remaining.is_empty() => ui.status("Nothing is left of runs that were killed."),
        (0, _) => {}
        (count, true) => ui.status(&format!("Would remove {}; nothing was removed.", plural(count, "thing"))),
        (count, false) => ui.status(&format!("Removed {}.", plural(count, "thing"))),
    }
}

fn leftover_view(one: &Leftover) -> LeftoverView<'_> {
    let Leftover { kind, name, run, component } = one;
    LeftoverView { kind: kind.as_str(), name, run: run.as_deref(), component: component.as_deref() }
}
