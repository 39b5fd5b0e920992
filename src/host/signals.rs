//! Signals, in one place. The first SIGINT, SIGTERM or SIGHUP asks for a graceful end; a second one, or
//! SIGQUIT (Ctrl-\), for an immediate end. The response is up to the code that waits for it. A separate
//! thread receives signals, so that blocking work does not delay them.

use std::io::Write as _;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::base::exit::Exit;

/// Time after the second signal until the program exits in any case: it is stuck, in a file that never ends
/// or in a system call that does not return.
const PATIENCE: Duration = Duration::from_secs(10);

/// Signal by which `cki down` asks the process of a run to end it.
pub const DOWN: nix::sys::signal::Signal = nix::sys::signal::Signal::SIGUSR1;

/// Current receiver of signals, and its number. Later work replaces the receiver of earlier work.
static HEARER: Mutex<(u64, Option<Shutdown>)> = Mutex::new((0, None));

/// Success of starting the thread that receives signals.
static LISTENING: OnceLock<bool> = OnceLock::new();

/// Signal that asks the program to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Terminal closed: SIGHUP.
    HangUp,
    /// Ctrl-C: SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// Ctrl-\: SIGQUIT.
    Quit,
    /// `cki down` of this run in another process: [`DOWN`].
    Down,
    /// Reader of standard output closed, which SIGPIPE would report.
    Pipe,
}

impl Signal {
    /// Returns the exit code of a process that ends because of the signal.
    #[must_use]
    pub fn exit(self) -> Exit {
        match self {
            Self::HangUp => Exit::HungUp,
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate | Self::Down => Exit::Terminated,
            Self::Quit => Exit::Quit,
            Self::Pipe => Exit::Unread,
        }
    }
}

/// Requests to stop, and their urgency.
#[derive(Debug, Clone)]
pub struct Shutdown {
    state: watch::Receiver<(usize, Option<Signal>)>,
    raise: watch::Sender<(usize, Option<Signal>)>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    /// Returns a receiver of requests from [`Shutdown::trigger`] alone.
    #[must_use]
    pub fn new() -> Self {
        let (raise, state) = watch::channel((0, None));
        Self { state, raise }
    }

    /// Listens for the signals of this process, until a later call replaces this receiver.
    ///
    /// # Errors
    /// Fails if the system refuses a handler.
    pub fn listen() -> std::io::Result<Self> {
        let stop = Self::new();
        {
            let mut hearer = HEARER.lock().unwrap_or_else(PoisonError::into_inner);
            *hearer = (hearer.0 + 1, Some(stop.clone()));
        }
        let mut failure = None;
        let is_listening = LISTENING.get_or_init(|| match hear() {
            Ok(()) => true,
            Err(error) => {
                failure = Some(error);
                false
            }
        });
        match failure {
            None if *is_listening => Ok(stop),
            failure => Err(failure.unwrap_or_else(|| std::io::Error::other("no signal handler runs"))),
        }
    }

    /// Returns the receiver that listens now; without one, starts to listen.
    ///
    /// # Errors
    /// Fails if the system refuses a handler.
    pub fn current() -> std::io::Result<Self> {
        let hearer = HEARER.lock().unwrap_or_else(PoisonError::into_inner).1.clone();
        hearer.map_or_else(Self::listen, Ok)
    }

    /// Requests a stop, as a signal would.
    pub fn trigger(&self, signal: Signal) {
        self.raise.send_modify(|(count, first)| {
            *count += if signal == Signal::Quit { 2 } else { 1 };
            first.get_or_insert(signal);
        });
    }

    /// Returns the first signal, if there was one.
    #[must_use]
    pub fn now(&self) -> Option<Signal> {
        self.state.borrow().1
    }

    /// Waits for the first signal.
    pub async fn requested(&self) -> Signal {
        self.wait(1).await
    }

    /// Waits for the second signal.
    pub async fn force_requested(&self) -> Signal {
        self.wait(2).await
    }

    fn count(&self) -> usize {
        self.state.borrow().0
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

/// Starts the thread that receives signals. It does nothing else.
fn hear() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (told, mut tells) = tokio::sync::mpsc::unbounded_channel();
    for (kind, meaning) in [
        (SignalKind::hangup(), Signal::HangUp),
        (SignalKind::interrupt(), Signal::Interrupt),
        (SignalKind::terminate(), Signal::Terminate),
        (SignalKind::quit(), Signal::Quit),
        (SignalKind::user_defined1(), Signal::Down),
    ] {
        let _inside = runtime.enter();
        let (mut stream, told) = (signal(kind)?, told.clone());
        runtime.spawn(async move {
            while stream.recv().await.is_some() {
                let _ = told.send(meaning);
            }
        });
    }
    let listen = move || {
        runtime.block_on(async {
            while let Some(meaning) = tells.recv().await {
                let (number, hearer) = HEARER.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let Some(stop) = hearer else { continue };
                stop.trigger(meaning);
                if stop.count() >= 2 {
                    tokio::spawn(give_up(number, stop));
                }
            }
        });
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listen).map(|_| ())
}

/// Ends the program if the same work is still running when patience ends. Its resources stay, as after
/// SIGKILL, for the next command to remove.
async fn give_up(number: u64, stop: Shutdown) {
    tokio::time::sleep(PATIENCE).await;
    if HEARER.lock().unwrap_or_else(PoisonError::into_inner).0 != number {
        return;
    }
    // Not through `Output`, whose lock the stuck work may hold.
    let _ = std::io::stderr().write_all(
        b"\nerror: `cki` was asked to end and is stuck: it ends now.\n\
          hint: `cki gc` removes what it has left.\n",
    );
    let code = stop.now().map_or(1, |signal| i32::from(signal.exit().code()));
    #[expect(unsafe_code, reason = "guards cannot run: what they wait for never comes")]
    unsafe {
        nix::libc::_exit(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn shutdown_keeps_first_signal_and_second_forces() {
        let stop = Shutdown::new();
        assert_eq!(stop.now(), None);
        stop.trigger(Signal::Terminate);
        assert_eq!(stop.requested().await, Signal::Terminate);
        stop.trigger(Signal::Interrupt);
        assert_eq!(stop.force_requested().await, Signal::Terminate);
    }

    #[tokio::test]
    async fn shutdown_is_forced_by_quit() {
        let stop = Shutdown::new();
        stop.trigger(Signal::Quit);
        assert_eq!(stop.force_requested().await, Signal::Quit);
    }
}
