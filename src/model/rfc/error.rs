//! Errors of the facts about requests for comments in an inventory, and of numbers and titles that a user types.

/// An error of the facts about requests for comments, or of a typed number or title.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RfcProcessError {
    /// The inventory has no `rfcs`.
    #[error("the inventory {inventory} does not say where requests for comments are")]
    NotDeclared {
        /// Label of the inventory.
        inventory: String,
    },
    /// A value in `rfcs` cannot be used.
    #[error("{place}: `rfcs.{key}` {fault}")]
    Value {
        /// Place in the inventory.
        place: String,
        /// Key below `rfcs`.
        key: &'static str,
        /// Fault of the value.
        fault: String,
    },
    /// A text is not the number of a request for comments.
    #[error("`{text}` is not the number of a request for comments")]
    Number {
        /// The text.
        text: String,
        /// An example.
        example: String,
    },
    /// A text cannot be a title.
    #[error("the title {fault}")]
    Title {
        /// Fault of the text.
        fault: &'static str,
    },
}
