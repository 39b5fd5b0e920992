//! Exit codes and hints for errors of builds and runs.

use std::ffi::OsString;

use clap::Command;

use super::diagnosis::{Diagnosis, at, hint, plain};
use super::systems::{of_engine, of_native};
use crate::base::exit::Exit;
use crate::base::text::{command_line, join_and};
use crate::cli::repeated_flags::with_name;
use crate::model::port::PublishRequest;
use crate::ops::build::BuildError;
use crate::ops::run_local::RunError;
use crate::ops::runtime::engine::OpenError;
use crate::ops::runtime::error::{InstanceError, StartError};

/// Hint for features that need a container engine.
const ENGINE: &str = "`cki doctor --engine auto` prints the command that installs a container engine.";

pub(super) fn of_build(error: &BuildError) -> Diagnosis {
    match error {
        BuildError::NoBuild { component, image: Some(_), .. } => {
            hint(Exit::Invalid, format!("`cki run-local {component}` runs the image as it is."))
        }
        BuildError::NoBuild { component, place, image: None } => hint(
            Exit::Invalid,
            format!(
                "add a `build` section at {}, or run a published image with `cki run-local {component} --image IMAGE`.",
                at(place)
            ),
        ),
        BuildError::NoFile { place, .. } => hint(Exit::NotFound, format!("{place} says which file it is.")),
        BuildError::Outside { .. } | BuildError::OfGit { .. } => plain(Exit::Invalid),
        BuildError::Fetch { .. } => hint(
            Exit::Refused,
            "fetch it in a `RUN` step, which has the network of the build, or put it into the repository.",
        ),
        BuildError::Empty(_) => plain(Exit::NotFound),
        BuildError::Native => hint(Exit::Unreachable, ENGINE),
    }
}

pub(super) fn of_run(error: &RunError) -> Diagnosis {
    match error {
        RunError::NotRunnable { place, service, .. } => {
            let own = format!("add a `run` section at {}, or name an image with `--image`.", at(place));
            let service = service.as_ref();
            let service = service.map(|one| format!("`cki run-local {one}` runs the backing service."));
            Diagnosis { exit: Exit::Invalid, hints: service.into_iter().chain([own]).collect() }
        }
        RunError::OnceOnly { component } => {
            hint(Exit::Usage, format!("`cki run-local {component} --once -- ARGS` runs it."))
        }
        RunError::Offline { image } => {
            hint(Exit::Unreachable, format!("leave `--offline` out, or load `{image}` into the engine."))
        }
        RunError::PublishUnknown { known, .. } => {
            hint(Exit::NotFound, format!("the run has: {}.", known.join(", ")))
        }
        RunError::PublishAmbiguous { asked, names } => {
            let name = names.first().cloned();
            let named = PublishRequest { name, ..asked.clone() };
            hint(Exit::Usage, format!("name it, as in `--publish {named}`."))
        }
        RunError::PublishedTwice { .. } => {
            hint(Exit::Usage, "give one of them another port: `--publish HOST_PORT:PORT`.")
        }
        RunError::NotReady { .. } => hint(
            Exit::TimedOut,
            "its last lines are above; `run.ready_timeout` in `cki.toml` gives it more time.",
        ),
        RunError::ServiceEnded { .. }
        | RunError::OutputEnded { .. }
        | RunError::EndedEarly { .. }
        | RunError::StepFailed { .. }
        | RunError::Setup { .. } => hint(Exit::Failed, "its last lines are above."),
        RunError::StepTooLong { .. } => hint(
            Exit::TimedOut,
            "its last lines are above; `run.ready_timeout` in `cki.toml` gives it more time.",
        ),
        RunError::KeepNative => hint(Exit::Usage, "leave `--keep-services` out."),
        RunError::KeepRequested { name } => {
            hint(Exit::Usage, format!("`cki run-local {name} --detach` runs it until `cki down {name}`."))
        }
        RunError::ReplacesData { name, services, .. } => Diagnosis {
            exit: Exit::Refused,
            hints: vec![
                format!(
                    "`cki run-local {name} --detach --force` replaces it, and removes the data of {}.",
                    join_and(services)
                ),
                format!("`cki run-local {name} --detach --new` starts another run."),
                "with `--keep-services`, data outlives each run.".to_owned(),
            ],
        },
        RunError::SameName { .. } => {
            hint(Exit::Invalid, "on one network a name means one thing: rename the component.")
        }
        RunError::NoSources { place, .. } => hint(
            Exit::Invalid,
            format!("add `sources` at {}, to say which repository they are in.", at(place)),
        ),
        RunError::NoMount { place, .. } => {
            hint(Exit::Invalid, format!("add `workdir` or `mount` to the `run` section at {}.", at(place)))
        }
        RunError::NothingToWatch { place, .. } => hint(
            Exit::Invalid,
            format!(
                "use `--mount`, or add `watch` to the `run` section at {}, or a `build` section.",
                at(place)
            ),
        ),
        RunError::NoDebugger { place, .. } => {
            hint(Exit::Invalid, format!("add `debug` to the `run` section at {}.", at(place)))
        }
        RunError::Outside { .. } | RunError::GitDirectory { .. } | RunError::NotAbsolute { .. } => {
            plain(Exit::Invalid)
        }
        RunError::NoSource { .. } => hint(
            Exit::NotFound,
            "paths in `run.mount` and `run.watch` of the entry are relative to the clone.",
        ),
    }
}

pub(super) fn of_start(error: &StartError) -> Diagnosis {
    match error {
        StartError::NoImage { .. } => hint(Exit::Invalid, "name one with `--image`."),
        StartError::NotNative { is_service: true, .. } => hint(Exit::Unreachable, ENGINE),
        StartError::NotNative { .. } => {
            hint(Exit::Invalid, "the entry has no `run.command`, and without an image there is no other.")
        }
        StartError::Program { .. } => {
            hint(Exit::Failed, "`run.command` of the entry must name a program of the image.")
        }
        StartError::NoContact { why, .. } => {
            Diagnosis { exit: Exit::Unreachable, hints: of_contact(&why.remedies()) }
        }
        StartError::RetainedInUse { name } => {
            hint(Exit::Refused, format!("end the other run, or `cki down {name}`; its stored data stays."))
        }
        StartError::Port { port, host, .. } => hint(
            Exit::Unreachable,
            format!(
                "`--publish {port}` takes the next free port, `--publish PORT:{port}` another one of your choice; \
                 `ss -ltnp sport = :{host}` says what listens there."
            ),
        ),
        StartError::PortTaken { port, .. } => hint(
            Exit::Unreachable,
            format!(
                "`ss -ltnp sport = :{port}` says what listens there: end it; or leave `--network internet` out, \
                 or use a container engine."
            ),
        ),
        StartError::PublishElsewhere { .. } => {
            hint(Exit::Unreachable, "leave `--publish` out, or use an engine of this machine.")
        }
        StartError::Forwarder { .. } => hint(
            Exit::Unreachable,
            "`--no-publish` starts it without ports; without `--detach`, `cki` forwards them.",
        ),
    }
}

/// Returns the hints that restore contact between containers.
fn of_contact(remedies: &[String]) -> Vec<String> {
    match remedies {
        [rule, switch] => vec![
            format!("`{rule}` as root lets containers of one network reach each other."),
            format!(
                "`{switch}` does so for all networks, and keeps their internal traffic from the firewall."
            ),
        ],
        [switch] => vec![format!("try `{switch}` as root, which keeps the firewall out of it.")],
        _ => vec![
            "another firewall may be in the way: `nft list ruleset` and `ebtables -L` as root show it."
                .to_owned(),
        ],
    }
}

/// Returns the hints for a query that nothing in the scope matches.
fn not_running(start: &[String], running: &[String], elsewhere: &[String]) -> Vec<String> {
    match elsewhere {
        [] => {}
        [run] => return vec![format!("it runs from another inventory; its run is `{run}`.")],
        runs => return vec![format!("it runs from other inventories; name a run: {}.", join_and(runs))],
    }
    let start =
        (!start.is_empty()).then(|| format!("`cki run-local {} --detach` starts it.", command_line(start)));
    let running = match running {
        [] => "nothing of this inventory is running; `cki ps --all` shows the runs of others.".to_owned(),
        running => format!("running: {}.", running.join(", ")),
    };
    start.into_iter().chain([running]).collect()
}

/// Returns the hint for a query that selects several instances: the command line of the user, with each of them.
pub(super) fn which_one(
    error: &InstanceError,
    (tree, args): (fn() -> Command, &[OsString]),
) -> Option<String> {
    let InstanceError::Several { query, choices, .. } = error else { return None };
    let typed = |one: &String| {
        with_name(tree, args, query, one).map_or_else(|| one.clone(), |line| format!("`{line}`"))
    };
    let commands: Vec<String> = choices.iter().map(typed).collect();
    Some(format!("say which: {}. `cki ps` tells them apart.", commands.join(", ")))
}

pub(super) fn of_instance(error: &InstanceError) -> Diagnosis {
    match error {
        InstanceError::NotRunning { engines, .. } if !engines.is_empty() => {
            let engines: Vec<String> = engines.iter().map(|name| format!("`--engine {name}`")).collect();
            hint(Exit::NotFound, format!("it runs with another engine: add {}.", engines.join(" or ")))
        }
        InstanceError::NotRunning { running, elsewhere, start, .. } => {
            Diagnosis { exit: Exit::NotFound, hints: not_running(start, running, elsewhere) }
        }
        InstanceError::NotAlive { query, can_be_copied, .. } => {
            let query = shell_words::quote(query);
            let shell = match can_be_copied {
                true => format!(", and `cki shell {query}` opens a shell in a copy of it"),
                false => String::new(),
            };
            hint(Exit::NotFound, format!("`cki logs {query}` shows its output{shell}."))
        }
        // The hint names the command: see `which_one`.
        InstanceError::Several { .. } => plain(Exit::Usage),
        InstanceError::NotPublished { run, is_lost: true, .. } => {
            hint(Exit::NotFound, format!("`cki down {run}` and another run publish them again."))
        }
        InstanceError::NotPublished { run, start, .. } => {
            let run_again = command_line(start);
            let why = if start.iter().any(|word| word == "--publish") {
                ""
            } else {
                "the run began with `--no-publish`: "
            };
            hint(
                Exit::NotFound,
                format!("{why}`cki down {run}`, then `cki run-local {run_again}` publishes its ports."),
            )
        }
        InstanceError::PortsElsewhere { name } => {
            hint(Exit::NotFound, format!("`cki exec {name} COMMAND` and `cki shell {name}` run there."))
        }
        InstanceError::PortNotPublished { known, .. } => {
            hint(Exit::NotFound, format!("its published ports: {}.", known.join(", ")))
        }
        InstanceError::NoTimes { .. } => hint(
            Exit::Usage,
            "leave `--since` and `--timestamps` out, or let the component write times itself.",
        ),
        InstanceError::NoShell { .. } => {
            hint(Exit::NotFound, "`cki exec COMPONENT COMMAND` runs any program of the image.")
        }
        InstanceError::Refused(_) => hint(Exit::Refused, "nothing was started."),
        InstanceError::Ended { name } => hint(Exit::NotFound, format!("`cki logs {name}` shows its output.")),
        InstanceError::OtherUser { .. } => {
            hint(Exit::Usage, "leave `--user` out, or run the component with a container engine.")
        }
        InstanceError::Terminal(_) => {
            hint(Exit::Usage, "without one, `cki exec COMPONENT COMMAND` runs a command.")
        }
        InstanceError::Engine(inner) => of_engine(inner),
        InstanceError::Native(inner) => of_native(inner),
        InstanceError::Open(inner) => of_open(inner),
    }
}

pub(super) fn of_open(error: &OpenError) -> Diagnosis {
    match error {
        OpenError::None { tried, .. } => {
            let mut hints: Vec<String> = tried.iter().map(|place| format!("tried {place}.")).collect();
            hints.push("`cki doctor` says more, and prints the command that installs an engine.".to_owned());
            Diagnosis { exit: Exit::Unreachable, hints }
        }
        OpenError::RunEngine(inner) => of_engine(inner),
        OpenError::Native(inner) => of_native(inner),
    }
}
