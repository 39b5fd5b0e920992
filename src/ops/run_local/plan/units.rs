//! Units made from an inventory: components, their init commands, and backing services.

use std::path::Path;

use super::input::PlanInput;
use crate::model::container::Limits;
use crate::model::environment::{Environment, hidden_parts};
use crate::model::identity::Role;
use crate::model::inventory::{Capability, Component, Memory};
use crate::model::service::Service;
use crate::ops::runtime::helper_image;
use crate::ops::runtime::start::unit::{BuildPlan, DevOptions, Image, NativeCommand, Unit};

/// Maximum number of processes in a container; no component needs more.
const PROCESSES: u32 = 4096;

/// Returns the units that must succeed before a component starts, one after the other: its own init
/// commands, and those of its deployment.
pub(super) fn init_units(unit: &Unit, component: &Component, deployed: Vec<Unit>) -> Vec<Unit> {
    let commands = component.run.as_ref().map_or(&[][..], |run| &run.init);
    let own = commands.iter().map(|command| {
        let mut one = Unit { keeps_entrypoint: false, ..unit.clone() };
        one.set_command(Some(command.clone()), component);
        one
    });
    let mut units: Vec<Unit> = Vec::new();
    for (index, one) in own.chain(deployed).enumerate() {
        let number = if index == 0 { String::new() } else { format!("-{}", index + 1) };
        let mut needs = unit.needs.clone();
        needs.extend(units.last().map(|before| before.name.clone()));
        let work = DevOptions { publish: Vec::new(), ..one.dev };
        units.push(Unit {
            name: format!("{}-init{number}", unit.name),
            aliases: Vec::new(),
            role: Role::Service,
            component: unit.component.clone(),
            requested: false,
            one_shot: true,
            needs,
            ports: Vec::new(),
            host_ports: Vec::new(),
            ready: None,
            dev: work,
            ..one
        });
    }
    units
}

pub(super) fn component_unit(
    component: &Component,
    environment: &Environment,
    tag: &str,
    memory: Memory,
) -> Unit {
    let run = *component.run.clone().unwrap_or_default();
    let image = match (&component.build, &component.image) {
        (Some(_), _) => Image::Built(component.reference.to_string()),
        (None, Some(image)) => Image::Named(with_tag(image, tag)),
        (None, None) => Image::Unknown,
    };
    let command = (!run.command.is_empty()).then_some(run.command);
    let keeps_entrypoint = command.is_none() && !run.image_args.is_empty();
    let repo = component.repos().first().map(|repo| (*repo).to_owned());
    Unit {
        name: component.name().to_owned(),
        aliases: Vec::new(),
        role: Role::Component,
        is_component: true,
        requested: false,
        one_shot: component.is_one_shot(),
        component: component.reference.to_string(),
        needs: Vec::new(),
        image,
        native: command.clone().map(|command| NativeCommand { command, environment: None, repo }),
        command: command.or_else(|| keeps_entrypoint.then_some(run.image_args)),
        keeps_entrypoint,
        environment: environment.pairs(),
        secret: environment.variables.iter().filter(|v| v.secret).map(|v| v.name.clone()).collect(),
        workdir: run.workdir,
        http_ports: run.ports.iter().filter(|port| port.is_http).map(|port| port.number).collect(),
        ports: run.ports.iter().map(|port| port.number).collect(),
        host_ports: run.ports.iter().filter_map(|port| Some((port.host?, port.number))).collect(),
        files: environment.files.clone(),
        hidden: environment.files.iter().flat_map(hidden_parts).collect(),
        ready: run.ready,
        setup: Vec::new(),
        retained: false,
        volumes: run.writable.iter().map(|place| place.path().to_owned()).collect(),
        limits: Limits {
            unprivileged: true,
            keep: run.capabilities.iter().map(|one| one.name().to_owned()).collect(),
            read_only: run.read_only,
            memory: Some(run.memory.unwrap_or(memory).bytes()),
            processes: Some(PROCESSES),
        },
        dev: DevOptions::default(),
    }
}

/// Returns the build of a component's image, given where its clone is or will be.
pub(super) fn build_plan(
    component: &Component,
    input: &PlanInput<'_>,
    merge_request: Option<u64>,
) -> Option<BuildPlan> {
    let build = component.build.as_ref()?;
    let clone = input.clone_of(&build.repo);
    let inside = |path: &str| match path.trim_start_matches("./") {
        "" | "." => clone.to_path_buf(),
        path => clone.join(path),
    };
    let context = inside(build.context.as_deref().unwrap_or("."));
    let file = build.file.as_deref().map(inside);
    Some(BuildPlan {
        repo: build.repo.clone(),
        merge_request,
        file: file.map(|file| file.strip_prefix(&context).map_or(file.clone(), Path::to_path_buf)),
        context,
        args: build.args.clone(),
        target: build.target.clone(),
        network: build.network,
    })
}

pub(super) fn service_unit(service: Service, component: &str) -> Unit {
    Unit {
        name: service.name,
        aliases: Vec::new(),
        role: Role::Service,
        is_component: false,
        requested: false,
        one_shot: false,
        component: component.to_owned(),
        needs: Vec::new(),
        image: if service.image == helper_image::NAME { Image::Own } else { Image::Named(service.image) },
        command: (!service.command.is_empty()).then_some(service.command),
        keeps_entrypoint: false,
        native: service.native.map(|native| NativeCommand {
            command: native.command,
            environment: Some(native.environment),
            repo: None,
        }),
        // Some of them are credentials, so all are treated as secrets.
        secret: service.environment.iter().map(|(name, _)| name.clone()).collect(),
        environment: service.environment,
        workdir: None,
        http_ports: Vec::new(),
        host_ports: Vec::new(),
        ports: service.ports,
        files: service.files,
        hidden: service.secrets.into_iter().collect(),
        ready: service.ready,
        setup: service.setup,
        volumes: service.volumes,
        retained: false,
        limits: Limits {
            unprivileged: true,
            keep: Capability::OF_SERVICES.iter().map(|one| one.name().to_owned()).collect(),
            processes: Some(PROCESSES),
            ..Limits::default()
        },
        dev: DevOptions::default(),
    }
}

/// Returns the image with the tag, unless it has one already.
fn with_tag(image: &str, tag: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    if last.contains(':') || last.contains('@') { image.to_owned() } else { format!("{image}:{tag}") }
}
