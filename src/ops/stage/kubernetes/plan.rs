//! The plan of a release: the image by its digest, the objects, and whether the cluster takes them. Changes nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::ReleaseStageError;
use super::files::deployment;
use crate::model::deployment::ClusterObject;
use crate::model::guard::{allow_warnings, enforce};
use crate::model::inventory::Component;
use crate::model::staging::kubernetes::{
    BorrowedObject, COMPONENT, ImageCommit, MANAGED_BY, PROJECT, RELEASE, RELEASED_KINDS, Release,
    ReleaseRequest, StagingRules, release, release_findings,
};
use crate::ops::shared::op_context::OpContext;
use crate::ops::shared::outside_text::shown;
use crate::ops::shared::run_policy;
use crate::ops::stage::MergeRequestFacts;
use crate::ops::stage::environment::{self, EnvironmentPlan};
use crate::ops::stage::merge_request::read_open;
use crate::systems::gitlab::GitLab;
use crate::systems::kubectl::{Kubectl, KubectlError};
use crate::systems::registry::{Registry, RegistryImage};

/// Sources of a release.
#[derive(Debug)]
pub struct ReleaseSources<'a> {
    /// `group/project`.
    pub project: &'a str,
    /// The number of the merge request.
    pub merge_request: u64,
    /// The component.
    pub component: &'a Component,
    /// Variables that may name production.
    pub allowed: &'a [String],
    /// Commits, other than the head, whose image may be deployed.
    pub image_commits: &'a [String],
    /// The current time.
    pub now: jiff::Timestamp,
    /// A cluster that does not answer is no error: nothing will be applied.
    pub is_dry_run: bool,
}

/// The plan of a release.
#[derive(Debug)]
pub struct ReleasePlan {
    /// The merge request as it is.
    pub merge_request: MergeRequestFacts,
    /// The image with its tag.
    pub tagged_image: String,
    /// The image with its digest.
    pub image: String,
    /// The commit that the image was built from.
    pub image_commit: ImageCommit,
    /// The release.
    pub release: Release,
    /// Time after which it counts as expired.
    pub expires_at: jiff::Timestamp,
    /// All objects in the order in which they are applied, the owner first.
    pub objects: Vec<PlannedObject>,
    /// The answer of the cluster.
    pub check: ServerCheck,
    /// The objects of the namespace that it uses, with the question whether each exists; `None` if that is not known.
    pub borrowed: Vec<(BorrowedObject, Option<bool>)>,
    /// The environment of GitLab, if the entry names one.
    pub environment: Option<EnvironmentPlan>,
}

/// A planned object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedObject {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its change.
    pub change: ObjectChange,
}

/// The change of a planned object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectChange {
    /// It is made.
    New,
    /// An earlier request has applied it, and it is applied again.
    Changed,
    /// An earlier request has applied it, and it is no longer part of the release.
    Removed,
    /// The cluster did not answer.
    Unknown,
}

/// The answer of a cluster to a dry run.
#[derive(Debug)]
pub enum ServerCheck {
    /// It takes the objects.
    Passed,
    /// It was not asked, for this reason.
    Skipped(KubectlError),
}

/// Plans a release.
///
/// # Errors
/// Fails when the merge request cannot be staged, its image does not exist, the deployment may not be applied to a
/// staging namespace, or the cluster does not take it.
pub(super) async fn plan_release(
    ctx: &OpContext<'_>,
    gitlab: &GitLab,
    registry: &Registry,
    kubectl: &Kubectl,
    sources: &ReleaseSources<'_>,
) -> Result<ReleasePlan, ReleaseStageError> {
    let component = sources.component;
    let rules = StagingRules::new(ctx.inventory)?;
    let image = component.image.as_deref().ok_or_else(|| ReleaseStageError::NoImage {
        place: component.source_map.place(""),
        component: component.name().to_owned(),
    })?;
    let image = RegistryImage::parse(image)?;
    let task = ctx.events.start("gitlab", format!("asking {} for the merge request", gitlab.server()));
    let (facts, requested_by) =
        tokio::join!(read_open(gitlab, sources.project, sources.merge_request), requester(gitlab));
    task.dismiss();
    let merge_request = facts?;
    let tag = rules.image_tag(sources.merge_request);
    let tagged_image = format!("{}:{tag}", image.name());
    let task = ctx.events.start("image", format!("asking {} for `{tag}`", image.registry));
    let digest = registry.digest(&image, &tag).await;
    task.dismiss();
    let digest = digest?;
    let image_commit =
        image_commit(registry, (&image, &digest), &tagged_image, &merge_request.head, sources).await?;
    let deployment = deployment(ctx, component, &merge_request).await?;
    deployment.findings.iter().for_each(|finding| ctx.events.note(finding.to_string()));
    let requested_at = jiff::Timestamp::from_second(sources.now.as_second()).unwrap_or(sources.now);
    let hours = jiff::SignedDuration::from_hours(24 * i64::from(rules.days()));
    let expires_at = requested_at.checked_add(hours).unwrap_or(requested_at);
    let image = format!("{}@{digest}", image.name());
    let request = ReleaseRequest {
        component: component.reference.to_string(),
        project: sources.project.to_owned(),
        merge_request: sources.merge_request,
        head: merge_request.head.clone(),
        url: merge_request.url.clone(),
        image: image.clone(),
        image_commit: image_commit.sha(&merge_request.head).map(str::to_owned),
        namespace: kubectl.target().namespace.clone(),
        requested_by,
        requested_at,
        expires_at,
    };
    let release = release(&deployment, &rules, &request)?;
    let guard = run_policy::guard(ctx.assets, ctx.inventory)?;
    let findings = release_findings(&release, component.name(), &rules, &guard);
    enforce(&findings, sources.allowed, ctx.inventory)?;
    allow_warnings(&findings, sources.allowed).into_iter().for_each(|warning| ctx.events.warn(warning));
    let task = ctx.events.start("cluster", format!("asking the cluster of `{}`", kubectl.target().context));
    let checked = check(kubectl, &release).await;
    task.dismiss();
    let (found, check) = match checked {
        Ok(found) => (Some(found), ServerCheck::Passed),
        Err(ReleaseStageError::Kubectl(error)) if sources.is_dry_run && is_absent(&error) => {
            (None, ServerCheck::Skipped(error))
        }
        Err(error) => return Err(error),
    };
    let objects = planned_objects(&release, found.as_deref());
    let borrowed = borrowed(kubectl, &release, found.is_some()).await;
    let decl = component.stage.as_ref().and_then(|stage| stage.environment.as_ref());
    let environment = environment::plan(gitlab, &merge_request, decl).await?;
    Ok(ReleasePlan {
        merge_request,
        tagged_image,
        image,
        image_commit,
        release,
        expires_at,
        objects,
        check,
        borrowed,
        environment,
    })
}

/// Looks for the objects of the namespace that a release uses. Who may not read them can stage all the same.
async fn borrowed(
    kubectl: &Kubectl,
    release: &Release,
    has_answered: bool,
) -> Vec<(BorrowedObject, Option<bool>)> {
    let names: Vec<(&str, &str)> = release.borrowed.iter().map(|one| (one.kind, one.name.as_str())).collect();
    let found = match has_answered && !names.is_empty() {
        true => kubectl.find_names(&names).await.ok(),
        false => None,
    };
    let exists = |one: &BorrowedObject| {
        let path = format!("{}/{}", one.kind.to_lowercase(), one.name);
        found.as_ref().map(|found| found.contains(&path))
    };
    release.borrowed.iter().map(|one| (one.clone(), exists(one))).collect()
}

/// Returns the name of the token's user. A release does not depend on it.
async fn requester(gitlab: &GitLab) -> Option<String> {
    if !gitlab.has_token() {
        return None;
    }
    gitlab.user().await.ok().map(|user| shown(&user.username, 100))
}

/// Reads the commit of an image. A registry that does not tell it is no failure.
async fn image_commit(
    registry: &Registry,
    (image, digest): (&RegistryImage, &str),
    tagged_image: &str,
    head: &str,
    sources: &ReleaseSources<'_>,
) -> Result<ImageCommit, ReleaseStageError> {
    let stated = match registry.revision(image, digest).await {
        Ok(stated) => stated,
        Err(error) => return Ok(ImageCommit::Unknown(error.to_string())),
    };
    ImageCommit::compare(stated, head, sources.image_commits).map_err(|stated| {
        ReleaseStageError::ImageCommit { image: tagged_image.to_owned(), stated, head: head.to_owned() }
    })
}

/// Returns whether a dry run continues without a cluster after this error.
fn is_absent(error: &KubectlError) -> bool {
    matches!(
        error,
        KubectlError::Unreachable { .. }
            | KubectlError::TimedOut { .. }
            | KubectlError::NoContext { .. }
            | KubectlError::Unauthorised { .. }
    )
}

/// Returns the changes of objects. `found` are those of the release that the cluster has, unless it did not answer.
fn planned_objects(release: &Release, found: Option<&[Value]>) -> Vec<PlannedObject> {
    let key = |one: &Value| (text(&one["kind"]), text(&one["metadata"]["name"]));
    let mut existing: Option<BTreeSet<(String, String)>> = found.map(|found| found.iter().map(key).collect());
    let mut objects = Vec::new();
    for object in [&release.owner].into_iter().chain(&release.objects) {
        let (kind, name) = (object.kind().to_owned(), object.name().to_owned());
        let change = match &mut existing {
            None => ObjectChange::Unknown,
            Some(existing) => match existing.remove(&(kind.clone(), name.clone())) {
                true => ObjectChange::Changed,
                false => ObjectChange::New,
            },
        };
        objects.push(PlannedObject { kind, name, change });
    }
    let left = existing.into_iter().flatten();
    objects.extend(left.map(|(kind, name)| PlannedObject { kind, name, change: ObjectChange::Removed }));
    objects
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Lets the cluster check the objects. Returns those of the release that exist already.
async fn check(kubectl: &Kubectl, release: &Release) -> Result<Vec<Value>, ReleaseStageError> {
    kubectl.check_context().await?;
    let all: Vec<&ClusterObject> = [&release.owner].into_iter().chain(&release.objects).collect();
    let names: Vec<(&str, &str)> = all.iter().map(|object| (object.kind(), object.name())).collect();
    let mut found = kubectl.find_objects(&names).await?;
    if let Some(foreign) = found.iter().find(|one| !is_of(one, release)) {
        return Err(ReleaseStageError::Foreign {
            kind: text(&foreign["kind"]),
            name: text(&foreign["metadata"]["name"]),
            namespace: kubectl.target().namespace.clone(),
        });
    }
    let objects: Vec<Value> = all.iter().map(|object| object.json.clone()).collect();
    kubectl.apply(&objects, true).await?;
    let labelled = kubectl.list(RELEASED_KINDS, &format!("{RELEASE}={}", release.name)).await?;
    let owner = json!(release.owner.name());
    let is_owned = |one: &Value| {
        let references = one["metadata"]["ownerReferences"].as_array();
        references.is_some_and(|all| all.iter().any(|one| one["kind"] == "ConfigMap" && one["name"] == owner))
    };
    found.extend(labelled.into_iter().filter(|one| is_of(one, release) && is_owned(one)));
    Ok(found)
}

/// Returns whether an object has the labels of the release, and those of its project: a merge request of another project
/// may have the same number. The owner names the component, of which another one may have nearly the same name.
fn is_of(object: &Value, release: &Release) -> bool {
    let (labels, own) = (&object["metadata"]["labels"], &release.owner.json["metadata"]["labels"]);
    let component = &object["metadata"]["annotations"][COMPONENT];
    [RELEASE, MANAGED_BY.0, PROJECT].iter().all(|key| labels[key] == own[key])
        && (component.is_null() || *component == release.owner.json["metadata"]["annotations"][COMPONENT])
}

/// Interval between two looks at a cluster, at least.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);
