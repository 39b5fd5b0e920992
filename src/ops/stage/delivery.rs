//! Sends a request that creates something, at most once: when the answer is lost, this looks whether the request arrived
//! before it sends another one. What is created is up to the method.

use std::time::Duration;

use super::StageError;
use crate::model::event::Events;
use crate::systems::gitlab::{GitLab, GitLabError};

/// Maximum number of tries.
const TRIES: usize = 3;
/// Delays before looking for something that may have been created; a server may take a moment to show it.
const LOOKS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// The way by which a request is known to have arrived.
pub(super) enum Delivery<S, F> {
    /// The server has answered.
    Answered(S),
    /// The answer was lost, and what it created was found.
    Found(F),
}

/// Sends a request. `what` is a question for messages, `find` looks for what an unanswered request may have created.
pub(super) async fn deliver<S, F>(
    gitlab: &GitLab,
    events: &Events,
    what: &str,
    send: impl AsyncFn() -> Result<S, GitLabError>,
    find: impl AsyncFn() -> Result<Option<F>, StageError>,
) -> Result<Delivery<S, F>, StageError> {
    let mut tries = 1;
    loop {
        let error = match send().await {
            Ok(answer) => return Ok(Delivery::Answered(answer)),
            Err(error) if error.is_ambiguous() => error,
            Err(error) => return Err(error.into()),
        };
        events.note(format!("Looking {what} all the same: {error}."));
        for pause in LOOKS {
            gitlab.clock().sleep(pause).await;
            if let Some(found) = find().await? {
                return Ok(Delivery::Found(found));
            }
        }
        // What the server has accepted may only not be shown yet.
        if tries == TRIES || error.is_accepted() {
            return Err(error.into());
        }
        tries += 1;
    }
}
