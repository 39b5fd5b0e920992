//! What can go wrong between us and an engine, each naming the thing. What a person should do
//! about it is said elsewhere.

use std::fmt;
use std::io;

use bollard::errors::Error;

use crate::base::files::FileError;
use crate::base::text::safe_line;

/// Engines quote whole command lines and stack traces; this much of them is kept.
const LONGEST_MESSAGE: usize = 2000;

/// Something that an engine was asked for and did not do.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing answers at its address (any more).
    #[error("cannot reach the container engine at `{address}`: {reason}")]
    Unreachable {
        /// Where it should be.
        address: String,
        /// Why not.
        reason: String,
    },
    /// It is there, and closed the connection before it had answered.
    #[error("the container engine at `{address}` broke the connection when asked to {doing}")]
    Severed {
        /// Where it is.
        address: String,
        /// What it was asked to do.
        doing: String,
    },
    /// Its socket is there, and not for us.
    #[error("you may not use the container engine at `{address}`: permission denied")]
    NoPermission {
        /// Where it is.
        address: String,
    },
    /// It is there, but does not answer in time.
    #[error("the container engine at `{address}` does not answer when asked to {doing}")]
    Silent {
        /// Where it is.
        address: String,
        /// What it was asked to do.
        doing: String,
    },
    /// What is named does not exist on the engine.
    #[error("there is no {thing} `{name}` on the container engine")]
    NotFound {
        /// What kind of thing.
        thing: Thing,
        /// Its name or id.
        name: String,
    },
    /// A name that must be unique is not.
    #[error("there already is a {thing} `{name}` on the container engine")]
    NameTaken {
        /// What kind of thing.
        thing: Thing,
        /// Its name.
        name: String,
    },
    /// A port to publish is in use.
    #[error("cannot start container `{container}`: {} is already in use", port.map_or_else(|| "a port to publish".to_owned(), |port| format!("port {port} of this machine")))]
    PortTaken {
        /// The container that wanted it.
        container: String,
        /// The port, where the engine says which.
        port: Option<u16>,
    },
    /// The program to run is not in the image.
    #[error("cannot start container `{container}`: its program is not in the image: {message}")]
    NoProgram {
        /// The container.
        container: String,
        /// The engine's words.
        message: String,
    },
    /// The program to run is in the image and cannot be executed.
    #[error("cannot start container `{container}`: its program cannot be executed: {message}")]
    NotExecutable {
        /// The container.
        container: String,
        /// The engine's words.
        message: String,
    },
    /// Somebody waits for the end of what never began.
    #[error("container `{container}` was never started")]
    NotStarted {
        /// The container.
        container: String,
    },
    /// Something can be done in a running container only.
    #[error("container `{container}` is not running")]
    NotRunning {
        /// The container.
        container: String,
    },
    /// A command that cannot be ended.
    #[error("what was started in container `{container}` goes on")]
    GoesOn {
        /// The container.
        container: String,
    },
    /// A build that ended without an image.
    #[error("image `{tag}` cannot be built{}: {message}", step.as_ref().map_or_else(String::new, |step| format!(" at {step}")))]
    BuildFailed {
        /// The image.
        tag: String,
        /// The step that failed, as `step 3/7: RUN make`.
        step: Option<String>,
        /// The engine's words.
        message: String,
        /// The last lines of the output.
        last: Vec<String>,
    },
    /// An image that the engine could not fetch.
    #[error("image `{image}` cannot be pulled: {message}")]
    PullFailed {
        /// The image.
        image: String,
        /// What kind of failure it seems to be.
        cause: PullCause,
        /// The engine's words.
        message: String,
    },
    /// Anything else that the engine refuses, in its own words.
    #[error("the container engine refuses to {doing}: {message}")]
    Refused {
        /// What it was asked to do.
        doing: String,
        /// HTTP status; 200 for a refusal in the middle of an answer.
        status: u16,
        /// The engine's words.
        message: String,
    },
    /// An answer that makes no sense.
    #[error("the container engine's answer to `{doing}` is not understood: {message}")]
    Nonsense {
        /// What it was asked to do.
        doing: String,
        /// What is wrong with it.
        message: String,
    },
    /// Something that is refused here, before the engine sees it.
    #[error("`{text}` cannot be {what}: {why}")]
    Invalid {
        /// What it was meant to be: `the name of an image`.
        what: &'static str,
        /// As it was written.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file on this machine.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Why an image could not be fetched, as far as the engine's words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullCause {
    /// The registry does not have it.
    NotFound,
    /// The registry wants a login, or another one; some say so of what they do not have.
    Unauthorised,
    /// The registry cannot be reached.
    Unreachable,
    /// Something else.
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

/// What an engine holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// A container.
    Container,
    /// An image.
    Image,
    /// A network.
    Network,
    /// A volume.
    Volume,
}

impl fmt::Display for Thing {
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
    /// Whether the engine itself is gone or stuck, so that asking for anything else is pointless.
    #[must_use]
    pub fn is_engine_gone(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NoPermission { .. } | Self::Silent { .. })
    }

    /// Whether the thing asked about does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether the engine refuses with one of these in its words. Status codes differ between the
    /// engines; the words of the runtime below them do not.
    pub(super) fn says(&self, phrases: &[&str]) -> bool {
        let Self::Refused { message, .. } = self else { return false };
        let message = message.to_lowercase();
        phrases.iter().any(|phrase| message.contains(phrase))
    }

    pub(super) fn pull(image: &str, message: String) -> Self {
        Self::PullFailed { image: image.to_owned(), cause: PullCause::of(&message), message }
    }

    /// The status with which the engine refused it.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the engine refuses because what was named is not there. Podman says so with a 500
    /// when it went while it was looked at.
    pub(super) fn is_absence(&self) -> bool {
        let gone =
            ["no such container", "no such network", "no such volume", "logs from container which is dead"];
        self.status() == Some(404) || self.says(&gone)
    }

    /// Whether Podman stumbled over a process that ended while it looked at it: asked again, it knows.
    pub(super) fn is_stumble(&self) -> bool {
        self.says(&["no such process"])
    }

    /// The same, as the absence of a thing if that is what it is.
    pub(super) fn or_not_found(self, thing: Thing, name: &str) -> Self {
        if self.is_absence() { Self::NotFound { thing, name: name.to_owned() } } else { self }
    }

    /// From bollard's error for something that was asked of the engine at an address.
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
            // An answer that was cut off is JSON without its end.
            Error::JsonDataError { message, .. } if message.starts_with("EOF while parsing") => {
                Self::Severed { address, doing }
            }
            Error::JsonSerdeError { err } if err.is_eof() => Self::Severed { address, doing },
            other => Self::Nonsense { doing, message: clean(&other.to_string()) },
        }
    }

    /// From an answer that is not JSON: one that was cut off comes from a connection that broke.
    pub(super) fn unreadable(address: &str, doing: &str, error: &serde_json::Error) -> Self {
        let (address, doing) = (address.to_owned(), doing.to_owned());
        match error.is_eof() {
            true => Self::Severed { address, doing },
            false => Self::Nonsense { doing, message: clean(&error.to_string()) },
        }
    }

    /// An engine that is not there (any more). Whether its socket was removed, or nobody accepts at
    /// it, is the same to a person.
    pub(super) fn gone(address: String) -> Self {
        Self::Unreachable { address, reason: "nothing listens there".to_owned() }
    }

    /// A connection that could not be made, or broke. An engine that dies breaks a connection in many
    /// ways, by the moment: refused, reset, closed before the answer or in the middle of it. All of
    /// these are one, and what has become of the engine is asked then (`ContainerEngine::outcome`).
    fn broken(address: String, doing: String, cause: &(dyn std::error::Error + 'static)) -> Self {
        let chain = std::iter::successors(Some(cause), |cause| cause.source());
        let kinds = chain.filter_map(|cause| cause.downcast_ref::<io::Error>().map(innermost));
        match kinds.last() {
            Some(io::ErrorKind::PermissionDenied) => Self::NoPermission { address },
            Some(io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => Self::gone(address),
            // Too many wait to be accepted already.
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

/// The kind of an error that others may be wrapped around. What is wrapped is no source of its wrapper.
fn innermost(mut error: &io::Error) -> io::ErrorKind {
    while let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>()) {
        error = inner;
    }
    error.kind()
}

/// An engine's message as one line that may be shown: bounded, without escape sequences.
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
    fn messages_are_one_safe_line() {
        assert_eq!(clean("\x1b[91mno\x1b[0m\n\n  such thing\n"), "no; such thing");
        assert_eq!(clean(" \n"), "it gives no reason");
        assert_eq!(clean(&"x".repeat(5000)).chars().count(), LONGEST_MESSAGE + 1);
    }

    #[test]
    fn the_reason_is_the_root_of_the_chain() {
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
    fn every_way_in_which_a_dying_engine_breaks_a_connection_is_one() {
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
    fn the_cause_of_a_failed_pull() {
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
    fn a_404_is_an_absence() {
        let answer = Error::DockerResponseServerError { status_code: 404, message: "No such x".into() };
        let error = EngineError::new("unix:///x", "inspect", &answer).or_not_found(Thing::Image, "a:1");
        assert_eq!(error.to_string(), "there is no image `a:1` on the container engine");
    }
}
