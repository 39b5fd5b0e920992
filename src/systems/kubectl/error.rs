//! Failures of `kubectl` and `oc`, told apart by what the program writes in the C locale.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use super::target::ClusterTarget;
use crate::base::redact::without_tokens;
use crate::base::text::{join_and, safe_line, truncate};

/// Maximum columns of a message from outside.
const LONGEST: usize = 400;

/// A field that another manager owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    /// Name of the other manager.
    pub manager: String,
    /// The field.
    pub field: String,
}

/// A failed call.
#[derive(Debug, thiserror::Error)]
pub enum KubectlError {
    /// No program is installed.
    #[error("there is no {} in `PATH`", join_and(&.0.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>()))]
    Missing(Vec<String>),
    /// The program could not be started.
    #[error("`{}` cannot be started", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Underlying error.
        source: io::Error,
    },
    /// The program knows no such context.
    #[error("the configuration of `kubectl` has no context `{context}`; it has {}", contexts(known))]
    NoContext {
        /// Name of the context.
        context: String,
        /// Contexts that it has.
        known: Vec<String>,
    },
    /// Nobody is logged in at the cluster.
    #[error("the cluster of the context `{context}` does not accept the login: {message}")]
    Unauthorised {
        /// Name of the context.
        context: String,
        /// Message of the program.
        message: String,
    },
    /// The login may not do that.
    #[error("the cluster forbids it: {message}")]
    Forbidden {
        /// Message of the cluster.
        message: String,
    },
    /// The namespace does not exist.
    #[error("the cluster of the context `{context}` has no namespace `{namespace}`")]
    NoNamespace {
        /// Name of the context.
        context: String,
        /// Name of the namespace.
        namespace: String,
    },
    /// An object, or a kind of objects, does not exist.
    #[error("the cluster does not have it: {message}")]
    NotFound {
        /// Message of the cluster.
        message: String,
    },
    /// Somebody else has set a field.
    #[error("another manager owns {}", owners(conflicts))]
    Conflict {
        /// The fields with their managers.
        conflicts: Vec<FieldConflict>,
    },
    /// Somebody else has changed an object since it was read.
    #[error("somebody else has changed it: {message}")]
    Changed {
        /// Message of the cluster.
        message: String,
    },
    /// The cluster refuses an object.
    #[error("the cluster refuses the object: {message}")]
    Invalid {
        /// Message of the cluster.
        message: String,
    },
    /// The cluster does not answer.
    #[error("the cluster of the context `{context}` cannot be reached: {message}")]
    Unreachable {
        /// Name of the context.
        context: String,
        /// Message of the program.
        message: String,
    },
    /// The program did not end in time.
    #[error("`kubectl` did not end within {} s{}", limit.as_secs(), said(last.as_deref()))]
    TimedOut {
        /// The time that it had.
        limit: Duration,
        /// The last line that it wrote, if it wrote one.
        last: Option<String>,
    },
    /// The program's output is not what was asked for.
    #[error("the output of `kubectl` cannot be used: {0}")]
    Output(String),
    /// The program failed without a message, or was killed.
    #[error("`kubectl` ended without a message ({0})")]
    Silent(ExitStatus),
    /// Another failure.
    #[error("`kubectl` failed: {0}")]
    Other(String),
}

fn said(last: Option<&str>) -> String {
    last.map_or_else(String::new, |last| format!("; it wrote: {last}"))
}

fn contexts(known: &[String]) -> String {
    match known {
        [] => "none".to_owned(),
        known => {
            join_and(&known.iter().take(10).map(|one| format!("`{}`", safe_line(one))).collect::<Vec<_>>())
        }
    }
}

fn owners(conflicts: &[FieldConflict]) -> String {
    let one = |conflict: &FieldConflict| format!("`{}` (`{}`)", conflict.field, conflict.manager);
    join_and(&conflicts.iter().take(10).map(one).collect::<Vec<_>>())
}

/// Phrases of logins that are missing or not accepted.
const LOGIN: [&str; 8] = [
    "you must be logged in",
    "please enter username",
    "getting token",
    "(unauthorized)",
    "error: unauthorized",
    "provide credentials",
    "getting credentials",
    "no auth provider",
];
/// Phrases of clusters that do not answer.
const NETWORK: [&str; 12] = [
    "unable to connect to the server",
    "was refused - did you specify the right host",
    "connection refused",
    "i/o timeout",
    "no such host",
    "tls handshake timeout",
    "network is unreachable",
    "context deadline exceeded",
    "connection reset by peer",
    "client.timeout exceeded",
    "unexpected eof",
    "x509:",
];
/// Phrases of objects that a cluster refuses.
const INVALID: [&str; 7] = [
    "is invalid",
    "error validating",
    "strict decoding error",
    "exceeded quota",
    "no matches for kind",
    "unable to recognize",
    "ensure crds are installed first",
];

/// Phrases of objects and kinds that do not exist.
const ABSENT: [&str; 3] =
    ["(notfound)", "the server doesn't have a resource type", "server could not find the requested"];

/// Reads the cause of a failure.
pub(super) fn read(errors: &str, target: &ClusterTarget) -> KubectlError {
    let lower = errors.to_lowercase();
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    let (context, namespace) = (target.context.clone(), target.namespace.clone());
    let conflicts = conflicts(errors);
    let message = message(errors);
    if !conflicts.is_empty() {
        KubectlError::Conflict { conflicts }
    } else if lower.contains("the object has been modified") {
        KubectlError::Changed { message }
    } else if lower.contains(&format!("namespaces \"{}\" not found", namespace.to_lowercase())) {
        KubectlError::NoNamespace { context, namespace }
    } else if has(&LOGIN) {
        let message =
            plugin_line(errors).map_or_else(|| message.clone(), |line| format!("{message} ({line})"));
        KubectlError::Unauthorised { context, message }
    } else if lower.contains("forbidden") && !lower.contains("exceeded quota") {
        KubectlError::Forbidden { message }
    } else if has(&INVALID) {
        KubectlError::Invalid { message }
    } else if has(&ABSENT) {
        KubectlError::NotFound { message }
    } else if has(&NETWORK) {
        KubectlError::Unreachable { context, message }
    } else {
        KubectlError::Other(message)
    }
}

/// Returns the last line of a text, safe to show, if it has one.
pub(super) fn last_line(text: &str) -> Option<String> {
    let text = without_tokens(text);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(truncate(&safe_line(line), LONGEST).trim_end_matches('.').to_owned())
}

/// Returns the line that tells the cause, safe to show: the last one that begins like an error, else the last.
fn message(errors: &str) -> String {
    let lines = || errors.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_error = |line: &&str| {
        ["error:", "Error from server", "Unable to connect", "The "]
            .iter()
            .any(|start| line.starts_with(start))
    };
    let line = lines().rfind(is_error).or_else(|| lines().next_back()).unwrap_or("it wrote nothing");
    let line = line.trim_start_matches("error: ");
    truncate(&safe_line(line), LONGEST).trim_end_matches('.').to_owned()
}

/// Returns the last line that a failed login plugin wrote, safe to show, if it wrote one.
fn plugin_line(errors: &str) -> Option<String> {
    let lower = errors.to_lowercase();
    // What the program itself writes about it, in its log or at the end.
    let is_own = |line: &str| {
        let mut begin = line.bytes();
        let is_log =
            begin.next().is_some_and(|b| b"EIW".contains(&b)) && begin.take(4).all(|b| b.is_ascii_digit());
        is_log || line.contains("getting credentials") || line.starts_with("error:")
    };
    let lines: Vec<&str> = errors.lines().filter(|line| !is_own(line.trim())).collect();
    lower.contains("getting credentials: exec").then(|| last_line(&lines.join("\n")))?
}

/// Reads `conflict with "NAME" using apps/v1: .spec.replicas`, or a list of fields below such a line.
fn conflicts(errors: &str) -> Vec<FieldConflict> {
    let mut found = Vec::new();
    let mut manager: Option<String> = None;
    let shown = |text: &str| truncate(&safe_line(text.trim()), 200);
    for line in errors.lines() {
        let line = line.trim();
        let begin = ["conflict with \"", "conflicts with \""].iter().find_map(|mark| line.split_once(mark));
        if let Some((_, rest)) = begin {
            let (name, rest) = rest.split_once('"').unwrap_or((rest, ""));
            let field = rest.split_once(':').map_or("", |(_, field)| field.trim());
            manager = Some(shown(name));
            if field.starts_with('.') {
                found.push(FieldConflict { manager: shown(name), field: shown(field) });
            }
        } else if let (Some(manager), Some(field)) = (&manager, line.strip_prefix("- "))
            && field.starts_with('.')
        {
            found.push(FieldConflict { manager: manager.clone(), field: shown(field) });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(errors: &str) -> String {
        let target = ClusterTarget { context: "c".to_owned(), namespace: "n".to_owned() };
        read(errors, &target).to_string()
    }

    #[test]
    fn read_tells_failures_apart() {
        for (errors, message) in [
            (
                "Unable to connect to the server: dial tcp 127.0.0.1:1: connect: connection refused",
                "the cluster of the context `c` cannot be reached: Unable to connect to the server: dial tcp 127.0.0.1:1: connect: connection refused",
            ),
            (
                "error: You must be logged in to the server (Unauthorized)",
                "the cluster of the context `c` does not accept the login: You must be logged in to the server (Unauthorized)",
            ),
            (
                "Error from server (Forbidden): deployments.apps is forbidden: User \"x\" cannot list",
                "the cluster forbids it: Error from server (Forbidden): deployments.apps is forbidden: User \"x\" cannot list",
            ),
            (
                "Error from server (NotFound): namespaces \"n\" not found",
                "the cluster of the context `c` has no namespace `n`",
            ),
            (
                "W1 warning\nThe Deployment \"web\" is invalid: spec.selector: Required value",
                "the cluster refuses the object: The Deployment \"web\" is invalid: spec.selector: Required value",
            ),
            (
                "Error from server (Conflict): Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; please apply your changes to the latest version and try again",
                "somebody else has changed it: Error from server (Conflict): Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; please apply your changes to the latest version and try again",
            ),
            (
                "Error from server (NotFound): pods \"web\" not found",
                "the cluster does not have it: Error from server (NotFound): pods \"web\" not found",
            ),
            (
                "error: the server doesn't have a resource type \"routes\"",
                "the cluster does not have it: the server doesn't have a resource type \"routes\"",
            ),
            (
                "Please enter Username: error: EOF",
                "the cluster of the context `c` does not accept the login: Please enter Username: error: EOF",
            ),
            (
                "cannot open /dev/tty\nE1129 memcache.go:265] x\nUnable to connect to the server: getting credentials: exec: executable x failed with exit code 1",
                "the cluster of the context `c` does not accept the login: Unable to connect to the server: getting credentials: exec: executable x failed with exit code 1 (cannot open /dev/tty)",
            ),
            ("", "`kubectl` failed: it wrote nothing"),
            ("\u{1b}[31mboo", "`kubectl` failed: boo"),
        ] {
            assert_eq!(of(errors), message, "{errors}");
        }
    }

    #[test]
    fn read_names_owners_of_conflicting_fields() {
        let one = "error: Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1: .spec.replicas\nPlease review";
        assert_eq!(of(one), "another manager owns `.spec.replicas` (`kubectl-edit`)");
        let two = "error: Apply failed with 2 conflicts: conflicts with \"hpa\" using apps/v1:\n- .spec.replicas\n- .spec.paused\nPlease review the fields";
        assert_eq!(of(two), "another manager owns `.spec.replicas` (`hpa`) and `.spec.paused` (`hpa`)");
    }
}
