//! Requests to an engine: timeouts, retries, and requests that outlive their caller. The requests themselves
//! belong to the files of their objects.

use std::sync::Arc;
use std::time::Duration;

use super::error::EngineError;
use super::{ContainerEngine, IDLE_TIMEOUT, LAST_BREATH, READ_TIMEOUT};

/// Milliseconds before each retry of a request during which an object vanished. Podman fails on any object
/// that another client removes while Podman reads its store, also on objects that the request does not name;
/// a retry no longer finds them.
const RETRY_DELAYS: [u64; 6] = [20, 40, 80, 160, 320, 640];

impl ContainerEngine {
    /// Returns the error to report. A broken connection does not tell its cause, so the state of the engine
    /// is checked: the same cause gives the same error at any moment.
    pub(super) async fn outcome(&self, error: EngineError) -> EngineError {
        if !matches!(error, EngineError::Severed { .. }) {
            return error;
        }
        for _ in 0..2 {
            if let Err(dead) = self.ping().await {
                return dead;
            }
            // The answer may be the last one of an ending engine.
            tokio::time::sleep(LAST_BREATH).await;
        }
        error
    }

    /// Sends a request that changes nothing, with a timeout and retries.
    pub(super) async fn read<T, F>(&self, doing: &str, ask: impl Fn() -> F) -> Result<T, EngineError>
    where
        F: Future<Output = Result<T, bollard::errors::Error>>,
    {
        self.retry(|| self.call(doing, READ_TIMEOUT, ask()), EngineError::is_stumble).await
    }

    /// Repeats a request that has no effect when it fails in such a way. A request whose connection broke is
    /// repeated once: the engine may live, and only this connection be gone.
    pub(super) async fn retry<T, F>(
        &self,
        ask: impl Fn() -> F,
        is_retried: impl Fn(&EngineError) -> bool,
    ) -> Result<T, EngineError>
    where
        F: Future<Output = Result<T, EngineError>>,
    {
        let mut pauses = RETRY_DELAYS.into_iter();
        let mut has_broken = false;
        loop {
            match ask().await {
                Err(EngineError::Severed { .. }) if !has_broken => has_broken = true,
                Err(error) if is_retried(&error) => match pauses.next() {
                    Some(pause) => tokio::time::sleep(Duration::from_millis(pause)).await,
                    None => return Err(error),
                },
                other => return other,
            }
        }
    }

    /// Sends a request with a timeout.
    pub(super) async fn call<T>(
        &self,
        doing: &str,
        limit: Duration,
        answer: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, EngineError> {
        let silent =
            |doing: &str| EngineError::Silent { address: self.shared.shown.clone(), doing: doing.to_owned() };
        // A quick request tells a slow operation from a stuck engine.
        let pulse = async {
            loop {
                // Sent at intervals, and not at once: most calls are over by then.
                tokio::time::sleep(IDLE_TIMEOUT).await;
                if let Err(error) = self.ping().await {
                    return error;
                }
            }
        };
        tokio::select! {
            biased;
            answer = tokio::time::timeout(limit, answer) => match answer {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => Err(self.failed(doing, &error).await),
                Err(_) => Err(silent(doing)),
            },
            dead = pulse => Err(if matches!(dead, EngineError::Silent { .. }) { silent(doing) } else { dead }),
        }
    }

    /// Converts bollard's error for a request into the error to report.
    pub(super) async fn failed(&self, doing: &str, error: &bollard::errors::Error) -> EngineError {
        self.outcome(EngineError::new(&self.shared.shown, doing, error)).await
    }

    /// Runs a request that leaves a trace on the engine to its end, even if the caller is cancelled: an
    /// engine continues a request whose client is gone, and a clean-up must not run before its end.
    /// [`ContainerEngine::wait_for_pending`] waits for all of these.
    pub(super) async fn shielded<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, EngineError>> + Send + 'static,
    ) -> Result<T, EngineError> {
        let making = Arc::clone(&self.shared.making).read_owned().await;
        let task = tokio::spawn(async move {
            let result = work.await;
            drop(making);
            result
        });
        match task.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only the end of the runtime cancels it.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Waits until no request is creating anything. Each of them has a timeout, hence so has this.
    pub async fn wait_for_pending(&self) {
        drop(self.shared.making.write().await);
    }
}
