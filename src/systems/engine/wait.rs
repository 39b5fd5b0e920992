//! How a container ended. The engines' own answer to that question has holes (it is lost, it is
//! wrong for a container that was removed, it comes at once for one that never began), so it only
//! says when to look, and the state of the container says what happened.

use bollard::errors::Error;
use bollard::models::{ContainerStateStatusEnum, ContainerWaitResponse};
use bollard::query_parameters::WaitContainerOptions;
use futures_util::StreamExt as _;

use super::container::short;
use super::error::EngineError;
use super::{ContainerEngine, SILENCE};

/// Between two looks when the engine answers nonsense, so that it is not asked without end.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

enum State {
    NotStarted,
    Running,
    Ended(i64),
}

impl ContainerEngine {
    /// Waits until a container ends, and says with which exit code. It must have been started.
    ///
    /// # Errors
    /// When it was never started, when it is gone, and when the engine is.
    pub async fn wait(&self, id: &str) -> Result<i64, EngineError> {
        loop {
            let mut answer = Box::pin(self.docker.wait_container(id, None::<WaitContainerOptions>));
            let said = loop {
                match tokio::time::timeout(SILENCE, answer.next()).await {
                    Ok(item) => break item.and_then(code),
                    // Not an answer yet: look whether the engine lives, and whether the answer is late.
                    Err(_) => {
                        if let State::Ended(code) = self.state(id).await? {
                            return Ok(code);
                        }
                    }
                }
            };
            match (self.state(id).await, said) {
                (Ok(State::Ended(code)), _) => return Ok(code),
                (Ok(State::NotStarted), _) => {
                    return Err(EngineError::NotStarted { container: short(id).to_owned() });
                }
                // Removed by somebody right after its end.
                (Err(error), Some(code)) if error.is_not_found() => return Ok(code),
                (Err(error), _) => return Err(error),
                (Ok(State::Running), _) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn state(&self, id: &str) -> Result<State, EngineError> {
        let state = self.inspect(id).await?.state.unwrap_or_default();
        Ok(match state.status {
            Some(ContainerStateStatusEnum::CREATED) => State::NotStarted,
            Some(ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::DEAD) => {
                State::Ended(state.exit_code.unwrap_or(-1))
            }
            _ => State::Running,
        })
    }
}

/// The exit code in an answer, if it is one.
fn code(answer: Result<ContainerWaitResponse, Error>) -> Option<i64> {
    match answer {
        Ok(answer) if answer.error.is_none() && answer.status_code >= 0 => Some(answer.status_code),
        // A code other than 0 is an error to bollard; with words in it, it is one to us as well.
        Err(Error::DockerContainerWaitError { code, error }) if error.is_empty() => Some(code),
        _ => None,
    }
}
