//! Errors of making a release.

/// A deployment that cannot be released to a staging namespace.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReleaseError {
    /// The kind of the workload is not one that is staged.
    #[error("{place}: a {kind} cannot be staged, only a Deployment, StatefulSet, CronJob or Job")]
    Kind {
        /// `file:line`.
        place: String,
        /// The kind.
        kind: String,
    },
    /// An object has no name.
    #[error("{place}: this {kind} has no name of its own")]
    NoName {
        /// `file:line`.
        place: String,
        /// The kind.
        kind: String,
    },
    /// A Secret may be one of production.
    #[error(
        "{place}: `{workload}` uses the Secret `{secret}`, for which the inventory has no rule in `staging.secrets`"
    )]
    Secret {
        /// `file:line` of the workload.
        place: String,
        /// Name of the workload.
        workload: String,
        /// Name of the Secret.
        secret: String,
    },
    /// A rule gives two variables one name.
    #[error(
        "{place}: with the rules of `staging.variables`, two variables of `{workload}` have the name `{variable}`"
    )]
    SameName {
        /// `file:line` of the workload.
        place: String,
        /// Name of the workload.
        workload: String,
        /// The name.
        variable: String,
    },
    /// A command changes a variable with a fixed value.
    #[error(
        "{place}: a command of `{workload}` sets or unsets `{variable}`, which has a fixed value in staging"
    )]
    Fixed {
        /// `file:line` of the workload.
        place: String,
        /// Name of the workload.
        workload: String,
        /// The variable.
        variable: String,
    },
    /// The pod would reach its node, or storage that exists.
    #[error("{place}: `{workload}` sets `{field}`, which reaches beyond the namespace")]
    Host {
        /// `file:line` of the workload.
        place: String,
        /// Name of the workload.
        workload: String,
        /// The field.
        field: String,
    },
}

impl ReleaseError {
    /// Returns whether it is a refusal for safety.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Secret { .. } | Self::Fixed { .. } | Self::Host { .. })
    }
}
