//! `cki shell`: an interactive shell in a running component, or in a copy of one that has ended. Passing on
//! the terminal is in `exec::interact`.

use crate::base::process_ref::ProcessRef;
use crate::host::signals::Shutdown;
use crate::model::guard::{Gate, GatePass, GateSubject, Guard};
use crate::model::identity::{Retention, Role};
use crate::model::inventory::Inventory;
use crate::ops::exec::CommandExit;
use crate::ops::exec::interact::{LocalTerminal, TakenTerminal, interact, proxy_io};
use crate::ops::runtime::error::InstanceError;
use crate::ops::runtime::list::InstanceSummary;
use crate::systems::engine::{DebugCopy, EngineError};

/// The shells to try, best first.
const SHELLS: [&str; 2] = ["bash", "sh"];

/// Runs the best available shell in a running component. For an ended component, the shell runs in a new
/// container like it, which belongs to `owner` and passes the guard as the first one did.
///
/// # Errors
/// Fails when there is no shell, or standard input is not a terminal.
pub async fn shell(
    one: &InstanceSummary,
    workdir: Option<String>,
    person: LocalTerminal<'_>,
    owner: ProcessRef,
    rules: (&Guard, &Inventory),
    stop: &Shutdown,
) -> Result<CommandExit, InstanceError> {
    if !one.is_alive() {
        return shell_in_copy(one, workdir, person, owner, rules, stop).await;
    }
    let shell = shell_of(one).await?;
    interact(one, vec![shell.to_owned()], workdir, person, stop).await
}

/// Returns the best available shell of a running component.
///
/// # Errors
/// Fails when there is none.
pub async fn shell_of(one: &InstanceSummary) -> Result<&'static str, InstanceError> {
    for shell in SHELLS {
        let command = GatePass::own([shell, "-c", "exit 0"].map(str::to_owned).to_vec());
        if one.instance.succeeds(command).await? {
            return Ok(shell);
        }
    }
    Err(no_shell(&one.identity.name))
}

fn no_shell(name: &str) -> InstanceError {
    InstanceError::NoShell { name: name.to_owned(), tried: SHELLS.join("` nor `") }
}

/// Runs a shell in a new container like an ended one.
async fn shell_in_copy(
    one: &InstanceSummary,
    workdir: Option<String>,
    person: LocalTerminal<'_>,
    owner: ProcessRef,
    (guard, inventory): (&Guard, &Inventory),
    stop: &Shutdown,
) -> Result<CommandExit, InstanceError> {
    let name = &one.identity.name;
    if !one.instance.can_be_copied() {
        return Err(InstanceError::Ended { name: name.clone() });
    }
    let local = TakenTerminal::take()?;
    let mut who = one.identity.clone();
    let container = format!("cki-{}-{name}-shell-{}", who.run, owner.pid);
    (who.owner, who.lifetime, who.role) = (owner, Retention::Owner, Role::Service);
    who.name = format!("{name}-shell");
    let [best, other] = SHELLS;
    let script = format!("command -v {best} >/dev/null 2>&1 && exec {best}; exec {other}");
    let copy = DebugCopy {
        name: &container,
        labels: who.to_labels(),
        command: vec![other.to_owned(), "-c".to_owned(), script],
        workdir,
        term: person.term,
    };
    let gate = Gate::new(guard, inventory, &one.allowed);
    let is_component = one.identity.role == Role::Component;
    let starting = GateSubject { name, source: "in its new container", is_component };
    let started = one.instance.copy_on_terminal(copy, |inside| gate.pass(inside, starting), local.size).await;
    let remote = match started {
        Err(InstanceError::Engine(EngineError::NoProgram { .. })) => return Err(no_shell(name)),
        started => started?,
    };
    proxy_io(one, remote, local, person, stop).await
}
