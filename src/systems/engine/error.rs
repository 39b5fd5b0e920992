//! Errors of engine requests; each names the affected resource. They are made of errors of the client in
//! `client_error`; `cli::error` decides their exit codes and hints.

use std::fmt;

use super::message::PullCause;
use crate::base::files::FileError;

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
}
