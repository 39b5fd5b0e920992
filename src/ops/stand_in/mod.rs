//! Backing services that this program plays itself: an HTTP server that answers as it is told to, and
//! a mail server that sends nothing on. Both write what they get to their output, and nothing to disk.

mod http;
mod log;
mod smtp;

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::net::TcpListener;

pub use http::Answer;

use crate::host::signals::Stop;
pub use log::Say;

/// Where the HTTP server listens.
const HTTP: u16 = 8080;
/// Where the mail server listens.
const SMTP: u16 = 1025;

/// Answers HTTP until it is told to stop. `say` writes a line.
///
/// # Errors
/// When the port cannot be had, or an answer makes no sense.
pub async fn http(answers: Vec<Answer>, stop: &Stop, say: Say) -> anyhow::Result<()> {
    let server = http::Server::new(answers, Arc::clone(&say))?;
    let listener = listen(HTTP).await?;
    say(&format!("listening on port {HTTP}"));
    tokio::select! {
        ended = axum::serve(listener, server.router()) => Ok(ended?),
        _ = stop.requested() => Ok(()),
    }
}

/// Takes mail until it is told to stop. `say` writes a line.
///
/// # Errors
/// When the port cannot be had.
pub async fn smtp(stop: &Stop, say: Say) -> anyhow::Result<()> {
    let listener = listen(SMTP).await?;
    say(&format!("listening on port {SMTP}"));
    tokio::select! {
        () = smtp::serve(listener, say) => Ok(()),
        _ = stop.requested() => Ok(()),
    }
}

async fn listen(port: u16) -> Result<TcpListener, ListenError> {
    let bound = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await;
    bound.map_err(|source| ListenError { port, source })
}

/// A port cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on port {port}")]
pub struct ListenError {
    /// The port.
    pub port: u16,
    /// Why.
    pub source: io::Error,
}
