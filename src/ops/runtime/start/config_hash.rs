//! Digests of the configuration of containers. A container with the planned digest is left as it is.

use super::scope::{Network, RunScope};
use super::unit::Unit;
use crate::base::digest;
use crate::model::identity::{CONFIG_HASH, Retention};

/// Returns a digest of a service's configuration.
pub(in crate::ops) fn specification(unit: &Unit, image: &str) -> String {
    let mut parts: Vec<String> = vec![
        image.to_owned(),
        format!("{:?}", (&unit.command, &unit.workdir, &unit.ports, &unit.ready, &unit.setup, &unit.volumes)),
    ];
    for (name, value) in &unit.environment {
        parts.extend([name.clone(), value.expose().to_owned()]);
    }
    for file in &unit.files {
        parts.extend([file.path.clone(), file.mode.to_string(), file.content.expose().to_owned()]);
    }
    digest::sha256_hex(parts)[..20].to_owned()
}

/// Returns a digest of the configuration of a container of this workspace.
pub(in crate::ops) fn digest_of(unit: &Unit, image: &str, network: Network, workspace: &str) -> String {
    let bounds = format!("{:?}", (network, &unit.limits, &unit.dev, &unit.component, &unit.aliases));
    digest::sha256_hex([workspace, &specification(unit, image), &bounds])[..20].to_owned()
}

/// Returns the label with the digest, for a container that outlives the command.
pub(in crate::ops) fn label(unit: &Unit, image: &str, scope: &RunScope<'_>) -> Option<(String, String)> {
    let is_retained = scope.lifetime == Retention::Retained;
    is_retained
        .then(|| (CONFIG_HASH.to_owned(), digest_of(unit, image, scope.network, scope.pending.workspace())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;
    use crate::model::container::{ContainerFile, Limits};
    use crate::model::identity::Role;
    use crate::model::probe::ReadinessProbe;
    use crate::ops::runtime::start::unit::{DevOptions, Image};

    fn unit() -> Unit {
        Unit {
            name: "db".into(),
            aliases: Vec::new(),
            role: Role::Service,
            is_component: false,
            requested: false,
            one_shot: false,
            component: "x/app".into(),
            needs: Vec::new(),
            image: Image::Named("db:1".into()),
            command: None,
            native: None,
            environment: vec![("PASSWORD".into(), Secret::new("one"))],
            secret: vec!["PASSWORD".into()],
            workdir: None,
            ports: vec![5432],
            http_ports: Vec::new(),
            host_ports: Vec::new(),
            files: vec![ContainerFile { path: "/f".into(), content: Secret::new("text"), mode: 0o644 }],
            ready: Some(ReadinessProbe::Tcp(5432)),
            setup: Vec::new(),
            volumes: vec!["/data".into()],
            retained: true,
            hidden: Vec::new(),
            dev: DevOptions::default(),
            keeps_entrypoint: false,
            limits: Limits::default(),
        }
    }

    #[test]
    fn config_hash_covers_exactly_the_unit_config() {
        let first = specification(&unit(), "db:1");
        assert_eq!(specification(&unit(), "db:1"), first);
        assert_ne!(specification(&unit(), "db:2"), first);
        let changes: [fn(&mut Unit); 6] = [
            |unit| unit.environment[0].1 = Secret::new("two"),
            |unit| unit.files[0].content = Secret::new("other"),
            |unit| unit.command = Some(vec!["serve".into()]),
            |unit| unit.setup.push(vec!["make".into()]),
            |unit| unit.volumes.clear(),
            |unit| unit.ready = Some(ReadinessProbe::Tcp(1)),
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut unit = unit();
            change(&mut unit);
            assert_ne!(specification(&unit, "db:1"), first, "change {index}");
        }
        // The first dependent is not part of the digest.
        let other = Unit { component: "x/other".into(), ..unit() };
        assert_eq!(specification(&other, "db:1"), first);
    }
}
