//! `cki shell`: a shell in a running component, or in a copy of one that has ended, on the user's terminal or with
//! other input. Passing on the terminal is in `exec::interact`.

use crate::base::process_ref::ProcessRef;
use crate::host::signals::Shutdown;
use crate::model::container::ExecSettings;
use crate::model::event::Events;
use crate::model::guard::{Gate, GatePass, GateSubject, Guard};
use crate::model::identity::{ResourceLabels, Retention, Role};
use crate::model::inventory::Inventory;
use crate::ops::exec::interact::{LocalTerminal, TakenTerminal, interact, proxy_io};
use crate::ops::exec::{CommandExit, ExecOptions, exec, pass_output};
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
    let settings = ExecSettings { workdir, ..ExecSettings::default() };
    let options = ExecOptions { command: vec![shell.to_owned()], settings, ..ExecOptions::default() };
    interact(one, options, person, stop).await
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

/// Returns whether an ended component can have a shell: in a new container like it.
///
/// # Errors
/// Fails when it was a process.
pub fn check_copy(one: &InstanceSummary) -> Result<(), InstanceError> {
    match one.instance.can_be_copied() {
        true => Ok(()),
        false => Err(InstanceError::Ended { name: one.identity.name.clone() }),
    }
}

/// Runs the best available shell with some input, and passes on its output. For an ended component, the shell runs as
/// in [`shell`].
///
/// # Errors
/// Fails when there is no shell.
pub async fn shell_with_input(
    one: &InstanceSummary,
    options: ExecOptions,
    owner: ProcessRef,
    rules: (&Guard, &Inventory),
    events: &Events,
    stop: &Shutdown,
) -> Result<CommandExit, InstanceError> {
    if one.is_alive() {
        let command = vec![shell_of(one).await?.to_owned()];
        return exec(one, ExecOptions { command, ..options }, events, stop).await;
    }
    check_copy(one)?;
    let copy = ShellCopy::of(one, owner);
    let ExecOptions { stdin, settings, .. } = options;
    let stdin = stdin.unwrap_or_else(|| Box::pin(tokio::io::empty()));
    let gate = Gate::new(rules.0, rules.1, &one.allowed);
    let pass = |inside| gate.pass(inside, copy.subject(one));
    let started = one.instance.copy_with_input(copy.request(settings.workdir, None), pass, stdin);
    let started = async { started.await.map_err(|error| without_shell(error, &one.identity.name)) };
    pass_output(one, started, &[], events, stop).await
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
    check_copy(one)?;
    let local = TakenTerminal::take()?;
    let copy = ShellCopy::of(one, owner);
    let gate = Gate::new(guard, inventory, &one.allowed);
    let pass = |inside| gate.pass(inside, copy.subject(one));
    let started = one.instance.copy_on_terminal(copy.request(workdir, person.term), pass, local.size).await;
    let remote = started.map_err(|error| without_shell(error, &one.identity.name))?;
    proxy_io(one, remote, &[], (local, person), stop).await
}

fn without_shell(error: InstanceError, name: &str) -> InstanceError {
    match error {
        InstanceError::Engine(EngineError::NoProgram { .. }) => no_shell(name),
        error => error,
    }
}

/// A new container for a shell.
struct ShellCopy {
    container: String,
    labels: ResourceLabels,
}

impl ShellCopy {
    fn of(one: &InstanceSummary, owner: ProcessRef) -> Self {
        let name = &one.identity.name;
        let mut labels = one.identity.clone();
        let container = format!("cki-{}-{name}-shell-{}", labels.run, owner.pid);
        (labels.owner, labels.lifetime, labels.role) = (owner, Retention::Owner, Role::Service);
        labels.name = format!("{name}-shell");
        Self { container, labels }
    }

    fn request<'a>(&'a self, workdir: Option<String>, term: Option<&'a str>) -> DebugCopy<'a> {
        let [best, other] = SHELLS;
        let script = format!("command -v {best} >/dev/null 2>&1 && exec {best}; exec {other}");
        DebugCopy {
            name: &self.container,
            labels: self.labels.to_labels(),
            command: vec![other.to_owned(), "-c".to_owned(), script],
            workdir,
            terminal: true,
            term,
        }
    }

    fn subject<'a>(&self, one: &'a InstanceSummary) -> GateSubject<'a> {
        let is_component = one.identity.role == Role::Component;
        GateSubject { name: &one.identity.name, source: "in its new container", is_component }
    }
}
