//! The state of a page, as far as anybody may see it.

use reqwest::Url;

/// State of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageState {
    /// It is there.
    Reached,
    /// It is there, and its server redirects permanently to this address.
    Moved(Url),
    /// It is not there, for this reason.
    Gone(String),
    /// Its server has a fault, for this reason.
    Faulty(String),
    /// Its server cannot be reached, for this reason.
    Unreachable(String),
    /// Its server shows it after a login only.
    NeedsLogin,
    /// Its server answers no more requests for now.
    RateLimited,
}
