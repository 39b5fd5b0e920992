//! The stand-in's routes and permissions: the part of GitLab's REST API version 4 that the stand-in has.
//! Every refusal has GitLab's own form. The JSON of the answers is in `views` and `views_ci`.

use serde_json::{Value, json};

use super::config::{MergeRequestConfig, TokenConfig, Visibility};
use super::reply::{IncomingRequest, Reply, decode, page};
use super::state::{ServerState, StoredPipeline};
use super::views::request_id;

/// The user behind a request.
struct Viewer {
    user: Option<String>,
}

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
            ("GET", ["projects", project, "pipelines", rest @ ..]) => {
                let path = self.visible(project, &viewer)?;
                self.pipelines(incoming, &path, rest, &viewer)
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
            let all = self.project(project).map(|(_, one)| one.merge_requests.clone()).unwrap_or_default();
            let state = incoming.parameter("state").unwrap_or("all");
            let listed = all.iter().rev().filter(|one| state == "all" || one.state == state);
            let views: Vec<Value> = listed.map(|one| self.merge_request_view(project, one)).collect();
            return page(&self.url, incoming, &views);
        };
        let iid: u64 = iid.parse().map_err(|_| Reply::error(400, "merge_request_iid is invalid"))?;
        let found: Option<MergeRequestConfig> = self.merge_request(project, iid).cloned();
        // Everybody who sees a project sees its changes; comments need a user.
        if !matches!(rest, [] | ["diffs"]) {
            viewer.require()?;
        }
        match (rest, found) {
            (["diffs"], Some(one)) if get => page(&self.url, incoming, &Self::change_views(&one)),
            (["diffs"], None) if get => Err(Reply::no_record()),
            ([], Some(one)) if get => {
                Ok(Reply::json(200, &self.whole_merge_request_view(project, &one, viewer.name())))
            }
            ([], None) if get => Err(Reply::no_record()),
            (["notes" | "discussions", ..], None) => Err(Reply::not_found("MergeRequest")),
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
        let body = incoming.parameter("body").ok_or_else(|| Reply::error(400, "body is missing"))?;
        if body.trim().is_empty() {
            return Err(Reply::message(400, "400 Bad request - Note {note: [\"can't be blank\"]}"));
        }
        if body.chars().count() > 1_000_000 {
            return Err(Reply::message(
                400,
                "400 Bad request - Note {note: [\"is too long (maximum is 1000000 characters)\"]}",
            ));
        }
        let note = self.add_note(project, iid, user, body, None, self.time.now());
        self.bot_reads(note.id);
        Ok(Reply::json(201, &self.note_view(&note)))
    }

    /// Checks that the viewer may see the pipelines of a project.
    fn sees_pipelines(&self, project: &str, viewer: &Viewer) -> Result<(), Reply> {
        let (_, project) = self.project(project).ok_or_else(|| Reply::not_found("Project"))?;
        let level = viewer.name().and_then(|user| project.members.get(user)).copied().unwrap_or(0);
        if project.pipelines == Visibility::Public || level >= 20 { Ok(()) } else { Err(Reply::forbidden()) }
    }

    fn pipelines(
        &self,
        incoming: &IncomingRequest,
        project: &str,
        rest: &[&str],
        viewer: &Viewer,
    ) -> Result<Reply, Reply> {
        self.sees_pipelines(project, viewer)?;
        let of_project = |one: &&StoredPipeline| one.project == project;
        let [id, rest @ ..] = rest else {
            let of_project = self.pipelines.iter().rev().filter(of_project);
            let listed = of_project.map(|one| (one, self.pipeline_view(one)));
            let listed = listed.filter(|(one, view)| self.is_listed(incoming, one, view));
            let views: Vec<Value> = listed.map(|(_, view)| view).collect();
            return page(&self.url, incoming, &views);
        };
        let id: u64 = id.parse().map_err(|_| Reply::error(400, "pipeline_id is invalid"))?;
        let found = self.pipelines.iter().filter(of_project).find(|one| one.id == id);
        let pipeline = found.ok_or_else(Reply::no_record)?;
        match rest {
            [] => Ok(Reply::json(200, &self.whole_pipeline_view(pipeline))),
            ["variables"] => self.variables_of(incoming, pipeline, viewer.name()),
            ["jobs"] => {
                let scope = incoming.list("scope");
                let jobs = self.job_views(pipeline).into_iter();
                let listed =
                    jobs.filter(|(_, status, _)| scope.is_empty() || scope.contains(&status.as_str()));
                let views: Vec<Value> = listed.map(|(.., view)| view).collect();
                page(&self.url, incoming, &views)
            }
            _ => Err(Reply::error(404, "404 Not Found")),
        }
    }

    fn job(
        &self,
        incoming: &IncomingRequest,
        project: &str,
        job: &str,
        rest: &[&str],
        viewer: &Viewer,
    ) -> Result<Reply, Reply> {
        self.sees_pipelines(project, viewer)?;
        let id: u64 = job.parse().map_err(|_| Reply::error(400, "job_id is invalid"))?;
        let found = self.pipelines.iter().filter(|one| one.project == project).find_map(|pipeline| {
            let view = self.job_views(pipeline).into_iter().find(|(number, ..)| *number == id);
            view.map(|(.., view)| (pipeline, view))
        });
        let (pipeline, view) = found.ok_or_else(Reply::no_record)?;
        match rest {
            [] => Ok(Reply::json(200, &view)),
            ["trace"] => Ok(trace(incoming, id, self.log(pipeline, id).into_bytes())),
            _ => Err(Reply::error(404, "404 Not Found")),
        }
    }
}

/// Returns a log, or only its end if the request has a range.
fn trace(incoming: &IncomingRequest, id: u64, log: Vec<u8>) -> Reply {
    let tail = incoming.range.as_deref().and_then(|range| range.strip_prefix("bytes=-")?.parse().ok());
    let total = log.len();
    let reply = match tail {
        Some(_) if log.is_empty() => {
            Reply::text(416, "text/plain", "").with("content-range", "bytes */0".to_owned())
        }
        Some(tail) => {
            let from = total.saturating_sub(tail);
            Reply::text(206, "text/plain", &log[from..])
                .with("content-range", format!("bytes {from}-{}/{total}", total - 1))
        }
        None => Reply::text(200, "text/plain", log),
    };
    reply.with("content-disposition", format!("infile; filename=\"{id}.log\""))
}

impl Viewer {
    fn name(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Returns the user, or refuses an anonymous request.
    fn require(&self) -> Result<&str, Reply> {
        self.name().ok_or_else(Reply::unauthorized)
    }
}
