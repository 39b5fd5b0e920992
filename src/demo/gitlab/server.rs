//! The stand-in on the network: HTTP on the loopback address, in a thread with a runtime of its own, so
//! that dropping it closes everything that it opened.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::serve::{IncomingStream, Listener};
use bytes::Bytes;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::fault::{FaultKind, InjectedFault};
use super::reply::{IncomingRequest, Reply, decode_query, encode_query};
use super::state::ServerState;

/// Maximum length of a request body in bytes.
const BODY_LIMIT: usize = 8 << 20;

pub(super) type SharedState = Arc<Mutex<ServerState>>;

pub(super) fn lock(state: &SharedState) -> MutexGuard<'_, ServerState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves until `stop` is sent to or dropped. Blocks its thread.
pub(super) fn serve(
    listener: std::net::TcpListener,
    state: SharedState,
    stop: tokio::sync::oneshot::Receiver<()>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = ResettableListener(TcpListener::from_std(listener)?);
        let service = Router::new()
            .fallback(handle)
            .with_state(state)
            .into_make_service_with_connect_info::<ResetHandle>();
        tokio::select! {
            ended = axum::serve(listener, service) => ended,
            _ = stop => Ok(()),
        }
    })
    // The runtime is dropped here, and with it every connection.
}

async fn handle(
    Shared(state): Shared<SharedState>,
    ConnectInfo(line): ConnectInfo<ResetHandle>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return respond(Reply::error(413, "Request Entity Too Large"));
    };
    let header = |name: &str| parts.headers.get(name)?.to_str().ok().map(str::to_owned);
    let query = decode_query(parts.uri.query().unwrap_or_default());
    let bearer = || header("authorization")?.strip_prefix("Bearer ").map(str::to_owned);
    let by_query = || query.iter().find(|(key, _)| key == "private_token").map(|(_, value)| value.clone());
    let incoming = IncomingRequest {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        token: header("private-token").or_else(bearer).or_else(by_query),
        if_none_match: header("if-none-match"),
        range: header("range"),
        fields: fields(&header("content-type").unwrap_or_default(), &body),
        query,
    };
    let target = format!("{}?{}", incoming.path, encode_query(&incoming.query));
    let fault = {
        let mut state = lock(&state);
        let mut faults = state.faults.iter_mut();
        let found = faults.find_map(|fault| fault.takes(&incoming.method, &target).then(|| fault.clone()));
        state.faults.retain(|fault| fault.times > 0);
        found
    };
    match fault {
        None => respond(lock(&state).answer(&incoming)),
        Some(fault) => inject_fault(&state, &line, &incoming, fault).await,
    }
}

async fn inject_fault(
    state: &SharedState,
    line: &ResetHandle,
    incoming: &IncomingRequest,
    fault: InjectedFault,
) -> Response<Body> {
    if fault.done && !fault.kind.answers() {
        lock(state).answer(incoming);
    } else {
        lock(state).remember(format!("{} {}", incoming.method, incoming.path));
    }
    let proxy = |status: u16| Reply::text(status, "text/html", "<html><h1>Whoops</h1></html>\n");
    match fault.kind {
        FaultKind::TooMany { retry_after, reset_in } => {
            let mut reply = Reply::text(429, "text/plain", "Retry later\n");
            if let Some(after) = retry_after {
                reply = reply.with("retry-after", after);
            }
            if let Some(seconds) = reset_in {
                let state = lock(state);
                let then = state.time.wall(state.time.now()) + Duration::from_secs(seconds);
                let then = then.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
                reply = reply.with("ratelimit-reset", then.as_secs().to_string());
            }
            respond(reply)
        }
        FaultKind::Status(status) => respond(proxy(status)),
        FaultKind::Page => respond(proxy(200)),
        FaultKind::Redirect(target) => respond(proxy(302).with("location", target)),
        FaultKind::Slow(millis) => {
            // The test asked for a slow answer.
            tokio::time::sleep(Duration::from_millis(millis)).await;
            respond(lock(state).answer(incoming))
        }
        FaultKind::Silence => std::future::pending().await,
        FaultKind::Trickle(millis) => trickle(&lock(state).answer(incoming), millis),
        FaultKind::OtherBody(path) => {
            let other = IncomingRequest { method: "GET".to_owned(), path, ..incoming.clone() };
            respond(lock(state).answer(&other))
        }
        FaultKind::Reset => {
            line.0.store(true, Ordering::Relaxed);
            respond(proxy(500))
        }
        FaultKind::SmallPages(most) => {
            let mut smaller = incoming.clone();
            smaller.query.retain(|(key, _)| key != "per_page");
            smaller.query.push(("per_page".to_owned(), most.to_string()));
            respond(lock(state).answer(&smaller))
        }
        FaultKind::Truncated => cut_short(&lock(state).answer(incoming)),
        FaultKind::HalfJson => {
            let mut reply = lock(state).answer(incoming);
            reply.body.truncate(reply.body.len() / 2);
            respond(reply)
        }
        FaultKind::Circle => {
            let mut reply = lock(state).answer(incoming);
            reply.headers.retain(|(name, _)| *name != "link" && *name != "x-next-page");
            let query = encode_query(&incoming.query);
            let link = format!("<{}{}?{query}>; rel=\"next\"", lock(state).url, incoming.path);
            respond(reply.with("link", link))
        }
    }
}

/// Parses the fields of a body: JSON or a form.
fn fields(content_type: &str, body: &[u8]) -> Vec<(String, String)> {
    if content_type.starts_with("application/x-www-form-urlencoded") {
        return decode_query(&String::from_utf8_lossy(body));
    }
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return Vec::new() };
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    fields.into_iter().map(|(key, value)| (key, text(value))).collect()
}

fn respond(mut reply: Reply) -> Response<Body> {
    let body = std::mem::take(&mut reply.body);
    head(&reply, Body::from(body))
}

/// Returns half of the body, followed by the end of the connection.
fn cut_short(reply: &Reply) -> Response<Body> {
    let half = Bytes::copy_from_slice(&reply.body[..reply.body.len() / 2]);
    let pieces = [Ok(half), Err(io::Error::other("cut short"))];
    head(reply, Body::from_stream(futures_util::stream::iter(pieces)))
}

/// Returns the body a byte at a time.
fn trickle(reply: &Reply, millis: u64) -> Response<Body> {
    let bytes = futures_util::stream::unfold(reply.body.clone().into_iter(), move |mut rest| async move {
        let byte = rest.next()?;
        // The test asked for a slow answer.
        tokio::time::sleep(Duration::from_millis(millis)).await;
        Some((Ok::<_, io::Error>(Bytes::copy_from_slice(&[byte])), rest))
    });
    head(reply, Body::from_stream(bytes))
}

fn head(reply: &Reply, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &reply.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// A listener whose connections can be reset.
struct ResettableListener(TcpListener);

/// A handle that resets a connection.
#[derive(Debug, Clone)]
struct ResetHandle(Arc<AtomicBool>);

/// A connection that its handle can reset.
struct ResettableStream {
    stream: TcpStream,
    line: ResetHandle,
}

impl ResettableStream {
    fn check(&self) -> io::Result<()> {
        if self.line.0.load(Ordering::Relaxed) {
            // Closing it then sends a reset, not an orderly end.
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Listener for ResettableListener {
    type Io = ResettableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (ResettableStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (ResettableStream { stream, line: ResetHandle(Arc::default()) }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, ResettableListener>> for ResetHandle {
    fn connect_info(stream: IncomingStream<'_, ResettableListener>) -> Self {
        stream.io().line.clone()
    }
}

impl AsyncRead for ResettableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ResettableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
