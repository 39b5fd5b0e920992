//! Report of `cki run-local --dry-run`: all units of the plan, in the order of their start. Secrets are
//! masked.

use serde::Serialize;

use crate::base::redact::Redactor;
use crate::base::secret::MASK;
use crate::base::text::{binary_bytes, bytes, command_line, plural, plural_of, safe_line, wrap_styled};
use crate::model::port::PublishedPort;
use crate::ops::clone::source::describe;
use crate::ops::run_local::plan::RunPlan;
use crate::ops::run_local::{DryRun, PlannedSource};
use crate::ops::runtime::start::scope::Network;
use crate::ops::runtime::start::unit::{Image, PlannedPort, Unit};
use crate::report::view;
use crate::ui::{PortView, Ui, style};

#[derive(Serialize)]
struct PlanView {
    engine: &'static str,
    components: Vec<String>,
    network: NetworkView,
    detach: bool,
    sources: Vec<PlannedSourceView>,
    units: Vec<UnitView>,
}

#[derive(Serialize)]
struct PlannedSourceView {
    path: String,
    branch: Option<String>,
    /// `None` if the sources are not cloned yet.
    commit: Option<String>,
    changed: bool,
    merge_request: Option<u64>,
    #[serde(skip)]
    state: String,
}

#[derive(Serialize)]
struct NetworkView {
    kind: &'static str,
    reaches: String,
}

#[derive(Serialize)]
struct UnitView {
    name: String,
    component: String,
    role: &'static str,
    requested: bool,
    one_shot: bool,
    image: Option<ImageView>,
    command: Option<Vec<String>>,
    workdir: Option<String>,
    environment: Vec<PlannedVariableView>,
    needs: Vec<String>,
    ports: Vec<u16>,
    published: Vec<PublishedView>,
    ready: Option<String>,
    setup: Vec<Vec<String>>,
    files: Vec<FileView>,
    /// `None` without a container.
    limits: Option<LimitsView>,
    volumes: Vec<String>,
    mounts: Vec<MountView>,
    sources: Vec<CopiedView>,
    watched: Option<String>,
}

#[derive(Serialize)]
struct ImageView {
    name: Option<String>,
    built_from: Option<PlannedBuildView>,
}

#[derive(Serialize)]
struct PlannedBuildView {
    repo: String,
    merge_request: Option<u64>,
    context: String,
    file: Option<String>,
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<&'static str>,
}

#[derive(Serialize)]
struct PlannedVariableView {
    name: String,
    value: String,
    secret: bool,
}

#[derive(Serialize)]
struct FileView {
    path: String,
    size: usize,
    mode: String,
}

#[derive(Serialize)]
struct PublishedView {
    #[serde(flatten)]
    port: PortView,
    /// The user chose the port of this machine; otherwise the next free one is taken if it is in use.
    chosen: bool,
    #[serde(skip)]
    address: String,
}

#[derive(Serialize)]
struct CopiedView {
    from: String,
    to: String,
}

#[derive(Serialize)]
struct LimitsView {
    unprivileged: bool,
    capabilities: Vec<String>,
    read_only: bool,
    memory: Option<u64>,
    processes: Option<u32>,
}

#[derive(Serialize)]
struct MountView {
    from: String,
    to: String,
    writable: bool,
}

/// Prints a plan.
pub fn print(ui: &Ui, dry_run: &DryRun) {
    let plan = &dry_run.plan;
    let view = plan_view(dry_run);
    if ui.is_structured() {
        return view::print(ui, &view);
    }
    let NetworkView { kind, reaches } = &view.network;
    for PlannedSourceView { path, state, .. } in &view.sources {
        row(ui, "source", &format!("{}  {state}", ui.place(path)));
    }
    row(ui, "network", &format!("{kind}: {reaches}"));
    for (number, unit) in view.units.iter().enumerate() {
        ui.data("");
        let what = match (unit.requested, unit.one_shot) {
            (true, true) => "requested, runs once",
            (true, false) => "requested",
            (false, _) => "needed",
        };
        let name = style::name(&safe_line(&unit.name));
        ui.data(&format!("{} {name}  {}", style::dim(&format!("{}.", number + 1)), style::dim(what)));
        rows(ui, unit);
    }
    let count = plural(view.units.len(), if plan.native { "command" } else { "container" });
    ui.status(&style::dim(&format!("{count} would be started; nothing was.")));
}

/// Column at which facts begin.
const LABEL: usize = 15;

fn row(ui: &Ui, name: &str, text: &str) {
    let text = text.replace('\n', "⏎");
    let room = ui.columns().map_or(usize::MAX, |columns| columns.saturating_sub(LABEL));
    for (at, line) in wrap_styled(&safe_line(&text), room).into_iter().enumerate() {
        let name = if at == 0 { name } else { "" };
        ui.data(&format!("  {} {line}", style::dim(&format!("{name:<12}"))));
    }
}

fn rows(ui: &Ui, unit: &UnitView) {
    let list = |items: &[u16]| items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let given = |name: &str, text: String| {
        if !text.is_empty() {
            row(ui, name, &text);
        }
    };
    given("image", unit.image.as_ref().map_or_else(String::new, |image| image_text(ui, image)));
    given("command", unit.command.as_deref().map_or_else(|| "the image's own".to_owned(), command_line));
    given("workdir", unit.workdir.clone().unwrap_or_default());
    given("needs", unit.needs.join(", "));
    given("ports", list(&unit.ports));
    for PublishedView { chosen, address, .. } in &unit.published {
        let or = if *chosen { "" } else { ", or on the next free port" };
        given("published", format!("{address}{or}"));
    }
    given("ready", unit.ready.as_ref().map_or_else(String::new, |ready| format!("when {ready}")));
    for command in &unit.setup {
        given("then", command_line(command));
    }
    for FileView { path, size, mode } in &unit.files {
        given("file", format!("{path}, {}, mode {mode}", bytes(*size as u64)));
    }
    given("volumes", unit.volumes.join(", "));
    for MountView { from, to, writable } in &unit.mounts {
        given("mount", format!("{} at {to}{}", ui.place(from), if *writable { "" } else { ", read-only" }));
    }
    for CopiedView { from, to } in &unit.sources {
        given("sources", format!("{} copied to {to}", ui.place(from)));
    }
    given("watched", unit.watched.clone().unwrap_or_default());
    given("limits", unit.limits.as_ref().map_or_else(|| NO_LIMITS.to_owned(), limits_text));
    for (index, variable) in unit.environment.iter().enumerate() {
        let label = if index == 0 { "environment" } else { "" };
        given(label, format!("{}={}", variable.name, variable.value));
    }
}

/// Statement on limits without a container.
const NO_LIMITS: &str = "none: files, user, memory and processors are this machine's";

fn limits_text(limits: &LimitsView) -> String {
    let LimitsView { unprivileged, capabilities, read_only, memory, processes } = limits;
    let limits: Vec<String> = [
        unprivileged.then(|| match capabilities.as_slice() {
            [] => "no privileges".to_owned(),
            kept => format!("no privileges but {}", kept.join(" ")),
        }),
        read_only.then(|| "read-only".to_owned()),
        memory.map(|memory| format!("{} of memory", binary_bytes(memory))),
        processes.map(|count| plural_of(count as usize, "process", "processes")),
    ]
    .into_iter()
    .flatten()
    .collect();
    limits.join(", ")
}

fn image_text(ui: &Ui, image: &ImageView) -> String {
    match image {
        ImageView { built_from: Some(build), .. } => {
            let request =
                build.merge_request.map_or_else(String::new, |number| format!(", merge request !{number}"));
            format!("built from {}{request} in {}", build.repo, ui.place(&build.context))
        }
        ImageView { name: Some(name), .. } => name.clone(),
        ImageView { .. } => "unknown".to_owned(),
    }
}

fn plan_view(DryRun { plan, sources }: &DryRun) -> PlanView {
    let redactor = Redactor::new(plan.units().flat_map(Unit::secrets));
    PlanView {
        engine: if plan.native { "native" } else { "containers" },
        components: plan.requested_names(),
        network: NetworkView {
            kind: match plan.network {
                Network::Isolated => "isolated",
                Network::Internet => "open",
            },
            reaches: match plan.network {
                Network::Isolated => plan.reach().to_string(),
                Network::Internet if plan.native => {
                    "everything that this machine reaches, production included".to_owned()
                }
                Network::Internet => "everything that this machine reaches".to_owned(),
            },
        },
        detach: plan.detach,
        sources: sources.iter().map(source_view).collect(),
        units: plan.units().map(|unit| unit_view(plan, unit, &redactor)).collect(),
    }
}

fn source_view(source: &PlannedSource) -> PlannedSourceView {
    let PlannedSource { path, checkout, merge_request } = source;
    let now = checkout.as_ref().map_or_else(|| "to be cloned".to_owned(), describe);
    PlannedSourceView {
        path: path.display().to_string(),
        branch: checkout.as_ref().and_then(|checkout| checkout.branch.clone()),
        commit: checkout.as_ref().and_then(|checkout| checkout.head).map(|head| head.to_string()),
        changed: checkout.as_ref().is_some_and(|checkout| checkout.dirty || checkout.untracked),
        merge_request: *merge_request,
        state: match merge_request {
            Some(number) => format!("{now}, to be at merge request !{number}"),
            None => now,
        },
    }
}

fn unit_view(plan: &RunPlan, unit: &Unit, redactor: &Redactor) -> UnitView {
    let native = unit.native.as_ref().filter(|_| plan.native);
    let command = native.map(|native| &native.command).or(unit.command.as_ref());
    let environment = native.and_then(|native| native.environment.as_ref()).unwrap_or(&unit.environment);
    let limits = &unit.limits;
    UnitView {
        name: unit.name.clone(),
        component: unit.component.clone(),
        role: unit.role.as_str(),
        requested: unit.requested,
        one_shot: unit.one_shot,
        image: (!plan.native).then(|| image_view(unit)),
        command: command.map(|words| words.iter().map(|word| redactor.text(word)).collect()),
        workdir: unit.workdir.clone().filter(|_| !plan.native),
        environment: environment
            .iter()
            .map(|(name, value)| {
                let secret = unit.secret.contains(name);
                let value = if secret { MASK.to_owned() } else { redactor.text(value.expose()) };
                PlannedVariableView { name: name.clone(), value, secret }
            })
            .collect(),
        needs: unit.needs.clone(),
        ports: unit.ports.clone(),
        published: unit.dev.publish.iter().map(|one| published_view(unit, one)).collect(),
        sources: unit
            .dev
            .copies
            .iter()
            .map(|one| CopiedView { from: one.from.display().to_string(), to: one.to.clone() })
            .collect(),
        watched: unit.dev.reload.as_ref().map(|reload| reload.root.display().to_string()),
        ready: unit.ready.as_ref().map(|ready| redactor.text(&ready.to_string())),
        setup: unit
            .setup
            .iter()
            .map(|command| command.iter().map(|word| redactor.text(word)).collect())
            .collect(),
        files: unit
            .files
            .iter()
            .map(|file| FileView {
                path: file.path.clone(),
                size: file.content.expose().len(),
                mode: format!("{:o}", file.mode),
            })
            .collect(),
        limits: (!plan.native).then(|| LimitsView {
            unprivileged: limits.unprivileged,
            capabilities: limits.keep.clone(),
            read_only: limits.read_only,
            memory: limits.memory,
            processes: limits.processes,
        }),
        volumes: unit.volumes.clone(),
        mounts: unit
            .dev
            .mounts
            .iter()
            .map(|mount| MountView {
                from: mount.from.display().to_string(),
                to: mount.to.clone(),
                writable: mount.writable,
            })
            .collect(),
    }
}

fn published_view(unit: &Unit, planned: &PlannedPort) -> PublishedView {
    let PlannedPort { port, host, preferred, .. } = *planned;
    let port = PublishedPort { local: preferred, port, is_http: unit.speaks_http(port) };
    let address = match port.local == port.port {
        true => port.address(),
        false => format!("{} to port {}", port.address(), port.port),
    };
    PublishedView { port: PortView::from(&port), chosen: host.is_some(), address }
}

fn image_view(unit: &Unit) -> ImageView {
    let built_from = match (&unit.image, &unit.dev.build) {
        (Image::Built(_), Some(build)) => Some(PlannedBuildView {
            repo: build.repo.clone(),
            merge_request: build.merge_request,
            context: build.context.display().to_string(),
            file: build.file.as_ref().map(|file| file.display().to_string()),
            target: build.target.clone(),
            network: build.network.as_written(),
        }),
        _ => None,
    };
    let name = match &unit.image {
        Image::Named(name) => Some(name.clone()),
        Image::Own => Some("made by cki of itself".to_owned()),
        Image::Built(_) | Image::Unknown => None,
    };
    ImageView { name, built_from }
}
