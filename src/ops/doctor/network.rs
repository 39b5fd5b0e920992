//! The check of the network between containers: whether the containers on one network of an engine reach
//! each other. Two running containers prove it; without them, the firewall's rules decide.

use super::{Found, Patient};
use crate::base::text::join_and;
use crate::host::firewall::Firewall;
use crate::host::netns::OtherNetwork;
use crate::host::programs;
use crate::model::container::Status;
use crate::ops::contact::{self, Contact, Why};
use crate::systems::engine::{ContainerEngine, EngineError, Kind, Wanted, discover_listening};

/// The result for one engine.
enum Look {
    /// Nothing is in the way, for this reason.
    Open(String),
    /// Something is in the way.
    Blocked(Why),
    /// The result is unknown, for this reason.
    Unknown(String),
}

/// Checks every engine of this machine, wanted or not: they share a firewall, and one of them may block
/// the other.
pub(super) async fn between_containers(patient: &Patient) -> Found {
    if patient.discovery().await.is_none() {
        return Found::not_needed("no container engine is wanted");
    }
    let (docker, podman) = tokio::join!(look(patient, Kind::Docker), look(patient, Kind::Podman));
    let looks = [(Kind::Docker, docker), (Kind::Podman, podman)];
    judge(looks.into_iter().filter_map(|(kind, look)| Some((kind, look?))).collect())
}

fn judge(looks: Vec<(Kind, Look)>) -> Found {
    if looks.is_empty() {
        return Found::not_needed("there is no container engine");
    }
    let (mut details, mut blocked, mut open) = (Vec::new(), None, Vec::new());
    for (kind, look) in looks {
        match look {
            Look::Open(said) => {
                details.push(format!("{kind}: {said}"));
                open.push(kind.to_string());
            }
            Look::Unknown(said) => details.push(format!("{kind}: {said}")),
            Look::Blocked(why) => {
                details.extend(why.remedies().iter().skip(1).map(|other| format!("{kind}: or `{other}`")));
                blocked.get_or_insert((kind, why));
            }
        }
    }
    if let Some((kind, why)) = blocked {
        let text = format!("containers on one network of {kind} cannot reach each other: {why}");
        let found = Found::failed(text).details(details);
        return match why.remedies().into_iter().next() {
            Some(remedy) => found.fix(remedy),
            None => found,
        };
    }
    if open.is_empty() {
        return Found::not_needed("what is between containers cannot be looked at").details(details);
    }
    Found::good(format!("containers on one network of {} reach each other", join_and(&open))).details(details)
}

async fn look(patient: &Patient, kind: Kind) -> Option<Look> {
    let Some(engine) = listening(patient, kind).await else {
        // A service that `podman` starts by itself lives in this process's network namespace.
        let is_started = kind == Kind::Podman && programs::find(&patient.env, "podman").is_some();
        if !is_started || !nix::unistd::geteuid().is_root() {
            return None;
        }
        let own = OtherNetwork::of_process(std::process::id()).ok()?;
        return Some(of_facts(&Firewall::read(&own, &patient.env).await.ok()?, kind));
    };
    let looked = async {
        if engine.is_rootless().await? {
            return Ok(Look::Open(
                "it is rootless, and this machine's firewall is not in the way".to_owned(),
            ));
        }
        if !engine.lets_us_in().await? {
            return Ok(Look::Unknown("only root can look at it".to_owned()));
        }
        Ok::<_, EngineError>(match among_running(patient, &engine).await? {
            Contact::Made => Look::Open("two that run do".to_owned()),
            Contact::Lost(why) => Look::Blocked(why),
            Contact::Unknown => match contact::firewall(&engine, &patient.env).await {
                Some(firewall) => of_facts(&firewall, kind),
                None => Look::Unknown("its network cannot be entered".to_owned()),
            },
        })
    };
    Some(looked.await.unwrap_or_else(|error| Look::Unknown(error.to_string())))
}

/// Returns a listening engine of a kind; starts none.
async fn listening(patient: &Patient, kind: Kind) -> Option<ContainerEngine> {
    let found = patient.discovery().await.and_then(|found| found.engine.as_ref());
    if let Some(engine) = found.filter(|engine| engine.kind() == kind) {
        return Some(engine.clone());
    }
    let wanted = if kind == Kind::Docker { Wanted::Docker } else { Wanted::Podman };
    discover_listening(&patient.env, wanted).await.engine
}

/// Tests contact between the first two containers of `cki` that run on one network.
async fn among_running(patient: &Patient, engine: &ContainerEngine) -> Result<Contact, EngineError> {
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

fn of_facts(firewall: &Firewall, kind: Kind) -> Look {
    // Docker writes a rule for each of its networks, as long as its own chains exist.
    let writes_its_own = kind == Kind::Docker && firewall.has_docker();
    match firewall.obstacle(&contact::bridges(kind, &[])).filter(|_| !writes_its_own) {
        Some(obstacle) => Look::Blocked(Why::of(obstacle)),
        None if firewall.sees_bridges => Look::Open("the firewall lets it through".to_owned()),
        None => Look::Open("the firewall does not see it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn one_engine_in_the_way_of_the_other_is_a_failure_with_its_remedy() {
        let firewall = Firewall::of("iptables", "-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n");
        let looks = || {
            vec![
                (Kind::Docker, of_facts(&firewall, Kind::Docker)),
                (Kind::Podman, of_facts(&firewall, Kind::Podman)),
            ]
        };
        let found = judge(looks());
        assert_eq!(found.state, State::Failed);
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
        assert_eq!(judge(vec![(Kind::Docker, of_facts(&flushed, Kind::Docker))]).state, State::Failed);
        let open = Firewall::of("iptables", "-P FORWARD ACCEPT\n");
        let found = judge(vec![(Kind::Podman, of_facts(&open, Kind::Podman))]);
        assert_eq!(
            (found.state, found.why.as_str()),
            (State::Good, "containers on one network of Podman reach each other")
        );
        let unknown = Look::Unknown("only root can look at it".to_owned());
        assert_eq!(judge(vec![(Kind::Docker, unknown)]).state, State::NotNeeded);
        assert_eq!(judge(Vec::new()).state, State::NotNeeded);
    }
}
