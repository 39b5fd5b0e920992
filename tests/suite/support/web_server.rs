//! A web server whose answers follow from the path of a request, and which remembers all requests:
//!
//! - `/ok/…`: a page; `/status/N/…`: that status; `/get/…`: a page for GET, 405 for HEAD;
//! - `/moved/X`, `/found/X`: redirects to `/ok/X`, permanent or temporary; `/to?…`: to the address after `?`;
//! - `/private/…`: redirects to the login; `/loop/…`: to itself;
//! - `/limited/N/S/…`: the first N requests are too many, for S seconds; `/flaky/N/…`: the first N fail;
//! - `/held/N/…`: answers once N requests are there; `/hang/…`: never answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, Response, header};
use tokio::sync::{Barrier, oneshot};

/// A running server; it ends when it is dropped.
pub(crate) struct WebServer {
    pub(crate) port: u16,
    state: Arc<Mutex<ServerState>>,
    _end: oneshot::Sender<()>,
}

#[derive(Default)]
struct ServerState {
    /// Method and path of each request.
    seen: Vec<String>,
    /// Names of all headers so far.
    headers: Vec<String>,
    /// Requests for each path.
    counts: HashMap<String, u32>,
    running: usize,
    most: usize,
    barriers: HashMap<String, Arc<Barrier>>,
}

impl WebServer {
    pub(crate) fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
        listener.set_nonblocking(true).expect("is a socket");
        let port = listener.local_addr().expect("is bound").port();
        let state = Arc::new(Mutex::default());
        let (end, ended) = oneshot::channel::<()>();
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&state));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("starts").block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("is a socket");
                tokio::select! {
                    served = axum::serve(listener, router) => served.expect("serves"),
                    _ = ended => {}
                }
            });
        });
        Self { port, state, _end: end }
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The requests so far, sorted, which are forgotten by that.
    pub(crate) fn seen(&self) -> Vec<String> {
        let mut seen = std::mem::take(&mut self.state().seen);
        seen.sort();
        seen
    }

    /// Returns whether any request had a header.
    pub(crate) fn had_header(&self, name: &str) -> bool {
        self.state().headers.iter().any(|header| header == name)
    }

    /// Most requests at a time.
    pub(crate) fn most_at_a_time(&self) -> usize {
        self.state().most
    }

    fn state(&self) -> MutexGuard<'_, ServerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(State(state): State<Arc<Mutex<ServerState>>>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let (count, barrier) = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen.push(format!("{} {path}", request.method()));
        state.headers.extend(request.headers().keys().map(ToString::to_string));
        state.running += 1;
        state.most = state.most.max(state.running);
        let count = state.counts.entry(path.clone()).or_default();
        *count += 1;
        let count = *count;
        let held = path.strip_prefix("/held/").and_then(|rest| rest.split('/').next()?.parse().ok());
        let barrier = held.map(|number| {
            Arc::clone(
                state.barriers.entry(path[..7].to_owned()).or_insert_with(|| Arc::new(Barrier::new(number))),
            )
        });
        (count, barrier)
    };
    if let Some(barrier) = barrier {
        barrier.wait().await;
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    let is_head = request.method() == Method::HEAD;
    drop(request);
    if path.starts_with("/hang/") {
        std::future::pending::<()>().await;
    }
    let response = decide(is_head, &path, query, count);
    state.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
    response
}

fn decide(is_head: bool, path: &str, query: String, count: u32) -> Response<Body> {
    let parts: Vec<&str> = path[1..].split('/').collect();
    let number = |at: usize| parts.get(at).and_then(|part| part.parse::<u32>().ok()).unwrap_or_default();
    let plain = |status: u16| Response::builder().status(status);
    let redirect = |status: u16, to: String| plain(status).header(header::LOCATION, to);
    let response = match parts[0] {
        "ok" | "held" | "users" => plain(200),
        "status" => plain(u16::try_from(number(1)).unwrap_or(500)),
        "get" if is_head => plain(405),
        "get" => plain(200),
        "moved" => redirect(301, format!("/ok/{}", parts[1..].join("/"))),
        "found" => redirect(302, format!("/ok/{}", parts[1..].join("/"))),
        "to" => redirect(301, query),
        "private" => redirect(302, "/users/sign_in".to_owned()),
        "loop" => redirect(302, path.to_owned()),
        "limited" if count <= number(1) => plain(429).header("retry-after", number(2)),
        "flaky" if count <= number(1) => plain(503),
        "limited" | "flaky" => plain(200),
        _ => plain(404),
    };
    response.body(Body::from("<html>a page</html>")).expect("is an answer")
}
