//! The HTTP server: sends the first answer that matches a request, else a 404 with the reason. Requests
//! are logged without headers, since these may have credentials.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::LogFn;
use crate::base::text::safe_line;

/// Maximum bytes of a request's body.
const LONGEST: usize = 8 << 20;
/// Maximum bytes of a body to log.
const SHOWN: usize = 4 << 10;

/// A configured answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpAnswer {
    /// `GET`, `POST`, …; `None` for any.
    method: Option<String>,
    /// The path, without the query; a `*` at its end matches any rest.
    path: String,
    /// The status.
    #[serde(default = "ok")]
    status: u16,
    /// Headers.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// A string, or anything else as JSON.
    body: Option<Value>,
}

fn ok() -> u16 {
    200
}

/// An answer in the form to send.
#[derive(Debug)]
struct HttpReady {
    method: Option<Method>,
    path: String,
    any_end: bool,
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: String,
}

/// The server with its answers.
pub(super) struct Server {
    answers: Vec<HttpReady>,
    say: LogFn,
}

impl Server {
    pub(super) fn new(answers: Vec<HttpAnswer>, say: LogFn) -> anyhow::Result<Self> {
        Ok(Self { answers: answers.into_iter().map(HttpAnswer::ready).collect::<Result<_, _>>()?, say })
    }

    pub(super) fn router(self) -> Router {
        Router::new().fallback(handle).with_state(Arc::new(self))
    }

    fn answer(&self, method: &Method, path: &str) -> Option<&HttpReady> {
        self.answers.iter().find(|one| {
            let is_path = if one.any_end { path.starts_with(&one.path) } else { path == one.path };
            is_path && one.method.as_ref().is_none_or(|wanted| wanted == method)
        })
    }
}

impl HttpAnswer {
    fn ready(self) -> anyhow::Result<HttpReady> {
        let context = || format!("the answer to `{}` makes no sense", self.path);
        let method = self.method.as_ref().map(|method| method.to_uppercase().parse());
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().with_context(context)?;
            headers.push((name, value.parse().with_context(context)?));
        }
        let body = match self.body.clone() {
            None => String::new(),
            Some(Value::String(text)) => text,
            Some(value) => {
                let json = HeaderValue::from_static("application/json");
                headers.insert(0, (axum::http::header::CONTENT_TYPE, json));
                value.to_string()
            }
        };
        Ok(HttpReady {
            method: method.transpose().with_context(context)?,
            any_end: self.path.ends_with('*'),
            path: self.path.trim_end_matches('*').to_owned(),
            status: StatusCode::from_u16(self.status).with_context(context)?,
            headers,
            body,
        })
    }
}

async fn handle(State(server): State<Arc<Server>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LONGEST).await.unwrap_or_default();
    let found = server.answer(&parts.method, parts.uri.path());
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let status = found.map_or(StatusCode::NOT_FOUND, |one| one.status);
    (server.say)(&format!("{} {} {}", parts.method, safe_line(target), status.as_u16()));
    let shown = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]);
    for line in shown.lines() {
        (server.say)(&format!("  {}", safe_line(line)));
    }
    let mut response = match found {
        Some(one) => Response::new(Body::from(one.body.clone())),
        None => {
            let message = format!("no answer is given for {} {}", parts.method, parts.uri.path());
            Response::new(Body::from(json!({ "message": message }).to_string()))
        }
    };
    *response.status_mut() = status;
    for (name, value) in found.map_or(&[][..], |one| &one.headers) {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(answers: Value) -> anyhow::Result<Server> {
        Server::new(serde_json::from_value(answers)?, Arc::new(|_| ()))
    }

    #[test]
    fn mock_http_returns_first_matching_response() {
        let server = server(json!([
            {"path": "/a", "method": "post", "status": 201, "body": {"id": 1}},
            {"path": "/a", "body": "text", "headers": {"X-Kind": "one"}},
            {"path": "/b/*", "status": 500},
        ]))
        .expect("makes sense");
        let ask = |method: Method, path: &str| {
            server.answer(&method, path).map(|one| (one.status.as_u16(), one.body.as_str()))
        };
        assert_eq!(ask(Method::POST, "/a"), Some((201, "{\"id\":1}")));
        assert_eq!(ask(Method::GET, "/a"), Some((200, "text")));
        assert_eq!(ask(Method::GET, "/b/c/d"), Some((500, "")));
        assert_eq!(ask(Method::GET, "/a/b"), None);
    }

    #[test]
    fn mock_http_rejects_invalid_responses() {
        for wrong in [
            json!([{"path": "/", "status": 7}]),
            json!([{"path": "/", "method": "a b"}]),
            json!([{"path": "/", "headers": {"a b": "c"}}]),
            json!([{"path": "/", "stauts": 200}]),
            json!([{}]),
        ] {
            assert!(server(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
