//! States of a pipeline or a job, in GitLab's words. The display belongs in `report` and `ui`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::shown;

/// Status of a pipeline or a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PipelineStatus {
    /// Created, not started.
    Created,
    /// Waiting for a resource that another job holds.
    WaitingForResource,
    /// Preparing its environment.
    Preparing,
    /// Waiting for a runner.
    Pending,
    /// Running.
    Running,
    /// Succeeded.
    Success,
    /// Failed.
    Failed,
    /// Canceled by a person.
    Canceled,
    /// Being canceled by a person.
    Canceling,
    /// Skipped.
    Skipped,
    /// Waiting for a manual start.
    Manual,
    /// Waiting for its scheduled time.
    Scheduled,
    /// A word that `cki` does not know: safe to show, of bounded length.
    Unknown(String),
}

impl PipelineStatus {
    /// All statuses with a word of GitLab's.
    pub const KNOWN: [Self; 12] = [
        Self::Created,
        Self::WaitingForResource,
        Self::Preparing,
        Self::Pending,
        Self::Running,
        Self::Success,
        Self::Failed,
        Self::Canceled,
        Self::Canceling,
        Self::Skipped,
        Self::Manual,
        Self::Scheduled,
    ];

    /// Parses a word from the API or a person.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        let plain = word.trim().to_lowercase().replace([' ', '-'], "_");
        match plain.as_str() {
            "passed" | "succeeded" => return Self::Success,
            "cancelled" => return Self::Canceled,
            "cancelling" => return Self::Canceling,
            _ => {}
        }
        Self::KNOWN
            .into_iter()
            .find(|status| status.as_str() == plain)
            .unwrap_or_else(|| Self::Unknown(shown(word.trim())))
    }

    /// Returns GitLab's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Created => "created",
            Self::WaitingForResource => "waiting_for_resource",
            Self::Preparing => "preparing",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Canceling => "canceling",
            Self::Skipped => "skipped",
            Self::Manual => "manual",
            Self::Scheduled => "scheduled",
            Self::Unknown(word) => word,
        }
    }

    /// Returns whether the status is final.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::Canceled | Self::Skipped)
    }

    /// Returns whether the pipeline or job succeeded.
    #[must_use]
    pub fn is_success(&self) -> bool {
        *self == Self::Success
    }
}

impl fmt::Display for PipelineStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for PipelineStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PipelineStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|word| Self::parse(&word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipeline_status_words_round_trip() {
        for status in PipelineStatus::KNOWN {
            assert_eq!(PipelineStatus::parse(status.as_str()), status);
        }
        assert_eq!(PipelineStatus::parse(" Passed "), PipelineStatus::Success);
        assert_eq!(PipelineStatus::parse("waiting for resource"), PipelineStatus::WaitingForResource);
        let odd = PipelineStatus::parse("\x1b[31mon fire\x1b[0m");
        assert_eq!(odd, PipelineStatus::Unknown("on fire".to_owned()));
        assert!(!odd.is_finished() && !PipelineStatus::Manual.is_finished());
        assert!(PipelineStatus::Skipped.is_finished() && !PipelineStatus::Skipped.is_success());
    }
}
