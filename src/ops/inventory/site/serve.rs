//! A server for a site that was written, on the loopback address only.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use tower_http::services::ServeDir;

use crate::host::signals::{Shutdown, Signal};
use crate::ops::mock_services::ListenError;

/// Headers of each response. The pages have the rest of their policy in themselves.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "no-cache"),
    (header::CONTENT_SECURITY_POLICY, "frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// A port of the loopback address, for a site.
#[derive(Debug)]
pub struct BoundSite {
    listener: TcpListener,
    port: u16,
}

/// Takes a port: the given one, else a free one.
///
/// # Errors
/// Fails if another program has the port.
pub fn bind(port: Option<u16>) -> Result<BoundSite, ListenError> {
    let wanted = port.unwrap_or(0);
    let bound = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok(BoundSite { listener, port })
    };
    bound().map_err(|source| ListenError { port: wanted, source })
}

impl BoundSite {
    /// Returns the address of the first page.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Serves a directory until a signal comes, and returns the signal.
    ///
    /// # Errors
    /// Fails if the system no longer accepts connections.
    pub async fn serve(self, directory: &Path, stop: &Shutdown) -> io::Result<Signal> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let router = router(directory, self.port);
        tokio::select! {
            ended = axum::serve(listener, router) => Err(ended.err().unwrap_or_else(|| io::Error::other("the server ended"))),
            signal = stop.requested() => Ok(signal),
        }
    }
}

fn router(directory: &Path, port: u16) -> Router {
    let root = directory.canonicalize().unwrap_or_else(|_| directory.to_path_buf());
    let site = ServedSite { root: root.into(), port };
    Router::new().fallback_service(ServeDir::new(directory)).layer(from_fn_with_state(site, guard))
}

/// A site that is served.
#[derive(Debug, Clone)]
struct ServedSite {
    /// Its directory, without links on the way.
    root: Arc<Path>,
    port: u16,
}

impl ServedSite {
    /// Returns whether the path of an address leads out of the directory, by a link that somebody put there.
    fn leads_out(&self, path: &str) -> bool {
        let Ok(path) = percent_decode_str(path).decode_utf8() else { return true };
        let real = self.root.join(path.trim_start_matches('/')).canonicalize();
        // The server finds nothing where there is nothing.
        real.is_ok_and(|real| !real.starts_with(&self.root))
    }
}

/// Answers only requests that name this machine: a page of another site whose name leads here must read nothing.
async fn guard(State(site): State<ServedSite>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let is_here = host.is_some_and(|host| {
        ["127.0.0.1", "localhost"].iter().any(|name| host == format!("{name}:{}", site.port))
    });
    let is_hidden = request
        .uri()
        .path()
        .split('/')
        .any(|part| part.starts_with('.') || part.to_ascii_lowercase().starts_with("%2e"));
    let mut response = match (is_here, is_hidden) {
        (false, _) => (StatusCode::MISDIRECTED_REQUEST, "this server has no such host\n").into_response(),
        (true, true) => StatusCode::NOT_FOUND.into_response(),
        (true, false) if site.leads_out(request.uri().path()) => StatusCode::NOT_FOUND.into_response(),
        (true, false) => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    /// Serves a directory, and returns the answers to requests for paths, with a host.
    fn answers(directory: &Path, requests: &[(&str, &str)]) -> Vec<String> {
        let site = bind(None).expect("binds");
        let port = site.port;
        assert!(bind(Some(port)).is_err_and(|error| error.port == port), "the port is taken");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("starts");
        let stop = Shutdown::new();
        let (of_server, path) = (stop.clone(), directory.to_path_buf());
        let server = runtime.spawn(async move { site.serve(&path, &of_server).await });
        let answers = requests.iter().map(|(path, host)| {
            let mut stream = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connects");
            let host = host.replace("PORT", &port.to_string());
            let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).expect("sends");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("answers");
            answer.to_ascii_lowercase()
        });
        let answers = answers.collect();
        stop.trigger(Signal::Interrupt);
        let ended = runtime.block_on(server).expect("ends").expect("ends by the signal");
        assert_eq!(ended, Signal::Interrupt);
        answers
    }

    #[test]
    fn site_server_answers_for_its_directory_only() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let site = directory.path().join("site");
        std::fs::create_dir(&site).expect("makes");
        for (path, text) in [
            ("secret", "hidden"),
            ("site/.cki-site", "hidden"),
            ("site/index.html", "<p>"),
            ("site/site.css", "p{}"),
            ("site/site.js", "1"),
            ("site/icon.svg", "<svg/>"),
        ] {
            std::fs::write(directory.path().join(path), text).expect("writes");
        }
        std::os::unix::fs::symlink("../secret", site.join("out.html")).expect("links");
        std::os::unix::fs::symlink("..", site.join("up")).expect("links");
        let here = "127.0.0.1:PORT";
        let requests = [
            ("/", here),
            ("/site.css", "localhost:PORT"),
            ("/site.js", here),
            ("/icon.svg", here),
            ("/../secret", here),
            ("/%2e%2e/secret", here),
            ("/..%2fsecret", here),
            ("/%2E%2E%2fsecret", here),
            ("/.cki-site", here),
            ("/%2Ecki-site", here),
            ("/none.html", here),
            ("/out.html", here),
            ("/%6fut.html", here),
            ("/up/secret", here),
            ("/", "evil.example:PORT"),
            ("/", "127.0.0.1"),
        ];
        let answers = answers(&site, &requests);
        let status: Vec<&str> = answers.iter().map(|answer| &answer[9..12]).collect();
        assert_eq!(status[..4], ["200"; 4], "{answers:#?}");
        assert!(status[4..14].iter().all(|code| ["400", "404"].contains(code)), "{status:?}");
        assert_eq!(status[14..], ["421", "421"]);
        assert!(answers.iter().all(|answer| !answer.contains("hidden") && answer.contains("nosniff")));
        for (answer, kind) in
            answers.iter().zip(["text/html", "text/css", "text/javascript", "image/svg+xml"])
        {
            assert!(answer.contains(&format!("content-type: {kind}")), "{answer}");
        }
    }
}
