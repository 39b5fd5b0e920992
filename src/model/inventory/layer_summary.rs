//! A layer of an inventory, as commands name it. The merge of layers is in `layers`.

use std::path::PathBuf;

/// One layer of an inventory, for its users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSummary {
    /// Source, as a user writes it.
    pub label: String,
    /// Age of the copy of a repository: `synced 3 days ago`.
    pub age: Option<String>,
    /// Directory or file on this machine.
    pub path: Option<PathBuf>,
    /// Reason why it is left out.
    pub left_out: Option<String>,
}
