//! Signals, in one place. The first SIGINT, SIGTERM or SIGHUP asks for a graceful end, a second
//! one, or SIGQUIT (Ctrl-\), for an end at once. What that means is up to whoever waits for it.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::base::exit::Exit;

/// A signal that asks the program to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The terminal is gone: SIGHUP.
    HangUp,
    /// Ctrl-C: SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// Ctrl-\: SIGQUIT.
    Quit,
    /// Standard output cannot be written to any more, as SIGPIPE would say.
    Pipe,
}

impl Signal {
    /// The exit code of a process that ends because of it.
    #[must_use]
    pub fn exit(self) -> Exit {
        match self {
            Self::HangUp => Exit::HungUp,
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate => Exit::Terminated,
            Self::Quit => Exit::Quit,
            Self::Pipe => Exit::Unread,
        }
    }
}

/// Whether, and how urgently, the program was asked to end.
#[derive(Debug, Clone)]
pub struct Stop {
    state: watch::Receiver<(usize, Option<Signal>)>,
    raise: watch::Sender<(usize, Option<Signal>)>,
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl Stop {
    /// Nobody asks, unless [`Stop::raise`] is called.
    #[must_use]
    pub fn new() -> Self {
        let (raise, state) = watch::channel((0, None));
        Self { state, raise }
    }

    /// Listens for the signals of this process; call it within the runtime.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn listen() -> std::io::Result<Self> {
        let stop = Self::new();
        for (kind, meaning) in [
            (SignalKind::hangup(), Signal::HangUp),
            (SignalKind::interrupt(), Signal::Interrupt),
            (SignalKind::terminate(), Signal::Terminate),
            (SignalKind::quit(), Signal::Quit),
        ] {
            let mut stream = signal(kind)?;
            let stop = stop.clone();
            tokio::spawn(async move {
                while stream.recv().await.is_some() {
                    stop.raise(meaning);
                }
            });
        }
        Ok(stop)
    }

    /// Asks, as a signal would.
    pub fn raise(&self, signal: Signal) {
        self.raise.send_modify(|(count, first)| {
            *count += if signal == Signal::Quit { 2 } else { 1 };
            first.get_or_insert(signal);
        });
    }

    /// The first signal, if there was one.
    #[must_use]
    pub fn now(&self) -> Option<Signal> {
        self.state.borrow().1
    }

    /// Waits for the first signal.
    pub async fn requested(&self) -> Signal {
        self.wait(1).await
    }

    /// Waits for the second signal.
    pub async fn forced(&self) -> Signal {
        self.wait(2).await
    }

    async fn wait(&self, least: usize) -> Signal {
        let mut state = self.state.clone();
        loop {
            let reached = state.wait_for(|(count, _)| *count >= least).await.map(|state| state.1);
            match reached {
                Ok(Some(signal)) => return signal,
                // The sender lives as long as `self`.
                _ => std::future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_signal_counts_and_the_second_forces() {
        let stop = Stop::new();
        assert_eq!(stop.now(), None);
        stop.raise(Signal::Terminate);
        assert_eq!(stop.requested().await, Signal::Terminate);
        stop.raise(Signal::Interrupt);
        assert_eq!(stop.forced().await, Signal::Terminate);
    }

    #[tokio::test]
    async fn quit_forces_at_once() {
        let stop = Stop::new();
        stop.raise(Signal::Quit);
        assert_eq!(stop.forced().await, Signal::Quit);
    }
}
