//! Users of a server, who are part of many other types.

use serde::Deserialize;

/// User or bot.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// User ID.
    pub id: u64,
    /// Name to mention.
    pub username: String,
    /// Name to show.
    #[serde(default)]
    pub name: String,
}
