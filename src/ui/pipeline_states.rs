//! States of pipelines that were shown last. Showing them is in `pipelines`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::model::staging::PipelineStatus;

/// States that were shown last, by pipeline.
#[derive(Debug, Default)]
pub(super) struct PipelineStates(Mutex<BTreeMap<String, PipelineStatus>>);

impl PipelineStates {
    /// Returns whether a state is new.
    pub(super) fn is_new(&self, subject: &str, status: &PipelineStatus) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(subject.to_owned(), status.clone()).as_ref() != Some(status)
    }
}
