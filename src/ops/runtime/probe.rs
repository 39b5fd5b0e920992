//! A readiness probe, asked once: `cki ps` asks it once, and a run until it succeeds.

use std::io;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::error::InstanceError;
use super::instance::Instance;
use crate::base::redact::Redactor;
use crate::base::text::safe_line;
use crate::model::event::Stream;
use crate::model::guard::GatePass;
use crate::model::log::{LogPiece, LogRequest};
use crate::model::probe::ReadinessProbe;

/// Time in which a proxy of an engine finds out that the instance does not listen.
const PROXY: Duration = Duration::from_millis(200);

/// Maximum bytes of an answer that are read.
const LONGEST_HEAD: usize = 16 << 10;

/// The reason why an instance is not ready.
#[derive(Debug)]
pub(in crate::ops) enum ProbeFailure {
    /// A reason without secrets.
    Reason(String),
    /// Its command failed, with this exit code. The end of the output may contain secrets.
    Command(Vec<String>, i64, String),
}

impl ProbeFailure {
    /// Describes the failure without secrets.
    pub(in crate::ops) fn describe(self, redactor: &Redactor) -> String {
        match self {
            Self::Reason(reason) => reason,
            Self::Command(command, code, output) => {
                let words = command.iter().map(|word| redactor.text(word));
                let ended = ended_with(code, &redactor.text(&output));
                format!("`{}` {ended}", safe_line(&shell_words::join(words)))
            }
        }
    }
}

/// Describes the failure of a command, with the last line of its output.
pub(in crate::ops) fn ended_with(code: i64, output: &str) -> String {
    match output.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => format!("ends with {code}: {}", safe_line(line.trim())),
        None => format!("ends with {code} and says nothing"),
    }
}

impl Instance {
    /// Asks its readiness probe; `command` is the probe's command, which has passed the guard.
    ///
    /// # Errors
    /// Fails with the reason when it is not ready.
    pub(in crate::ops) async fn probe(
        &self,
        ready: &ReadinessProbe,
        command: &GatePass<Vec<String>>,
    ) -> Result<(), ProbeFailure> {
        let connected = async |port: u16| {
            let dialled = self.dial(port).await;
            dialled.map_err(|error| ProbeFailure::Reason(format!("port {port}: {error}")))
        };
        let accepted = async |port: u16| {
            let stream = connected(port).await?;
            if !self.dialer().is_proxied() {
                return Ok(());
            }
            passed_on(stream).await.map_err(|error| ProbeFailure::Reason(format!("port {port}: {error}")))
        };
        let reason = match ready {
            ReadinessProbe::Tcp(port) => return accepted(*port).await,
            ReadinessProbe::Http { path, port } => match status(connected(*port).await?, path).await {
                Ok(200..=399) => return Ok(()),
                Ok(status) => format!("GET {path} on port {port} answers with {status}"),
                Err(error) => format!("GET {path} on port {port}: {error}"),
            },
            ReadinessProbe::Exec(_) => match self.run_command(command).await {
                Ok((0, _)) => return Ok(()),
                Ok((code, output)) => return Err(ProbeFailure::Command(command.to_vec(), code, output)),
                Err(error) => error.to_string(),
            },
            ReadinessProbe::Log(text) => match self.has_written(text.as_bytes()).await {
                Ok(true) => return Ok(()),
                Ok(false) => format!("its output does not hold `{text}`"),
                Err(error) => error.to_string(),
            },
        };
        Err(ProbeFailure::Reason(reason))
    }

    /// Returns whether its output so far contains a text, on either stream.
    async fn has_written(&self, text: &[u8]) -> Result<bool, InstanceError> {
        if text.is_empty() {
            return Ok(true);
        }
        let mut output = self.logs(LogRequest::default()).await?;
        let mut ends = [Vec::new(), Vec::new()];
        // Output that cannot be read is as good as none.
        while let Some(Ok(LogPiece { stream, bytes, .. })) = output.next().await {
            let end = &mut ends[usize::from(stream == Stream::Stderr)];
            end.extend_from_slice(&bytes);
            if end.windows(text.len()).any(|part| part == text) {
                return Ok(true);
            }
            let done = end.len().saturating_sub(text.len());
            end.drain(..done);
        }
        Ok(false)
    }
}

/// Waits for a moment whether a proxy closes the connection, as it does while the instance does not listen.
async fn passed_on(mut stream: TcpStream) -> io::Result<()> {
    match tokio::time::timeout(PROXY, stream.read(&mut [0])).await {
        Ok(Ok(0)) => Err(io::ErrorKind::ConnectionRefused.into()),
        Ok(Ok(_)) | Err(_) => Ok(()),
        Ok(Err(error)) => Err(error),
    }
}

/// Returns the status of a GET; reads no more than the first line of the final answer (RFC 9112, section 4), which
/// answers without content such as `103 Early Hints` may precede (RFC 9110, section 15.2).
async fn status(mut stream: TcpStream, path: &str) -> io::Result<u16> {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nUser-Agent: cki\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    let mut buffer = [0; 256];
    while head.len() < LONGEST_HEAD {
        let count = stream.read(&mut buffer).await?;
        head.extend_from_slice(&buffer[..count]);
        if let Some(status) = final_status(&head)? {
            return Ok(status);
        }
        if count == 0 {
            break;
        }
    }
    Err(not_http())
}

fn not_http() -> io::Error {
    io::Error::other("that is no HTTP answer")
}

/// Returns the status of the final answer, as soon as its first line is complete.
fn final_status(head: &[u8]) -> io::Result<Option<u16>> {
    let text = String::from_utf8_lossy(head);
    let mut rest = &*text;
    while let Some((line, headers)) = rest.split_once('\n') {
        let code = line.split_whitespace().nth(1).filter(|_| line.starts_with("HTTP/"));
        match code.and_then(|code| code.parse().ok()).ok_or_else(not_http)? {
            // The connection speaks another protocol now.
            100 | 102..=199 => {}
            status => return Ok(Some(status)),
        }
        let end =
            if headers.starts_with("\r\n") { Some(0) } else { headers.find("\r\n\r\n").map(|at| at + 2) };
        let Some(end) = end else { return Ok(None) };
        rest = &headers[end + 2..];
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn final_status_skips_answers_before_it() {
        let status = |text: &str| final_status(text.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(status("HTTP/1.1 200 OK\r\n"), Ok(Some(200)));
        assert_eq!(status("HTTP/1.1 101 Switching\r\n\r\n"), Ok(Some(101)));
        assert_eq!(status("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n"), Ok(Some(204)));
        let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 503 No\r\nX: y\r\n";
        assert_eq!(status(hints), Ok(Some(503)));
        (0..hints.find("503 No\r").expect("is there"))
            .for_each(|end| assert_eq!(status(&hints[..end]), Ok(None)));
        for wrong in ["+PONG\r\n", "HTTP/1.1\r\n", "HTTP/1.1 x y\r\n"] {
            assert!(status(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn passed_on_tells_a_proxy_without_a_server_from_a_server() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let address = listener.local_addr().expect("has an address");
        let outside = TcpStream::connect(address).await.expect("is accepted");
        drop(listener.accept().await.expect("comes"));
        let error = passed_on(outside).await.expect_err("nobody is behind it");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);

        let outside = TcpStream::connect(address).await.expect("is accepted");
        let inside = listener.accept().await.expect("comes");
        passed_on(outside).await.expect("a server that waits for its client");
        drop(inside);

        let outside = TcpStream::connect(address).await.expect("is accepted");
        let (mut inside, _) = listener.accept().await.expect("comes");
        inside.write_all(b"220 ready").await.expect("is connected");
        passed_on(outside).await.expect("a server that speaks first");
    }
}
