//! Errors of engine requests; each names the affected resource. `cli::error` decides their exit codes and hints.

use std::fmt;
use std::io;

use bollard::errors::Error;

use crate::base::files::FileError;
use crate::base::text::safe_line;

/// Maximum bytes of an engine's message to keep, since engines quote whole command lines and stack traces.
const LONGEST_MESSAGE: usize = 2000;

/// A failed engine request.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No engine answers at the address (any more).
    #[error("cannot reach the container engine at `{address}`: {reason}")]
    Unreachable {
        /// Address.
        address: String,
        /// Reason.
        reason: String,
    },
    /// The engine closed the connection before it had answered.
    #[error("the container engine at `{address}` broke the connection when asked to {doing}")]
    Severed {
        /// Address.
        address: String,
        /// Attempted operation.
        doing: String,
    },
    /// The socket exists, but this user has no permission.
    #[error("you may not use the container engine at `{address}`: permission denied")]
    NoPermission {
        /// Address.
        address: String,
    },
    /// The engine does not answer in time.
    #[error("the container engine at `{address}` does not answer when asked to {doing}")]
    Silent {
        /// Address.
        address: String,
        /// Attempted operation.
        doing: String,
    },
    /// The named object does not exist on the engine.
    #[error("there is no {kind} `{name}` on the container engine")]
    NotFound {
        /// Kind of object.
        kind: ResourceKind,
        /// Name or id.
        name: String,
    },
    /// The name is in use, and must be unique.
    #[error("there already is a {kind} `{name}` on the container engine")]
    NameTaken {
        /// Kind of object.
        kind: ResourceKind,
        /// Name.
        name: String,
    },
    /// A port to publish is in use.
    #[error("cannot start container `{container}`: {} is already in use", port.map_or_else(|| "a port to publish".to_owned(), |port| format!("port {port} of this machine")))]
    PortTaken {
        /// Container that publishes it.
        container: String,
        /// Port, if the engine names it.
        port: Option<u16>,
    },
    /// The program to run is not in the image.
    #[error("cannot start container `{container}`: its program is not in the image: {message}")]
    NoProgram {
        /// Container.
        container: String,
        /// Engine's message.
        message: String,
    },
    /// The program to run is in the image but not executable.
    #[error("cannot start container `{container}`: its program cannot be executed: {message}")]
    NotExecutable {
        /// Container.
        container: String,
        /// Engine's message.
        message: String,
    },
    /// The container was never started, so its end cannot be awaited.
    #[error("container `{container}` was never started")]
    NotStarted {
        /// Container.
        container: String,
    },
    /// The operation requires a running container.
    #[error("container `{container}` is not running")]
    NotRunning {
        /// Container.
        container: String,
    },
    /// A command that cannot be ended.
    #[error("a command is still running in container `{container}`")]
    GoesOn {
        /// Container.
        container: String,
    },
    /// A build ended without an image.
    #[error("image `{tag}` cannot be built{}: {message}", step.as_ref().map_or_else(String::new, |step| format!(" at {step}")))]
    BuildFailed {
        /// Image.
        tag: String,
        /// Failed step, such as `step 3/7: RUN make`.
        step: Option<String>,
        /// Engine's message.
        message: String,
        /// Last lines of the output.
        last: Vec<String>,
    },
    /// The engine could not pull an image.
    #[error("image `{image}` cannot be pulled{}: {message}", built.as_ref().map_or_else(String::new, |tag| format!(" to build `{tag}`")))]
    PullFailed {
        /// Image.
        image: String,
        /// Image whose build file names it.
        built: Option<String>,
        /// Command of the engine: `docker`, `podman`.
        program: &'static str,
        /// Probable kind of failure.
        cause: PullCause,
        /// Engine's message.
        message: String,
    },
    /// Any other refusal, with the engine's message.
    #[error("the container engine refuses to {doing}: {message}")]
    Refused {
        /// Attempted operation.
        doing: String,
        /// HTTP status; 200 for a refusal in the middle of an answer.
        status: u16,
        /// Engine's message.
        message: String,
    },
    /// The answer cannot be interpreted.
    #[error("the container engine's answer to `{doing}` is not understood: {message}")]
    Nonsense {
        /// Attempted operation.
        doing: String,
        /// Fault of the answer.
        message: String,
    },
    /// The value is invalid; it was not sent to the engine.
    #[error("`{text}` cannot be {what}: {why}")]
    Invalid {
        /// Expected kind of value, such as `the name of an image`.
        what: &'static str,
        /// Value as written.
        text: String,
        /// Fault of the value.
        why: String,
    },
    /// An operation on a file of this machine failed.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Cause of a failed pull, as far as the engine's message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullCause {
    /// The registry does not have the image.
    NotFound,
    /// The registry requires a login, or a different one; some report missing images this way.
    Unauthorised,
    /// The registry cannot be reached.
    Unreachable,
    /// Any other cause.
    Other,
}

impl PullCause {
    fn of(message: &str) -> Self {
        let message = message.to_lowercase();
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
        if says(&["unauthorized", "denied", "authentication required", "forbidden"]) {
            Self::Unauthorised
        } else if says(&["dial tcp", "no such host", "timeout", "connection refused", "unreachable", "tls:"])
        {
            Self::Unreachable
        } else if says(&["manifest unknown", "not found", "does not exist", "no such"]) {
            Self::NotFound
        } else {
            Self::Other
        }
    }
}

/// Kind of object on an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// Container.
    Container,
    /// Image.
    Image,
    /// Network.
    Network,
    /// Volume.
    Volume,
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Container => "container",
            Self::Image => "image",
            Self::Network => "network",
            Self::Volume => "volume",
        })
    }
}

impl EngineError {
    /// Returns whether the engine itself is gone or stuck, so that further requests are pointless.
    #[must_use]
    pub fn is_engine_gone(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NoPermission { .. } | Self::Silent { .. })
    }

    /// Returns whether the named object does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Returns whether the engine's message contains one of these phrases. Status codes differ between the
    /// engines; the phrases of the runtime below them do not.
    pub(super) fn says(&self, phrases: &[&str]) -> bool {
        let Self::Refused { message, .. } = self else { return false };
        let message = message.to_lowercase();
        phrases.iter().any(|phrase| message.contains(phrase))
    }

    pub(super) fn pull(image: &str, program: &'static str, message: String) -> Self {
        Self::PullFailed {
            image: image.to_owned(),
            built: None,
            program,
            cause: PullCause::of(&message),
            message,
        }
    }

    /// Returns the HTTP status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns whether the engine refuses because the named object is missing. Podman answers with a 500 if
    /// the object vanished during the request.
    pub(super) fn is_absence(&self) -> bool {
        let gone =
            ["no such container", "no such network", "no such volume", "logs from container which is dead"];
        self.status() == Some(404) || self.says(&gone)
    }

    /// Returns whether the engine failed on its own, and not on the request: a retry may succeed.
    pub(super) fn is_stumble(&self) -> bool {
        self.status() == Some(500) && !self.is_absence()
    }

    /// Returns whether the engine lost an image or a layer that it had just found, since another client
    /// removed something: the refused request changed nothing, and a retry succeeds.
    pub(super) fn is_lost_image(&self) -> bool {
        let lost = ["image not known", "layer not known", "layer does not exist", "unknown parent image id"];
        self.status() == Some(500) && self.says(&lost)
    }

    /// Returns the same error, or `NotFound` if it reports a missing object.
    pub(super) fn or_not_found(self, kind: ResourceKind, name: &str) -> Self {
        if self.is_absence() { Self::NotFound { kind, name: name.to_owned() } } else { self }
    }

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

/// Returns an engine's message as one line that is safe to show: bounded, without escape sequences.
pub(super) fn clean(message: &str) -> String {
    let lines: Vec<String> = message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| safe_line(line).into_owned())
        .collect();
    let text = lines.join("; ");
    match text.char_indices().nth(LONGEST_MESSAGE) {
        _ if text.is_empty() => "it gives no reason".to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_makes_one_safe_line() {
        assert_eq!(clean("\x1b[91mno\x1b[0m\n\n  such thing\n"), "no; such thing");
        assert_eq!(clean(" \n"), "it gives no reason");
        assert_eq!(clean(&"x".repeat(5000)).chars().count(), LONGEST_MESSAGE + 1);
    }

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
    fn pull_cause_is_classified_by_message() {
        for (message, cause) in [
            ("manifest for x:nope not found: manifest unknown: manifest unknown", PullCause::NotFound),
            (
                "pull access denied for x, repository does not exist or may require 'docker login'",
                PullCause::Unauthorised,
            ),
            (
                "reading manifest 1 in quay.io/cki/x: unauthorized: access to the requested resource is not authorized",
                PullCause::Unauthorised,
            ),
            (
                "Get \"https://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
                PullCause::Unreachable,
            ),
            ("lookup quay.io: no such host", PullCause::Unreachable),
            ("disk is full", PullCause::Other),
        ] {
            assert_eq!(PullCause::of(message), cause, "{message}");
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
