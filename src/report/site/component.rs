//! The page of a component: the facts that `cki show` prints, its pictures, its findings and its README.

use serde::Serialize;

use super::address::{file_address, safe_href};
use super::findings::FindingItem;
use super::frame::{PageLink, Titled, owners};
use super::markdown;
use super::pages::Site;
use super::picture::PictureView;
use crate::base::relative_path::joined;
use crate::base::secret::MASK;
use crate::base::template::html::Markup;
use crate::model::graph::Direction;
use crate::model::guard::Guard;
use crate::model::inventory::{Component, EnvVarDecl, Run, StageDecl};
use crate::ops::inventory::site::Readme;
use crate::report::graph::category_class;

#[derive(Serialize)]
pub(super) struct ComponentPage<'a> {
    name: &'a str,
    reference: String,
    root: &'a str,
    class: String,
    description: Option<&'a str>,
    kind: Option<&'a str>,
    category: PageLink,
    owners: Vec<PageLink>,
    infrastructure: Option<PageLink>,
    hosts: &'a [String],
    written_in: String,
    documentation: Vec<PageLink>,
    monitoring: Vec<PageLink>,
    sources: Vec<PageLink>,
    deployment: Vec<PageLink>,
    needs: EdgesView,
    users: EdgesView,
    environment: Vec<VariableItem<'a>>,
    /// A variable has a description.
    is_described: bool,
    run: Vec<FactView>,
    stage: Vec<FactView>,
    /// Backing service of the same name.
    service: Option<PageLink>,
    findings: Vec<FindingItem<'a>>,
    readme: Option<ReadmeView>,
}

/// Dependencies or dependents.
#[derive(Serialize)]
struct EdgesView {
    picture: Option<PictureView>,
    edges: Vec<EdgeItem>,
}

#[derive(Serialize)]
struct EdgeItem {
    verb: String,
    entry: PageLink,
    class: String,
    is_missing: bool,
    is_inferred: bool,
}

#[derive(Serialize)]
struct VariableItem<'a> {
    name: &'a str,
    kind: Option<&'a str>,
    is_secret: bool,
    is_required: bool,
    default: Option<&'a str>,
    description: Option<&'a str>,
}

/// A fact in one of several forms.
#[derive(Serialize)]
struct FactView {
    label: &'static str,
    /// Text, or text of a link.
    text: String,
    href: Option<String>,
    is_code: bool,
}

#[derive(Serialize)]
pub(super) struct ReadmeView {
    source: PageLink,
    /// Markdown as HTML.
    markup: Option<Markup>,
    /// Any other text.
    text: Option<String>,
    is_cut: bool,
}

impl Titled for ComponentPage<'_> {
    fn title(&self) -> &str {
        self.name
    }
}

fn fact(label: &'static str, text: impl Into<String>) -> FactView {
    FactView { label, text: text.into(), href: None, is_code: false }
}

fn code(label: &'static str, text: impl Into<String>) -> FactView {
    FactView { is_code: true, ..fact(label, text) }
}

impl Site<'_> {
    pub(super) fn component<'v>(&'v self, at: usize, root: &'v str) -> ComponentPage<'v> {
        let content = self.content;
        let component = &content.components()[at];
        let links = |links: &[crate::model::inventory::Link]| {
            links.iter().map(|one| self.declared_link(one)).collect()
        };
        let findings = self.frame.findings.get(&component.reference).into_iter().flatten();
        let service = content.inventory.service_of(component);
        ComponentPage {
            name: component.name(),
            reference: component.reference.to_string(),
            root,
            class: category_class(content.inventory, &component.reference.category),
            description: component.description.as_deref().map(str::trim),
            kind: component.kind.as_deref(),
            category: self.category_link(&component.reference.category, root),
            owners: owners(component, root),
            infrastructure: component.infrastructure_reference().map(|one| self.entry_link(&one, root)),
            hosts: &component.hosts,
            written_in: self.shown_file(component.source_map.file()),
            documentation: links(&component.documentation),
            monitoring: links(&component.monitoring),
            sources: component
                .sources
                .iter()
                .map(|one| self.repo_link(&one.repo, one.path.as_deref()))
                .collect(),
            deployment: component
                .deployment
                .iter()
                .map(|one| self.repo_link(&one.repo, Some(&one.path)))
                .collect(),
            needs: self.edges(at, Direction::Dependencies, root),
            users: self.edges(at, Direction::Dependents, root),
            environment: component.environment.iter().map(|one| variable(one, self.content.guard)).collect(),
            is_described: component.environment.iter().any(|one| one.description.is_some()),
            run: self.run(component),
            stage: component.stage.as_deref().map(|stage| staging(component, stage)).unwrap_or_default(),
            service: service.map(|name| {
                let name = name.strip_prefix("service:").unwrap_or(&name).to_owned();
                let href = format!("{root}{}", super::names::service_page(&name));
                PageLink::new(name, Some(href))
            }),
            findings: findings.map(|at| self.finding(&content.checked.findings[*at], root)).collect(),
            readme: content.readmes[at].as_deref().map(|readme| self.readme(readme, root)),
        }
    }

    fn edges(&self, at: usize, direction: Direction, root: &str) -> EdgesView {
        let graph = &self.content.graph;
        let edges = graph.neighbours(at, direction).into_iter().map(|(other, edge)| {
            let node = graph.node(other);
            EdgeItem {
                verb: edge.verb.to_owned(),
                entry: self.entry_link(&node.reference, root),
                class: category_class(self.content.inventory, &node.reference.category),
                is_missing: node.component.is_none(),
                is_inferred: edge.inferred,
            }
        });
        EdgesView { edges: edges.collect(), picture: self.picture(at, direction, root) }
    }

    fn run(&self, component: &Component) -> Vec<FactView> {
        let mut facts = Vec::new();
        if let Some(build) = &component.build {
            let link = self.repo_link(&build.repo, build.file.as_deref());
            facts.push(FactView { href: link.href, ..fact("Built from", link.text) });
            facts.extend(build.context.as_deref().map(|context| code("Build context", context)));
            facts.extend(build.target.as_deref().map(|target| code("Build stage", target)));
            facts.extend(build.network.as_written().map(|network| fact("Build network", network)));
        }
        facts.extend(component.image.as_deref().map(|image| code("Published image", image)));
        if let Some(run) = &component.run {
            facts.extend(run_facts(run));
        }
        if component.is_runnable() {
            facts.push(code("Try it", format!("cki run-local {}", component.name())));
        }
        facts
    }

    pub(super) fn readme(&self, readme: &Readme, root: &str) -> ReadmeView {
        let inventory = self.content.inventory;
        let resolve = |target: &str| {
            if target.contains(':') || target.starts_with("//") {
                return safe_href(target, self.cleaner);
            }
            if let Some(page) = self.rfc_href(readme, target, root) {
                return Some(page);
            }
            let (path, fragment) =
                target.split_once('#').map_or((target, None), |(path, fragment)| (path, Some(fragment)));
            let path = path.split('?').next().unwrap_or_default();
            let path = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
            let address = file_address(inventory, &readme.repo, &joined(&readme.path, &path)?, self.cleaner)?;
            let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
            safe_href(&format!("{address}{fragment}"), self.cleaner)
        };
        let is_markdown = readme.is_markdown();
        ReadmeView {
            source: self.repo_link(&readme.repo, Some(&readme.path)),
            markup: is_markdown.then(|| markdown::rendered(&readme.text, self.cleaner, &resolve)),
            text: (!is_markdown).then(|| readme.text.clone()),
            is_cut: readme.is_cut,
        }
    }
}

fn run_facts(run: &Run) -> Vec<FactView> {
    let mut facts = Vec::new();
    for (label, command) in [("Command", &run.command), ("Command, once", &run.once)] {
        if !command.is_empty() {
            facts.push(code(label, shell_words::join(command)));
        }
    }
    facts.extend(run.workdir.as_deref().map(|path| code("Working directory", path)));
    let list = |items: Vec<String>| (!items.is_empty()).then(|| items.join(", "));
    let needs = run.needs.iter().map(|need| need.name.clone()).collect();
    facts.extend(list(needs).map(|needs| fact("Needs", needs)));
    let ports = run.ports.iter().map(ToString::to_string).collect();
    facts.extend(list(ports).map(|ports| fact("Listens on", ports)));
    facts.extend(run.ready.as_ref().map(|ready| fact("Ready when", ready.to_string())));
    facts
}

fn staging(component: &Component, stage: &StageDecl) -> Vec<FactView> {
    let mut facts = vec![fact("Asked by", stage.via().as_str())];
    facts.extend(stage.project.as_deref().map(|project| fact("Project", project)));
    for parameter in &stage.parameters {
        let pattern = parameter.pattern.as_ref().map(|pattern| format!(" = {pattern}")).unwrap_or_default();
        facts.push(code("Parameter", format!("{}{pattern}", parameter.name)));
    }
    facts.push(code("Try it", format!("cki stage --component {} --mr N", component.name())));
    facts
}

fn variable<'a>(variable: &'a EnvVarDecl, guard: &Guard) -> VariableItem<'a> {
    let default = variable.default.as_deref();
    VariableItem {
        name: &variable.name,
        kind: variable.kind.as_deref(),
        is_secret: guard.hides(variable),
        is_required: variable.required,
        default: if guard.hides(variable) { default.map(|_| MASK) } else { default },
        description: variable.description.as_deref(),
    }
}
