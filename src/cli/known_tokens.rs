//! The tokens that a run has looked for, a part of its context. The search is in `token`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use crate::model::access_token::AccessToken;
use crate::model::server::ServerAddress;

/// Tokens of this run, so that each is looked for once, and what was said about them.
#[derive(Debug, Default)]
pub(super) struct KnownTokens {
    /// Tokens by server; `None` if the server gets none.
    pub(super) found: Mutex<BTreeMap<ServerAddress, Option<AccessToken>>>,
    /// Servers whose token was said to end soon.
    pub(super) ending: Mutex<BTreeSet<String>>,
}
