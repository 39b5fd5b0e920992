//! Report of `cki show`, as text. Its JSON is in `show_view`.

use serde::Serialize;

use crate::base::secret::MASK;
use crate::base::text::{self, Fit, safe_line};
use crate::model::guard::Guard;
use crate::model::inventory::{EnvVarDecl, Inventory, Link, ParameterDecl};
use crate::ops::show::{ComponentDetails, ShownDependency};
use crate::report::fact_page::{FactPage, FactRow};
use crate::report::show_origins::origin_rows;
use crate::report::show_view::{ShowView, show_view};
use crate::report::view;
use crate::ui::{Ui, style};

/// Prints all facts of a component. The guard decides which defaults are masked.
pub fn print(ui: &Ui, shown: &ComponentDetails<'_>, guard: &Guard) {
    if ui.is_structured() {
        return view::print(ui, &show_view(shown, guard));
    }
    if ui.is_names() {
        return ui.names([shown.component.name()]);
    }
    let page = ShowPage { ui, facts: FactPage { ui }, guard };
    page.title(shown);
    page.links("Documentation", &shown.component.documentation, shown.inventory);
    page.sources(shown);
    page.links("Monitoring", &shown.component.monitoring, shown.inventory);
    page.dependencies(shown);
    page.environment(shown);
    page.run_section(shown);
}

/// Prints all facts of several components.
pub fn print_all(ui: &Ui, shown: &[ComponentDetails<'_>], guard: &Guard) {
    #[derive(Serialize)]
    struct AllView<'a> {
        components: Vec<ShowView<'a>>,
    }
    if ui.is_structured() {
        return view::print(
            ui,
            &AllView { components: shown.iter().map(|one| show_view(one, guard)).collect() },
        );
    }
    for (at, one) in shown.iter().enumerate() {
        if at > 0 && !ui.is_names() {
            ui.data("");
        }
        print(ui, one, guard);
    }
}

struct ShowPage<'a> {
    ui: &'a Ui,
    facts: FactPage<'a>,
    guard: &'a Guard,
}

/// A text of several lines, in a cell of a table.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl ShowPage<'_> {
    fn title(&self, shown: &ComponentDetails<'_>) {
        let component = shown.component;
        let mut facts: Vec<&str> = Vec::new();
        facts.extend(component.kind.as_deref());
        facts.extend(component.infrastructure.as_deref());
        facts.extend(component.people.iter().map(AsRef::as_ref));
        let facts = safe_line(&facts.join(" · ")).into_owned();
        let page = self.ui.columns().unwrap_or(100).min(100);
        match page.checked_sub(text::width(component.name()) + text::width(&facts)).filter(|gap| *gap >= 2) {
            Some(gap) => {
                let gap = if facts.is_empty() { String::new() } else { " ".repeat(gap) };
                self.ui.data(&format!("{}{gap}{}", style::name(component.name()), style::dim(&facts)));
            }
            None => {
                self.ui.data(&style::name(component.name()));
                self.ui.lines(text::wrap(&facts, page).iter().map(|line| style::dim(line)));
            }
        }
        let description = component.description.as_deref().unwrap_or("No description.");
        for line in description.trim_end().lines() {
            let indent = &line[..line.len() - line.trim_start_matches(' ').len()];
            let wrapped = text::wrap(&safe_line(line.trim()), page.saturating_sub(indent.len()).max(20));
            let wrapped = if wrapped.is_empty() { vec![String::new()] } else { wrapped };
            self.ui.lines(wrapped.into_iter().map(|line| format!("{indent}{line}").trim_end().to_owned()));
        }
        self.ui.data("");
        self.facts.rows("Kind", &[component.kind.as_deref().map_or_else(dash, str::to_owned)]);
        self.facts
            .rows("Infrastructure", &[component.infrastructure.as_deref().map_or_else(dash, str::to_owned)]);
        let people = component.people.join(", ");
        self.facts.rows("People", &[if people.is_empty() { dash() } else { people }]);
    }

    fn links(&self, label: &str, links: &[Link], inventory: &Inventory) {
        let mut table = text::Table::new(0, &[Fit::Whole, Fit::Wrap]);
        for link in links {
            table.row([safe_line(&link.label).into_owned().into(), target(link, inventory).into()]);
        }
        self.facts.table(label, &table);
    }

    fn sources(&self, shown: &ComponentDetails<'_>) {
        let mut table = text::Table::new(0, &[Fit::Whole, Fit::Wrap]);
        for source in &shown.component.sources {
            let url = shown.inventory.repo_url(&source.repo).unwrap_or("–");
            let path = source.path.as_deref().map(|path| format!("{path} ")).unwrap_or_default();
            table.row([
                safe_line(&source.repo).into_owned().into(),
                safe_line(&format!("{path}at {url}")).into_owned().into(),
            ]);
        }
        self.facts.table("Sources", &table);
        if shown.places.is_empty() {
            return;
        }
        let mut table = text::Table::new(0, &[Fit::Whole, Fit::Wrap]);
        for place in &shown.places {
            let state = match &place.path {
                Ok(Some(path)) => self.ui.place(&path.display().to_string()).into_owned(),
                Ok(None) if place.has_address => format!("no: cki clone {}", shown.component.name()),
                Ok(None) => "no: the inventory has no address for it".to_owned(),
                Err(error) => format!("no: {error}"),
            };
            table.row([
                safe_line(&place.repo).into_owned().into(),
                text::Cell::styled(safe_line(&state), style::dim),
            ]);
        }
        self.facts.table("Cloned", &table);
    }

    fn dependencies(&self, shown: &ComponentDetails<'_>) {
        let notes = |one: &ShownDependency<'_>| {
            let notes = [(one.is_missing, "(missing)"), (one.is_inferred, "(inferred)")];
            let notes = notes.iter().filter(|(holds, _)| *holds).map(|(_, note)| *note);
            text::Cell::styled(notes.collect::<Vec<_>>().join(" "), style::warn)
        };
        let mut table = text::Table::new(0, &[]);
        for one in &shown.dependencies {
            table.row([one.verb.into(), one.other.to_string().into(), notes(one)]);
        }
        self.facts.table("Depends on", &table);
        let mut table = text::Table::new(0, &[]);
        for one in &shown.dependents {
            table.row([one.other.to_string().into(), one.verb.into(), notes(one)]);
        }
        self.facts.table("Used by", &table);
    }

    fn environment(&self, shown: &ComponentDetails<'_>) {
        let declared = &shown.component.environment;
        if declared.is_empty() {
            return self.facts.rows("Environment", &["none declared".to_owned()]);
        }
        // An empty column would take room from the names.
        let described = declared.iter().any(|variable| variable.description.is_some());
        let table = |has_types: bool| {
            let is_shown = |at: &usize| (has_types || *at != 1) && (described || *at != 5);
            let fits = [Fit::Whole, Fit::Whole, Fit::Whole, Fit::Whole, Fit::Wrap, Fit::Wrap];
            let shown = |cells: [text::Cell; 6]| -> Vec<text::Cell> {
                cells.into_iter().enumerate().filter(|(at, _)| is_shown(at)).map(|(_, cell)| cell).collect()
            };
            let fits: Vec<Fit> = (0..6).filter(is_shown).map(|at| fits[at]).collect();
            let mut table = text::Table::new(0, &fits);
            let head = ["NAME", "TYPE", "SECRET", "REQUIRED", "DEFAULT", "DESCRIPTION"];
            table.row(shown(head.map(|text| text::Cell::styled(text, style::dim))));
            declared.iter().for_each(|one| table.row(shown(variable_row(one, self.guard))));
            table
        };
        self.facts.first_that_fits("Environment", &[&table(true), &table(false)]);
    }

    fn run_section(&self, shown: &ComponentDetails<'_>) {
        let component = shown.component;
        let mut built: Vec<FactRow> = Vec::new();
        if let Some(build) = &component.build {
            let file = build.file.as_deref().unwrap_or("Dockerfile or Containerfile");
            built.push(format!("{file} of {}", build.repo).into());
        }
        if let Some(image) = &component.image {
            built.push(format!("published as {image}").into());
        }
        self.facts.rows("Built", &built);
        let mut run: Vec<FactRow> = Vec::new();
        if let Some(entry) = &component.run {
            for (what, command) in [("", &entry.command), ("once: ", &entry.once)] {
                if !command.is_empty() {
                    run.push(format!("{what}{}", shell_words::join(command)).into());
                }
            }
            let needs: Vec<&str> = entry.needs.iter().map(|need| need.name.as_str()).collect();
            if !needs.is_empty() {
                run.push(format!("needs {}", needs.join(", ")).into());
            }
            if !entry.ports.is_empty() {
                let ports: Vec<String> = entry.ports.iter().map(ToString::to_string).collect();
                run.push(format!("listens on {}", ports.join(", ")).into());
            }
            if let Some(ready) = &entry.ready {
                run.push(format!("ready when {ready}").into());
            }
        }
        if component.is_runnable() {
            run.push(FactRow::dim(&format!("cki run-local {}", component.name())));
        }
        self.facts.rows("Run", &run);
        let mut staged: Vec<FactRow> = Vec::new();
        if let Some(stage) = &component.stage {
            let via = stage.via();
            let project = stage.project.as_deref().unwrap_or("–");
            staged.push(format!("via {via} in {project}").into());
            staged.extend(stage.parameters.iter().map(|one| parameter(one).into()));
            staged.push(FactRow::dim(&format!("cki stage --component {} --mr N", component.name())));
        }
        self.facts.rows("Staged", &staged);
        self.origins(shown);
    }

    /// Prints where the entry is written; in an inventory of several layers, where each of its values is.
    fn origins(&self, shown: &ComponentDetails<'_>) {
        let map = &shown.component.source_map;
        if !shown.inventory.is_layered() {
            return self.facts.rows("Written in", &[safe_line(&self.ui.place(map.file())).into_owned()]);
        }
        let mut table = text::Table::new(0, &[Fit::Whole, Fit::Whole, Fit::Wrap]);
        let head = |text: &str| text::Cell::styled(text, style::dim);
        table.row(["VALUE", "LAYER", "WRITTEN IN"].map(head));
        for row in origin_rows(shown.inventory, map) {
            table.row([
                safe_line(&row.path).into_owned().into(),
                safe_line(row.layer).into_owned().into(),
                text::Cell::styled(self.ui.place(&row.place).into_owned(), style::dim),
            ]);
        }
        self.facts.table("Origins", &table);
    }
}

/// Returns the cells of a declared variable.
fn variable_row(variable: &EnvVarDecl, guard: &Guard) -> [text::Cell; 6] {
    let yes = |truth: bool| if truth { "yes" } else { "no" };
    let or_dash = |text: &Option<String>| safe_line(text.as_deref().unwrap_or("–")).into_owned();
    let default = match &variable.default {
        Some(_) if guard.hides(variable) => MASK.to_owned(),
        other => or_dash(other),
    };
    [
        safe_line(&variable.name).into_owned().into(),
        or_dash(&variable.kind).into(),
        yes(guard.hides(variable)).into(),
        yes(variable.required).into(),
        default.into(),
        or_dash(&variable.description.as_deref().map(one_line)).into(),
    ]
}

fn parameter(parameter: &ParameterDecl) -> String {
    let pattern = parameter.pattern.as_ref().map(|pattern| format!(" = {pattern}")).unwrap_or_default();
    safe_line(&format!("[{}{pattern}]", parameter.name)).into_owned()
}

fn dash() -> String {
    "–".to_owned()
}

fn target(link: &Link, inventory: &Inventory) -> String {
    let text = match (&link.url, &link.path, &link.repo) {
        (Some(url), _, _) => url.clone(),
        (None, path, Some(repo)) => {
            let path = path.as_deref().unwrap_or("–");
            format!("{path} at {}", inventory.repo_url(repo).unwrap_or(repo))
        }
        (None, Some(path), None) => path.clone(),
        (None, None, None) => dash(),
    };
    safe_line(&text).into_owned()
}
