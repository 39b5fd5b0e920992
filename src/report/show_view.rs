//! The JSON form of `cki show`. The text is in `show`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::guard::Guard;
use crate::model::inventory::{EnvVarDecl, Link, NeedDecl, StageVia};
use crate::model::port::DeclaredPort;
use crate::ops::show::{ComponentDetails, ShownDependency};
use crate::report::component_facts::ComponentFactsView;
use crate::report::show_origins::{OriginView, origins_view};

#[derive(Serialize)]
pub(super) struct ShowView<'a> {
    #[serde(flatten)]
    facts: ComponentFactsView<'a>,
    documentation: Vec<LinkView<'a>>,
    sources: Vec<SourceView<'a>>,
    monitoring: Vec<LinkView<'a>>,
    dependencies: Vec<DependencyView<'a>>,
    dependents: Vec<DependencyView<'a>>,
    environment: Vec<DeclaredVariableView<'a>>,
    image: Option<&'a str>,
    build: Option<BuildView<'a>>,
    run: Option<RunEntryView<'a>>,
    stage: Option<StageEntryView<'a>>,
    written_in: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    origins: Option<BTreeMap<String, OriginView<'a>>>,
}

#[derive(Serialize)]
struct LinkView<'a> {
    label: &'a str,
    repo: Option<&'a str>,
    path: Option<&'a str>,
    url: Option<&'a str>,
}

#[derive(Serialize)]
struct SourceView<'a> {
    repo: &'a str,
    path: Option<&'a str>,
    url: Option<&'a str>,
    clone: Option<String>,
}

#[derive(Serialize)]
struct DependencyView<'a> {
    verb: &'a str,
    target: String,
    missing: bool,
    inferred: bool,
}

#[derive(Serialize)]
struct DeclaredVariableView<'a> {
    name: &'a str,
    r#type: Option<&'a str>,
    secret: bool,
    required: bool,
    default: Option<&'a str>,
    description: Option<&'a str>,
}

#[derive(Serialize)]
struct BuildView<'a> {
    repo: &'a str,
    file: Option<&'a str>,
    context: Option<&'a str>,
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<&'static str>,
}

#[derive(Serialize)]
struct RunEntryView<'a> {
    command: &'a [String],
    once: &'a [String],
    workdir: Option<&'a str>,
    ports: &'a [DeclaredPort],
    needs: &'a [NeedDecl],
    ready: Option<String>,
}

#[derive(Serialize)]
struct StageEntryView<'a> {
    via: Option<&'a str>,
    project: Option<&'a str>,
    parameters: Vec<ParameterView<'a>>,
}

#[derive(Serialize)]
struct ParameterView<'a> {
    name: &'a str,
    pattern: Option<&'a str>,
}

fn link_view(link: &Link) -> LinkView<'_> {
    LinkView {
        label: &link.label,
        repo: link.repo.as_deref(),
        path: link.path.as_deref(),
        url: link.url.as_deref(),
    }
}

fn dependency_view<'a>(one: &ShownDependency<'a>) -> DependencyView<'a> {
    DependencyView {
        verb: one.verb,
        target: one.other.to_string(),
        missing: one.is_missing,
        inferred: one.is_inferred,
    }
}

fn variable_view<'a>(variable: &'a EnvVarDecl, guard: &Guard) -> DeclaredVariableView<'a> {
    DeclaredVariableView {
        name: &variable.name,
        r#type: variable.kind.as_deref(),
        secret: guard.hides(variable),
        required: variable.required,
        default: variable.default.as_deref().filter(|_| !guard.hides(variable)),
        description: variable.description.as_deref(),
    }
}

/// Returns the facts of a component for JSON and YAML.
pub(super) fn show_view<'a>(shown: &'a ComponentDetails<'a>, guard: &Guard) -> ShowView<'a> {
    let component = shown.component;
    let clone_of = |repo: &str| {
        let place = shown.places.iter().find(|place| place.repo == repo)?;
        Some(place.path.as_ref().ok()?.as_ref()?.display().to_string())
    };
    ShowView {
        facts: component.into(),
        documentation: component.documentation.iter().map(link_view).collect(),
        sources: component
            .sources
            .iter()
            .map(|source| SourceView {
                repo: &source.repo,
                path: source.path.as_deref(),
                url: shown.inventory.repo_url(&source.repo),
                clone: clone_of(&source.repo),
            })
            .collect(),
        monitoring: component.monitoring.iter().map(link_view).collect(),
        dependencies: shown.dependencies.iter().map(dependency_view).collect(),
        dependents: shown.dependents.iter().map(dependency_view).collect(),
        environment: component.environment.iter().map(|one| variable_view(one, guard)).collect(),
        image: component.image.as_deref(),
        build: component.build.as_ref().map(|build| BuildView {
            repo: &build.repo,
            file: build.file.as_deref(),
            context: build.context.as_deref(),
            target: build.target.as_deref(),
            network: build.network.as_written(),
        }),
        run: component.run.as_ref().map(|run| RunEntryView {
            command: &run.command,
            once: &run.once,
            workdir: run.workdir.as_deref(),
            ports: &run.ports,
            needs: &run.needs,
            ready: run.ready.as_ref().map(ToString::to_string),
        }),
        stage: component.stage.as_ref().map(|stage| StageEntryView {
            via: stage.via.map(StageVia::as_str),
            project: stage.project.as_deref(),
            parameters: stage
                .parameters
                .iter()
                .map(|p| ParameterView { name: &p.name, pattern: p.pattern.as_deref() })
                .collect(),
        }),
        written_in: component.source_map.file(),
        origins: origins_view(shown.inventory, &component.source_map),
    }
}
