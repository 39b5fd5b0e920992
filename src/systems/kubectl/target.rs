//! The cluster and the namespace of a call. Which one is right is up to `ops`.

/// Cluster and namespace of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterTarget {
    /// Context in the configuration of the program.
    pub context: String,
    /// Namespace.
    pub namespace: String,
}
