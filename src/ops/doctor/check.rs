//! A check and its result. The checks themselves have a file for each subject.

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// Everything works.
    Good,
    /// Something works less well than it could.
    Warning,
    /// Something does not work.
    Failed,
    /// The subject is not needed here.
    NotNeeded,
}

/// The findings of a check.
#[derive(Debug, Clone)]
pub struct CheckResult {
    /// The result.
    pub state: CheckState,
    /// The reason, in one line.
    pub why: String,
    /// Details, one line each.
    pub details: Vec<String>,
    /// The command that fixes it, if there is one.
    pub fix: Option<String>,
}

impl CheckResult {
    pub(super) fn new(state: CheckState, why: impl Into<String>) -> Self {
        Self { state, why: why.into(), details: Vec::new(), fix: None }
    }

    pub(super) fn good(why: impl Into<String>) -> Self {
        Self::new(CheckState::Good, why)
    }

    pub(super) fn warning(why: impl Into<String>) -> Self {
        Self::new(CheckState::Warning, why)
    }

    pub(super) fn failed(why: impl Into<String>) -> Self {
        Self::new(CheckState::Failed, why)
    }

    pub(super) fn not_needed(why: impl Into<String>) -> Self {
        Self::new(CheckState::NotNeeded, why)
    }

    pub(super) fn details(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }

    pub(super) fn fix(self, command: impl Into<String>) -> Self {
        Self { fix: Some(command.into()), ..self }
    }

    /// Adds the command that fixes it, or the reason why there is none.
    pub(super) fn fix_or_detail(mut self, command: Result<String, String>) -> Self {
        match command {
            Ok(command) => self.fix(command),
            Err(why) => {
                self.details.push(why);
                self
            }
        }
    }
}

/// One check with its findings. Texts from outside are safe to show.
#[derive(Debug, Clone)]
pub struct Check {
    /// The subject.
    pub name: &'static str,
    /// The findings.
    pub found: CheckResult,
}

/// Returns whether no check failed.
#[must_use]
pub fn is_healthy(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.found.state != CheckState::Failed)
}
