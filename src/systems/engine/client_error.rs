//! Errors of the client for an engine's API, as errors of requests: what a broken connection means, and an answer that
//! is no answer.

use std::io;

use bollard::errors::Error;

use super::error::EngineError;
use super::message::clean;

impl EngineError {
    /// Converts bollard's error for a request to the engine at an address.
    pub(super) fn new(address: &str, doing: &str, error: &Error) -> Self {
        let (address, doing) = (address.to_owned(), doing.to_owned());
        match error {
            Error::DockerResponseServerError { status_code, message } => {
                Self::Refused { doing, status: *status_code, message: clean(message) }
            }
            Error::DockerStreamError { error } => Self::Refused { doing, status: 200, message: clean(error) },
            Error::RequestTimeoutError => Self::Silent { address, doing },
            Error::SocketNotFoundError(_) => Self::gone(address),
            Error::HyperLegacyError { err } => Self::broken(address, doing, err),
            Error::HyperResponseError { err } => Self::broken(address, doing, err),
            Error::IOError { err } => Self::broken(address, doing, err),
            // A truncated answer is JSON without its end.
            Error::JsonDataError { message, .. } if message.starts_with("EOF while parsing") => {
                Self::Severed { address, doing }
            }
            Error::JsonSerdeError { err } if err.is_eof() => Self::Severed { address, doing },
            other => Self::Nonsense { doing, message: clean(&other.to_string()) },
        }
    }

    /// Converts the error of an answer that is not JSON: a truncated one means that the connection broke.
    pub(super) fn unreadable(address: &str, doing: &str, error: &serde_json::Error) -> Self {
        let (address, doing) = (address.to_owned(), doing.to_owned());
        match error.is_eof() {
            true => Self::Severed { address, doing },
            false => Self::Nonsense { doing, message: clean(&error.to_string()) },
        }
    }

    /// Returns the error for a missing engine. A removed socket and one without a listener are the same to a
    /// user.
    pub(super) fn gone(address: String) -> Self {
        Self::Unreachable { address, reason: "nothing listens there".to_owned() }
    }

    /// Returns the error for a failed or broken connection. A dying engine breaks a connection in many ways,
    /// depending on the moment: refused, reset, closed before or within the answer. They are treated as one,
    /// and `ContainerEngine::outcome` then checks the state of the engine.
    fn broken(address: String, doing: String, cause: &(dyn std::error::Error + 'static)) -> Self {
        let chain = std::iter::successors(Some(cause), |cause| cause.source());
        let kinds = chain.filter_map(|cause| cause.downcast_ref::<io::Error>().map(innermost));
        match kinds.last() {
            Some(io::ErrorKind::PermissionDenied) => Self::NoPermission { address },
            Some(io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => Self::gone(address),
            // The queue of connections is full.
            Some(io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Self::Silent { address, doing },
            Some(
                kind @ (io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::AddrNotAvailable),
            ) => Self::Unreachable { address, reason: kind.to_string() },
            _ => Self::Severed { address, doing },
        }
    }
}

/// Returns the kind of an error that others may wrap. The wrapped error is not the source of its wrapper.
fn innermost(mut error: &io::Error) -> io::ErrorKind {
    while let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>()) {
        error = inner;
    }
    error.kind()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::engine::error::ResourceKind;

    #[test]
    fn engine_error_shows_root_cause() {
        let refused = Error::from(io::Error::from(io::ErrorKind::ConnectionRefused));
        let error = EngineError::new("unix:///x", "list containers", &refused);
        assert!(error.is_engine_gone());
        assert_eq!(
            error.to_string(),
            "cannot reach the container engine at `unix:///x`: nothing listens there"
        );
        let denied = Error::from(io::Error::from(io::ErrorKind::PermissionDenied));
        assert!(matches!(
            EngineError::new("unix:///x", "list containers", &denied),
            EngineError::NoPermission { .. }
        ));
    }

    #[test]
    fn broken_connections_map_to_unreachable_engine() {
        use io::ErrorKind as Kind;
        let of = |error: Error| EngineError::new("unix:///x", "list containers", &error);
        let io = |kind: Kind| of(Error::from(io::Error::from(kind)));
        let nested = |kind: Kind| of(Error::from(io::Error::other(io::Error::from(kind))));
        for kind in [Kind::ConnectionRefused, Kind::NotFound] {
            for error in [io(kind), nested(kind)] {
                let text = "cannot reach the container engine at `unix:///x`: nothing listens there";
                assert_eq!(error.to_string(), text, "{kind:?}");
            }
        }
        assert!(matches!(of(Error::SocketNotFoundError("x".into())), EngineError::Unreachable { .. }));
        for kind in [
            Kind::ConnectionReset,
            Kind::ConnectionAborted,
            Kind::BrokenPipe,
            Kind::UnexpectedEof,
            Kind::NotConnected,
            Kind::Other,
        ] {
            for error in [io(kind), nested(kind)] {
                assert!(matches!(error, EngineError::Severed { .. }), "{kind:?}: {error:?}");
            }
        }
        let cut = serde_json::from_str::<Vec<u8>>("[1, 2").expect_err("is cut off");
        assert!(matches!(EngineError::unreadable("x", "list", &cut), EngineError::Severed { .. }));
        assert!(matches!(of(Error::from(cut)), EngineError::Severed { .. }));
        let wrong = serde_json::from_str::<Vec<u8>>("{}").expect_err("is no list");
        assert!(matches!(EngineError::unreadable("x", "list", &wrong), EngineError::Nonsense { .. }));
        for kind in [Kind::WouldBlock, Kind::TimedOut] {
            assert!(matches!(io(kind), EngineError::Silent { .. }), "{kind:?}");
        }
    }

    #[test]
    fn engine_error_maps_404_to_not_found() {
        let answer = Error::DockerResponseServerError { status_code: 404, message: "No such x".into() };
        let error =
            EngineError::new("unix:///x", "inspect", &answer).or_not_found(ResourceKind::Image, "a:1");
        assert_eq!(error.to_string(), "there is no image `a:1` on the container engine");
    }
}
