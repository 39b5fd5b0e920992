//! Address of an engine, and the few requests sent there without bollard: `_ping`, whose answer is in the
//! headers, those whose answers `api_types` reads, and those of Podman's own API.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use crate::base::text::safe_line;

/// Maximum bytes of an answer.
const LONGEST: u64 = 64 << 20;
/// First bytes of every answer.
const HTTP: &[u8] = b"HTTP/1.";
/// Pause before the next try at a socket whose queue is full, within the caller's timeout.
const FULL: Duration = Duration::from_millis(20);

/// Address of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Socket in the file system.
    Unix(PathBuf),
    /// Host and port that speak plain HTTP.
    Tcp(String),
}

/// An address that this program does not support.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{address}` is not supported: {why}")]
pub struct UnsupportedAddress {
    /// Address as written.
    pub address: String,
    /// Unsupported part.
    pub why: &'static str,
}

impl Address {
    /// Parses an address in the form of `DOCKER_HOST`.
    ///
    /// # Errors
    /// Fails if the address requires a transport other than a socket or plain HTTP.
    pub fn parse(text: &str) -> Result<Self, UnsupportedAddress> {
        let refuse = |why| Err(UnsupportedAddress { address: safe_line(text).into_owned(), why });
        match text.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(PathBuf::from(path))),
            Some(("unix", _)) => refuse("the path of a socket starts with `/`"),
            Some(("tcp" | "http", rest)) => {
                let host = rest.trim_end_matches('/');
                let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]_".contains(c);
                if host.is_empty() || !host.chars().all(plain) {
                    return refuse("it is not a host and a port");
                }
                Ok(Self::Tcp(if has_port(host) { host.to_owned() } else { format!("{host}:2375") }))
            }
            Some(("ssh", _)) => refuse("connections over SSH; forward the socket with `ssh -L` instead"),
            Some(("https", _)) => refuse("connections over TLS"),
            Some(_) => refuse("its scheme is not one of unix, tcp, http"),
            None => refuse("it has no scheme, as `unix://` or `tcp://`"),
        }
    }

    /// Returns whether the engine is on this machine, as far as an address can tell.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp(host) => {
                crate::base::http::is_loopback(host.rsplit_once(':').map_or(host, |(host, _)| host))
            }
        }
    }

    /// Pings the engine, and returns its kind and version.
    pub(super) async fn ping(&self, limit: Duration) -> Result<PingInfo, PingError> {
        match tokio::time::timeout(limit, self.get("/_ping")).await {
            Ok(Ok(answer)) => PingInfo::read(&answer),
            Ok(Err(error)) => Err(PingError::from_io(&error)),
            Err(_) => Err(PingError::TimedOut(limit)),
        }
    }

    /// Pings the engine, and retries while every connection breaks, for at most `dying`.
    pub(super) async fn ping_until_known(
        &self,
        limit: Duration,
        dying: Duration,
    ) -> Result<PingInfo, PingError> {
        let began = tokio::time::Instant::now();
        let mut pause = Duration::from_millis(5);
        loop {
            match self.ping(limit).await {
                Err(PingError::Severed) if began.elapsed() < dying => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(200));
                }
                known => return known,
            }
        }
    }

    /// Sends a GET request.
    pub(super) async fn get(&self, path: &str) -> io::Result<PingAnswer> {
        self.send(&format!("GET {path} HTTP/1.0\r\nHost: engine\r\n\r\n")).await
    }

    /// Sends a POST request with a JSON body.
    pub(super) async fn post(&self, path: &str, body: &str) -> io::Result<PingAnswer> {
        let length = body.len();
        self.send(&format!(
            "POST {path} HTTP/1.0\r\nHost: engine\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    async fn send(&self, request: &str) -> io::Result<PingAnswer> {
        match self {
            Self::Unix(socket) => exchange(connect(socket).await?, request).await,
            Self::Tcp(host) => exchange(TcpStream::connect(host.as_str()).await?, request).await,
        }
    }

    /// Returns the PID of the listening process, if it is a visible one of this machine.
    pub(super) async fn process(&self) -> Option<u32> {
        let Self::Unix(path) = self else { return None };
        let pid = UnixStream::connect(path).await.ok()?.peer_cred().ok()?.pid()?;
        u32::try_from(pid).ok().filter(|pid| *pid > 0)
    }
}

/// Connects to a socket. Retries while its queue is full: the caller's timeout reports that it does not
/// answer.
pub(super) async fn connect(socket: &Path) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(socket).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => tokio::time::sleep(FULL).await,
            other => return other,
        }
    }
}

/// Answer: its head without the empty line, and its body.
#[derive(Debug)]
pub(super) struct PingAnswer {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl PingAnswer {
    /// Returns the status; 0 if the answer is not HTTP.
    pub(super) fn status(&self) -> u16 {
        let line = self.head.lines().next().filter(|line| line.starts_with("HTTP/1."));
        line.and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// Sends a request as HTTP/1.0, whose answers end with the connection and are not chunked.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> io::Result<PingAnswer> {
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.take(LONGEST).read_to_end(&mut bytes).await?;
    let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
        let begins = bytes.starts_with(HTTP) || HTTP.starts_with(&bytes);
        return Err(if begins { io::ErrorKind::ConnectionAborted } else { io::ErrorKind::InvalidData }.into());
    };
    let body = bytes.split_off(end + 4);
    let answer = PingAnswer { head: String::from_utf8_lossy(&bytes[..end]).into_owned(), body };
    let length = answer.header("content-length").and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| answer.body.len() < length) {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    Ok(answer)
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(host) => write!(f, "tcp://{host}"),
        }
    }
}

/// Supported engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// Docker.
    Docker,
    /// Podman.
    Podman,
}

impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
        })
    }
}

/// Answer to a ping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PingInfo {
    pub(super) kind: AddressKind,
    pub(super) version: String,
}

impl PingInfo {
    fn read(answer: &PingAnswer) -> Result<Self, PingError> {
        if answer.status() == 0 || answer.header("Api-Version").is_none() {
            return Err(PingError::NotAnEngine);
        }
        if answer.status() != 200 {
            let status = answer.head.lines().next().unwrap_or_default();
            return Err(PingError::Failed(format!("it answers `{}`", safe_line(status))));
        }
        let (kind, version) = match answer.header("Libpod-Api-Version") {
            Some(version) => (AddressKind::Podman, Some(version)),
            // `Docker/20.10.24+dfsg1 (linux)`
            None => (
                AddressKind::Docker,
                answer.header("Server").and_then(|server| server.split(' ').next()?.split('/').nth(1)),
            ),
        };
        Ok(Self { kind, version: safe_line(version.unwrap_or("of unknown version")).into_owned() })
    }
}

/// Reason for a missing or bad answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PingError {
    Absent,
    Refused,
    NoPermission,
    /// The engine closed the connection before it had answered.
    Severed,
    Failed(String),
    TimedOut(Duration),
    NotAnEngine,
}

impl PingError {
    fn from_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Absent,
            io::ErrorKind::PermissionDenied => Self::NoPermission,
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::InvalidData => Self::NotAnEngine,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Self::Severed,
            _ => Self::Failed(safe_line(&error.to_string()).into_owned()),
        }
    }
}

impl fmt::Display for PingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is no such socket"),
            Self::Refused => f.write_str("nothing listens there"),
            Self::NoPermission => f.write_str("permission denied"),
            Self::Severed => f.write_str("it closes every connection without an answer"),
            Self::Failed(why) => f.write_str(why),
            Self::TimedOut(limit) => write!(f, "no answer within {}", crate::base::text::duration(*limit)),
            Self::NotAnEngine => f.write_str("what listens there is not a container engine"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_parse_accepts_unix_and_tcp() {
        let parse = |text: &str| Address::parse(text).map(|address| address.to_string());
        assert_eq!(parse("unix:///run/x.sock").as_deref(), Ok("unix:///run/x.sock"));
        assert_eq!(parse("tcp://10.0.0.1:2375/").as_deref(), Ok("tcp://10.0.0.1:2375"));
        assert_eq!(parse("tcp://[::1]").as_deref(), Ok("tcp://[::1]:2375"));
        assert!(Address::parse("tcp://[::1]:2375").is_ok_and(|address| address.is_local()));
        assert!(Address::parse("tcp://build.example.com").is_ok_and(|address| !address.is_local()));
        for wrong in ["ssh://me@host", "https://x", "unix://relative", "fd://", "host:2375", "tcp://a b", ""]
        {
            let error = Address::parse(wrong).expect_err(wrong);
            assert!(error.to_string().contains(&format!("`{wrong}`")), "{error}");
        }
    }

    #[test]
    fn ping_info_identifies_engine_by_headers() {
        let read = |head: &str| PingInfo::read(&PingAnswer { head: head.to_owned(), body: Vec::new() });
        let docker = "HTTP/1.0 200 OK\r\nApi-Version: 1.41\r\nServer: Docker/20.10.24+dfsg1 (linux)";
        assert_eq!(
            read(docker),
            Ok(PingInfo { kind: AddressKind::Docker, version: "20.10.24+dfsg1".to_owned() })
        );
        let podman = "HTTP/1.0 200 OK\r\napi-version: 1.41\r\nlibpod-api-version: 4.3.1";
        assert_eq!(read(podman), Ok(PingInfo { kind: AddressKind::Podman, version: "4.3.1".to_owned() }));
        assert_eq!(read("HTTP/1.0 200 OK\r\nServer: nginx"), Err(PingError::NotAnEngine));
        assert_eq!(read("220 mail"), Err(PingError::NotAnEngine));
        assert!(matches!(read("HTTP/1.0 500 Oops\r\nApi-Version: 1.41"), Err(PingError::Failed(_))));
    }

    #[tokio::test]
    async fn ping_until_known_retries_stopping_engine() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("s");
        let address = Address::Unix(path.clone());
        let listener = tokio::net::UnixListener::bind(&path).expect("binds");
        let dying = tokio::spawn(async move {
            // Answers that break off at every offset, then none.
            let answer = b"HTTP/1.0 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nO";
            for length in [0, 3, 20, answer.len()] {
                let (mut stream, _) = listener.accept().await.expect("accepts");
                assert_ne!(stream.read(&mut [0; 512]).await.expect("reads"), 0);
                stream.write_all(&answer[..length]).await.expect("writes");
            }
        });
        let long = Duration::from_secs(60);
        assert_eq!(address.ping_until_known(long, long).await, Err(PingError::Refused));
        dying.await.expect("ends");
        std::fs::remove_file(&path).expect("is there");
        assert_eq!(address.ping_until_known(long, long).await, Err(PingError::Absent));
    }

    #[tokio::test]
    async fn ping_until_known_gives_up_on_severed_connections() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("s");
        let listener = tokio::net::UnixListener::bind(&path).expect("binds");
        let closing = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(stream);
            }
        });
        let known =
            Address::Unix(path).ping_until_known(Duration::from_secs(60), Duration::from_millis(30)).await;
        assert_eq!(known, Err(PingError::Severed));
        closing.abort();
    }

    #[tokio::test]
    async fn ping_times_out_on_silent_socket() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("s");
        let address = Address::Unix(path.clone());
        assert_eq!(address.ping(Duration::from_secs(1)).await, Err(PingError::Absent));
        let _listener = tokio::net::UnixListener::bind(&path).expect("binds");
        let limit = Duration::from_millis(50);
        assert_eq!(address.ping(limit).await, Err(PingError::TimedOut(limit)));
    }
}
