//! Translation of a container's specification into API requests. Pure: it sends nothing.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HostConfig, Mount, MountType,
    MountVolumeOptions, NetworkingConfig, PortBinding, ResourcesUlimits,
};

use super::error::EngineError;
use super::podman_limits::PodmanLimits as Ulimits;
use crate::base::text::safe_line;
use crate::model::container::{ContainerSpec, Hidden};
use crate::model::identity::container_labels;

/// Host address of published ports, so that only this machine reaches them.
const LOOPBACK: &str = "127.0.0.1";

/// Returns the body of the request that creates a container.
pub(super) fn body(
    spec: &ContainerSpec,
    ulimits: Option<Ulimits>,
) -> Result<ContainerCreateBody, EngineError> {
    // Requests are JSON, so the engine would bind a different path.
    if let Some(mount) = spec.mounts.iter().find(|mount| mount.from.to_str().is_none()) {
        return Err(EngineError::Invalid {
            what: "a mount",
            text: safe_line(&mount.from.display().to_string()).into_owned(),
            why: "its path is not UTF-8, and engines take no other".to_owned(),
        });
    }
    Ok(ContainerCreateBody {
        image: Some(spec.image.clone()),
        entrypoint: spec.entrypoint.clone().map(entrypoint),
        cmd: spec.command.clone(),
        env: Some(environment(spec)?),
        working_dir: spec.workdir.clone(),
        hostname: spec.hostname.clone(),
        labels: Some(container_labels(&spec.labels).into_iter().collect()),
        exposed_ports: Some(spec.publish.iter().map(|port| port_name(port.container)).collect()),
        host_config: Some(host_config(spec, ulimits)),
        networking_config: spec.network.as_ref().map(|(id, aliases)| NetworkingConfig {
            endpoints_config: Some(HashMap::from([(
                id.clone(),
                EndpointSettings {
                    aliases: Some(aliases.clone()),
                    ipam_config: spec.address.map(|address| EndpointIpamConfig {
                        ipv4_address: Some(address.to_string()),
                        ..Default::default()
                    }),
                    ..Default::default()
                },
            )])),
        }),
        ..Default::default()
    })
}

/// Returns an entry point for the API. None is one empty word: for an empty list, Podman takes the image's
/// own.
fn entrypoint(words: Vec<String>) -> Vec<String> {
    if words.is_empty() { vec![String::new()] } else { words }
}

fn host_config(spec: &ContainerSpec, ulimits: Option<Ulimits>) -> HostConfig {
    let limits = &spec.limits;
    let volumes = volumes(spec);
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let memory = limits.memory.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
    HostConfig {
        // A PID 1 that passes signals on and reaps orphans; most programs do neither.
        init: Some(true),
        network_mode: Some(spec.network.as_ref().map_or_else(|| "none".to_owned(), |(id, _)| id.clone())),
        port_bindings: Some(spec.publish.iter().map(|port| binding(port.container, port.host)).collect()),
        mounts: Some(mounts(spec)),
        extra_hosts: Some(spec.hosts.iter().map(|(name, address)| format!("{name}:{address}")).collect()),
        dns: spec.closed.then(|| words(&[NOBODY])),
        dns_options: spec.closed.then(|| words(&["timeout:1", "attempts:1"])),
        // A search list of this machine could complete a word to a host of production.
        dns_search: Some(words(&["."])),
        sysctls: sysctls(spec.closed, &limits.keep),
        cap_drop: limits.unprivileged.then(|| words(&["ALL"])),
        cap_add: (limits.unprivileged && !limits.keep.is_empty()).then(|| limits.keep.clone()),
        security_opt: limits.unprivileged.then(|| words(&["no-new-privileges"])),
        readonly_rootfs: limits.read_only.then_some(true),
        tmpfs: limits.read_only.then(|| {
            let mounted = |path: &&str| !volumes.iter().any(|volume| volume == path);
            let temporary = |path| (str::to_owned(path), TEMPORARY.to_owned());
            ["/tmp", "/run", "/var/tmp"].into_iter().filter(mounted).map(temporary).collect()
        }),
        memory,
        // Equal to the memory: no swap.
        memory_swap: memory,
        pids_limit: limits.processes.map(i64::from),
        ulimits: ulimits.map(resources),
        ..Default::default()
    }
}

/// Returns the container's own volumes, and its mounts from this machine.
fn mounts(spec: &ContainerSpec) -> Vec<Mount> {
    let bound = spec.mounts.iter().map(|mount| Mount {
        source: Some(mount.from.display().to_string()),
        target: Some(mount.to.clone()),
        typ: Some(MountType::BIND),
        read_only: Some(!mount.writable),
        ..Default::default()
    });
    let hidden = spec.hidden.iter().map(|hidden| hide(hidden, spec));
    let own = volumes(spec);
    own.iter().map(|path| volume(path, spec)).chain(stores(spec)).chain(bound).chain(hidden).collect()
}

/// Returns a mount that hides a path behind nothing. For a directory, it is an empty volume of the
/// container's own: into a temporary file system, Podman copies the hidden content. Docker has no such
/// read-only volume; data written to it vanishes with the container.
fn hide(hidden: &Hidden, spec: &ContainerSpec) -> Mount {
    if !hidden.is_directory {
        return Mount {
            source: Some("/dev/null".to_owned()),
            target: Some(hidden.path.clone()),
            typ: Some(MountType::BIND),
            read_only: Some(true),
            ..Default::default()
        };
    }
    let mut mount = volume(&hidden.path, spec);
    if let Some(options) = &mut mount.volume_options {
        options.no_copy = Some(true);
    }
    mount
}

/// Returns the sysctls of a container: without IPv6 if it is closed, and according to its kept capabilities,
/// which engines write with and without `CAP_`.
pub(super) fn sysctls(closed: bool, kept: &[String]) -> Option<HashMap<String, String>> {
    let mut set = HashMap::new();
    if closed && has_ipv6() {
        let off = |which| (format!("net.ipv6.conf.{which}.disable_ipv6"), "1".to_owned());
        set.extend(["all", "default"].map(off));
    }
    if kept.iter().any(|kept| kept.trim_start_matches("CAP_") == LOW_PORTS) {
        // A user other than root has no capability, whichever are kept; Docker sets this itself.
        set.insert("net.ipv4.ip_unprivileged_port_start".to_owned(), "0".to_owned());
    }
    (!set.is_empty()).then_some(set)
}

/// Capability to listen on ports below 1024.
const LOW_PORTS: &str = "NET_BIND_SERVICE";
/// Name server at which nothing listens, so that each lookup fails at once.
pub(super) const NOBODY: &str = "127.0.0.1";
/// Mount options of temporary file systems. They allow execution, as on most machines, since programs unpack
/// themselves there.
const TEMPORARY: &str = "rw,exec,nosuid,nodev,mode=1777";

/// Returns whether the kernel has IPv6; without it, IPv6 cannot be turned off. The engine may be on another
/// machine, which more likely has IPv6 than not.
fn has_ipv6() -> bool {
    !std::path::Path::new("/proc/sys/net").exists() || std::path::Path::new("/proc/sys/net/ipv6").exists()
}

/// Returns the paths with a volume of their own: the requested ones, and in a read-only container the
/// directories of its files. Docker copies files into a volume of a read-only container, and nowhere else.
pub(super) fn volumes(spec: &ContainerSpec) -> Vec<String> {
    let mut volumes = spec.volumes.clone();
    for file in spec.files.iter().filter(|_| spec.limits.read_only) {
        if home(&file.path, &volumes).is_none()
            && let Some((directory, _)) = file.path.rsplit_once('/')
            && !directory.is_empty()
        {
            volumes.push(directory.to_owned());
        }
    }
    volumes
}

/// Returns the innermost volume that contains a path.
pub(super) fn home<'a>(path: &str, volumes: &'a [String]) -> Option<&'a str> {
    let holds = |volume: &&str| {
        path.strip_prefix(volume.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
    };
    volumes.iter().map(String::as_str).filter(holds).max_by_key(|volume| volume.len())
}

/// Returns the limits that Podman must be given.
pub(super) fn resources(limits: Ulimits) -> Vec<ResourcesUlimits> {
    let limit = |name: &str, hard| ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(hard),
        hard: Some(hard),
    };
    vec![limit("nofile", limits.files), limit("nproc", limits.processes)]
}

/// Returns an anonymous volume. It carries the labels of its container, so that it is also found if the
/// container was removed without it.
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

/// Returns the mounts of existing volumes, by name.
fn stores(spec: &ContainerSpec) -> impl Iterator<Item = Mount> {
    spec.stores.iter().map(|(name, path)| Mount {
        source: Some(name.clone()),
        target: Some(path.clone()),
        typ: Some(MountType::VOLUME),
        ..Default::default()
    })
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

/// Returns the environment, always as `NAME=value`: for a bare name, Podman takes the value from its own
/// environment. Of two with one name the last counts, as the engines do not agree on that, either.
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
    fn container_without_network_uses_mode_none() {
        let mode = |spec: &ContainerSpec| {
            body(spec, None).expect("is good").host_config.and_then(|host| host.network_mode)
        };
        assert_eq!(mode(&ContainerSpec::default()).as_deref(), Some("none"));
        let spec = ContainerSpec { network: Some(("id".into(), vec!["db".into()])), ..Default::default() };
        assert_eq!(mode(&spec).as_deref(), Some("id"));
    }

    #[test]
    fn container_limits_drop_capabilities() {
        let limits = Limits {
            unprivileged: true,
            keep: vec!["KILL".to_owned()],
            read_only: true,
            memory: Some(1 << 20),
            processes: Some(7),
        };
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
        assert_eq!((host.cap_add, host.readonly_rootfs), (Some(vec!["KILL".to_owned()]), Some(true)));
        let mut temporary: Vec<String> = host.tmpfs.expect("has them").into_keys().collect();
        temporary.sort();
        assert_eq!(temporary, ["/run", "/tmp", "/var/tmp"]);
    }

    #[test]
    fn isolated_container_has_no_external_dns() {
        let spec = ContainerSpec {
            network: Some(("id".into(), Vec::new())),
            address: Some([10, 0, 0, 9].into()),
            closed: true,
            hosts: vec![("db".into(), [10, 0, 0, 8].into()), ("db".into(), "::1".parse().expect("is one"))],
            ..Default::default()
        };
        let body = body(&spec, None).expect("is good");
        let host = body.host_config.expect("has one");
        assert_eq!(host.dns, Some(vec![NOBODY.to_owned()]));
        assert_eq!(host.extra_hosts, Some(vec!["db:10.0.0.8".to_owned(), "db:::1".to_owned()]));
        let endpoints = body.networking_config.and_then(|config| config.endpoints_config).expect("has one");
        let address = endpoints["id"].ipam_config.as_ref().and_then(|config| config.ipv4_address.as_deref());
        assert_eq!(address, Some("10.0.0.9"));
        let open = host_config(&ContainerSpec::default(), None);
        assert_eq!((open.dns, open.sysctls, open.readonly_rootfs, open.tmpfs), (None, None, None, None));
    }

    #[test]
    fn read_only_container_has_volumes_for_its_files() {
        use crate::model::container::ContainerFile;
        let file = |path: &str| ContainerFile { path: path.into(), content: Secret::new("x"), mode: 0o400 };
        let mut spec = ContainerSpec {
            volumes: vec!["/data".into()],
            files: vec![file("/run/secrets/a"), file("/run/secrets/b"), file("/data/c"), file("/datas/d")],
            ..Default::default()
        };
        assert_eq!(volumes(&spec), ["/data"]);
        spec.limits.read_only = true;
        assert_eq!(volumes(&spec), ["/data", "/run/secrets", "/datas"]);
        assert_eq!(home("/data/x/y", &["/data".into(), "/data/x".into()]), Some("/data/x"));
        assert_eq!(home("/data", &["/data".into()]), None);
    }

    #[test]
    fn environment_keeps_values_and_rejects_bad_names() {
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

    #[test]
    fn mount_path_must_be_utf8() {
        use std::os::unix::ffi::OsStrExt as _;
        let from = std::path::PathBuf::from(std::ffi::OsStr::from_bytes(b"/x/b\xff"));
        let mount = crate::model::container::Mount { from, to: "/to".into(), writable: false };
        let spec = ContainerSpec { mounts: vec![mount], ..ContainerSpec::default() };
        assert!(body(&spec, None).expect_err("is refused").to_string().contains("not UTF-8"));
    }
}
