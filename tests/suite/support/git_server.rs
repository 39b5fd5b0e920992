//! Repositories over HTTP, served by git's own `git http-backend` behind a small server of ours that
//! asks for logins and, where the path says so, misbehaves. The first part of the path chooses:
//!
//! - `/x.git`: the repository;
//! - `/private/x.git`: the same for the user [`USER`] with [`TOKEN`] only;
//! - `/moved/x.git`: redirects to `/x.git`; `/elsewhere/x.git`: to another host;
//! - `/fail/<status>/…`: that status; `/html/…`: a page for people;
//! - `/cut/x.git`: the answer breaks off in the middle of the pack; `/reset/…`: at once;
//! - `/stall/x.git`: the answer stops in the middle of the pack and never ends.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use base64::Engine as _;
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

/// User with access to private repositories.
pub(crate) const USER: &str = "oauth2";
/// The password for that.
pub(crate) const TOKEN: &str = "glpat-0123456789abcdef";

/// Of a pack that is cut or stalls, so much is sent.
const PART: usize = 64 << 10;

/// A running server; it ends when it is dropped.
pub(crate) struct GitServer {
    /// `127.0.0.1:port`.
    pub address: String,
    shared: Arc<GitServerState>,
    serving: tokio::task::JoinHandle<()>,
}

struct GitServerState {
    address: String,
    root: PathBuf,
    log: Mutex<Vec<SeenRequest>>,
    headers: Mutex<Vec<(String, String)>>,
    stalled: Notify,
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenRequest {
    /// Method and path.
    pub line: String,
    /// It carried a login.
    pub login: bool,
    /// It said how long it is.
    pub length: bool,
}

impl GitServer {
    /// Serves the repositories in a directory.
    pub(crate) async fn start(root: &Path) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("has an address").to_string();
        let shared = Arc::new(GitServerState {
            address: address.clone(),
            root: root.to_owned(),
            log: Mutex::default(),
            headers: Mutex::default(),
            stalled: Notify::new(),
        });
        let router = axum::Router::new().fallback(answer).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("serves") });
        Self { address, shared, serving }
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// The requests so far, which are forgotten by that.
    pub(crate) fn seen(&self) -> Vec<SeenRequest> {
        std::mem::take(&mut *self.shared.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The values of a header in all requests so far.
    pub(crate) fn headers(&self, name: &str) -> Vec<String> {
        let all = self.shared.headers.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|(found, _)| found == name).map(|(_, value)| value.clone()).collect()
    }

    /// Waits until an answer has stalled.
    pub(crate) async fn stalled(&self) {
        self.shared.stalled.notified().await;
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(shared): State<Arc<GitServerState>>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let login = request.headers().get(header::AUTHORIZATION);
    let seen = SeenRequest {
        line: format!("{} {path}", request.method()),
        login: login.is_some(),
        length: request.headers().contains_key(header::CONTENT_LENGTH),
    };
    shared.log.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    let headers = request.headers().iter().filter(|(name, _)| name.as_str().starts_with("x-"));
    let headers = headers
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    shared.headers.lock().unwrap_or_else(PoisonError::into_inner).extend(headers);
    let (first, rest) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    let is_pack = request.method() == Method::POST;
    match first {
        "fail" => {
            let status = rest.split('/').next().and_then(|code| code.parse().ok()).expect("a status");
            text(status, "text/plain; charset=utf-8", "\n\x1b[31mno, says the server\x1b[0m\nmore\n")
        }
        "html" => text(200, "text/html", "<html>Sign in</html>"),
        "moved" => redirect(&format!("/{rest}"), &request),
        "elsewhere" => {
            let to = shared.address.replace("127.0.0.1", "localhost");
            redirect(&format!("http://{to}/{rest}"), &request)
        }
        "reset" => Response::new(broken(futures_util::stream::empty().boxed())),
        "private" => {
            let right = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{TOKEN}"));
            if login.is_some_and(|login| login.as_bytes() == format!("Basic {right}").as_bytes()) {
                backend(&shared, rest, request, Some(USER)).await
            } else {
                let mut answer = text(401, "text/plain", "HTTP Basic: Access denied");
                let realm = HeaderValue::from_static("Basic realm=\"GitLab\"");
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
                answer
            }
        }
        "cut" if is_pack => backend(&shared, rest, request, None).await.map(|body| broken(part(body))),
        "stall" if is_pack => {
            let answer = backend(&shared, rest, request, None).await;
            answer.map(|body| {
                let told = futures_util::stream::once(async move {
                    shared.stalled.notify_one();
                    std::future::pending().await
                });
                Body::from_stream(part(body).chain(told))
            })
        }
        "cut" | "stall" => backend(&shared, rest, request, None).await,
        _ => backend(&shared, &path[1..], request, None).await,
    }
}

type Pieces = futures_util::stream::BoxStream<'static, Result<Bytes, axum::Error>>;

/// The first part of an answer.
fn part(body: Body) -> Pieces {
    let mut sent = 0;
    let pieces = body.into_data_stream().take_while(move |piece| {
        let goes = sent < PART;
        sent += piece.as_ref().map_or(0, Bytes::len);
        std::future::ready(goes)
    });
    pieces.boxed()
}

/// Returns a body that breaks off after its end.
fn broken(pieces: Pieces) -> Body {
    let end = futures_util::stream::once(async { Err(axum::Error::new(std::io::Error::other("cut"))) });
    Body::from_stream(pieces.chain(end))
}

fn text(status: u16, kind: &'static str, words: &'static str) -> Response<Body> {
    let answer = Response::builder().status(status).header(header::CONTENT_TYPE, kind);
    answer.body(Body::from(words)).expect("a valid answer")
}

fn redirect(to: &str, request: &Request) -> Response<Body> {
    let to = format!("{to}?{}", request.uri().query().unwrap_or(""));
    let answer = Response::builder().status(StatusCode::MOVED_PERMANENTLY).header(header::LOCATION, to);
    answer.body(Body::empty()).expect("a valid answer")
}

/// Runs `git http-backend` as a CGI program (RFC 3875).
async fn backend(
    shared: &GitServerState,
    path: &str,
    request: Request,
    user: Option<&str>,
) -> Response<Body> {
    let mut command = super::git_command(&shared.root);
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &shared.root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", request.method().as_str())
        .env("PATH_INFO", format!("/{path}"))
        .env("QUERY_STRING", request.uri().query().unwrap_or(""));
    for (variable, name) in
        [("CONTENT_TYPE", header::CONTENT_TYPE), ("CONTENT_LENGTH", header::CONTENT_LENGTH)]
    {
        if let Some(value) = request.headers().get(name) {
            command.env(variable, value.to_str().expect("is text"));
        }
    }
    if let Some(user) = user {
        command.env("REMOTE_USER", user);
    }
    let mut command = tokio::process::Command::from(command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().expect("git is installed");
    let (mut stdin, mut stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
    tokio::spawn(async move {
        let mut body = request.into_body().into_data_stream();
        while let Some(Ok(piece)) = body.next().await {
            if stdin.write_all(&piece).await.is_err() {
                break;
            }
        }
    });
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stdout.read_u8().await.expect("the program answers"));
    }
    let head = String::from_utf8(head).expect("is text");
    let mut answer = Response::builder();
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        answer = match name {
            "Status" => answer.status(&value[..3]),
            name => answer.header(name, value),
        };
    }
    let body = futures_util::stream::unfold((stdout, child), |(mut stdout, child)| async {
        let mut piece = vec![0; 16 << 10];
        let length = stdout.read(&mut piece).await.ok().filter(|length| *length > 0)?;
        piece.truncate(length);
        Some((Ok::<_, std::io::Error>(Bytes::from(piece)), (stdout, child)))
    });
    answer.body(Body::from_stream(body)).expect("a valid answer")
}
