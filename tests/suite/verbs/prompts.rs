//! Questions on a terminal: an answer of no, Ctrl-C, Ctrl-D and signals end them, and then nothing was done.

use nix::sys::signal::Signal;

use crate::support::cli::Cli;
use crate::support::engine::on;
use crate::support::terminal_session::TerminalSession;

/// Key of a terminal in its usual mode: the end of the input.
const CTRL_D: &str = "\u{4}";

on!(native: prompt_ends_at_no_and_at_once_on_ctrl_d_and_signals);
fn prompt_ends_at_no_and_at_once_on_ctrl_d_and_signals(cli: &Cli) {
    cli.inventory("components: [{name: a, category: x, run: {command: [sleep, '1000']}}]\n");
    cli.run("run-local a --detach").ends_with(0);
    let ask = || {
        let terminal = TerminalSession::start(cli, "down --all");
        terminal.until("Remove the runs of all inventories on this engine? [y/N]");
        terminal
    };
    for (keys, said, code) in [
        ("n\n", "Nothing was done.", 1),
        ("\n", "Nothing was done.", 1),
        (CTRL_D, "Cancelled: nothing was done.", 130),
    ] {
        let mut terminal = ask();
        terminal.type_keys(keys);
        terminal.until(said);
        terminal.ends_with(code);
    }
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let terminal = ask();
        terminal.send_signal(signal);
        terminal.until("Cancelled: nothing was done.");
        terminal.ends_with(code);
    }
    let mut terminal = ask();
    terminal.type_keys("maybe\n");
    terminal.until("Please answer `y` or `n`.");
    terminal.type_keys("y\n");
    terminal.until("Removed `a`.");
    terminal.ends_with(0);
}
