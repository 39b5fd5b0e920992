//! The access token for a GitLab server: its sources in order, and the rules on the servers that may have it. A token
//! goes to its own server only: a cloned project may name a server, but that server does not get the user's token.

mod command;
mod environment;
mod error;
mod private;
mod search;
mod standing;
mod store;

pub use environment::secrets_in_environment;
pub use error::TokenError;
pub use search::TokenSearch;
pub use standing::{FoundToken, TokenStanding};
pub use store::{LoginStore, StoredLogin, TokenPlace};
