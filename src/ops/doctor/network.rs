//! The check of the network between containers: whether the containers on one network of an engine reach
//! each other. Two running containers prove it; without them, the firewall's rules decide.

use super::{CheckResult, DoctorContext};
use crate::base::text::join_and;
use crate::host::firewall::Firewall;
use crate::host::netns::NetNs;
use crate::host::programs;
use crate::model::container::Status;
use crate::ops::runtime::contact::{self, Contact, Why};
use crate::systems::engine::{AddressKind, ContainerEngine, EngineChoice, EngineError, discover_listening};

/// The result for one engine.
enum NetworkLook {
    /// Nothing is in the way, for this reason.
    Open(String),
    /// Something is in the way.
    Blocked(Why),
    /// The result is unknown, for this reason.
    Unknown(String),
}

/// Checks every engine of this machine, wanted or not: they share a firewall, and one of them may block
/// the other.
pub(super) async fn between_containers(patient: &DoctorContext) -> CheckResult {
    if patient.discovery().await.is_none() {
        return CheckResult::not_needed("no container engine is selected");
    }
    let (docker, podman) =
        tokio::join!(look(patient, AddressKind::Docker), look(patient, AddressKind::Podman));
    let looks = [(AddressKind::Docker, docker), (AddressKind::Podman, podman)];
    judge(looks.into_iter().filter_map(|(kind, look)| Some((kind, look?))).collect())
}

fn judge(looks: Vec<(AddressKind, NetworkLook)>) -> CheckResult {
    if looks.is_empty() {
        return CheckResult::not_needed("there is no container engine");
    }
    let (mut details, mut blocked, mut open) = (Vec::new(), None, Vec::new());
    for (kind, look) in looks {
        match look {
            NetworkLook::Open(said) => {
                details.push(format!("{kind}: {said}"));
                open.push(kind.to_string());
            }
            NetworkLook::Unknown(said) => details.push(format!("{kind}: {said}")),
            NetworkLook::Blocked(why) => {
                details.extend(why.remedies().iter().skip(1).map(|other| format!("{kind}: or `{other}`")));
                blocked.get_or_insert((kind, why));
            }
        }
    }
    if let Some((kind, why)) = blocked {
        let text = format!("containers on one network of {kind} cannot reach each other: {why}");
        let found = CheckResult::failed(text).details(details);
        return match why.remedies().into_iter().next() {
            Some(remedy) => found.fix(remedy),
            None => found,
        };
    }
    if open.is_empty() {
        return CheckResult::not_needed("the firewall between containers cannot be inspected")
            .details(details);
    }
    CheckResult::good(format!("containers on one network of {} reach each other", join_and(&open)))
        .details(details)
}

async fn look(patient: &DoctorContext, kind: AddressKind) -> Option<NetworkLook> {
    let Some(engine) = listening(patient, kind).await else {
        // A service that `podman` starts on its own lives in this process's network namespace.
        let is_started = kind == AddressKind::Podman && programs::find(&patient.env, "podman").is_some();
        if !is_started || !nix::unistd::geteuid().is_root() {
            return None;
        }
        let own = NetNs::of_process(std::process::id()).ok()?;
        return Some(of_facts(&Firewall::read(&own, &patient.env).await.ok()?, kind));
    };
    let looked = async {
        if engine.is_rootless().await? {
            return Ok(NetworkLook::Open(
                "it is rootless, and this machine's firewall is not in the way".to_owned(),
            ));
        }
        if !engine.can_enter_netns().await? {
            return Ok(NetworkLook::Unknown("only root can look at it".to_owned()));
        }
        Ok::<_, EngineError>(match among_running(patient, &engine).await? {
            Contact::Made => NetworkLook::Open("two that run do".to_owned()),
            Contact::Lost(why) => NetworkLook::Blocked(why),
            Contact::Unknown => match contact::firewall(&engine, &patient.env).await {
                Some(firewall) => of_facts(&firewall, kind),
                None => NetworkLook::Unknown("its network cannot be entered".to_owned()),
            },
        })
    };
    Some(looked.await.unwrap_or_else(|error| NetworkLook::Unknown(error.to_string())))
}

/// Returns a listening engine of a kind; starts none.
async fn listening(patient: &DoctorContext, kind: AddressKind) -> Option<ContainerEngine> {
    let found = patient.discovery().await.and_then(|found| found.engine.as_ref());
    if let Some(engine) = found.filter(|engine| engine.kind() == kind) {
        return Some(engine.clone());
    }
    let wanted = if kind == AddressKind::Docker { EngineChoice::Docker } else { EngineChoice::Podman };
    discover_listening(&patient.env, wanted).await.engine
}

/// Tests contact between the first two containers of `cki` that run on one network.
async fn among_running(patient: &DoctorContext, engine: &ContainerEngine) -> Result<Contact, EngineError> {
    let mut all = engine.list(None).await?;
    all.retain(|one| one.status == Status::Running);
    for (at, one) in all.iter().enumerate() {
        for other in &all[at + 1..] {
            if let Some(network) = one.networks.iter().find(|network| other.networks.contains(network)) {
                return contact::between(engine, &patient.env, (&one.id, &other.id), &[network]).await;
            }
        }
    }
    Ok(Contact::Unknown)
}

fn of_facts(firewall: &Firewall, kind: AddressKind) -> NetworkLook {
    // Docker writes a rule for each of its networks, as long as its own chains exist.
    let writes_its_own = kind == AddressKind::Docker && firewall.has_docker();
    match firewall.obstacle(&contact::bridges(kind, &[])).filter(|_| !writes_its_own) {
        Some(obstacle) => NetworkLook::Blocked(Why::of(obstacle)),
        None if firewall.sees_bridges => NetworkLook::Open("the firewall lets it through".to_owned()),
        None => NetworkLook::Open("the firewall does not see it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckState;
    use super::*;

    #[test]
    fn network_check_reports_blocking_engine_with_fix() {
        let firewall = Firewall::of("iptables", "-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n");
        let looks = || {
            vec![
                (AddressKind::Docker, of_facts(&firewall, AddressKind::Docker)),
                (AddressKind::Podman, of_facts(&firewall, AddressKind::Podman)),
            ]
        };
        let found = judge(looks());
        assert_eq!(found.state, CheckState::Failed);
        assert_eq!(
            found.why,
            "containers on one network of Podman cannot reach each other: this machine's firewall drops \
             traffic within a network, since `net.bridge.bridge-nf-call-iptables` is 1 and the policy of the \
             chain FORWARD is DROP"
        );
        assert_eq!(
            found.fix.as_deref(),
            Some("iptables -I DOCKER-USER -m physdev --physdev-is-bridged -j ACCEPT")
        );
        assert_eq!(
            found.details,
            [
                "Docker: the firewall lets it through",
                "Podman: or `sysctl -w net.bridge.bridge-nf-call-iptables=0`"
            ]
        );
        // Docker's rules were flushed, and its policy stayed.
        let flushed = Firewall::of("iptables", "-P FORWARD DROP\n");
        assert_eq!(
            judge(vec![(AddressKind::Docker, of_facts(&flushed, AddressKind::Docker))]).state,
            CheckState::Failed
        );
        let open = Firewall::of("iptables", "-P FORWARD ACCEPT\n");
        let found = judge(vec![(AddressKind::Podman, of_facts(&open, AddressKind::Podman))]);
        assert_eq!(
            (found.state, found.why.as_str()),
            (CheckState::Good, "containers on one network of Podman reach each other")
        );
        let unknown = NetworkLook::Unknown("only root can look at it".to_owned());
        assert_eq!(judge(vec![(AddressKind::Docker, unknown)]).state, CheckState::NotNeeded);
        assert_eq!(judge(Vec::new()).state, CheckState::NotNeeded);
    }
}
