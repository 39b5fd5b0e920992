//! `cki setup`: does what `cki doctor` misses. A [`Plan`] is made from what the checks have found and
//! says exactly what will be run and written; carrying it out is the same for all plans. Whether it
//! has helped is not for it to say: the checks are done again.

use std::time::Instant;

use crate::base::text::{command_line, join_and};
use crate::config;
use crate::host::Env;
use crate::host::signals::{Signal, Stop};
use crate::model::event::{Event, Events, State, Stream};
use crate::ops::doctor::{Check, Lack, Patient};
use crate::systems::packages::{self, EngineFacts, Manager, Packages, PackagesError};
use crate::systems::shell::{MARK, Shell, ShellError};

/// Nothing can be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Nobody has agreed to the plan.
    #[error("there is no terminal at which anybody could agree to this")]
    NobodyToAsk,
    /// The table of packages cannot be used.
    #[error(transparent)]
    Packages(#[from] PackagesError),
    /// The table of shells cannot be used.
    #[error(transparent)]
    Shell(#[from] ShellError),
}

/// One thing that will be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A command is run.
    Run {
        /// Who does it, as a person calls it: `apt-get`.
        who: String,
        /// The command, program first.
        argv: Vec<String>,
        /// What for.
        why: String,
        /// It makes sense only if the step before it went well.
        follows: bool,
    },
    /// A line is added at the end of the shell's file.
    Teach(Shell),
}

impl Step {
    /// The command or the line.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Run { argv, .. } => command_line(argv),
            Self::Teach(shell) => format!("{}  {MARK}", shell.line),
        }
    }

    /// What it is for.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::Run { why, .. } => why.clone(),
            Self::Teach(shell) => {
                format!("added to {}, so that {} completes `cki`", shell.file.display(), shell.name)
            }
        }
    }
}

/// Something that is left to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByHand {
    /// What, and why.
    pub what: String,
    /// The command, if one does it.
    pub command: Option<String>,
}

/// What will be done, and what will not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// What a person has to do, before or afterwards.
    pub by_hand: Vec<ByHand>,
}

/// What of a machine a plan depends on.
#[derive(Debug)]
struct Ground<'a> {
    packages: &'a Packages,
    manager: Option<&'a Manager>,
    shell: Option<Shell>,
    wanted: config::Engine,
    docker_is_there: bool,
    is_root: bool,
    can_be_root: bool,
    has_systemd: bool,
    user: String,
    env: &'a Env,
}

/// Makes the plan for a machine from what its checks have found.
///
/// # Errors
/// When the templates for it do not work.
pub fn plan(patient: &Patient, checks: &[Check]) -> Result<Plan, SetupError> {
    let assets = patient.trusted_assets();
    let env = patient.env();
    let packages = Packages::read(&assets)?;
    let ground = Ground {
        manager: packages.manager(env),
        shell: Shell::of_user(env, &assets)?,
        wanted: patient.wanted(),
        docker_is_there: packages.installed(env, "docker").is_some(),
        is_root: packages::is_root(),
        can_be_root: packages::can_be_root(env),
        has_systemd: packages::has_systemd(),
        user: packages::user(),
        packages: &packages,
        env,
    };
    Ok(ground.plan(&lacks(checks)))
}

/// What is missing and could be set up.
#[must_use]
pub fn lacks(checks: &[Check]) -> Vec<Lack> {
    checks.iter().filter_map(|check| check.found.lacks).collect()
}

impl Ground<'_> {
    fn plan(&self, lacks: &[Lack]) -> Plan {
        let mut plan = Plan::default();
        let engine = lacks.contains(&Lack::Engine).then(|| self.engine());
        let mut things: Vec<(&str, &str)> = Vec::new();
        if let Some(engine) = engine.filter(|engine| *engine != "docker" || !self.docker_is_there) {
            things.push((engine, "a container engine"));
        }
        things.extend(lacks.iter().filter_map(|lack| match lack {
            Lack::Cpp => Some(("cpp", "the C preprocessor")),
            Lack::Git => Some(("git", "git")),
            Lack::Certificates => Some(("certificates", "certificates of authorities")),
            Lack::Engine | Lack::Completion => None,
        }));
        self.install(&things, &mut plan);
        if let Some((name, facts)) = engine.and_then(|name| Some((name, self.packages.engine(name)?))) {
            self.bring_up(name, facts, &mut plan);
        }
        if lacks.contains(&Lack::Completion) {
            plan.steps.extend(self.shell.clone().map(Step::Teach));
        }
        plan
    }

    /// The engine that is wanted, or the one that is there, or at home on this system.
    fn engine(&self) -> &str {
        match (self.wanted, self.manager) {
            (config::Engine::Docker, _) => "docker",
            (config::Engine::Podman, _) => "podman",
            _ if self.docker_is_there => "docker",
            (_, Some(manager)) => &manager.engine,
            (_, None) => "podman",
        }
    }

    /// Installs things, each named as in the table and as a person calls it.
    fn install(&self, things: &[(&str, &str)], plan: &mut Plan) {
        let Some(manager) = self.manager.filter(|_| !things.is_empty()) else {
            let names: Vec<&str> =
                self.packages.managers.iter().map(|manager| manager.program.as_str()).collect();
            plan.by_hand.extend(things.iter().map(|(_, what)| ByHand {
                what: format!("install {what}: of {}, none is here", names.join(", ")),
                command: None,
            }));
            return;
        };
        let (mut words, mut why) = (Vec::new(), Vec::new());
        for (thing, what) in things {
            match manager.packages(thing) {
                Some(packages) => {
                    words.extend(packages.iter().cloned());
                    why.push((*what).to_owned());
                }
                None => plan.by_hand.push(ByHand {
                    what: format!("install {what}: `{}` has no package with it", manager.program),
                    command: None,
                }),
            }
        }
        if words.is_empty() {
            return;
        }
        let refresh = manager
            .refresh
            .iter()
            .map(|argv| (argv.clone(), "brings the lists of packages up to date".to_owned()));
        let install = [manager.install.as_slice(), &words].concat();
        for (argv, why) in refresh.chain([(install, format!("installs {}", join_and(&why)))]) {
            if manager.root {
                self.as_root(&manager.program, &argv, why, false, plan);
            } else {
                plan.steps.push(Step::Run { who: manager.program.clone(), argv, why, follows: false });
            }
        }
    }

    /// Starts the engine's service, and says what only a person can do.
    fn bring_up(&self, name: &str, facts: &EngineFacts, plan: &mut Plan) {
        if self.has_systemd && !facts.start.is_empty() {
            let follows = !plan.steps.is_empty();
            self.as_root("systemctl", &facts.start, format!("starts the service of {name}"), follows, plan);
        } else if !facts.by_hand.is_empty() {
            plan.by_hand.push(ByHand {
                what: format!("start {name}: no systemd runs here that could"),
                command: Some(command_line(&packages::as_root(self.env, &facts.by_hand))),
            });
        }
        if !self.is_root && !facts.join.is_empty() {
            let join = [facts.join.as_slice(), std::slice::from_ref(&self.user)].concat();
            plan.by_hand.push(ByHand {
                what: format!(
                    "let {} use {name}, which gives the rights of root, and log in again",
                    self.user
                ),
                command: Some(command_line(&packages::as_root(self.env, &join))),
            });
        }
    }

    /// A command with the rights of root; without a way to them, it is left to a person.
    fn as_root(&self, who: &str, argv: &[String], why: String, follows: bool, plan: &mut Plan) {
        if self.can_be_root {
            let argv = packages::as_root(self.env, argv);
            plan.steps.push(Step::Run { who: who.to_owned(), argv, why, follows });
        } else {
            plan.by_hand.push(ByHand {
                what: format!("become root, and run what {why}"),
                command: Some(command_line(argv)),
            });
        }
    }
}

/// What came of a step.
#[derive(Debug)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not tried, since the one before it failed.
    Skipped,
    /// It failed.
    Failed(String),
}

/// Carries a plan out, step by step; one that fails does not keep the others, unless they follow
/// from it.
///
/// # Errors
/// When a signal has stopped it.
pub async fn carry_out(plan: &Plan, env: &Env, events: &Events, stop: &Stop) -> Result<Vec<Outcome>, Signal> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for step in &plan.steps {
        if let Some(signal) = stop.now() {
            return Err(signal);
        }
        let outcome = match step {
            Step::Run { follows: true, .. } if !matches!(outcomes.last(), Some(Outcome::Done)) => {
                Outcome::Skipped
            }
            Step::Run { who, argv, why, .. } => run(who, argv, why, env, events, stop).await?,
            Step::Teach(shell) => teach(shell, events),
        };
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Runs a command. It is no task that is drawn while it goes on: the command's own lines are shown,
/// and `sudo` may be asking for a password.
async fn run(
    who: &str,
    argv: &[String],
    why: &str,
    env: &Env,
    events: &Events,
    stop: &Stop,
) -> Result<Outcome, Signal> {
    let began = Instant::now();
    let command = command_line(argv);
    let subject = || who.to_owned();
    events.send(Event::Line { subject: subject(), stream: Stream::Stderr, text: format!("$ {command}") });
    let result = packages::run(who, argv, env, events, stop).await;
    let finished = |state: State, detail: String| {
        events.send(Event::Finished { subject: subject(), state, detail, took: began.elapsed() });
    };
    match result {
        Ok(()) => {
            finished(State::Done, why.to_owned());
            Ok(Outcome::Done)
        }
        Err(PackagesError::Stopped { signal, .. }) => {
            finished(State::Failed, format!("{command}: stopped"));
            Err(signal)
        }
        Err(error) => {
            let why = match std::error::Error::source(&error) {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            };
            finished(State::Failed, why.clone());
            Ok(Outcome::Failed(why))
        }
    }
}

fn teach(shell: &Shell, events: &Events) -> Outcome {
    let task = events.start("writing", shell.file.display().to_string());
    match shell.teach() {
        Ok(()) => {
            task.finish(
                State::Done,
                format!("{}; a new {} completes `cki`", shell.file.display(), shell.name),
            );
            Outcome::Done
        }
        Err(error) => {
            task.finish(State::Failed, error.to_string());
            Outcome::Failed(error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assets::Assets;
    use std::path::Path;

    /// The plan for a machine with a package manager, for root or not, with or without systemd.
    fn plan(
        manager: Option<&str>,
        change: impl FnOnce(&mut Ground<'_>),
        lacks: &[Lack],
    ) -> (Vec<String>, Vec<String>) {
        let packages = Packages::read(&Assets::default()).expect("is good");
        let env = Env::new([("HOME", "/home/me"), ("SHELL", "/bin/bash")]);
        let mut ground = Ground {
            packages: &packages,
            manager: manager
                .map(|name| packages.managers.iter().find(|one| one.program == name).expect(name)),
            shell: Shell::of_user(&env, &Assets::default()).expect("is good"),
            wanted: config::Engine::Auto,
            docker_is_there: false,
            is_root: true,
            can_be_root: true,
            has_systemd: false,
            user: "me".to_owned(),
            env: &env,
        };
        change(&mut ground);
        let Plan { steps, by_hand } = ground.plan(lacks);
        let shown = |one: &ByHand| match &one.command {
            Some(command) => format!("{}: {command}", one.what),
            None => one.what.clone(),
        };
        (steps.iter().map(Step::shown).collect(), by_hand.iter().map(shown).collect())
    }

    const EVERYTHING: [Lack; 4] = [Lack::Engine, Lack::Cpp, Lack::Git, Lack::Certificates];

    #[test]
    fn debian_gets_docker_and_systemd_starts_it() {
        let (steps, by_hand) = plan(Some("apt-get"), |ground| ground.has_systemd = true, &EVERYTHING);
        // These tests run as root, or have no `sudo` in their PATH.
        let raise = if packages::is_root() { "" } else { "sudo " };
        let wanted = [
            "apt-get update",
            "env DEBIAN_FRONTEND=noninteractive apt-get install --yes docker.io cpp git ca-certificates",
            "systemctl start docker",
        ];
        assert_eq!(steps, wanted.map(|command| format!("{raise}{command}")));
        assert_eq!(by_hand, Vec::<String>::new());
    }

    #[test]
    fn what_only_a_person_can_do_is_said() {
        let (steps, by_hand) = plan(Some("apt-get"), |ground| ground.is_root = false, &[Lack::Engine]);
        assert_eq!(steps.len(), 2);
        assert!(by_hand[0].starts_with("start docker: no systemd runs here that could: "), "{by_hand:?}");
        assert!(by_hand[1].ends_with("usermod -aG docker me"), "{by_hand:?}");
        let (steps, by_hand) = plan(Some("apt-get"), |ground| ground.can_be_root = false, &[Lack::Git]);
        assert_eq!(steps, Vec::<String>::new());
        assert_eq!(
            by_hand[1],
            "become root, and run what installs git: env DEBIAN_FRONTEND=noninteractive apt-get install --yes git"
        );
        let (steps, by_hand) = plan(None, |_| {}, &[Lack::Git]);
        assert_eq!(steps, Vec::<String>::new());
        assert_eq!(by_hand, ["install git: of apt-get, dnf, zypper, pacman, apk, brew, none is here"]);
        let (steps, by_hand) = plan(Some("brew"), |_| {}, &[Lack::Cpp, Lack::Git]);
        assert_eq!(steps, ["brew install git"]);
        assert_eq!(by_hand, ["install the C preprocessor: `brew` has no package with it"]);
    }

    #[test]
    fn the_engine_is_the_one_that_is_wanted_or_at_home() {
        let engine =
            |manager: &str, change: fn(&mut Ground<'_>)| plan(Some(manager), change, &[Lack::Engine]).0;
        assert!(engine("dnf", |_| {})[0].ends_with("dnf install --assumeyes podman"));
        assert!(engine("dnf", |ground| ground.wanted = config::Engine::Docker)[0].ends_with("moby-engine"));
        assert!(engine("apt-get", |ground| ground.wanted = config::Engine::Podman)[1].ends_with(" podman"));
        // What is installed is only started.
        let started = engine("dnf", |ground| (ground.docker_is_there, ground.has_systemd) = (true, true));
        assert_eq!(started.len(), 1);
        assert!(started[0].ends_with("systemctl start docker"), "{started:?}");
    }

    #[test]
    fn a_shell_is_taught_without_any_package_manager() {
        let (steps, by_hand) = plan(None, |_| {}, &[Lack::Completion]);
        assert_eq!(steps, [format!("command -v cki >/dev/null && source <(cki completions bash)  {MARK}")]);
        assert_eq!(by_hand, Vec::<String>::new());
        assert_eq!(plan(None, |ground| ground.shell = None, &[Lack::Completion]).0, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_step_that_follows_waits_for_the_one_before_it() {
        let env = Env::new([("PATH", "/usr/bin:/bin")]);
        let step = |program: &str, follows| Step::Run {
            who: program.to_owned(),
            argv: vec![program.to_owned()],
            why: String::new(),
            follows,
        };
        let home = tempfile::tempdir().expect("a temporary folder");
        let at = Env::new([("HOME", home.path().to_str().expect("is text")), ("SHELL", "bash")]);
        let shell = Shell::of_user(&at, &Assets::default()).expect("is good").expect("is known");
        let steps = vec![
            step("false", false),
            step("true", true),
            step("true", false),
            step("true", true),
            Step::Teach(shell.clone()),
        ];
        let plan = Plan { steps, by_hand: Vec::new() };
        let stop = Stop::new();
        let outcomes = carry_out(&plan, &env, &Events::silent(), &stop).await.expect("nobody stops it");
        assert!(matches!(
            outcomes.as_slice(),
            [Outcome::Failed(_), Outcome::Skipped, Outcome::Done, Outcome::Done, Outcome::Done]
        ));
        assert!(shell.taught_by().expect("looks").as_deref() == Some(Path::new(&shell.file)));
        stop.raise(Signal::Interrupt);
        assert_eq!(carry_out(&plan, &env, &Events::silent(), &stop).await.err(), Some(Signal::Interrupt));
    }
}
