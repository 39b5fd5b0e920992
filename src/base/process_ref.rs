//! Identity of a process beyond its lifetime, to tell its resources from those in use by another process.
//! The check that a process is alive is in `host`.

/// Process, distinguished from a later one with the same PID by its start time, and from one before a
/// restart of the machine by the boot ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessRef {
    /// PID.
    pub pid: u32,
    /// Start time, in clock ticks since the boot.
    pub started: u64,
    /// Boot ID.
    pub boot: String,
    /// Machine and PID namespace in which the PID is valid; empty if unknown.
    pub place: String,
}

impl ProcessRef {
    /// Formats the owner for a label.
    #[must_use]
    pub fn to_label(&self) -> String {
        let Self { pid, started, boot, place } = self;
        match place.as_str() {
            "" => format!("{pid}.{started}.{boot}"),
            place => format!("{pid}.{started}.{boot}@{place}"),
        }
    }

    /// Parses the value of a label.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (pid, started) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let last = parts.next()?;
        let (boot, place) = last.split_once('@').unwrap_or((last, ""));
        Some(Self { pid, started, boot: boot.to_owned(), place: place.to_owned() })
    }
}
