//! The stand-in's routes and permissions: the part of GitLab's REST API version 4 that the stand-in has.
//! Every refusal has GitLab's own form. The JSON of the answers is in `views` and `views_ci`.
//! Pipelines and jobs are in `api_ci`.

use serde_json::{Value, json};

use super::config::{MergeRequestConfig, TokenConfig, Visibility};
use super::reply::{IncomingRequest, Reply, decode, page};
use super::state::{ServerState, StoredNote};
use super::viewer::Viewer;
use super::views::request_id;

impl ServerState {
    /// Answers one request.
    pub(super) fn answer(&mut self, incoming: &IncomingRequest) -> Reply {
        self.remember(format!("{} {}", incoming.method, incoming.path));
        self.settle();
        let (limits, refused) = self.count(incoming);
        let reply = match refused {
            Some(refusal) => refusal,
            None => self.route(incoming).unwrap_or_else(|refusal| refusal).tagged(incoming),
        };
        let id = request_id(self.requests.len());
        let meta = json!({"correlation_id": id, "version": "1"}).to_string();
        limits
            .into_iter()
            .fold(reply, |reply, (name, value)| reply.with(name, value))
            .with("vary", "Origin")
            .with("x-content-type-options", "nosniff")
            .with("x-frame-options", "SAMEORIGIN")
            .with("x-gitlab-meta", meta)
            .with("x-request-id", id)
            .with("x-runtime", "0.004213")
    }

    /// Counts the request against the rate limit, and refuses requests beyond it.
    fn count(&mut self, incoming: &IncomingRequest) -> (Vec<(&'static str, String)>, Option<Reply>) {
        let Some(limit) = self.config.rate_limit else { return (Vec::new(), None) };
        let now = self.time.wall(self.time.now());
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
        let period = limit.period.max(1);
        let who = incoming.token.clone().unwrap_or_default();
        let throttle = if who.is_empty() { "unauthenticated" } else { "authenticated" };
        let (window, used) = self.counted.entry(who).or_default();
        if *window != now / period {
            (*window, *used) = (now / period, 0);
        }
        *used += 1;
        let wait = period - now % period;
        let reset = std::time::UNIX_EPOCH + std::time::Duration::from_secs(now + wait);
        let headers = vec![
            ("ratelimit-limit", limit.requests.to_string()),
            ("ratelimit-name", format!("throttle_{throttle}_api")),
            ("ratelimit-observed", used.to_string()),
            ("ratelimit-remaining", limit.requests.saturating_sub(*used).to_string()),
            ("ratelimit-reset", (now + wait).to_string()),
            ("ratelimit-resettime", httpdate::fmt_http_date(reset)),
        ];
        let refused = (*used > limit.requests)
            .then(|| Reply::text(429, "text/plain", "Retry later\n").with("retry-after", wait.to_string()));
        (headers, refused)
    }

    fn route(&mut self, incoming: &IncomingRequest) -> Result<Reply, Reply> {
        let Some(path) = incoming.path.strip_prefix("/api/v4/") else {
            return Err(Reply::text(404, "text/html; charset=utf-8", "<html><h1>404</h1></html>\n"));
        };
        let parts: Vec<String> =
            path.trim_end_matches('/').split('/').map(|part| decode(part, false)).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let viewer = self.viewer(incoming, &parts)?;
        let method = incoming.method.as_str();
        match (method, parts.as_slice()) {
            ("GET", ["version"]) => {
                viewer.require()?;
                let config = &self.config;
                Ok(Reply::json(200, &json!({"version": config.version, "revision": config.revision})))
            }
            ("GET", ["personal_access_tokens", "self"]) => {
                viewer.require()?;
                let view = self.token_view(incoming.token.as_deref().unwrap_or_default());
                Ok(Reply::json(200, &view))
            }
            ("GET", ["user"]) => Ok(Reply::json(200, &self.own_user_view(viewer.require()?))),
            ("GET", ["projects", project]) => {
                let path = self.visible(project, &viewer)?;
                Ok(Reply::json(200, &self.project_view(&path, viewer.name())))
            }
            (_, ["projects", project, "merge_requests", rest @ ..]) => {
                let path = self.visible(project, &viewer)?;
                self.merge_requests(incoming, &path, rest, &viewer)
            }
            ("POST", ["projects", project, "pipeline"]) => {
                let path = self.visible(project, &viewer)?;
                self.start_of_branch(incoming, &path, viewer.require()?)
            }
            // The trigger token is all that it needs.
            ("POST", ["projects", project, "trigger", "pipeline"]) => {
                let path = self.project(project).map(|(_, one)| one.path.clone());
                self.start_of_trigger(incoming, &path.ok_or_else(|| Reply::not_found("Project"))?)
            }
            ("GET", ["projects", project, "repository", "commits", sha]) => {
                let path = self.visible(project, &viewer)?;
                self.commit(&path, sha)
            }
            ("GET", ["projects", project, "repository", "tree"]) => {
                let path = self.visible(project, &viewer)?;
                let names = self.names_in(&path, incoming.parameter("path").unwrap_or_default());
                if names.is_empty() {
                    return Err(Reply::not_found("Tree"));
                }
                page(&self.url, incoming, &names)
            }
            (_, ["projects", project, "repository", rest @ ..]) => {
                let path = self.visible(project, &viewer)?;
                self.repository(incoming, &path, rest, &viewer)
            }
            ("GET", ["projects", project, "pipelines", rest @ ..]) => {
                let path = self.visible(project, &viewer)?;
                self.pipelines(incoming, &path, rest, &viewer)
            }
            ("POST", ["projects", project, "pipelines", id, "cancel"]) => {
                let path = self.visible(project, &viewer)?;
                self.cancel(&path, id, &viewer)
            }
            ("GET", ["projects", project, "deployments"]) => {
                let path = self.visible(project, &viewer)?;
                self.sees_pipelines(&path, &viewer)?;
                page(&self.url, incoming, &self.deployment_views(&path))
            }
            ("GET", ["projects", project, "environments"]) => {
                let path = self.visible(project, &viewer)?;
                self.sees_pipelines(&path, &viewer)?;
                self.environments(incoming, &path)
            }
            ("POST" | "PUT", ["projects", project, "environments", rest @ ..]) => {
                let path = self.visible(project, &viewer)?;
                self.change_environment(incoming, &path, rest, viewer.require()?)
            }
            ("POST" | "PUT", ["projects", project, "deployments", rest @ ..]) => {
                let path = self.visible(project, &viewer)?;
                self.change_deployment(incoming, &path, rest, viewer.require()?)
            }
            ("GET", ["projects", project, "environments", id]) => {
                let path = self.visible(project, &viewer)?;
                self.sees_pipelines(&path, &viewer)?;
                let id = id.parse().map_err(|_| Reply::error(400, "environment_id is invalid"))?;
                let view =
                    self.whole_environment_view(&path, id).ok_or_else(|| Reply::not_found("Environment"))?;
                Ok(Reply::json(200, &view))
            }
            ("GET", ["projects", project, "jobs", job, rest @ ..]) => {
                viewer.require()?;
                let path = self.visible(project, &viewer)?;
                self.job(incoming, &path, job, rest, &viewer)
            }
            _ => Err(Reply::error(404, "404 Not Found")),
        }
    }

    /// Returns the user behind the request, if the token allows this kind of request.
    fn viewer(&self, incoming: &IncomingRequest, parts: &[&str]) -> Result<Viewer, Reply> {
        let Some(text) = incoming.token.as_deref().filter(|token| !token.is_empty()) else {
            return Ok(Viewer { user: None });
        };
        let found: Option<&TokenConfig> = self.config.tokens.iter().find(|one| one.token == text);
        let Some(token) = found else { return Err(Reply::unauthorized()) };
        if token.expired {
            let description = "Token is expired. You can either do re-authorization or token refresh.";
            return Err(Reply::json(
                401,
                &json!({"error": "invalid_token", "error_description": description}),
            ));
        }
        let has = |scope: &str| token.scopes.iter().any(|one| one == scope);
        let is_own = matches!(parts, ["user"] | ["version"]);
        // A token may always ask about itself.
        let is_self = matches!(parts, ["personal_access_tokens", "self"]);
        let reads = incoming.method == "GET" && (is_self || has("read_api") || (is_own && has("read_user")));
        if !has("api") && !reads {
            let description = "The request requires higher privileges than provided by the access token.";
            let scope = if incoming.method == "GET" { "api read_api" } else { "api" };
            return Err(Reply::json(
                403,
                &json!({"error": "insufficient_scope", "error_description": description, "scope": scope}),
            ));
        }
        Ok(Viewer { user: Some(token.user.clone()) })
    }

    /// Returns the path of a project that the viewer may see.
    fn visible(&self, project: &str, viewer: &Viewer) -> Result<String, Reply> {
        let found = self.project(project).map(|(_, project)| project);
        let seen = found.filter(|project| {
            project.visibility == Visibility::Public
                || viewer.name().is_some_and(|user| project.members.contains_key(user))
        });
        seen.map(|project| project.path.clone()).ok_or_else(|| Reply::not_found("Project"))
    }

    fn merge_requests(
        &mut self,
        incoming: &IncomingRequest,
        project: &str,
        rest: &[&str],
        viewer: &Viewer,
    ) -> Result<Reply, Reply> {
        let get = incoming.method == "GET";
        let [iid, rest @ ..] = rest else {
            if incoming.method == "POST" {
                return self.create_merge_request(incoming, project, viewer.require()?);
            }
            let all = self.project(project).map(|(_, one)| one.merge_requests.clone()).unwrap_or_default();
            let state = incoming.parameter("state").unwrap_or("all");
            let listed = all.iter().rev().filter(|one| state == "all" || one.state == state);
            let source = incoming.parameter("source_branch");
            let listed = listed.filter(|one| source.is_none_or(|source| one.source_branch == source));
            let views: Vec<Value> = listed.map(|one| self.merge_request_view(project, one)).collect();
            return page(&self.url, incoming, &views);
        };
        let iid: u64 = iid.parse().map_err(|_| Reply::error(400, "merge_request_iid is invalid"))?;
        let found: Option<MergeRequestConfig> = self.merge_request(project, iid).cloned();
        // Everybody who sees a project sees its changes and pipelines; comments need a user.
        if !matches!(rest, [] | ["diffs"] | ["pipelines"]) {
            viewer.require()?;
        }
        match (rest, found) {
            (["diffs"], Some(one)) if get => page(&self.url, incoming, &Self::change_views(&one)),
            (["diffs"], None) if get => Err(Reply::no_record()),
            ([], Some(one)) if get => {
                Ok(Reply::json(200, &self.whole_merge_request_view(project, &one, viewer.name())))
            }
            ([], None) if get => Err(Reply::no_record()),
            (["notes" | "discussions" | "pipelines", ..], None) => Err(Reply::not_found("MergeRequest")),
            (["notes"], Some(_)) if get => {
                let mut notes: Vec<_> = self.notes_of(project, iid).collect();
                let by_update = incoming.parameter("order_by") == Some("updated_at");
                notes.sort_by_key(|note| (if by_update { note.updated } else { note.created }, note.id));
                if incoming.parameter("sort") != Some("asc") {
                    notes.reverse();
                }
                let views: Vec<Value> = notes.into_iter().map(|note| self.note_view(note)).collect();
                page(&self.url, incoming, &views)
            }
            (["notes"], Some(_)) if incoming.method == "POST" => {
                self.create_note(incoming, project, iid, viewer.require()?)
            }
            (["notes", id], Some(_)) if get => {
                let id: u64 = id.parse().map_err(|_| Reply::error(400, "note_id is invalid"))?;
                let found = self.notes_of(project, iid).find(|note| note.id == id);
                found.map(|note| Reply::json(200, &self.note_view(note))).ok_or_else(Reply::no_record)
            }
            (["pipelines"], Some(_)) if get => {
                self.sees_pipelines(project, viewer)?;
                self.pipelines_of(incoming, project, iid)
            }
            (["pipelines"], Some(_)) if incoming.method == "POST" => {
                self.start_of_merge_request(project, iid, viewer.require()?)
            }
            (["notes", id], Some(_)) if incoming.method == "PUT" => {
                self.update_note(incoming, project, iid, id, viewer.require()?)
            }
            (["discussions"], Some(_)) if get => {
                page(&self.url, incoming, &self.discussion_views(project, iid))
            }
            _ => Err(Reply::error(404, "404 Not Found")),
        }
    }

    fn create_note(
        &mut self,
        incoming: &IncomingRequest,
        project: &str,
        iid: u64,
        user: &str,
    ) -> Result<Reply, Reply> {
        let body = note_body(incoming)?;
        let note = self.add_note(project, iid, user, body, None, self.time.now());
        self.bot_reads(note.id);
        Ok(Reply::json(201, &self.note_view(&note)))
    }

    /// Changes a comment; everybody may change only their own.
    fn update_note(
        &mut self,
        incoming: &IncomingRequest,
        project: &str,
        iid: u64,
        id: &str,
        user: &str,
    ) -> Result<Reply, Reply> {
        let id: u64 = id.parse().map_err(|_| Reply::error(400, "note_id is invalid"))?;
        let body = note_body(incoming)?;
        let now = self.time.now();
        let of_this = |note: &&mut StoredNote| note.project == project && note.iid == iid && note.id == id;
        let note = self.notes.iter_mut().find(of_this).ok_or_else(Reply::no_record)?;
        if note.author != user {
            return Err(Reply::forbidden());
        }
        (note.body, note.updated) = (body.to_owned(), now);
        let note = note.clone();
        Ok(Reply::json(200, &self.note_view(&note)))
    }
}

/// Returns the text of a new or changed comment, if GitLab takes it.
fn note_body(incoming: &IncomingRequest) -> Result<&str, Reply> {
    let body = incoming.required("body")?;
    if body.trim().is_empty() {
        return Err(Reply::message(400, "400 Bad request - Note {note: [\"can't be blank\"]}"));
    }
    if body.chars().count() > 1_000_000 {
        return Err(Reply::message(
            400,
            "400 Bad request - Note {note: [\"is too long (maximum is 1000000 characters)\"]}",
        ));
    }
    Ok(body)
}
