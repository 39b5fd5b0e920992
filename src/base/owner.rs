//! Names a process for longer than it lives, so that what it made can be told from what another one
//! still uses. Asking the system whether it lives is for `host`.

/// A process, told from a later one with the same number by its start time, and from one before a
/// restart of the machine by the boot's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Process id.
    pub pid: u32,
    /// When it started, in clock ticks since the boot.
    pub started: u64,
    /// The boot's id.
    pub boot: String,
}

impl Owner {
    /// As it stands in a label.
    #[must_use]
    pub fn to_label(&self) -> String {
        format!("{}.{}.{}", self.pid, self.started, self.boot)
    }

    /// From a label.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        Some(Self {
            pid: parts.next()?.parse().ok()?,
            started: parts.next()?.parse().ok()?,
            boot: parts.next()?.to_owned(),
        })
    }
}
