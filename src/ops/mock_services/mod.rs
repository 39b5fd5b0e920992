//! Backing services that this program provides itself: an HTTP server with configured answers, and a mail
//! server that delivers nothing. Both log what they receive to their output, and write nothing to disk.

mod http;
mod log;
mod smtp;

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::net::TcpListener;

pub use http::HttpAnswer;

use crate::host::signals::Shutdown;
pub use log::LogFn;

/// Port of the HTTP server.
const HTTP: u16 = 8080;
/// Port of the mail server.
const SMTP: u16 = 1025;

/// Serves HTTP until it is stopped. `say` writes a line.
///
/// # Errors
/// Fails when the port is not available, or an answer is invalid.
pub async fn http(answers: Vec<HttpAnswer>, stop: &Shutdown, say: LogFn) -> anyhow::Result<()> {
    let server = http::Server::new(answers, Arc::clone(&say))?;
    let listener = listen(HTTP).await?;
    say(&format!("listening on port {HTTP}"));
    tokio::select! {
        ended = axum::serve(listener, server.router()) => Ok(ended?),
        _ = stop.requested() => Ok(()),
    }
}

/// Receives mail until it is stopped. `say` writes a line.
///
/// # Errors
/// Fails when the port is not available.
pub async fn smtp(stop: &Shutdown, say: LogFn) -> anyhow::Result<()> {
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

/// A port that is not available.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on port {port}")]
pub struct ListenError {
    /// The port.
    pub port: u16,
    /// Underlying error.
    pub source: io::Error,
}
