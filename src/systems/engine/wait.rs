//! End of a container. The engines' own wait request has gaps (the answer gets lost, is wrong for a removed
//! container, or comes at once for one that never started), so it only triggers a check, and the state of the
//! container decides.

use std::time::Duration;

use bollard::errors::Error;
use bollard::models::ContainerWaitResponse;
use bollard::query_parameters::WaitContainerOptions;
use futures_util::StreamExt as _;

use super::api_types::ContainerStage;
use super::container::short;
use super::error::EngineError;
use super::{ContainerEngine, IDLE_TIMEOUT};
use crate::base::text::safe_line;
use crate::model::event::Stream;
use crate::model::log::LogRequest;

/// Pause between two checks after a bad answer of the engine.
const PAUSE: Duration = Duration::from_millis(200);
/// Milliseconds before each of the first checks.
const LOOKS: [u64; 5] = [0, 10, 20, 40, 80];

impl ContainerEngine {
    /// Waits until a container ends, and returns its exit code. The container must have been started.
    ///
    /// # Errors
    /// Fails if the container was never started, its program could not be run, or the container or the engine
    /// is gone.
    pub async fn wait(&self, id: &str) -> Result<i64, EngineError> {
        let code = self.wait_for_end(id).await?;
        match self.init_failure(id, code).await {
            Some(error) => Err(error),
            None => Ok(code),
        }
    }

    pub(super) async fn wait_for_end(&self, id: &str) -> Result<i64, EngineError> {
        // Callers have often just seen the end of the output. Podman answers a wait request up to half a
        // second late, and a state request at once.
        for pause in LOOKS {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            if let ContainerStage::Ended(code) = self.stage(id).await? {
                return Ok(code);
            }
        }
        loop {
            let mut answer = Box::pin(self.docker.wait_container(id, None::<WaitContainerOptions>));
            let said = loop {
                match tokio::time::timeout(IDLE_TIMEOUT, answer.next()).await {
                    Ok(item) => break item.and_then(code),
                    // No answer yet: check whether the engine lives, and whether the answer is late.
                    Err(_) => {
                        if let ContainerStage::Ended(code) = self.stage(id).await? {
                            return Ok(code);
                        }
                    }
                }
            };
            match (self.stage(id).await, said) {
                (Ok(ContainerStage::Ended(code)), _) => return Ok(code),
                (Ok(ContainerStage::NotStarted), _) => {
                    return Err(EngineError::NotStarted { container: short(id).to_owned() });
                }
                // The container was removed right after its end.
                (Err(error), Some(code)) if error.is_not_found() => return Ok(code),
                (Err(error), _) => return Err(error),
                (Ok(ContainerStage::Running), _) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn stage(&self, id: &str) -> Result<ContainerStage, EngineError> {
        Ok(self.inspect(id).await?.state.stage())
    }

    /// Returns the error of an init process that could not run the program. The engine counts the container
    /// as started; the only trace is one line in the log.
    async fn init_failure(&self, id: &str, code: i64) -> Option<EngineError> {
        if ![1, 126, 127].contains(&code) {
            return None;
        }
        let mut log = self.logs(id, LogRequest::default()).await.ok()?;
        let mut text = String::new();
        while let Some(Ok(chunk)) = log.next().await {
            text.push_str(&String::from_utf8_lossy(&chunk.bytes));
            let begins = INITS.iter().any(|init| text.starts_with(init) || init.starts_with(&text));
            if chunk.stream != Stream::Stderr || !begins || text.len() > 4096 {
                return None;
            }
        }
        init_message(short(id), &text)
    }
}

/// Beginnings of the last message of the engines' inits: tini (Docker), catatonit (Podman).
const INITS: [&str; 2] = ["[FATAL tini (", "ERROR (catatonit:"];

fn init_message(container: &str, log: &str) -> Option<EngineError> {
    let line = log.strip_suffix('\n').unwrap_or(log);
    let is_init = INITS.iter().any(|init| line.starts_with(init)) && line.contains("exec ");
    if line.contains('\n') || !is_init {
        return None;
    }
    let (container, message) = (container.to_owned(), safe_line(line).into_owned());
    Some(if line.ends_with("No such file or directory") {
        EngineError::NoProgram { container, message }
    } else {
        EngineError::NotExecutable { container, message }
    })
}

/// Returns the exit code in an answer, if it is one.
fn code(answer: Result<ContainerWaitResponse, Error>) -> Option<i64> {
    match answer {
        Ok(answer) if answer.error.is_none() && answer.status_code >= 0 => Some(answer.status_code),
        // bollard reports a code other than 0 as an error; with a message, it is a real one.
        Err(Error::DockerContainerWaitError { code, error }) if error.is_empty() => Some(code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn init_message_recognises_tini_and_catatonit() {
        let tini = "[FATAL tini (7)] exec nope failed: No such file or directory\n";
        assert!(matches!(init_message("c", tini), Some(EngineError::NoProgram { .. })));
        let catatonit = "ERROR (catatonit:2): failed to exec pid1: Permission denied\n";
        assert!(matches!(init_message("c", catatonit), Some(EngineError::NotExecutable { .. })));
        assert!(init_message("c", "not found\n").is_none());
        assert!(init_message("c", &format!("{tini}more\n")).is_none());
    }
}
