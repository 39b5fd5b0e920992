//! A container as we want it, in the words of the API. Pure: nothing is sent from here.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HostConfig, Mount, MountType, MountVolumeOptions,
    NetworkingConfig, PortBinding, ResourcesUlimits,
};

use super::error::EngineError;
use super::podman_limits::Limits as Ulimits;
use crate::base::text::safe_line;
use crate::model::container::ContainerSpec;

/// Only this machine reaches a published port.
const LOOPBACK: &str = "127.0.0.1";

/// The body of the request that creates a container.
pub(super) fn body(
    spec: &ContainerSpec,
    ulimits: Option<Ulimits>,
) -> Result<ContainerCreateBody, EngineError> {
    Ok(ContainerCreateBody {
        image: Some(spec.image.clone()),
        entrypoint: spec.entrypoint.clone(),
        cmd: spec.command.clone(),
        env: Some(environment(spec)?),
        working_dir: spec.workdir.clone(),
        labels: Some(spec.labels.clone().into_iter().collect()),
        exposed_ports: Some(spec.publish.iter().map(|port| port_name(port.container)).collect()),
        host_config: Some(host_config(spec, ulimits)),
        networking_config: spec.network.as_ref().map(|(id, aliases)| NetworkingConfig {
            endpoints_config: Some(HashMap::from([(
                id.clone(),
                EndpointSettings { aliases: Some(aliases.clone()), ..Default::default() },
            )])),
        }),
        ..Default::default()
    })
}

fn host_config(spec: &ContainerSpec, ulimits: Option<Ulimits>) -> HostConfig {
    let limits = spec.limits;
    let memory = limits.memory.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    HostConfig {
        // A process 1 that passes signals on and buries orphans; most programs do neither.
        init: Some(true),
        network_mode: Some(spec.network.as_ref().map_or_else(|| "none".to_owned(), |(id, _)| id.clone())),
        port_bindings: Some(spec.publish.iter().map(|port| binding(port.container, port.host)).collect()),
        mounts: Some(mounts(spec)),
        cap_drop: limits.unprivileged.then(|| vec!["ALL".to_owned()]),
        security_opt: limits.unprivileged.then(|| vec!["no-new-privileges".to_owned()]),
        memory,
        // As much as memory: no swap.
        memory_swap: memory,
        pids_limit: limits.processes.map(i64::from),
        ulimits: ulimits.map(|limits| {
            [("nofile", limits.files), ("nproc", limits.processes)]
                .into_iter()
                .map(|(name, hard)| ResourcesUlimits {
                    name: Some(name.to_owned()),
                    soft: Some(hard),
                    hard: Some(hard),
                })
                .collect()
        }),
        ..Default::default()
    }
}

/// Volumes of its own, and what it sees of this machine.
fn mounts(spec: &ContainerSpec) -> Vec<Mount> {
    let own = spec.volumes.iter().map(|path| volume(path, spec));
    let bound = spec.mounts.iter().map(|mount| Mount {
        source: Some(mount.from.display().to_string()),
        target: Some(mount.to.clone()),
        typ: Some(MountType::BIND),
        read_only: Some(!mount.writable),
        ..Default::default()
    });
    own.chain(bound).collect()
}

/// An anonymous volume. It carries the labels of its container, so that it is found as well when
/// the container has been removed without it.
fn volume(path: &str, spec: &ContainerSpec) -> Mount {
    Mount {
        target: Some(path.to_owned()),
        typ: Some(MountType::VOLUME),
        volume_options: Some(MountVolumeOptions {
            labels: Some(spec.labels.clone().into_iter().collect()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn binding(container: u16, host: Option<u16>) -> (String, Option<Vec<PortBinding>>) {
    let binding = PortBinding {
        host_ip: Some(LOOPBACK.to_owned()),
        host_port: Some(host.map_or_else(String::new, |port| port.to_string())),
    };
    (port_name(container), Some(vec![binding]))
}

fn port_name(port: u16) -> String {
    format!("{port}/tcp")
}

/// Always `NAME=value`: of a bare name, Podman takes the value from its own environment. Of two
/// with one name the last counts, as the engines do not agree on that either.
fn environment(spec: &ContainerSpec) -> Result<Vec<String>, EngineError> {
    let mut last = BTreeMap::new();
    for (name, value) in &spec.environment {
        let (what, text, why) = if name.is_empty() || name.contains(['=', '\0']) {
            (
                "the name of an environment variable",
                safe_line(name),
                "it is empty, or has a `=` or a NUL in it",
            )
        } else if value.expose().contains('\0') {
            ("set in an environment", safe_line(name), "there is a NUL in its value")
        } else {
            last.insert(name, value);
            continue;
        };
        return Err(EngineError::Invalid { what, text: text.into_owned(), why: why.to_owned() });
    }
    Ok(last.into_iter().map(|(name, value)| format!("{name}={}", value.expose())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;
    use crate::model::container::{Limits, Publish};

    #[test]
    fn ports_are_published_on_loopback_only() {
        let spec = ContainerSpec {
            publish: vec![Publish { container: 80, host: Some(8080) }, Publish { container: 81, host: None }],
            ..Default::default()
        };
        let bindings = body(&spec, None).expect("is good").host_config.and_then(|host| host.port_bindings);
        let bindings = bindings.expect("has ports");
        for (port, host_port) in [("80/tcp", "8080"), ("81/tcp", "")] {
            let binding = &bindings[port].as_ref().expect("is bound")[0];
            assert_eq!(binding.host_ip.as_deref(), Some(LOOPBACK));
            assert_eq!(binding.host_port.as_deref(), Some(host_port));
        }
    }

    #[test]
    fn no_network_is_no_network() {
        let mode = |spec: &ContainerSpec| {
            body(spec, None).expect("is good").host_config.and_then(|host| host.network_mode)
        };
        assert_eq!(mode(&ContainerSpec::default()).as_deref(), Some("none"));
        let spec = ContainerSpec { network: Some(("id".into(), vec!["db".into()])), ..Default::default() };
        assert_eq!(mode(&spec).as_deref(), Some("id"));
    }

    #[test]
    fn limits_are_the_strict_ones() {
        let limits = Limits { unprivileged: true, memory: Some(1 << 20), processes: Some(7) };
        let spec = ContainerSpec { limits, ..Default::default() };
        let ulimits = Ulimits { files: 100, processes: 200 };
        let host = body(&spec, Some(ulimits)).expect("is good").host_config.expect("has one");
        assert_eq!(host.cap_drop, Some(vec!["ALL".to_owned()]));
        assert_eq!(host.security_opt, Some(vec!["no-new-privileges".to_owned()]));
        assert_eq!((host.memory, host.memory_swap, host.pids_limit), (Some(1 << 20), Some(1 << 20), Some(7)));
        assert_eq!(
            host.ulimits.map(|all| all.iter().filter_map(|one| one.hard).collect()),
            Some(vec![100, 200])
        );
        assert_eq!((host.init, host.auto_remove), (Some(true), None));
    }

    #[test]
    fn an_environment_has_values_and_keeps_its_secrets() {
        let spec = |name: &str, value: &str| ContainerSpec {
            environment: vec![(name.to_owned(), Secret::new(value))],
            ..Default::default()
        };
        assert_eq!(environment(&spec("A", "")).expect("is good"), ["A="]);
        assert_eq!(environment(&spec("A", "b=c\nd")).expect("is good"), ["A=b=c\nd"]);
        let mut twice = spec("A", "1");
        twice.environment.push(("A".to_owned(), Secret::new("2")));
        assert_eq!(environment(&twice).expect("is good"), ["A=2"]);
        assert!(environment(&spec("", "x")).is_err());
        assert!(environment(&spec("A=B", "x")).is_err());
        let error = environment(&spec("A", "hunter2\0")).expect_err("has a NUL").to_string();
        assert!(!error.contains("hunter2"));
    }
}
