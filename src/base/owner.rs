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
    /// The machine and the namespace in which its number means it; empty if nobody has said.
    pub place: String,
}

impl Owner {
    /// As it stands in a label.
    #[must_use]
    pub fn to_label(&self) -> String {
        let Self { pid, started, boot, place } = self;
        match place.as_str() {
            "" => format!("{pid}.{started}.{boot}"),
            place => format!("{pid}.{started}.{boot}@{place}"),
        }
    }

    /// From a label.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (pid, started) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let last = parts.next()?;
        let (boot, place) = last.split_once('@').unwrap_or((last, ""));
        Some(Self { pid, started, boot: boot.to_owned(), place: place.to_owned() })
    }
}
