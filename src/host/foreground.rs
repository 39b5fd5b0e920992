//! Programs that have the user's terminal for a while: an editor, a viewer of manual pages. Keys such as Ctrl-C are
//! theirs then, and any other signal ends them first, so that the caller can clean up after them. Their choice is up
//! to the callers.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use nix::sys::signal::{self, kill};
use nix::unistd::Pid;

use super::signals::{Shutdown, Signal};

/// Maximum time between two looks at the program.
const BLINK: Duration = Duration::from_millis(20);

/// End of a program that had the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForegroundEnd {
    /// The program ended on its own.
    Ended(ExitStatus),
    /// A signal asked `cki` to end, and the program was ended with it.
    Stopped(Signal),
}

/// Returns whether this process may use the terminal on standard output: in the background of a shell or of the demo, a
/// program that reads keys would be suspended.
#[must_use]
pub fn has_terminal() -> bool {
    // A terminal without job control suspends nobody.
    nix::unistd::tcgetpgrp(io::stdout()).map_or(true, |foreground| foreground == nix::unistd::getpgrp())
}

/// Runs a program until it ends.
///
/// # Errors
/// Fails if it cannot be started.
pub fn run(command: &mut Command) -> io::Result<ForegroundEnd> {
    let mut stop = Shutdown::listen()?;
    let mut child = command.spawn()?;
    let mut asked = None;
    // A pager ends at once where the text fits the screen.
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        match stop.now() {
            None => {}
            // The terminal sends the signals of keys to the program as well, which may have another use for them.
            Some(Signal::Interrupt | Signal::Quit) => stop = Shutdown::listen()?,
            Some(signal) if asked.is_none() => {
                asked = Some(signal);
                if let Ok(pid) = i32::try_from(child.id()) {
                    // It may end at this moment.
                    let _ = kill(Pid::from_raw(pid), signal::Signal::SIGTERM);
                    // One that is suspended sees the signal only when it goes on.
                    let _ = kill(Pid::from_raw(pid), signal::Signal::SIGCONT);
                }
            }
            Some(_) => {}
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(BLINK);
    };
    // Later questions begin without these signals.
    Shutdown::listen()?;
    let of_key = match status.signal() {
        Some(nix::libc::SIGINT) => Some(Signal::Interrupt),
        Some(nix::libc::SIGQUIT) => Some(Signal::Quit),
        _ => None,
    };
    Ok(asked.or(of_key).map_or(ForegroundEnd::Ended(status), ForegroundEnd::Stopped))
}
