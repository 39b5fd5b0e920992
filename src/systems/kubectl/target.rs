//! The cluster and the namespace of a call. Which one is right is up to `ops`.

/// Maximum length of the name of a namespace.
const LONGEST: usize = 63;

/// Cluster and namespace of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterTarget {
    /// Context in the configuration of the program.
    pub context: String,
    /// Namespace.
    pub namespace: String,
}

impl ClusterTarget {
    /// Returns whether a cluster can have a namespace of this name.
    #[must_use]
    pub fn has_valid_namespace(&self) -> bool {
        let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let name = self.namespace.as_bytes();
        name.len() <= LONGEST
            && name.first().copied().is_some_and(is_letter)
            && name.iter().all(|b| is_letter(*b) || *b == b'-')
    }
}
