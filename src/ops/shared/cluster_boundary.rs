//! The boundary between the cluster of staging and that of production: compares what contexts mean, and not only their
//! names ([why](../../../docs/decisions/0092-boundary-of-production.md)). Which ones are named is up to
//! `production_cluster` and `stage`.

use super::production_cluster::ProductionSettings;
use crate::base::text::safe_line;
use crate::model::guard::DenyList;
use crate::model::inventory::Inventory;
use crate::systems::kubectl::{ClientConfig, ClusterTarget, Kubectl, KubectlError};

/// A cluster that is on both sides, or may be.
#[derive(Debug, thiserror::Error)]
pub enum ClusterBoundaryError {
    /// The namespace that is named as staging is production.
    #[error("the namespace `{namespace}` of the context `{context}` is that of production: {reason}")]
    IsProduction {
        /// Context.
        context: String,
        /// Namespace.
        namespace: String,
        /// Reason, without a period.
        reason: String,
    },
    /// The server is a host of production.
    #[error("the context `{context}` leads to `{host}`, which is a host of production ({place})")]
    Host {
        /// Context.
        context: String,
        /// Host of its server.
        host: String,
        /// `file:line` of the pattern.
        place: String,
    },
    /// The namespace that is named as production is staging.
    #[error("the namespace `{namespace}` of the context `{context}` is that of staging: {reason}")]
    IsStaging {
        /// Context.
        context: String,
        /// Namespace.
        namespace: String,
        /// Reason, without a period.
        reason: String,
    },
    /// It is not known which cluster a context names.
    #[error(
        "the configuration of `kubectl` has no server for the context `{context}`, so `{other}` may be the same cluster"
    )]
    Unknown {
        /// Context without a server.
        context: String,
        /// Context that it is compared with.
        other: String,
    },
    /// The configuration of the program cannot be read.
    #[error(transparent)]
    Kubectl(#[from] KubectlError),
}

/// Checks that a namespace for staging is not production's. Connects to no cluster.
///
/// A context alone in the settings of production names all its namespaces, and a namespace alone the one of every cluster.
///
/// # Errors
/// Fails if it is production's, or may be.
pub async fn check_staging(
    kubectl: &Kubectl,
    production: &ProductionSettings,
    inventory: &Inventory,
) -> Result<(), ClusterBoundaryError> {
    let target = kubectl.target();
    let is_production = |reason| {
        let ClusterTarget { context, namespace } = target.clone();
        ClusterBoundaryError::IsProduction { context, namespace, reason }
    };
    let denied = DenyList::from(inventory);
    let has_hosts = denied.rules().next().is_some();
    let is_namespace = production.namespace.as_ref().is_none_or(|named| *named == target.namespace);
    match &production.context {
        None if production.namespace.is_some() && is_namespace => {
            let namespace = safe_line(&target.namespace);
            return Err(is_production(format!("`production.namespace` is `{namespace}`, on any cluster")));
        }
        Some(context) if is_namespace && *context == target.context => {
            return Err(is_production("`production.context` names it".to_owned()));
        }
        Some(_) if is_namespace => {}
        _ if !has_hosts => return Ok(()),
        _ => {}
    }
    let config = kubectl.config().await?;
    if let Some(context) = production.context.as_ref().filter(|_| is_namespace)
        && let Some(reason) = same_server(&config, &target.context, context)?
    {
        return Err(is_production(reason));
    }
    check_hosts(&config, &target.context, &denied, inventory)
}

/// Checks that a namespace of production is not the one for staging. Connects to no cluster.
///
/// # Errors
/// Fails if it is, or may be.
pub async fn check_production(
    kubectl: &Kubectl,
    staging: Option<&ClusterTarget>,
) -> Result<(), ClusterBoundaryError> {
    let target = kubectl.target();
    let Some(staging) = staging.filter(|one| one.namespace == target.namespace) else { return Ok(()) };
    let reason = match staging.context == target.context {
        true => Some("`stage.context` or the inventory names it".to_owned()),
        false => same_server(&kubectl.config().await?, &target.context, &staging.context)?,
    };
    let ClusterTarget { context, namespace } = target.clone();
    reason.map_or(Ok(()), |reason| Err(ClusterBoundaryError::IsStaging { context, namespace, reason }))
}

/// Returns why two contexts lead to the same server, if they do. A context that the program does not know cannot be used,
/// so the first one needs no server then.
fn same_server(
    config: &ClientConfig,
    used: &str,
    other: &str,
) -> Result<Option<String>, ClusterBoundaryError> {
    if !config.has(used) {
        return Ok(None);
    }
    let server = |context: &str, other: &str| {
        config.server(context).ok_or_else(|| ClusterBoundaryError::Unknown {
            context: safe_line(context).into_owned(),
            other: safe_line(other).into_owned(),
        })
    };
    let (one, two) = (server(used, other)?, server(other, used)?);
    let reason =
        || format!("the context `{}` leads to the same server, `{}`", safe_line(other), safe_line(&two.host));
    Ok(one.is_same(two).then(reason))
}

/// Fails if the server of a context is a host of production that staging does not share.
fn check_hosts(
    config: &ClientConfig,
    context: &str,
    denied: &DenyList,
    inventory: &Inventory,
) -> Result<(), ClusterBoundaryError> {
    let Some(server) = config.server(context) else { return Ok(()) };
    let shared = inventory.staging.iter().flat_map(|staging| &staging.hosts);
    let shared: Vec<String> = shared.flat_map(|host| DenyList::spellings(host)).collect();
    let hosts = [Some(&server.host), server.tls_name.as_ref()].into_iter().flatten();
    for host in hosts.filter(|host| !shared.contains(host)) {
        if let Some(rule) = denied.denies(host) {
            return Err(ClusterBoundaryError::Host {
                context: safe_line(context).into_owned(),
                host: safe_line(host).into_owned(),
                place: rule.place(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::host::Env;
    use crate::model::inventory::InventoryDocument;

    const VIEW: &str = r#"{"clusters": [
        {"name": "1", "cluster": {"server": "https://api.example:6443"}},
        {"name": "2", "cluster": {"server": "https://API.example.:6443/"}},
        {"name": "3", "cluster": {"server": "https://test.example:6443"}},
        {"name": "4", "cluster": {"server": "https://127.0.0.1:9", "tls-server-name": "x.prod.example"}}],
        "contexts": [
        {"name": "prod", "context": {"cluster": "1", "namespace": "other"}},
        {"name": "prod-admin", "context": {"cluster": "2"}},
        {"name": "test", "context": {"cluster": "3"}},
        {"name": "tunnel", "context": {"cluster": "4"}},
        {"name": "broken", "context": {"cluster": "5"}}]}"#;

    #[tokio::test]
    async fn staging_and_production_are_compared_by_what_they_mean() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let program = directory.path().join("kubectl");
        std::fs::write(&program, format!("#!/bin/sh\ncat << 'END'\n{VIEW}\nEND\n")).expect("writes");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("sets");
        let program = program.display().to_string();
        let kubectl = |context: &str, namespace: &str| {
            let target = ClusterTarget { context: context.to_owned(), namespace: namespace.to_owned() };
            Kubectl::find(&Env::new([("PATH", "/bin:/usr/bin")]), Some(&program), target).expect("is there")
        };
        let inventory = |text: &str| {
            let document =
                InventoryDocument { file: "i".into(), text: text.to_owned().into(), reference: None };
            Inventory::read("i", vec![document]).expect("is valid")
        };
        let hosts = "production: {hosts: ['*.prod.example', api.example]}";
        let shared = format!("{hosts}\nstaging: {{hosts: [API.example]}}");
        let reason = " is that of production: ";
        for (context, namespace, (prod, team), text, message) in [
            ("test", "team", (None, None), "title: x", None),
            ("prod", "team", (Some("prod"), Some("team")), "title: x", Some("`production.context` names it")),
            ("prod", "x", (Some("prod"), Some("team")), "title: x", None),
            (
                "prod-admin",
                "team",
                (Some("prod"), Some("team")),
                "title: x",
                Some("the context `prod` leads"),
            ),
            ("prod-admin", "x", (Some("prod"), Some("team")), "title: x", None),
            ("test", "team", (Some("prod"), Some("team")), "title: x", None),
            ("prod", "x", (Some("prod"), None), "title: x", Some("`production.context` names it")),
            ("prod-admin", "x", (Some("prod"), None), "title: x", Some("`api.example`")),
            ("test", "x", (Some("prod"), None), "title: x", None),
            ("test", "team", (None, Some("team")), "title: x", Some("on any cluster")),
            ("test", "x", (None, Some("team")), "title: x", None),
            ("test", "x", (Some("gone"), None), "title: x", Some("`gone`, so `test` may be")),
            ("broken", "x", (Some("prod"), None), "title: x", Some("`broken`, so `prod` may be")),
            ("gone", "x", (Some("prod"), None), "title: x", None),
            ("prod-admin", "x", (None, None), hosts, Some("a host of production (i:1)")),
            ("tunnel", "x", (None, None), hosts, Some("leads to `x.prod.example`")),
            ("test", "x", (None, None), hosts, None),
            ("prod-admin", "x", (None, None), &shared, None),
        ] {
            let settings = ProductionSettings {
                context: prod.map(str::to_owned),
                namespace: team.map(str::to_owned),
                program: None,
            };
            let found = check_staging(&kubectl(context, namespace), &settings, &inventory(text)).await;
            let found = found.err().map(|error| error.to_string());
            let is_right = match (&found, message) {
                (Some(found), Some(message)) => found.contains(message),
                (found, message) => found.is_none() && message.is_none(),
            };
            assert!(is_right, "{context} {namespace} {prod:?} {team:?}: {found:?}");
        }
        let staging = ClusterTarget { context: "prod-admin".to_owned(), namespace: "team".to_owned() };
        let check = async |context: &str, namespace: &str| {
            let found = check_production(&kubectl(context, namespace), Some(&staging)).await;
            found.err().map(|error| error.to_string())
        };
        for context in ["prod", "prod-admin"] {
            let found = check(context, "team").await.expect("is refused");
            assert!(found.contains("is that of staging") && !found.contains(reason), "{found}");
        }
        assert_eq!((check("prod", "x").await, check("test", "team").await), (None, None));
    }
}
