//! The choice of logs of a staging.

/// The jobs or containers whose logs are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogChoice {
    /// Those that failed.
    Failed,
    /// All that have begun.
    All,
    /// Those with this name or number, or those of the pipeline with this number or of the pod with this name.
    Named(String),
}
