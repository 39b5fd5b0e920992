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

/// Time between two looks at the program.
const BLINK: Duration = Duration::from_millis(20);

/// End of a program that had the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForegroundEnd {
    /// The program ended on its own.
    Ended(ExitStatus),
    /// A signal asked `cki` to end, and the program was ended with it.
    Stopped(Signal),
}

/// Runs a program until it ends.
///
/// # Errors
/// Fails if it cannot be started.
pub fn run(command: &mut Command) -> io::Result<ForegroundEnd> {
    let mut stop = Shutdown::listen()?;
    let mut child = command.spawn()?;
    let mut asked = None;
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
                }
            }
            Some(_) => {}
        }
        std::thread::sleep(BLINK);
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
