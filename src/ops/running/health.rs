//! The health of running units: asks their readiness probes now, all at the same time, each with a short
//! timeout.

use std::io;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use tokio::net::TcpStream;

use super::{Backend, Instance, redactor};
use crate::base::text::safe_line;
use crate::model::container::Status;
use crate::model::event::Stream;
use crate::model::guard::Passed;
use crate::model::probe::ReadinessProbe;
use crate::ops::run_local::ready::status;
use crate::ops::runtime::dialer::Dialer;
use crate::ops::runtime::engine::RunEngine;
use crate::systems::engine::{ExecRequest, LogRequest};

/// Timeout of a probe.
const LIMIT: Duration = Duration::from_millis(300);
/// Maximum bytes of a command's output to keep.
const SAID: usize = 400;

/// The health of a unit with a readiness probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Ready.
    Ready,
    /// Not ready, within the time that it has for its start; with the reason.
    Starting(String),
    /// Not ready, with the reason.
    NotReady(String),
    /// No answer in time, which may have other reasons.
    Unknown(String),
}

/// Asks the probes of all running units. `now` is in seconds since 1970, and `allowed` is the time that a
/// unit has for its start.
pub async fn health(
    engine: &RunEngine,
    instances: &[Instance],
    now: i64,
    allowed: Duration,
) -> Vec<Option<Health>> {
    let asks = |one: &Instance| one.status == Status::Running && one.ready.is_some();
    if let RunEngine::Containers(engine) = engine
        && instances.iter().any(|one| asks(one) && matches!(one.place, Backend::Container(..)))
    {
        // The first query may take longer than the timeout on some engines; an error appears again below.
        if !engine.can_enter_netns().await.unwrap_or_default() {
            let _ = engine.reaches_containers().await;
        }
    }
    let answers = instances.iter().map(async |one| {
        let ready = one.ready.as_ref().filter(|_| asks(one))?;
        let why = match tokio::time::timeout(LIMIT, ask(one, ready)).await {
            Err(_) => return Some(Health::Unknown(format!("no answer within {} ms", LIMIT.as_millis()))),
            Ok(Ok(())) => return Some(Health::Ready),
            Ok(Err(why)) => why,
        };
        let is_young = u64::try_from(now - one.created).is_ok_and(|age| age < allowed.as_secs());
        Some(if is_young { Health::Starting(why) } else { Health::NotReady(why) })
    });
    join_all(answers).await
}

async fn ask(one: &Instance, ready: &ReadinessProbe) -> Result<(), String> {
    match ready {
        ReadinessProbe::Tcp(port) => match dial(one, *port).await {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("port {port}: {error}")),
        },
        ReadinessProbe::Http { path, port } => {
            let stream = dial(one, *port).await.map_err(|error| format!("port {port}: {error}"))?;
            match status(stream, path).await {
                Ok(200..=399) => Ok(()),
                Ok(status) => Err(format!("GET {path} on port {port} answers with {status}")),
                Err(error) => Err(format!("GET {path} on port {port}: {error}")),
            }
        }
        ReadinessProbe::Exec(command) => match run(one, &Passed::recorded(command.clone())).await {
            Ok((0, _)) => Ok(()),
            Ok((code, said)) => {
                // The output of a command may contain secrets.
                let Ok(redactor) = redactor(one).await else {
                    return Err(format!("its command ends with {code}; what it says cannot be said safely"));
                };
                let words = command.iter().map(|word| redactor.text(word));
                let (words, said) = (shell_words::join(words), redactor.text(&said));
                Err(format!("`{}` ends with {code}: {}", safe_line(&words), safe_line(&said)))
            }
            Err(error) => Err(error.to_string()),
        },
        ReadinessProbe::Log(text) => match has_said(one, text.as_bytes()).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("its output does not hold `{text}`")),
            Err(error) => Err(error.to_string()),
        },
    }
}

async fn dial(one: &Instance, port: u16) -> io::Result<TcpStream> {
    match &one.place {
        Backend::Container(engine, id) => {
            let inside = engine.inside(id).await.map_err(io::Error::other)?;
            let reach = Dialer::best(engine, id, &inside).await.map_err(io::Error::other)?;
            reach.dial(port).await
        }
        Backend::Process(native, facts) => native.space(facts).map_err(io::Error::other)?.connect(port).await,
    }
}

/// Runs a command, and returns its exit code and the end of its output.
async fn run(one: &Instance, command: &Passed<Vec<String>>) -> anyhow::Result<(i64, String)> {
    let mut said = Vec::new();
    let mut keep = |bytes: &[u8]| {
        said.extend_from_slice(bytes);
        let excess = said.len().saturating_sub(SAID);
        said.drain(..excess);
    };
    let code = match &one.place {
        Backend::Container(engine, id) => {
            let request = ExecRequest::new(command.clone());
            let mut exec = engine.exec(id, request).await?;
            while let Some(chunk) = exec.output.next().await {
                keep(&chunk?.bytes);
            }
            exec.wait().await?
        }
        Backend::Process(native, facts) => {
            let mut process = native.exec(facts, command, false)?;
            if let Some(mut output) = process.output() {
                while let Some((_, bytes)) = output.next().await {
                    keep(&bytes);
                }
            }
            i64::from(process.wait().await?)
        }
    };
    Ok((code, String::from_utf8_lossy(&said).trim().to_owned()))
}

/// Returns whether the output so far contains a text, on either stream.
async fn has_said(one: &Instance, text: &[u8]) -> anyhow::Result<bool> {
    let mut output = match &one.place {
        Backend::Container(engine, id) => {
            let log = engine.logs(id, LogRequest::default()).await?;
            let pieces = futures_util::stream::unfold(log, |mut log| async {
                let chunk = log.next().await?.ok()?;
                Some(((chunk.stream, chunk.bytes), log))
            });
            pieces.boxed()
        }
        Backend::Process(native, facts) => {
            native.logs(facts, false, None)?.map(|bytes| (Stream::Stdout, bytes)).boxed()
        }
    };
    let mut ends = [Vec::new(), Vec::new()];
    while let Some((stream, bytes)) = output.next().await {
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
