//! Progress of pipelines: redrawn in place on a terminal, a line for each new state elsewhere.

use super::{UiState, Verbosity, style};
use crate::base::text::safe_line;
use crate::model::event::{PipelineEvent, TaskOutcome};
use crate::model::staging::PipelineStatus;

impl UiState {
    /// Shows the state of a pipeline.
    pub(super) fn pipeline(&self, one: &PipelineEvent) {
        let subject = one.subject();
        let number = one.id.map(|id| id.to_string());
        let detail = (!one.detail.is_empty()).then(|| one.detail.clone());
        let parts = [number, Some(one.status.to_string()), detail];
        let doing = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let is_new = self.followed.is_new(&subject, &one.status);
        if one.finished {
            let well = one.status.is_success() && one.detail.is_empty();
            let state = match () {
                () if well => TaskOutcome::Done,
                () if one.status == PipelineStatus::Skipped => TaskOutcome::Skipped,
                () => TaskOutcome::Failed,
            };
            self.finished(&subject, state, &doing, one.took.unwrap_or_default());
        } else if self.progress.draws() {
            self.progress.follow(&subject, &safe_line(&doing));
        } else if is_new && self.options.verbosity > Verbosity::Quiet {
            let subject = safe_line(&subject).into_owned();
            self.message(&format!("  {}  {}", style::name(&format!("{subject:<11}")), safe_line(&doing)));
        }
    }
}
