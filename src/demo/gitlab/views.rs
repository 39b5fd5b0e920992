//! GitLab's JSON for users, projects, merge requests and comments: all fields, with GitLab's types.
//! Fields that the stand-in does not model (labels, milestones, …) are present and empty. Pipelines and
//! jobs are in `views_ci`.

use std::time::Duration;

use serde_json::{Value, json};

use super::config::{MergeRequestConfig, Visibility};
use super::state::{ServerState, StoredNote};
use crate::base::digest;

impl ServerState {
    /// Returns a user as part of other objects.
    pub(super) fn user_view(&self, name: &str) -> Value {
        let Some((id, user)) = self.user(name) else { return Value::Null };
        json!({
            "id": id,
            "username": user.username,
            "public_email": "",
            "name": user.name,
            "state": "active",
            "locked": false,
            "avatar_url": Value::Null,
            "web_url": format!("{}/{}", self.url, user.username),
        })
    }

    /// Returns a user as shown to that user.
    pub(super) fn own_user_view(&self, name: &str) -> Value {
        let mut view = self.user_view(name);
        let bot = self.user(name).is_some_and(|(_, user)| user.bot);
        extend(
            &mut view,
            json!({
                "created_at": self.time.stamp(Duration::ZERO),
                "bio": "", "location": "", "skype": "", "linkedin": "", "twitter": "", "discord": "",
                "website_url": "", "github": "", "organization": "", "job_title": "", "pronouns": null,
                "bot": bot,
                "work_information": null, "local_time": null,
                "last_sign_in_at": self.time.stamp(Duration::ZERO),
                "confirmed_at": self.time.stamp(Duration::ZERO),
                "last_activity_on": &self.time.stamp(Duration::ZERO)[..10],
                "email": format!("{name}@example.com"),
                "theme_id": 1, "color_scheme_id": 1, "projects_limit": 100_000,
                "current_sign_in_at": self.time.stamp(Duration::ZERO),
                "identities": [],
                "can_create_group": true, "can_create_project": true, "two_factor_enabled": true,
                "external": false, "private_profile": false,
                "commit_email": format!("{name}@example.com"),
                "scim_identities": [], "preferred_language": "en",
            }),
        );
        view
    }

    /// Returns an access token as shown to itself.
    pub(super) fn token_view(&self, secret: &str) -> Value {
        let found = self.config.tokens.iter().enumerate().find(|(_, one)| one.token == secret);
        let Some((number, token)) = found else { return Value::Null };
        json!({
            "id": number + 1,
            "name": format!("token of {}", token.user),
            "revoked": false,
            "created_at": self.time.stamp(Duration::ZERO),
            "description": null,
            "scopes": token.scopes,
            "user_id": self.user(&token.user).map(|(id, _)| id),
            "last_used_at": self.time.stamp(Duration::ZERO),
            "active": !token.expired,
            "expires_at": token.expires_at,
        })
    }

    /// Returns a project.
    pub(super) fn project_view(&self, id: &str, viewer: Option<&str>) -> Value {
        let Some((number, project)) = self.project(id) else { return Value::Null };
        let path = project.path.as_str();
        let (group, name) = path.rsplit_once('/').unwrap_or(("", path));
        let api = format!("{}/api/v4/projects/{number}", self.url);
        let level = viewer.and_then(|user| project.members.get(user));
        let enabled = if project.pipelines == Visibility::Public { "enabled" } else { "private" };
        let host = self.url.trim_start_matches("http://");
        let mut view = json!({
            "id": number,
            "description": project.description,
            "name": name,
            "name_with_namespace": path.replace('/', " / "),
            "path": name,
            "path_with_namespace": path,
            "created_at": self.time.stamp(Duration::ZERO),
            "default_branch": "main",
            "tag_list": [], "topics": [],
            "ssh_url_to_repo": format!("git@{host}:{path}.git"),
            "http_url_to_repo": format!("{}/{path}.git", self.url),
            "web_url": format!("{}/{path}", self.url),
            "readme_url": null, "forks_count": 0, "avatar_url": null, "star_count": 0,
            "last_activity_at": self.time.stamp(self.time.now()),
            "visibility": if project.visibility == Visibility::Public { "public" } else { "private" },
            "namespace": {
                "id": 11, "name": group, "path": group.rsplit('/').next().unwrap_or(group), "kind": "group",
                "full_path": group, "parent_id": null, "avatar_url": null,
                "web_url": format!("{}/groups/{group}", self.url),
            },
        });
        extend(
            &mut view,
            json!({
                "_links": {
                    "self": api,
                    "merge_requests": format!("{api}/merge_requests"),
                    "repo_branches": format!("{api}/repository/branches"),
                    "labels": format!("{api}/labels"),
                    "events": format!("{api}/events"),
                    "members": format!("{api}/members"),
                },
                "empty_repo": false, "archived": false, "resolve_outdated_diff_discussions": false,
                "issues_enabled": false, "merge_requests_enabled": true, "wiki_enabled": false,
                "jobs_enabled": true, "snippets_enabled": false, "container_registry_enabled": false,
                "can_create_merge_request_in": viewer.is_some(),
                "issues_access_level": "disabled", "repository_access_level": "enabled",
                "merge_requests_access_level": "enabled", "forking_access_level": "enabled",
                "builds_access_level": enabled,
                "shared_runners_enabled": true, "lfs_enabled": false, "creator_id": 1,
                "import_status": "none", "open_issues_count": 0, "ci_config_path": null,
                "public_jobs": project.pipelines == Visibility::Public,
                "shared_with_groups": [],
                "only_allow_merge_if_pipeline_succeeds": false, "allow_merge_on_skipped_pipeline": null,
                "request_access_enabled": true,
                "only_allow_merge_if_all_discussions_are_resolved": false,
                "remove_source_branch_after_merge": true, "merge_method": "merge",
                "squash_option": "default_off", "autoclose_referenced_issues": true,
                "permissions": {
                    "project_access": level.map(|level| json!({"access_level": level, "notification_level": 3})),
                    "group_access": null,
                },
            }),
        );
        view
    }

    /// Returns a merge request as part of a list.
    pub(super) fn merge_request_view(&self, project: &str, one: &MergeRequestConfig) -> Value {
        let Some((number, project)) = self.project(project) else { return Value::Null };
        let path = &project.path;
        let notes: Vec<&StoredNote> = self.notes_of(path, one.iid).collect();
        let created = one.created_at.clone().unwrap_or_else(|| self.time.stamp(Duration::ZERO));
        let updated = notes.iter().map(|note| note.updated).max().unwrap_or_default();
        let author = self.user_view(&one.author);
        let merged = one.state == "merged";
        let closed = one.state == "closed";
        let when = |yes: bool| if yes { json!(created) } else { Value::Null };
        let who = |yes: bool| if yes { author.clone() } else { Value::Null };
        let mut view = json!({
            "id": number * 1000 + one.iid,
            "iid": one.iid,
            "project_id": number,
            "title": one.title,
            "description": one.description,
            "state": one.state,
            "created_at": created,
            "updated_at": self.time.stamp(updated),
            "merged_by": who(merged), "merge_user": who(merged), "merged_at": when(merged),
            "closed_by": who(closed), "closed_at": when(closed),
            "target_branch": "main",
            "source_branch": one.source_branch,
            "user_notes_count": notes.len(),
            "upvotes": 0, "downvotes": 0,
            "author": author,
            "assignees": [], "assignee": null, "reviewers": [],
            "source_project_id": number, "target_project_id": number,
            "labels": [],
            "draft": one.title.starts_with("Draft:"), "work_in_progress": one.title.starts_with("Draft:"),
            "imported": false, "imported_from": "none",
            "milestone": null,
        });
        extend(
            &mut view,
            json!({
                "merge_when_pipeline_succeeds": false,
                "merge_status": "can_be_merged",
                "detailed_merge_status": if one.state == "opened" { "mergeable" } else { "not_open" },
                "merge_after": null,
                "sha": head(one),
                "merge_commit_sha": one.merge_commit_sha, "squash_commit_sha": null, "discussion_locked": null,
                "should_remove_source_branch": null, "force_remove_source_branch": true,
                "prepared_at": created,
                "reference": format!("!{}", one.iid),
                "references": {
                    "short": format!("!{}", one.iid),
                    "relative": format!("!{}", one.iid),
                    "full": format!("{path}!{}", one.iid),
                },
                "web_url": format!("{}/{path}/-/merge_requests/{}", self.url, one.iid),
                "time_stats": {
                    "time_estimate": 0, "total_time_spent": 0,
                    "human_time_estimate": null, "human_total_time_spent": null,
                },
                "squash": false, "squash_on_merge": false,
                "task_completion_status": {"count": 0, "completed_count": 0},
                "has_conflicts": false, "blocking_discussions_resolved": !one.unresolved,
                "approvals_before_merge": null,
            }),
        );
        view
    }

    /// Returns a single merge request.
    pub(super) fn whole_merge_request_view(
        &self,
        project: &str,
        one: &MergeRequestConfig,
        viewer: Option<&str>,
    ) -> Value {
        let mut view = self.merge_request_view(project, one);
        let level = self
            .project(project)
            .and_then(|(_, project)| viewer.and_then(|user| project.members.get(user).copied()));
        extend(
            &mut view,
            json!({
                "subscribed": viewer.is_some(),
                "changes_count": "1",
                "latest_build_started_at": null, "latest_build_finished_at": null,
                "first_deployed_to_production_at": null,
                "pipeline": null, "head_pipeline": null,
                "diff_refs": {"base_sha": one.base_sha, "head_sha": head(one), "start_sha": one.base_sha},
                "merge_error": null,
                "first_contribution": false,
                "user": {"can_merge": level.is_some_and(|level| level >= 30)},
            }),
        );
        view
    }

    /// Returns the names in a directory of the default branch.
    pub(super) fn names_in(&self, project: &str, directory: &str) -> Vec<Value> {
        let files = self.project(project).map(|(_, one)| one.files.as_slice()).unwrap_or_default();
        let directory = directory.trim_matches('/');
        let below = files.iter().filter_map(|path| match directory {
            "" => Some(path.as_str()),
            _ => path.strip_prefix(directory)?.strip_prefix('/'),
        });
        let names = below.map(|path| path.split_once('/').map_or((path, "blob"), |(name, _)| (name, "tree")));
        let names: std::collections::BTreeSet<(&str, &str)> = names.collect();
        let view = |(name, kind): (&str, &str)| {
            let path = [directory, name].join("/");
            let id = &digest::sha256_hex([path.as_str()])[..40];
            let mode = if kind == "tree" { "040000" } else { "100644" };
            json!({"id": id, "name": name, "type": kind, "path": path.trim_start_matches('/'), "mode": mode})
        };
        names.into_iter().map(view).collect()
    }

    /// Returns the changes of a merge request, file by file.
    pub(super) fn change_views(one: &MergeRequestConfig) -> Vec<Value> {
        let view = |path: &String, is_new: bool| {
            json!({
                "old_path": path, "new_path": path,
                "a_mode": if is_new { "0" } else { "100644" }, "b_mode": "100644",
                "diff": "@@ -0,0 +1 @@\n+text\n",
                "collapsed": false, "too_large": false, "new_file": is_new, "renamed_file": false,
                "deleted_file": false, "generated_file": false,
            })
        };
        let added = one.adds.iter().map(|path| view(path, true));
        added.chain(one.changes.iter().map(|path| view(path, false))).collect()
    }

    /// Returns the comments of a merge request, oldest first.
    pub(super) fn notes_of<'a>(&'a self, project: &'a str, iid: u64) -> impl Iterator<Item = &'a StoredNote> {
        self.notes.iter().filter(move |note| note.project == project && note.iid == iid)
    }

    /// Returns a comment.
    pub(super) fn note_view(&self, note: &StoredNote) -> Value {
        let number = self.project(&note.project).map_or(0, |(number, _)| number);
        let mut view = json!({
            "id": note.id,
            "type": if note.threaded { json!("DiscussionNote") } else { Value::Null },
            "body": note.body,
            "attachment": null,
            "author": self.user_view(&note.author),
            "created_at": self.time.stamp(note.created),
            "updated_at": self.time.stamp(note.updated),
            "system": false,
            "noteable_id": number * 1000 + note.iid,
            "noteable_type": "MergeRequest",
            "project_id": number,
            "resolvable": note.threaded,
        });
        if note.threaded {
            extend(&mut view, json!({"resolved": false, "resolved_by": null, "resolved_at": null}));
        }
        extend(
            &mut view,
            json!({
                "confidential": false, "internal": false, "imported": false, "imported_from": "none",
                "noteable_iid": note.iid,
                "commands_changes": {},
            }),
        );
        view
    }

    /// Returns the threads of a merge request, oldest first.
    pub(super) fn discussion_views(&self, project: &str, iid: u64) -> Vec<Value> {
        let mut threads: Vec<(&str, bool, Vec<Value>)> = Vec::new();
        for note in self.notes_of(project, iid) {
            let view = self.note_view(note);
            match threads.iter_mut().find(|(id, ..)| *id == note.discussion) {
                Some((.., notes)) => notes.push(view),
                None => threads.push((&note.discussion, !note.threaded, vec![view])),
            }
        }
        let view = |(id, single, notes)| json!({"id": id, "individual_note": single, "notes": notes});
        threads.into_iter().map(view).collect()
    }
}

fn head(one: &MergeRequestConfig) -> Value {
    if one.sha.is_empty() { Value::Null } else { json!(one.sha) }
}

/// Adds the fields of one object to another.
pub(super) fn extend(view: &mut Value, more: Value) {
    if let (Value::Object(view), Value::Object(more)) = (view, more) {
        view.extend(more);
    }
}

/// Returns the ID of a request for GitLab's headers.
pub(super) fn request_id(count: usize) -> String {
    digest::sha256_hex([count.to_string()])[..26].to_uppercase()
}
