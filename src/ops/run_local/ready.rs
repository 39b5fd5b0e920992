//! Readiness probes, often at first and then less so: the health checks of engines are slow, and some
//! engines have none.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::handle::Handle;
use crate::base::redact::Redactor;
use crate::base::text::safe_line;
use crate::model::guard::Passed;
use crate::model::probe::ReadinessProbe;

/// The first pause between two probes.
const FIRST: Duration = Duration::from_millis(20);
/// The longest pause between two probes.
const LONGEST: Duration = Duration::from_millis(500);
/// Timeout of one probe.
const ANSWER: Duration = Duration::from_secs(5);

/// Waits until a unit is ready.
///
/// # Errors
/// Fails with the last answer at the timeout.
pub(super) async fn until_ready(
    handle: &Handle,
    ready: &ReadinessProbe,
    command: &Passed<Vec<String>>,
    log: Option<watch::Receiver<bool>>,
    limit: Duration,
    redactor: &Redactor,
) -> Result<(), String> {
    let deadline = Instant::now() + limit;
    if let (ReadinessProbe::Log(text), Some(mut seen)) = (ready, log) {
        return match timeout(limit, seen.wait_for(|seen| *seen)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(format!("its output ended without `{text}`")),
            Err(_) => Err(format!("its output does not hold `{text}`")),
        };
    }
    let mut pause = FIRST;
    loop {
        let answer = match timeout(ANSWER, ask(handle, ready, command, redactor)).await {
            Ok(answer) => answer,
            Err(_) => Err("no answer in time".to_owned()),
        };
        let Err(why) = answer else { return Ok(()) };
        if Instant::now() + pause > deadline {
            return Err(why);
        }
        sleep(pause).await;
        pause = pause.mul_f64(1.5).min(LONGEST);
    }
}

async fn ask(
    handle: &Handle,
    ready: &ReadinessProbe,
    command: &Passed<Vec<String>>,
    redactor: &Redactor,
) -> Result<(), String> {
    match ready {
        ReadinessProbe::Tcp(port) => match handle.dial(*port).await {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("port {port}: {error}")),
        },
        ReadinessProbe::Http { path, port } => {
            let stream = handle.dial(*port).await.map_err(|error| format!("port {port}: {error}"))?;
            match status(stream, path).await {
                Ok(200..=399) => Ok(()),
                Ok(status) => Err(format!("GET {path} on port {port} answers with {status}")),
                Err(error) => Err(format!("GET {path} on port {port}: {error}")),
            }
        }
        ReadinessProbe::Exec(_) => match handle.try_command(command).await {
            Ok((0, _)) => Ok(()),
            Ok((code, said)) => {
                let words = command.iter().map(|word| redactor.text(word));
                let ended = ended_with(code, &redactor.text(&said));
                Err(format!("`{}` {ended}", safe_line(&shell_words::join(words))))
            }
            Err(error) => Err(error.to_string()),
        },
        // Handled above; without output to read there is no answer.
        ReadinessProbe::Log(text) => Err(format!("nobody reads its output for `{text}`")),
    }
}

/// Describes the failure of a command, with the last line of its output.
pub(super) fn ended_with(code: i64, said: &str) -> String {
    match said.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => format!("ends with {code}: {}", safe_line(line.trim())),
        None => format!("ends with {code} and says nothing"),
    }
}

/// Returns the status of a GET; reads only the first line of the answer (RFC 9112, section 4).
async fn status(mut stream: TcpStream, path: &str) -> io::Result<u16> {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nUser-Agent: cki\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    let mut buffer = [0; 256];
    while !head.contains(&b'\n') && head.len() < 4096 {
        match stream.read(&mut buffer).await? {
            0 => break,
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    let line = String::from_utf8_lossy(&head);
    line.split_whitespace()
        .nth(1)
        .filter(|_| line.starts_with("HTTP/"))
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| io::Error::other("that is no HTTP answer"))
}
