//! Compose file of a plan, in the format of the Compose Specification.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::{Exporter, Fragment, asking};
use crate::base::yaml;
use crate::model::container::Limits;
use crate::model::inventory::BuildNetwork;
use crate::ops::runtime::start::unit::Unit;

pub(super) fn text(draft: &Exporter<'_>) -> String {
    let services: Map<String, Value> =
        draft.plan.units().map(|unit| (unit.name.clone(), service(draft, unit))).collect();
    let mut file = json!({
        "name": draft.name,
        "services": services,
        "networks": {"run": {"internal": draft.is_closed()}},
    });
    let configs: Map<String, Value> = draft
        .plan
        .units()
        .flat_map(|unit| unit.files.iter().enumerate().map(move |(index, file)| (unit, index, file)))
        .map(|(unit, index, file)| {
            let content = rendered(&draft.parts(file.content.expose()));
            (config(unit, index), json!({"content": content}))
        })
        .collect();
    if !configs.is_empty() {
        file["configs"] = configs.into();
    }
    let one = draft.plan.requested().find(|unit| unit.one_shot && !draft.plan.is_group());
    let comment = match one {
        Some(unit) => format!(
            "Run it with `docker compose -f FILE up --abort-on-container-exit --exit-code-from {}`, \
             and remove it with `down --volumes`.",
            unit.name
        ),
        None => "Run it with `docker compose -f FILE up`, and remove it with `down --volumes`.".to_owned(),
    };
    let mut limitations: Vec<String> = draft.plan.units().filter_map(Exporter::cannot_wait).collect();
    for unit in draft.plan.units() {
        for command in &unit.setup {
            let words: Vec<String> =
                command.iter().map(|word| super::shell_word(&draft.parts(word))).collect();
            limitations.push(format!(
                "When {0} is ready, run: docker compose -f FILE exec -T {0} {1}",
                unit.name,
                words.join(" ")
            ));
        }
    }
    if draft.plan.units().any(|unit| unit.ready.is_some()) {
        limitations.push("Readiness is checked inside a container by tools that its image must have.".into());
    }
    for (unit, build) in draft.builds().filter(|(_, build)| build.is_preprocessed()) {
        let file = build.file.as_ref().map_or_else(String::new, |file| file.display().to_string());
        limitations.push(format!(
            "Compose cannot build `{file}`; first: cki build {} --tag {}",
            unit.name,
            Exporter::image(unit)
        ));
    }
    format!("{}{}", draft.head(&comment, &limitations), yaml::to_string(&file))
}

fn service(draft: &Exporter<'_>, unit: &Unit) -> Value {
    let mut service = Map::new();
    let mut put = |key: &str, value: Value| service.insert(key.into(), value);
    put("image", plain(&Exporter::image(unit)).into());
    if let Some(build) = Exporter::build_of(unit).filter(|build| !build.is_preprocessed()) {
        let mut form = json!({"context": plain(&build.context.display().to_string())});
        if let Some(file) = &build.file {
            form["dockerfile"] = plain(&file.display().to_string()).into();
        }
        if !build.args.is_empty() {
            form["args"] = build
                .args
                .iter()
                .map(|(key, value)| (key.clone(), plain(value).into()))
                .collect::<Map<_, _>>()
                .into();
        }
        if let Some(target) = &build.target {
            form["target"] = plain(target).into();
        }
        if build.network == BuildNetwork::None {
            form["network"] = "none".into();
        }
        let hosts: Vec<String> = draft.blocked_in_build(build).map(entry).collect();
        if !hosts.is_empty() {
            form["extra_hosts"] = hosts.into();
        }
        put("build", form);
    }
    if let Some(command) = &unit.command {
        // A component's command is complete, so the image's entrypoint is cleared.
        if unit.replaces_entrypoint() {
            put("entrypoint", json!([]));
        }
        put("command", words(draft, command));
    }
    if let Some(workdir) = &unit.workdir {
        put("working_dir", plain(workdir).into());
    }
    let environment: Map<String, Value> = draft
        .environment(unit)
        .into_iter()
        .map(|(name, parts)| (name.to_owned(), rendered(&parts).into()))
        .collect();
    if !environment.is_empty() {
        put("environment", environment.into());
    }
    let networks = match unit.aliases.as_slice() {
        [] => json!(["run"]),
        aliases => {
            json!({"run": {"aliases": aliases.iter().map(|alias| plain(alias)).collect::<Vec<_>>()}})
        }
    };
    put("networks", networks);
    let hosts: Vec<String> = draft.blocked().map(entry).collect();
    if !hosts.is_empty() {
        put("extra_hosts", hosts.into());
    }
    let ports: Vec<String> =
        draft.published(unit).iter().map(|(port, local)| format!("127.0.0.1:{local}:{port}")).collect();
    if !ports.is_empty() {
        put("ports", ports.into());
    }
    if let Some(mut test) = unit.ready.as_ref().and_then(asking) {
        test.insert(0, "CMD".to_owned());
        let test = words(draft, &test);
        put("healthcheck", json!({"test": test, "interval": "1s", "timeout": "5s", "retries": 60}));
    }
    let needs: Map<String, Value> = unit
        .needs
        .iter()
        .filter_map(|need| draft.units.get(need.as_str()))
        .map(|need| (need.name.clone(), json!({"condition": condition(need)})))
        .collect();
    if !needs.is_empty() {
        put("depends_on", needs.into());
    }
    let volumes = volumes(unit);
    if !volumes.is_empty() {
        put("volumes", volumes.into());
    }
    put("init", true.into());
    put("restart", "no".into());
    for (key, value) in limits(&unit.limits) {
        put(&key, value);
    }
    let files = configs_of(unit);
    if !files.is_empty() {
        put("configs", files.into());
    }
    let labels: Map<String, Value> = Exporter::labels(unit)
        .into_iter()
        .map(|(key, value)| (key.to_owned(), plain(&value).into()))
        .collect();
    put("labels", labels.into());
    service.into()
}

/// Returns the files of a unit as references to the configurations of the project.
fn configs_of(unit: &Unit) -> Vec<Value> {
    unit.files
        .iter()
        .enumerate()
        .map(|(index, file)| {
            json!({
                "source": config(unit, index),
                "target": plain(&file.path),
                "mode": format!("{:04o}", file.mode),
            })
        })
        .collect()
}

/// Returns the limits of a unit's container.
fn limits(limits: &Limits) -> Map<String, Value> {
    let mut service = Map::new();
    let mut put = |key: &str, value: Value| service.insert(key.to_owned(), value);
    let Limits { unprivileged, memory, processes, keep, read_only } = limits;
    if *unprivileged {
        put("cap_drop", json!(["ALL"]));
        if !keep.is_empty() {
            put("cap_add", json!(keep));
        }
        put("security_opt", json!(["no-new-privileges:true"]));
    }
    if *read_only {
        put("read_only", true.into());
        put("tmpfs", json!(["/tmp", "/run", "/var/tmp"]));
    }
    if let Some(memory) = memory {
        put("mem_limit", (*memory).into());
        // The same as the memory limit: no swap.
        put("memswap_limit", (*memory).into());
    }
    if let Some(processes) = processes {
        put("pids_limit", (*processes).into());
    }
    service
}

/// Returns the name of a file of a unit.
fn config(unit: &Unit, index: usize) -> String {
    format!("{}-{index}", unit.name)
}

/// Returns the condition under which dependents of a unit may start.
fn condition(unit: &Unit) -> &'static str {
    match unit.ready.as_ref().and_then(asking) {
        _ if unit.one_shot => "service_completed_successfully",
        Some(_) => "service_healthy",
        None => "service_started",
    }
}

fn volumes(unit: &Unit) -> Vec<Value> {
    let own = unit.volumes.iter().map(|path| json!({"type": "volume", "target": plain(path)}));
    let mounts = unit.dev.mounts.iter().map(|mount| {
        json!({
            "type": "bind",
            "source": plain(&mount.from.display().to_string()),
            "target": plain(&mount.to),
            "read_only": !mount.writable,
            "bind": {"create_host_path": false},
        })
    });
    let hidden = unit.dev.hidden().into_iter().map(|hidden| {
        if hidden.is_directory {
            let target = plain(&hidden.path);
            return json!({"type": "volume", "target": target, "volume": {"nocopy": true}});
        }
        let target = plain(&hidden.path);
        json!({"type": "bind", "source": "/dev/null", "target": target, "read_only": true})
    });
    own.chain(mounts).chain(hidden).collect()
}

/// Formats an entry of a hosts table.
fn entry((name, address): (String, IpAddr)) -> String {
    plain(&format!("{name}:{address}"))
}

fn words(draft: &Exporter<'_>, command: &[String]) -> Value {
    command.iter().map(|word| rendered(&draft.parts(word))).collect::<Vec<_>>().into()
}

/// Renders a text in which Compose interpolates the variables of secrets.
fn rendered(parts: &[Fragment]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Fragment::Plain(text) => plain(text),
            Fragment::Secret(name) => format!("${{{name}:?}}"),
        })
        .collect()
}

/// Escapes a text in which Compose must not interpolate variables.
fn plain(text: &str) -> String {
    text.replace('$', "$$")
}
