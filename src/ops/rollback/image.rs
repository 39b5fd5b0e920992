//! The temporary way back: gives a workload of production another image, with a record on a merge request before and after
//! it. The confirmation is up to `cli`.

use std::collections::BTreeMap;

use super::image_error::ImageError;
use super::image_plan::{ImagePlan, ImageRequest, plan_image};
use crate::model::event::{Events, TaskOutcome};
use crate::model::rollback::text;
use crate::ops::shared::outside_text::shown;
use crate::systems::gitlab::{GitLab, Note, NoteOrder};
use crate::systems::kubectl::{Kubectl, KubectlError};
use crate::systems::registry::Registry;

/// Maximum number of tries to change the image.
const TRIES: usize = 3;

/// The systems of a change of an image.
#[derive(Debug, Clone, Copy)]
pub struct ImageSystems<'a> {
    /// The program for the namespace of production.
    pub kubectl: &'a Kubectl,
    /// Registries.
    pub registry: &'a Registry,
    /// The server with the record.
    pub gitlab: &'a GitLab,
}

/// The merge request that gets the record, and the template of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollbackRecord {
    /// `group/project`.
    pub project: String,
    /// Number of the merge request.
    pub iid: u64,
    /// Template.
    pub template: String,
}

/// State of a change in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RecordState {
    Begun,
    Done,
    Failed,
}

/// Returns the text of the record as it is posted first.
///
/// # Errors
/// Fails when the template is invalid, or makes a line that GitLab would execute.
pub fn record_text(record: &RollbackRecord, plan: &ImagePlan, reason: &str) -> Result<String, ImageError> {
    write(record, plan, reason, RecordState::Begun)
}

fn write(
    record: &RollbackRecord,
    plan: &ImagePlan,
    reason: &str,
    state: RecordState,
) -> Result<String, ImageError> {
    let state = match state {
        RecordState::Begun => "is being rolled back",
        RecordState::Done => "was rolled back",
        RecordState::Failed => "was not rolled back: the cluster refused it",
    };
    let values = BTreeMap::from([
        ("component", plan.component.clone()),
        ("state", state.to_owned()),
        ("workload", format!("{} {}", plan.kind, plan.name)),
        ("from", plan.current()),
        ("to", plan.new_image.clone()),
        ("reason", reason.to_owned()),
    ]);
    Ok(text(&record.template, &values, None)?)
}

/// Changes the image. The record comes first: without it, nothing is changed.
///
/// # Errors
/// Fails when the record cannot be written, the workload has changed since it was shown, or the cluster refuses the change.
pub async fn change_image(
    systems: ImageSystems<'_>,
    request: &ImageRequest<'_>,
    plan: &ImagePlan,
    record: &RollbackRecord,
    events: &Events,
) -> Result<(), ImageError> {
    let gitlab = systems.gitlab;
    let body = record_text(record, plan, request.reason)?;
    let note = post_record(gitlab, record, &body).await?;
    let task = events.start(plan.name.clone(), "changing the image");
    let changed = apply(systems, request, plan).await;
    let state = if changed.is_ok() { RecordState::Done } else { RecordState::Failed };
    if changed.is_ok() {
        task.finish(TaskOutcome::Done, plan.new_digest.clone());
    } else {
        task.dismiss();
    }
    let body = write(record, plan, request.reason, state)?;
    if let Err(error) = gitlab.update_note(&record.project, record.iid, note.id, &body).await {
        let (iid, why) = (record.iid, shown(&error.to_string(), 300));
        events.warn(format!("The record on !{iid} does not have the result: {why}."));
    }
    changed
}

/// Posts the record of a change that begins, unless an interrupted call has left the same one.
async fn post_record(gitlab: &GitLab, record: &RollbackRecord, body: &str) -> Result<Note, ImageError> {
    let me = gitlab.user().await?;
    let is_record = |note: &&Note| {
        let is_mine = note.author.as_ref().is_some_and(|author| author.id == me.id);
        is_mine && !note.system && note.body.trim() == body.trim()
    };
    let earlier = async || {
        let is_found = |notes: &[Note]| notes.iter().any(|note| is_record(&note));
        let order = NoteOrder::NewestFirst;
        let notes = gitlab.all_notes(&record.project, record.iid, order, is_found).await?;
        Ok::<_, ImageError>(notes.iter().find(is_record).cloned())
    };
    if let Some(note) = earlier().await? {
        return Ok(note);
    }
    match gitlab.create_note(&record.project, record.iid, body).await {
        Err(error) if error.is_ambiguous() => earlier().await?.ok_or_else(|| error.into()),
        created => Ok(created?),
    }
}

/// Changes the image. The state of a workload whose pods fail changes all the time, and with it the version that a patch is
/// bound to.
async fn apply(
    systems: ImageSystems<'_>,
    request: &ImageRequest<'_>,
    plan: &ImagePlan,
) -> Result<(), ImageError> {
    for _ in 1..TRIES {
        match try_apply(systems, request, plan).await {
            Err(ImageError::Kubectl(KubectlError::Changed { .. })) => {}
            applied => return applied,
        }
    }
    try_apply(systems, request, plan).await
}

/// Plans once more, and changes only what was shown.
async fn try_apply(
    systems: ImageSystems<'_>,
    request: &ImageRequest<'_>,
    plan: &ImagePlan,
) -> Result<(), ImageError> {
    let now = match plan_image(systems.kubectl, systems.registry, request).await {
        // It runs the wanted image: somebody else was faster.
        Err(ImageError::Same { .. }) => return Err(ImageError::Changed { name: plan.name.clone() }),
        now => now?,
    };
    if !now.is_same(plan) {
        return Err(ImageError::Changed { name: plan.name.clone() });
    }
    let change = &now.change;
    systems.kubectl.patch((&change.kind, &change.name), change.patch_type, &change.patch, false).await?;
    Ok(())
}
