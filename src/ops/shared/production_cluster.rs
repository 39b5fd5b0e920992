//! The cluster and namespace that the user's own configuration names as production. Nothing else is ever taken for it:
//! neither the current context of `kubectl` nor a file of a project or an inventory. What staging must not be is up to
//! `cluster_boundary`.

use crate::host::Env;
use crate::systems::kubectl::{ClusterTarget, Kubectl, KubectlError};

/// Settings of the user alone.
#[derive(Debug, Clone, Default)]
pub struct ProductionSettings {
    /// Context.
    pub context: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Program.
    pub program: Option<String>,
}

/// Settings that name no cluster of production.
#[derive(Debug, thiserror::Error)]
pub enum ProductionClusterError {
    /// A setting is absent.
    #[error("no {what} is named as production")]
    NotNamed {
        /// `context` or `namespace`.
        what: &'static str,
    },
    /// A text is no name of a namespace.
    #[error("`{0}` is no name of a namespace")]
    Namespace(String),
    /// There is no program to talk to it.
    #[error(transparent)]
    Kubectl(#[from] KubectlError),
}

impl ProductionSettings {
    /// Returns whether a cluster is named at all.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.context.is_some() || self.namespace.is_some()
    }

    /// Returns the program for the namespace of production. Connects to nothing.
    ///
    /// # Errors
    /// Fails if the settings name no context or no namespace, or the program is not installed.
    pub fn cluster(&self, env: &Env) -> Result<Kubectl, ProductionClusterError> {
        let named =
            |setting: &Option<String>, what| setting.clone().ok_or(ProductionClusterError::NotNamed { what });
        let context = named(&self.context, "context")?;
        let namespace = named(&self.namespace, "namespace")?;
        let target = ClusterTarget { context, namespace };
        if !target.has_valid_namespace() {
            let text = crate::base::text::safe_line(&target.namespace).into_owned();
            return Err(ProductionClusterError::Namespace(text));
        }
        Ok(Kubectl::find(env, self.program.as_deref(), target)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_needs_context_and_namespace() {
        let settings = |context: Option<&str>, namespace: Option<&str>| ProductionSettings {
            context: context.map(str::to_owned),
            namespace: namespace.map(str::to_owned),
            program: Some("sh".to_owned()),
        };
        let env = Env::new([("PATH", "/bin")]);
        let found = settings(Some("prod"), Some("team")).cluster(&env).expect("is named");
        assert_eq!(*found.target(), ClusterTarget { context: "prod".into(), namespace: "team".into() });
        for (context, namespace, message) in [
            (None, None, "no context is named as production"),
            (Some("prod"), None, "no namespace is named as production"),
            (Some("prod"), Some("-A"), "`-A` is no name of a namespace"),
        ] {
            assert_eq!(settings(context, namespace).cluster(&env).expect_err(message).to_string(), message);
        }
    }
}
