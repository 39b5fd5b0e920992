//! Options of printing: how much, and in which form.

/// Amount of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Data and errors only.
    Quiet,
    /// Progress and results, too.
    Normal,
    /// Decisions and their reasons, too.
    Verbose,
}

/// Form of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Results {
    /// Text for people.
    Text,
    /// Text with all columns, of any width.
    Wide,
    /// Names only, one per line.
    Names,
    /// JSON: each line of output becomes an object, too.
    Json,
    /// YAML.
    Yaml,
}

impl Results {
    /// Returns whether programs read them.
    pub(super) fn is_structured(self) -> bool {
        matches!(self, Self::Json | Self::Yaml)
    }
}

/// Options for printing.
#[derive(Debug, Clone, Copy)]
pub struct UiOptions {
    /// Colour on standard output and standard error; `None`: only on a terminal.
    pub color: Option<bool>,
    /// Amount of messages.
    pub verbosity: Verbosity,
    /// Form of results.
    pub results: Results,
}
