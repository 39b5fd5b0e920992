//! Checks of the container engine, of the native engine, and of leftovers of killed runs on either.

use super::{CheckResult, DoctorContext, blocking};
use crate::base::text::{command_line, join_and, plural};
use crate::config;
use crate::ops::gc::left_by_the_dead;
use crate::ops::runtime::engine::RunEngine;
use crate::systems::engine::{DiscoveryOutcome, EngineCandidate, EngineOrigin};
use crate::systems::native::{IsolationAspect, Native, Sandbox};
use crate::systems::packages::{self, Packages};

/// Checks the container engine: every address that may have one, and the result of trying it.
pub(super) async fn engine(patient: &DoctorContext) -> CheckResult {
    let wanted = match patient.settings.engine {
        config::Engine::Podman => "Podman",
        _ => "Docker",
    };
    let by = || {
        let config = patient.config.as_ref().ok();
        config
            .and_then(|config| config.get("engine"))
            .map_or_else(String::new, |value| value.origin.to_string())
    };
    let Some(discovery) = patient.discovery().await else {
        return CheckResult::not_needed(format!("{} asks for the native engine", by()));
    };
    let details: Vec<String> = discovery.candidates.iter().map(place).collect();
    if let Some(engine) = &discovery.engine {
        let own = discovery.candidates.iter().any(|one| {
            one.origin == EngineOrigin::PodmanProgram && matches!(one.outcome, DiscoveryOutcome::Used { .. })
        });
        let at =
            if own { "started when it is needed".to_owned() } else { format!("at {}", engine.address()) };
        let found = format!("{} {}, {at}", engine.kind(), engine.version());
        return CheckResult::good(found).details(details);
    }
    let found = if patient.settings.engine == config::Engine::Auto {
        CheckResult::warning(
            "no container engine answers; components run as processes of this machine instead",
        )
    } else {
        CheckResult::failed(format!("no {wanted} engine answers, and {} asks for one", by()))
    };
    let found = found.details(details);
    match Packages::read(&patient.trusted_assets()) {
        Ok(packages) => mend(found, &discovery.candidates, &Machine::of(patient, &packages)),
        Err(_) => found,
    }
}

/// Describes an address in few words, without the addresses of well-known origins.
fn place(EngineCandidate { origin, address, outcome }: &EngineCandidate) -> String {
    match origin {
        EngineOrigin::Variable(_) | EngineOrigin::DockerContext(_) => {
            format!("{origin}, {address}: {outcome}")
        }
        EngineOrigin::PodmanProgram => format!("{origin}: {outcome}"),
        EngineOrigin::DockerSocket | EngineOrigin::PodmanRootless | EngineOrigin::PodmanRootful => {
            format!("{address}: {outcome}")
        }
    }
}

/// The facts about the machine that decide how to fix an engine.
struct Machine {
    /// Docker is installed and wanted: the command that starts it.
    docker: Option<String>,
    /// Podman is installed and wanted.
    podman: bool,
    /// The command that lets this user use Docker.
    join: String,
    /// The command that installs the wanted or usual engine of this system, or the reason why there is
    /// none.
    install: Result<String, String>,
}

impl Machine {
    fn of(patient: &DoctorContext, packages: &Packages) -> Self {
        let env = &patient.env;
        let (docker, podman) = match patient.settings.engine {
            config::Engine::Docker => (true, false),
            config::Engine::Podman => (false, true),
            _ => (true, true),
        };
        let shown = |argv: &[String]| command_line(&packages::as_root(env, argv));
        let facts = packages.engine("docker");
        let start = facts.map(|facts| if packages::has_systemd() { &facts.start } else { &facts.by_hand });
        let join = facts.map_or_else(Vec::new, |facts| [facts.join.as_slice(), &[packages::user()]].concat());
        Self {
            docker: start
                .filter(|_| docker && packages.installed(env, "docker").is_some())
                .map(|start| shown(start)),
            podman: podman && packages.installed(env, "podman").is_some(),
            join: shown(&join),
            install: install_command(patient, packages),
        }
    }
}

/// Returns the command that installs an engine and starts its service.
fn install_command(patient: &DoctorContext, packages: &Packages) -> Result<String, String> {
    let usual = || packages.manager(&patient.env).map_or("podman", |manager| manager.engine.as_str());
    let engine = match patient.settings.engine {
        config::Engine::Docker => "docker",
        config::Engine::Podman => "podman",
        config::Engine::Auto | config::Engine::Native => usual(),
    };
    let install = patient.install_command(engine)?;
    let service = packages.engine(engine).filter(|facts| packages::has_systemd() && !facts.start.is_empty());
    Ok(service.map_or_else(
        || install.clone(),
        |facts| format!("{install} && {}", command_line(&packages::as_root(&patient.env, &facts.start))),
    ))
}

fn mend(found: CheckResult, candidates: &[EngineCandidate], machine: &Machine) -> CheckResult {
    let tried = |candidate: &&EngineCandidate| {
        !matches!(
            candidate.outcome,
            DiscoveryOutcome::NotTried | DiscoveryOutcome::OtherKind(_) | DiscoveryOutcome::Used { .. }
        )
    };
    // An explicit setting wins: an installed engine would not be used.
    for candidate in candidates.iter().filter(tried) {
        match &candidate.origin {
            EngineOrigin::Variable(name) => return found.fix(format!("unset {name}")),
            EngineOrigin::DockerContext(_) => return found.fix("docker context use default"),
            _ => {}
        }
    }
    let refused = |one: &EngineCandidate| {
        one.origin == EngineOrigin::DockerSocket && one.outcome == DiscoveryOutcome::NoPermission
    };
    if candidates.iter().any(refused) {
        let mut found = found.fix(&machine.join);
        found.details.push(
            "anyone who joins that group has the rights of root; it counts from the next login on".into(),
        );
        return found;
    }
    match machine {
        Machine { docker: Some(start), .. } => found.fix(start),
        // Podman is installed and does not work: the details say why, and installing it again does not
        // help.
        Machine { podman: true, .. } => found,
        Machine { install, .. } => found.fix_or_detail(install.clone()),
    }
}

/// Checks the isolation of the native engine; it matters where no container engine is used.
pub(super) async fn native(patient: &DoctorContext) -> CheckResult {
    let containers = patient.discovery().await.is_some_and(|discovery| {
        discovery.engine.is_some() || patient.settings.engine != config::Engine::Auto
    });
    let isolation = blocking(|| Sandbox::new().isolation()).await;
    let details = isolation
        .iter()
        .map(|(what, kept)| format!("{what}: {}", kept.as_ref().unwrap_or_else(|why| why)))
        .collect();
    let refused: Vec<String> = isolation
        .iter()
        .filter(|(what, kept)| {
            kept.is_err() && [IsolationAspect::Network, IsolationAspect::Processes].contains(what)
        })
        .map(|(what, _)| what.to_string())
        .collect();
    let found = match refused.as_slice() {
        [] => CheckResult::good("a network and processes of its own, and this machine's files"),
        some => CheckResult::warning(format!("no {} of its own, and this machine's files", join_and(some))),
    };
    let mut found = found.details(details);
    if !refused.is_empty() && !containers {
        let packages = Packages::read(&patient.trusted_assets()).map_err(|error| error.to_string());
        found = found.fix_or_detail(packages.and_then(|packages| install_command(patient, &packages)));
    }
    if containers { CheckResult { state: super::CheckState::NotNeeded, fix: None, ..found } } else { found }
}

/// Checks for leftovers of killed runs. The next command that uses the engine removes them.
pub(super) async fn leftovers(patient: &DoctorContext) -> CheckResult {
    let native = RunEngine::Native(Native::new(&patient.env));
    let containers =
        patient.discovery().await.and_then(|found| found.engine.clone()).map(RunEngine::Containers);
    let mut left = Vec::new();
    for engine in containers.iter().chain([&native]) {
        match left_by_the_dead(engine).await {
            Ok(found) => left.extend(found.into_iter().map(|one| one.name)),
            Err(error) => return CheckResult::failed(error.to_string()),
        }
    }
    match left.len() {
        0 => CheckResult::good("nothing is left of runs that were killed"),
        count => CheckResult::warning(format!("runs that were killed have left {}", plural(count, "thing")))
            .details(left)
            .fix("cki gc"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckState;
    use super::super::tests::patient;
    use super::*;

    fn candidate(origin: EngineOrigin, outcome: DiscoveryOutcome) -> EngineCandidate {
        EngineCandidate { origin, address: "somewhere".into(), outcome }
    }

    fn machine(docker: bool, podman: bool) -> Machine {
        let docker = docker.then(|| "sudo systemctl start docker".to_owned());
        let install = Ok("sudo dnf install podman".to_owned());
        Machine { docker, podman, join: "sudo usermod -aG docker me".into(), install }
    }

    fn fix(candidates: &[EngineCandidate], machine: &Machine) -> Option<String> {
        mend(CheckResult::warning("none"), candidates, machine).fix
    }

    #[test]
    fn engine_fix_depends_on_cause() {
        let absent = [
            candidate(EngineOrigin::DockerSocket, DiscoveryOutcome::Absent),
            candidate(EngineOrigin::PodmanProgram, DiscoveryOutcome::Absent),
        ];
        assert_eq!(fix(&absent, &machine(false, false)), Some("sudo dnf install podman".into()));
        assert_eq!(fix(&absent, &machine(true, true)), Some("sudo systemctl start docker".into()));
        assert_eq!(fix(&absent, &machine(false, true)), None);
        let refused = [candidate(EngineOrigin::DockerSocket, DiscoveryOutcome::NoPermission)];
        assert_eq!(fix(&refused, &machine(true, false)), Some("sudo usermod -aG docker me".into()));
        let bound = [
            candidate(EngineOrigin::Variable("DOCKER_HOST"), DiscoveryOutcome::Absent),
            candidate(EngineOrigin::DockerSocket, DiscoveryOutcome::NotTried),
        ];
        assert_eq!(fix(&bound, &machine(false, false)), Some("unset DOCKER_HOST".into()));
        let context =
            [candidate(EngineOrigin::DockerContext("far".into()), DiscoveryOutcome::Failed("no".into()))];
        assert_eq!(fix(&context, &machine(false, false)), Some("docker context use default".into()));
    }

    #[tokio::test]
    async fn engine_check_skips_unselected_engines() {
        let found = engine(&patient(&[])).await;
        assert_eq!(
            (found.state, found.why.as_str()),
            (CheckState::NotNeeded, "CKI_ENGINE asks for the native engine")
        );
        let found =
            engine(&patient(&[("CKI_ENGINE", "docker"), ("DOCKER_HOST", "unix:///nonexistent/s")])).await;
        assert_eq!(found.state, CheckState::Failed);
        assert_eq!(found.why, "no Docker engine answers, and CKI_ENGINE asks for one");
        assert_eq!(found.fix.as_deref(), Some("unset DOCKER_HOST"));
        assert!(
            found.details[0].starts_with("`DOCKER_HOST`, unix:///nonexistent/s: not there"),
            "{:?}",
            found.details
        );
    }
}
