//! The cluster and namespace that the configuration names as staging. Nothing else is ever used: neither the current
//! context of `kubectl` nor a namespace of the deployment files.

use super::ReleaseStageError;
use crate::base::text::safe_line;
use crate::host::Env;
use crate::model::inventory::Inventory;
use crate::systems::kubectl::{ClusterTarget, Kubectl};

/// Settings of the user or the project, which override the inventory.
#[derive(Debug, Clone, Default)]
pub struct ClusterSettings {
    /// Context.
    pub context: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Program.
    pub program: Option<String>,
}

/// Returns the program for the staging namespace. Connects to nothing. Whether it is production's is up to
/// `ops::shared::cluster_boundary`.
///
/// # Errors
/// Fails if the configuration names no context or no namespace, or the program is not installed.
pub fn cluster(
    settings: &ClusterSettings,
    inventory: &Inventory,
    env: &Env,
) -> Result<Kubectl, ReleaseStageError> {
    let target = named_cluster(settings, inventory)?;
    if !target.has_valid_namespace() {
        return Err(ReleaseStageError::Namespace(safe_line(&target.namespace).into_owned()));
    }
    Ok(Kubectl::find(env, settings.program.as_deref(), target)?)
}

/// Returns the cluster and namespace that the configuration names as staging.
///
/// # Errors
/// Fails if it names no context or no namespace.
pub fn named_cluster(
    settings: &ClusterSettings,
    inventory: &Inventory,
) -> Result<ClusterTarget, ReleaseStageError> {
    let declared = inventory.staging.as_ref().map(|staging| &staging.kubernetes);
    let named = |setting: &Option<String>, declared: Option<&String>| setting.clone().or(declared.cloned());
    let context = named(&settings.context, declared.and_then(|one| one.context.as_ref()));
    let namespace = named(&settings.namespace, declared.and_then(|one| one.namespace.as_ref()));
    let context = context.ok_or(ReleaseStageError::NotNamed { what: "context" })?;
    let namespace = namespace.ok_or(ReleaseStageError::NotNamed { what: "namespace" })?;
    Ok(ClusterTarget { context, namespace })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::InventoryDocument;

    #[test]
    fn cluster_is_named_by_configuration_only() {
        let inventory = |text: &str| {
            let document =
                InventoryDocument { file: "i".into(), text: text.to_owned().into(), reference: None };
            Inventory::read("i", vec![document]).expect("is valid")
        };
        let settings = |context: &str| ClusterSettings {
            context: (!context.is_empty()).then(|| context.to_owned()),
            program: Some("sh".to_owned()),
            ..ClusterSettings::default()
        };
        let env = Env::new([("PATH", "/bin")]);
        let target = |text: &str, context: &str| cluster(&settings(context), &inventory(text), &env);
        let both = "staging: {kubernetes: {context: a, namespace: n}}";
        let found = target(both, "").expect("is named");
        assert_eq!(*found.target(), ClusterTarget { context: "a".into(), namespace: "n".into() });
        assert_eq!(target(both, "b").expect("is named").target().context, "b");
        for (text, message) in [
            ("title: x", "no context is named as staging"),
            ("staging: {kubernetes: {context: a}}", "no namespace is named as staging"),
            ("staging: {kubernetes: {context: a, namespace: 'a b'}}", "`a b` is no name of a namespace"),
        ] {
            assert_eq!(target(text, "").expect_err(text).to_string(), message);
        }
    }
}
