//! Firewall rules that block traffic between two containers of one network: reads the rules and names the
//! blocking one. The test that traffic is blocked is [`NetNs::contact`].
//!
//! If `net.bridge.bridge-nf-call-iptables` is 1, the kernel passes traffic between two ports of a bridge
//! through the chain FORWARD of iptables. Docker turns forwarding on and sets the policy of that chain to
//! DROP; it adds rules that accept traffic for its own networks, and netavark (Podman) adds none for
//! internal networks.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use super::netns::NetNs;
use super::{Env, programs};
use crate::base::text::safe_line;

/// Switch that passes bridged traffic through iptables.
const SWITCH: &str = "/proc/sys/net/bridge/bridge-nf-call-iptables";
/// Programs that list rules. The two kinds of tables are separate, and a packet passes both.
const PROGRAMS: [&str; 3] = ["iptables", "iptables-legacy", "iptables-nft"];
/// Directories of administrators' programs, which `PATH` may lack.
const DIRECTORIES: [&str; 2] = ["/usr/sbin", "/sbin"];
/// Timeout for listing the rules.
const PATIENCE: Duration = Duration::from_secs(2);
/// Maximum number of rules to visit, however the chains call each other.
const RULES: usize = 200_000;
/// Maximum depth of calls between chains (the kernel allows 16).
const DEPTH: usize = 16;

/// Arguments of a rule that accepts traffic within a bridge and nothing else.
const ACCEPT: &str = "-m physdev --physdev-is-bridged -j ACCEPT";
/// Chain that Docker leaves to the administrator, and calls before all of its own rules.
const OWN_CHAIN: &str = "DOCKER-USER";

/// Firewall of one network of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Firewall {
    /// Bridged traffic passes through iptables.
    pub sees_bridges: bool,
    /// Rules in the format of `iptables -S`, each list with the program that printed it.
    rules: Vec<(String, String)>,
}

/// Rule or policy that blocks bridged traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// Program that manages the rule's tables.
    program: String,
    /// Chain whose first rule comes before all others.
    first: &'static str,
    /// `-P FORWARD DROP`, or a rule.
    rule: String,
}

impl Obstacle {
    /// Returns commands that let traffic pass, each sufficient alone.
    #[must_use]
    pub fn remedies(&self) -> [String; 2] {
        [format!("{} -I {} {ACCEPT}", self.program, self.first), switch_off()]
    }
}

/// Returns the command that keeps bridged traffic away from iptables.
#[must_use]
pub fn switch_off() -> String {
    "sysctl -w net.bridge.bridge-nf-call-iptables=0".to_owned()
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule.strip_prefix("-P FORWARD ") {
            Some(policy) => write!(f, "the policy of the chain FORWARD is {policy}"),
            None => write!(f, "the rule `{}` is in the way", self.rule),
        }
    }
}

impl Firewall {
    /// Reads the firewall of a network, which takes root.
    ///
    /// # Errors
    /// Fails if this process cannot enter the network.
    pub async fn read(network: &NetNs, env: &Env) -> io::Result<Self> {
        let switch = network.within(|| std::fs::read_to_string(SWITCH)).await?;
        let sees_bridges = switch.is_ok_and(|value| value.trim() == "1");
        let mut rules = Vec::new();
        for (name, program) in PROGRAMS.iter().filter_map(|name| Some((*name, find(env, name)?))) {
            if let Some(text) = list(env, network, program).await {
                rules.push((name.to_owned(), text));
            }
        }
        Ok(Self { sees_bridges, rules })
    }

    /// Returns a firewall with these rules that bridged traffic passes through.
    #[cfg(test)]
    pub(crate) fn of(program: &str, rules: &str) -> Self {
        Self { sees_bridges: true, rules: vec![(program.to_owned(), rules.to_owned())] }
    }

    /// Returns the rule or policy that blocks traffic within a bridge of one of these names. A name
    /// without its number, such as `podman`, also matches rules for `podman+`.
    #[must_use]
    pub fn obstacle(&self, bridges: &[String]) -> Option<Obstacle> {
        let tables = self.rules.iter().filter(|_| self.sees_bridges);
        tables.into_iter().find_map(|(program, text)| {
            let rule = Tables::parse(text).blocks(bridges)?;
            let calls_own = text.lines().any(|line| line.strip_prefix("-A FORWARD -j ") == Some(OWN_CHAIN));
            let first = if calls_own { OWN_CHAIN } else { "FORWARD" };
            Some(Obstacle { program: program.clone(), first, rule: safe_line(&rule).into_owned() })
        })
    }

    /// Returns whether Docker's chains are called: Docker then adds an accepting rule for each of its
    /// networks.
    #[must_use]
    pub fn has_docker(&self) -> bool {
        let calls = |line: &str| line.starts_with("-A FORWARD ") && line.contains(" -j DOCKER");
        self.rules.iter().any(|(_, text)| text.lines().any(calls))
    }
}

fn find(env: &Env, name: &str) -> Option<PathBuf> {
    let usual = || DIRECTORIES.iter().map(|directory| format!("{directory}/{name}"));
    programs::find(env, name).or_else(|| usual().find_map(|file| programs::find(env, &file)))
}

/// Returns the rules that a program lists in a network.
async fn list(env: &Env, network: &NetNs, program: PathBuf) -> Option<String> {
    let runtime = tokio::runtime::Handle::current();
    let command = programs::command(env, program);
    let spawn = move || {
        // A child process lives in the network of the thread that starts it.
        let _runtime = runtime.enter();
        tokio::process::Command::from(command)
            .arg("-S")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
    };
    let child = network.within(spawn).await.ok()?.ok()?;
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.ok()?.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Chains of the filter table.
struct Tables<'a> {
    policy: Option<&'a str>,
    chains: BTreeMap<&'a str, Vec<&'a str>>,
}

/// Result of a chain for a packet.
enum PacketFate {
    Accepted,
    Dropped(String),
    /// No rule of the chain decided.
    Returned,
}

impl<'a> Tables<'a> {
    fn parse(text: &'a str) -> Self {
        let mut tables = Self { policy: None, chains: BTreeMap::new() };
        for line in text.lines() {
            if line.starts_with("-P FORWARD ") {
                tables.policy = Some(line.trim_end());
            } else if let Some((chain, _)) = line.strip_prefix("-A ").and_then(|rest| rest.split_once(' ')) {
                tables.chains.entry(chain).or_default().push(line);
            }
        }
        tables
    }

    /// Returns the rule or policy that drops the first packet from one port of a bridge to another.
    fn blocks(&self, bridges: &[String]) -> Option<String> {
        let mut budget = RULES;
        match self.walk("FORWARD", bridges, DEPTH, &mut budget) {
            PacketFate::Accepted => None,
            PacketFate::Dropped(rule) => Some(rule),
            PacketFate::Returned => {
                self.policy.filter(|policy| !policy.ends_with(" ACCEPT")).map(str::to_owned)
            }
        }
    }

    fn walk(&self, chain: &str, bridges: &[String], depth: usize, budget: &mut usize) -> PacketFate {
        for rule in self.chains.get(chain).into_iter().flatten() {
            let Some(left) = budget.checked_sub(1) else { return PacketFate::Returned };
            *budget = left;
            let Some(target) = target(rule, bridges) else { continue };
            match target {
                "ACCEPT" => return PacketFate::Accepted,
                "DROP" | "REJECT" => return PacketFate::Dropped((*rule).to_owned()),
                "RETURN" => return PacketFate::Returned,
                // A built-in target of the kernel, such as LOG, has no rules and does not decide here.
                chain if depth > 0 => match self.walk(chain, bridges, depth - 1, budget) {
                    PacketFate::Returned => {}
                    fate => return fate,
                },
                _ => {}
            }
        }
        PacketFate::Returned
    }
}

/// Returns the target of a rule for the packet; `None` if the rule does not match. A rule with an unknown
/// condition counts as not matching.
fn target<'a>(rule: &'a str, bridges: &[String]) -> Option<&'a str> {
    let mut words = rule.split(' ').skip(2);
    let mut negated = false;
    while let Some(word) = words.next() {
        match word {
            "!" => {
                negated = true;
                continue;
            }
            "-j" | "-g" => return words.next(),
            "-i" | "-o" => {
                let name = words.next()?.trim_end_matches('+');
                let is_ours = name.is_empty() || bridges.iter().any(|one| one == name);
                if is_ours == negated {
                    return None;
                }
            }
            // The word after it names a module; the conditions follow.
            "-m" => drop(words.next()),
            "--physdev-is-bridged" if !negated => {}
            "--ctstate" | "--state" => {
                let has_new = words.next()?.split(',').any(|state| state == "NEW");
                if has_new == negated {
                    return None;
                }
            }
            "--comment" => {
                let quoted = words.next()?;
                if quoted.starts_with('"') && !(quoted.len() > 1 && quoted.ends_with('"')) {
                    words.by_ref().find(|word| word.ends_with('"'));
                }
            }
            _ => return None,
        }
        negated = false;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(rules: &str) -> Option<String> {
        Tables::parse(rules).blocks(&["podman".to_owned()])
    }

    #[test]
    fn firewall_reports_docker_drop_policy_as_blocking() {
        let docker = "-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-N DOCKER\n-N DOCKER-USER\n\
            -A FORWARD -j DOCKER-USER\n-A FORWARD -o docker0 -j DOCKER\n\
            -A FORWARD -i docker0 ! -o docker0 -j ACCEPT\n-A FORWARD -i docker0 -o docker0 -j ACCEPT\n\
            -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
            -A DOCKER-USER -j RETURN\n";
        assert_eq!(blocked(docker).as_deref(), Some("-P FORWARD DROP"));
        assert_eq!(blocked(&docker.replace("FORWARD DROP", "FORWARD ACCEPT")), None);
        for more in [
            "-A DOCKER-USER -i podman+ -o podman+ -j ACCEPT\n",
            "-A DOCKER-USER -m physdev --physdev-is-bridged -j ACCEPT\n",
            "-A DOCKER-USER ! -i eth0 -m comment --comment \"what is ours\" -j ACCEPT\n",
        ] {
            let text = docker.replace("-A DOCKER-USER -j RETURN\n", more);
            assert_eq!(blocked(&text), None, "{more}");
        }
        let firewall = |sees_bridges| Firewall { sees_bridges, ..Firewall::of("iptables", docker) };
        let obstacle = firewall(true).obstacle(&["podman".to_owned()]).expect("is one");
        assert_eq!(obstacle.to_string(), "the policy of the chain FORWARD is DROP");
        assert_eq!(
            obstacle.remedies()[0],
            "iptables -I DOCKER-USER -m physdev --physdev-is-bridged -j ACCEPT"
        );
        assert!(firewall(true).has_docker());
        assert_eq!(firewall(false).obstacle(&["podman".to_owned()]), None);
    }

    #[test]
    fn firewall_names_blocking_rule() {
        let reject = "-A FORWARD -j REJECT --reject-with icmp-host-prohibited";
        assert_eq!(blocked(&format!("-P FORWARD ACCEPT\n{reject}\n")).as_deref(), Some(reject));
        for other in [
            "-A FORWARD -s 10.0.0.0/8 -j DROP",
            "-A FORWARD -i eth0 -j DROP",
            "-A FORWARD ! -i podman+ -j DROP",
            "-A FORWARD -p udp -j DROP",
            "-A FORWARD -m conntrack --ctstate INVALID -j DROP",
            "-A FORWARD -j LOG",
            "-A FORWARD -j",
            "-A FORWARD",
            "",
        ] {
            assert_eq!(blocked(&format!("-P FORWARD ACCEPT\n{other}\n")), None, "{other}");
        }
    }

    #[test]
    fn firewall_terminates_on_recursive_chains() {
        let mut rules = String::from("-P FORWARD DROP\n-A FORWARD -j C0\n");
        for chain in 0..20 {
            for _ in 0..20 {
                rules.push_str(&format!("-A C{chain} -j C{}\n", (chain + 1) % 20));
            }
        }
        assert_eq!(blocked(&rules).as_deref(), Some("-P FORWARD DROP"));
    }
}
