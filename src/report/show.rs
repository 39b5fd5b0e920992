//! Report of `cki show`, as text. Its JSON is in `show_view`.

use serde::Serialize;

use crate::base::text::{self, Fit, safe_line};
use crate::model::inventory::{Inventory, Link, ParameterDecl};
use crate::ops::show::ComponentDetails;
use crate::report::show_origins::origin_rows;
use crate::report::show_view::{ShowView, show_view};
use crate::report::view;
use crate::ui::{Ui, style};

/// Column at which facts begin.
const LABEL: usize = 16;

/// Prints all facts of a component.
pub fn print(ui: &Ui, shown: &ComponentDetails<'_>) {
    if ui.is_structured() {
        return view::print(ui, &show_view(shown));
    }
    if ui.is_names() {
        return ui.names([shown.component.name()]);
    }
    let mut page = ShowPage { ui, columns: ui.columns() };
    page.title(shown);
    page.links("Documentation", &shown.component.documentation, shown.inventory);
    page.sources(shown);
    page.links("Monitoring", &shown.component.monitoring, shown.inventory);
    page.dependencies(shown);
    page.environment(shown);
    page.run_section(shown);
}

/// Prints all facts of several components.
pub fn print_all(ui: &Ui, shown: &[ComponentDetails<'_>]) {
    #[derive(Serialize)]
    struct AllView<'a> {
        components: Vec<ShowView<'a>>,
    }
    if ui.is_structured() {
        return view::print(ui, &AllView { components: shown.iter().map(show_view).collect() });
    }
    for (at, one) in shown.iter().enumerate() {
        if at > 0 && !ui.is_names() {
            ui.data("");
        }
        print(ui, one);
    }
}

struct ShowPage<'a> {
    ui: &'a Ui,
    columns: Option<usize>,
}

/// A text of several lines, in a cell of a table.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl ShowPage<'_> {
    fn title(&mut self, shown: &ComponentDetails<'_>) {
        let component = shown.component;
        let mut facts: Vec<&str> = Vec::new();
        facts.extend(component.kind.as_deref());
        facts.extend(component.infrastructure.as_deref());
        facts.extend(component.people.iter().map(String::as_str));
        let facts = safe_line(&facts.join(" · ")).into_owned();
        let page = self.columns.unwrap_or(100).min(100);
        let gap = page.saturating_sub(text::width(component.name()) + text::width(&facts)).max(2);
        self.ui.data(&format!("{}{}{}", style::name(component.name()), " ".repeat(gap), style::dim(&facts)));
        let description = component.description.as_deref().unwrap_or("No description.");
        for line in description.trim_end().lines() {
            let indent = &line[..line.len() - line.trim_start_matches(' ').len()];
            let wrapped = text::wrap(&safe_line(line.trim()), page.saturating_sub(indent.len()).max(20));
            let wrapped = if wrapped.is_empty() { vec![String::new()] } else { wrapped };
            self.ui.lines(wrapped.into_iter().map(|line| format!("{indent}{line}").trim_end().to_owned()));
        }
        self.ui.data("");
        self.rows("Kind", vec![component.kind.clone().unwrap_or_else(dash)]);
        self.rows("Infrastructure", vec![component.infrastructure.clone().unwrap_or_else(dash)]);
        let people = component.people.join(", ");
        self.rows("People", vec![if people.is_empty() { dash() } else { people }]);
    }

    /// Prints a label with its rows; without any, a dash.
    fn rows(&mut self, label: &str, rows: Vec<String>) {
        let rows = if rows.is_empty() { vec![dash()] } else { rows };
        for (index, row) in rows.into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            self.ui.data(&format!("{}{row}", style::dim(&format!("{label:<LABEL$}"))));
        }
    }

    fn table(&mut self, label: &str, table: &text::Table) {
        let width = self.columns.map(|columns| columns.saturating_sub(LABEL));
        self.rows(label, table.lines(width));
    }

    fn links(&mut self, label: &str, links: &[Link], inventory: &Inventory) {
        let mut table = text::Table::new(0, &[Fit::Whole, Fit::Wrap]);
        for link in links {
            table.row([safe_line(&link.label).into_owned().into(), target(link, inventory).into()]);
        }
        self.table(label, &table);
    }

    fn sources(&mut self, shown: &ComponentDetails<'_>) {
        let mut table = text::Table::new(0, &[Fit::Whole, Fit::Wrap]);
        for source in &shown.component.sources {
            let url = shown.inventory.repo_url(&source.repo).unwrap_or("–");
            let path = source.path.as_deref().map(|path| format!("{path} ")).unwrap_or_default();
            table.row([
                safe_line(&source.repo).into_owned().into(),
                safe_line(&format!("{path}at {url}")).into_owned().into(),
            ]);
        }
        self.table("Sources", &table);
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
        self.table("Cloned", &table);
    }

    fn dependencies(&mut self, shown: &ComponentDetails<'_>) {
        let mut table = text::Table::new(0, &[]);
        for (dependency, exists) in &shown.dependencies {
            let mut notes = Vec::new();
            if !exists {
                notes.push("(missing)");
            }
            if dependency.inferred {
                notes.push("(inferred)");
            }
            table.row([
                safe_line(&dependency.verb).into_owned().into(),
                dependency.target.to_string().into(),
                text::Cell::styled(notes.join(" "), style::warn),
            ]);
        }
        self.table("Depends on", &table);
        let mut table = text::Table::new(0, &[]);
        for (component, dependency) in &shown.dependents {
            table.row([
                component.reference.to_string().into(),
                safe_line(&dependency.verb).into_owned().into(),
                text::Cell::styled(if dependency.inferred { "(inferred)" } else { "" }, style::warn),
            ]);
        }
        self.table("Used by", &table);
    }

    fn environment(&mut self, shown: &ComponentDetails<'_>) {
        let declared = &shown.component.environment;
        if declared.is_empty() {
            return self.rows("Environment", vec!["none declared".to_owned()]);
        }
        let fits = [Fit::Whole, Fit::Whole, Fit::Whole, Fit::Whole, Fit::Wrap, Fit::Wrap];
        let mut table = text::Table::new(0, &fits);
        let head = |text: &str| text::Cell::styled(text, style::dim);
        // An empty column would take room from the names.
        let described = declared.iter().any(|variable| variable.description.is_some());
        let columns = ["NAME", "TYPE", "SECRET", "REQUIRED", "DEFAULT", "DESCRIPTION"];
        let columns = if described { &columns[..] } else { &columns[..5] };
        table.row(columns.iter().map(|text| head(text)));
        for variable in declared {
            let yes = |truth: bool| if truth { "yes" } else { "no" };
            let or_dash = |text: &Option<String>| safe_line(text.as_deref().unwrap_or("–")).into_owned();
            let default = match &variable.default {
                Some(_) if variable.is_secret() => crate::base::secret::MASK.to_owned(),
                other => or_dash(other),
            };
            table.row([
                safe_line(&variable.name).into_owned().into(),
                or_dash(&variable.kind).into(),
                yes(variable.is_secret()).into(),
                yes(variable.required).into(),
                default.into(),
                if described {
                    or_dash(&variable.description.as_deref().map(one_line)).into()
                } else {
                    "".into()
                },
            ]);
        }
        self.table("Environment", &table);
    }

    fn run_section(&mut self, shown: &ComponentDetails<'_>) {
        let component = shown.component;
        let mut built = Vec::new();
        if let Some(build) = &component.build {
            let file = build.file.as_deref().unwrap_or("Dockerfile or Containerfile");
            built.push(format!("{} of {}", safe_line(file), safe_line(&build.repo)));
        }
        if let Some(image) = &component.image {
            built.push(format!("published as {}", safe_line(image)));
        }
        self.rows("Built", built);
        let mut run = Vec::new();
        if let Some(entry) = &component.run {
            for (what, command) in [("", &entry.command), ("once: ", &entry.once)] {
                if !command.is_empty() {
                    run.push(format!("{what}{}", safe_line(&shell_words::join(command))));
                }
            }
            let needs: Vec<&str> = entry.needs.iter().map(|need| need.name.as_str()).collect();
            if !needs.is_empty() {
                run.push(format!("needs {}", safe_line(&needs.join(", "))));
            }
            if !entry.ports.is_empty() {
                let ports: Vec<String> = entry.ports.iter().map(ToString::to_string).collect();
                run.push(format!("listens on {}", ports.join(", ")));
            }
            if let Some(ready) = &entry.ready {
                run.push(format!("ready when {}", safe_line(&ready.to_string())));
            }
        }
        if component.is_runnable() {
            run.push(style::dim(&format!("cki run-local {}", component.name())));
        }
        self.rows("Run", run);
        let mut staged = Vec::new();
        if let Some(stage) = &component.stage {
            let via = stage.via.as_deref().unwrap_or("bot");
            let project = stage.project.as_deref().unwrap_or("–");
            staged.push(format!("via {} in {}", safe_line(via), safe_line(project)));
            staged.extend(stage.parameters.iter().map(parameter));
            staged.push(style::dim(&format!("cki stage --component {} --mr N", component.name())));
        }
        self.rows("Staged", staged);
        self.origins(shown);
    }

    /// Prints where the entry is written; in an inventory of several layers, where each of its values is.
    fn origins(&mut self, shown: &ComponentDetails<'_>) {
        let map = &shown.component.source_map;
        if !shown.inventory.is_layered() {
            return self.rows("Written in", vec![safe_line(map.file()).into_owned()]);
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
        self.table("Origins", &table);
    }
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
