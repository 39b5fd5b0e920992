//! The exit codes, which are public API: one table, documented in `docs/reference/exit-codes.md`. The
//! mapping from errors to exit codes is in `cli::error`.

/// Result of a `cki` process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Success.
    Done,
    /// The subject of the command failed: a job, a check, a pipeline. Or the user declined it.
    Failed,
    /// Invalid command line.
    Usage,
    /// A named thing does not exist.
    NotFound,
    /// Invalid configuration file or inventory.
    Invalid,
    /// Missing or insufficient authorisation.
    Unauthorised,
    /// Failure of the network, a server or the container engine.
    Unreachable,
    /// Refused for safety.
    Refused,
    /// A bug in `cki`.
    Bug,
    /// Timeout.
    TimedOut,
    /// Hung up (SIGHUP).
    HungUp,
    /// Interrupted (SIGINT).
    Interrupted,
    /// Asked to end immediately (SIGQUIT).
    Quit,
    /// Reader of standard output closed (SIGPIPE).
    Unread,
    /// Terminated (SIGTERM).
    Terminated,
    /// The component's own exit code, passed through by `cki run-local` and `cki exec`.
    Component(u8),
}

impl Exit {
    /// Every fixed code with its meaning, in ascending order.
    pub const TABLE: [(Self, &'static str); 15] = [
        (Self::Done, "done"),
        (
            Self::Failed,
            "the thing asked about failed: a job, a check, a pipeline; or you answered a question with no",
        ),
        (Self::Usage, "the command line was not understood"),
        (Self::NotFound, "a named component, file or other object does not exist"),
        (
            Self::Invalid,
            "the configuration, the inventory or a file that was named is invalid, or a file cannot be read or written",
        ),
        (Self::Unauthorised, "not authorised"),
        (Self::Unreachable, "the network, a server or the container engine failed"),
        (Self::Refused, "refused for safety"),
        (Self::Bug, "a bug in cki"),
        (Self::TimedOut, "a time limit ran out"),
        (Self::HungUp, "hung up (SIGHUP)"),
        (Self::Interrupted, "interrupted (SIGINT)"),
        (Self::Quit, "told to end at once (SIGQUIT)"),
        (Self::Unread, "the reader of standard output went away (SIGPIPE)"),
        (Self::Terminated, "terminated (SIGTERM)"),
    ];

    /// Returns the number for the operating system.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Invalid => 4,
            Self::Unauthorised => 5,
            Self::Unreachable => 6,
            Self::Refused => 7,
            Self::Bug => 70,
            Self::TimedOut => 124,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Quit => 131,
            Self::Unread => 141,
            Self::Terminated => 143,
            Self::Component(code) => code,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_table_is_sorted_and_complete() {
        let codes: Vec<u8> = Exit::TABLE.iter().map(|(exit, _)| exit.code()).collect();
        assert!(codes.is_sorted());
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 70, 124, 129, 130, 131, 141, 143]);
    }
}
